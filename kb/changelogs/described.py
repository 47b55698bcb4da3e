"""From the settings of a project to how its notes are read: a project that kb knows, or a family of formats."""

from dataclasses import replace

from kb.changelogs.entry import Reading
from kb.changelogs.projects import BUILT_IN, FAMILIES, Project
from kb.changelogs.reading import read
from kb.changelogs.sources.interface import Document
from kb.complaints import nearest
from kb.config import ChangelogSettings, ConfigError

#: Format of a project that is not known and does not say how it is written.
DEFAULT_FAMILY = "numbered"
GITHUB = "https://github.com"


def project_of(name: str, settings: ChangelogSettings) -> Project:
    """How the notes of a project are written.

    Raises:
        ConfigError: there is no such format.
    """
    known = {**FAMILIES, **BUILT_IN}
    default = name if name in BUILT_IN else DEFAULT_FAMILY
    family = known.get(settings.format or default)
    if family is None:
        raise ConfigError(
            f"changelogs.{name}: no format is called {settings.format!r}; {nearest(settings.format, known)}"
        )
    repository = f"{GITHUB}/{settings.repository}" if settings.repository else family.repository
    return replace(family, name=name, packages=settings.packages, repository=repository)


def read_document(document: Document, project: str, settings: ChangelogSettings) -> Reading:
    """What a document of a project says.

    Raises:
        ConfigError: the project's format is not known.
    """
    return read(document.text, project_of(project, settings), document.version or "")
