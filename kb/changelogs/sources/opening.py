"""From a project's settings to its source."""

from pathlib import Path

from kb.changelogs.sources.file import LocalFiles
from kb.changelogs.sources.github import GithubReleases
from kb.changelogs.sources.index import PackageIndex
from kb.changelogs.sources.interface import Source
from kb.changelogs.sources.raw import PLACE, RawFile, RawFiles
from kb.changelogs.sources.web import Web
from kb.config import ChangelogSettings


def open_source(settings: ChangelogSettings, web: Web) -> Source:
    """The source that the settings name; nothing is read yet."""
    if settings.source == "file":
        return LocalFiles(Path(settings.location), settings.ref, settings.page)
    if settings.source == "github":
        return GithubReleases(web, settings.repository, settings.tag_prefix, settings.api)
    if PLACE in settings.location:
        index = PackageIndex(web, settings.index)
        return RawFiles(web, settings.location, settings.packages[0], index, settings.page)
    return RawFile(web, settings.location, settings.page)
