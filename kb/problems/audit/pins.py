"""The versions that a list or lock of packages brings to this machine, and what is asked for where it is no version."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from kb.packages.families import normalised
from kb.packages.lockfiles import Row, read_packages


@dataclass(frozen=True)
class Pins:
    """What a file says of versions."""

    versions: Mapping[str, Version]  #: package -> its one version
    loose: Mapping[str, str] = field(default_factory=dict)  #: package -> what is asked for, where that is no version
    lines: Mapping[str, int] = field(default_factory=dict)  #: package -> its line, from 1, in the file itself
    whole: bool = False  #: a lock: what it does not list is not there
    remarks: tuple[str, ...] = ()  #: what could not be counted, a line each


def read_pins(path: Path) -> Pins:
    """The versions in a file. Markers are judged for this machine and this Python.

    Raises:
        kb.packages.errors.PackageFileError: it is not as it should be.
    """
    read = read_packages(path)
    by_name: defaultdict[str, list[Row]] = defaultdict(list)
    for row in read.rows:
        if row.applies:
            by_name[normalised(row.name)].append(row)
    versions, loose, lines = {}, {}, {}
    for name, rows in by_name.items():
        if version := _one(rows):
            versions[name] = version
        else:
            asked = (" or " if read.whole else " and ").join(dict.fromkeys(row.asked for row in rows if row.asked))
            loose[name] = asked or ("none given" if read.whole else "any version")
        own = (row.place.line for row in rows if row.place.file == str(path))  # not in a file that it includes
        if line := next(own, None):
            lines[name] = line
    return Pins(versions, loose, lines, read.whole, read.remarks)


def _one(rows: list[Row]) -> Version | None:
    """The version that all rows that name one agree on."""
    named = {row.version for row in rows if row.version}
    return named.pop() if len(named) == 1 else None
