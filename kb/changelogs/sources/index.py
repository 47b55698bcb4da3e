"""What the package index knows of a package's versions: when they came out, and which were withdrawn."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from packaging.version import InvalidVersion, Version

from kb.changelogs.record import is_day
from kb.changelogs.sources.cache import Answer
from kb.changelogs.sources.github import parsed_json
from kb.changelogs.sources.interface import SourceUnreachable
from kb.changelogs.sources.web import Web, shown

INDEX = "https://pypi.org"


@dataclass(frozen=True)
class Published:
    """One version on the index."""

    version: Version
    day: str  #: of its first file's upload, ISO 8601; empty where the index has no file of it any more
    yanked: bool  #: every file of it is


@dataclass(frozen=True)
class PackageIndex:
    """An index that answers as PyPI's JSON API does."""

    web: Web
    address: str = INDEX

    def versions(self, package: str) -> tuple[Published, ...]:
        """All versions of a package, in order.

        Raises:
            NotThere: the index has no such package.
            SourceUnreachable: it cannot be asked, or answers otherwise than expected.
        """
        url = f"{self.address}/pypi/{quote(package, safe='')}/json"
        what = f"{shown(self.address)}: the versions of {package}"

        def parse(answer: Answer) -> tuple[Published, ...]:
            value = parsed_json(answer.body, what)
            releases = value.get("releases") if isinstance(value, dict) else None
            if not isinstance(releases, dict):
                raise SourceUnreachable(f"{what} have another shape: expected an object with releases")
            found = (_published(version, files, what) for version, files in releases.items())
            return tuple(sorted((each for each in found if each), key=lambda each: each.version))

        return self.web.get(url, parse, accept="application/json")


def _published(text: str, files: Any, what: str) -> Published | None:
    """One version; None where it is none that PEP 440 knows, as some old ones are."""
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise SourceUnreachable(f"{what} have another shape: expected lists of files")
    try:
        version = Version(text)
    except InvalidVersion:
        return None
    days = [str(file.get("upload_time_iso_8601") or file.get("upload_time") or "")[:10] for file in files]
    day = min((day for day in days if is_day(day)), default="")
    return Published(version, day, bool(files) and all(file.get("yanked") is True for file in files))
