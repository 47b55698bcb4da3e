"""Reading one text: the reader of its format, the sections of its project, and no section that spoils another."""

from collections.abc import Sequence
from dataclasses import replace

from kb.changelogs import markdown
from kb.changelogs.blocks import Document
from kb.changelogs.clean import clean
from kb.changelogs.entries import section_of
from kb.changelogs.entry import Reading, Section
from kb.changelogs.notices import notices
from kb.changelogs.projects import Format, Project
from kb.changelogs.sections import Part, cut, is_version


def read(text: str, project: Project, version: str = "") -> Reading:
    """What a text says of each version.

    Args:
        text: untrusted, of any size; what of it is not read, `Reading.trouble` says.
        version: of a text that holds one release, from its tag; used where the project is one of single releases.
    """
    cleaned = clean(text)
    document = _document(cleaned.text, project)
    parts = cut(document.blocks, project, version)
    sections = tuple(_section(part, document, _end(parts, index), project) for index, part in enumerate(parts))
    return Reading(sections, notices(parts, project), cleaned.trouble)


def _document(text: str, project: Project) -> Document:
    if project.format is Format.RST:
        from kb.changelogs import rst  # docutils takes a tenth of a second to import

        return rst.read(text)
    if project.single:
        return markdown.read(text)
    return markdown.read(text, lambda words: is_version(words, project))


def _end(parts: Sequence[Part], index: int) -> int | None:
    """Line of the next section, None of the last."""
    return parts[index + 1].heading.line if index + 1 < len(parts) else None


def _section(part: Part, document: Document, end: int | None, project: Project) -> Section:
    try:
        section = section_of(part, project)
    except (ValueError, LookupError, RecursionError) as error:
        return _unread(part, f"{type(error).__name__}: {error}")
    unclosed = [line for line in document.unclosed if line > part.heading.line and (end is None or line < end)]
    if unclosed:
        why = f"what begins in line {unclosed[0]} is never closed; it was read up to the next version"
        return replace(section, trouble=why)
    return section


def _unread(part: Part, why: str) -> Section:
    where = part.heading
    return Section(
        part.package, part.version, where.source, where.line, part.date, part.stage, coverage=0.0, trouble=why
    )
