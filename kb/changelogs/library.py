"""All that is kept of changelogs: each package's versions in the order of their numbers, and when each was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from packaging.version import InvalidVersion, Version

from kb.changelogs.entry import Entry, Section, Stage
from kb.changelogs.record import VersionRecord
from kb.changelogs.store import CHANGELOGS_FOLDER, Checked, read_checked, read_versions


@dataclass(frozen=True)
class Package:
    """One package with its versions, the oldest first."""

    name: str
    versions: tuple[VersionRecord, ...]

    @property
    def baseline(self) -> str:
        """The day on which the package was read for the first time: what is of that day was not news."""
        return min((version.first_seen for version in self.versions), default="")

    @property
    def newest(self) -> VersionRecord | None:
        """The newest version that is released; None where none is."""
        released = [each for each in self.versions if each.stage is Stage.RELEASED and parsed(each.version)]
        return released[-1] if released else None

    @cached_property
    def by_line(self) -> Mapping[str, tuple[VersionRecord, ...]]:
        """Minor line, such as `2.10` -> its released and withdrawn versions, in their order."""
        lines: dict[str, tuple[VersionRecord, ...]] = {}
        for version in self.versions:
            number = parsed(version.version)
            if number is not None and version.stage in (Stage.RELEASED, Stage.WITHDRAWN):
                line = f"{number.major}.{number.minor}"
                lines[line] = (*lines.get(line, ()), version)
        return lines


@dataclass(frozen=True)
class Library:
    """Every package, and when each project's source was last read."""

    packages: tuple[Package, ...] = ()
    checked: Mapping[str, Checked] = field(default_factory=dict)


def read_library(results: Path) -> Library:
    """What lies under `results/changelogs`; empty where there is nothing.

    Raises:
        DamagedFile: a file is not as it was written.
    """
    folder = results / CHANGELOGS_FOLDER
    names = sorted(path.name for path in folder.glob("*") if path.is_dir())
    projects = sorted(path.stem for path in folder.glob("*.csv"))
    found = {project: read_checked(results, project) for project in projects}
    return Library(
        tuple(Package(name, in_order(read_versions(results, name))) for name in names),
        {project: checked for project, checked in found.items() if checked is not None},
    )


@dataclass
class Shelf:
    """The packages of a results folder, each read when it is first asked for."""

    results: Path
    _known: dict[str, dict[str, VersionRecord]] = field(default_factory=dict)

    def sections_of(self, package: str) -> list[Section]:
        """What is known of a package; empty where nothing is.

        Raises:
            DamagedFile: a file is not as it was written.
        """
        return [record.section for record in self._of(package).values()]

    def source_of(self, package: str, version: str, entry: Entry) -> str:
        """Where an entry can be read; empty where that is not known."""
        record = self._of(package).get(version)
        return record.link(entry) if record else ""

    def _of(self, package: str) -> dict[str, VersionRecord]:
        if package not in self._known:
            self._known[package] = read_versions(self.results, package)
        return self._known[package]


def in_order(versions: Mapping[str, VersionRecord]) -> tuple[VersionRecord, ...]:
    """By their numbers, not as a file lists them; what is no number comes last."""

    def key(record: VersionRecord) -> tuple[bool, Version, str]:
        number = parsed(record.version)
        return number is None, number or Version("0"), record.version

    return tuple(sorted(versions.values(), key=key))


def parsed(version: str) -> Version | None:
    """The number of a version; None where it is none."""
    try:
        return Version(version)
    except InvalidVersion:
        return None
