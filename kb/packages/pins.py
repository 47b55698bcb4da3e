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
        wheel = wheel_at(requirement.url)
        return wheel[1] if wheel else None  # else an archive, or a repository: pinned, but to no version
    specifiers = list(requirement.specifier)
    if len(specifiers) != 1 or specifiers[0].operator not in ("==", "===") or specifiers[0].version.endswith(".*"):
        return None
    return Version(specifiers[0].version)


def wheel_at(location: str) -> tuple[str, Version] | None:
    """Name and version of the wheel at an address or a path, by its file name; None where it is something else."""
    from urllib.parse import unquote, urlsplit

    try:
        file = unquote(urlsplit(location).path).replace("\\", "/").rpartition("/")[2]
        name, version, _, _ = parse_wheel_filename(file)
    except (InvalidWheelFilename, InvalidVersion, ValueError):
        return None
    return str(name), version
