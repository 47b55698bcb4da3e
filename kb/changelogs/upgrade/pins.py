"""One pinned distribution, and how a version is read from what pins it."""

from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    file: str
    line: int  #: from 1


@dataclass(frozen=True)
class Pin:
    """A distribution at one version."""

    name: str  #: as written
    version: Version
    place: Place | None = None  #: None for a word of the command line


def pinned_version(requirement: Requirement) -> Version | None:
    """The one version that a requirement allows, or None: of ``==``, of ``===``, or of the name of a wheel.

    Raises:
        packaging.version.InvalidVersion: ``===`` is followed by something else than a version.
    """
    if requirement.url:
        return _of_wheel(requirement.url)
    specifiers = list(requirement.specifier)
    if len(specifiers) != 1 or specifiers[0].operator not in ("==", "===") or specifiers[0].version.endswith(".*"):
        return None
    return Version(specifiers[0].version)


def _of_wheel(url: str) -> Version | None:
    from urllib.parse import unquote, urlsplit

    try:
        _, version, _, _ = parse_wheel_filename(unquote(urlsplit(url).path).rpartition("/")[2])
    except (InvalidWheelFilename, InvalidVersion, ValueError):
        return None  # an archive, or a repository: pinned, but not to a version that a changelog could name
    return version
