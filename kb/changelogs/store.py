"""The entries on disk: one file per version, written only where it differs, read as strictly as measured results."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from kb.changelogs.columns import (
    ENTRY,
    PROJECTS,
    VERSION,
    VERSIONS,
    BadValue,
    day,
    entry_of,
    names,
    rows_of,
    version_of,
)
from kb.changelogs.compact import dump_names
from kb.changelogs.inline import MAX_LINE, short_lines
from kb.changelogs.record import VersionRecord
from kb.records.atomic import write_if_changed
from kb.records.cells import Cell
from kb.records.damage import DamagedFile, quoted
from kb.records.lines import format_line, header_line, normal_row
from kb.records.schema import Table
from kb.records.tablefile import read_table_file

CHANGELOGS_FOLDER = "changelogs"
#: File systems take 255 bytes; what is longer is no version that a person wrote.
MAX_STEM = 120

_REMEDY = "restore the file from git, or delete it and run kb changelog, which forgets when its entries were first seen"
_SAME_IN_ALL_ROWS = ("package", "version", "date", "date_source", "stage", "source_url")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Stored:
    """What storing a package's versions changed."""

    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()
    new_entries: int = 0


@dataclass(frozen=True)
class Checked:
    """When a project's source was last read whole, and what was noticed."""

    day: str  #: ISO 8601
    notices: tuple[str, ...] = ()


def version_path(results: Path, package: str, version: str) -> Path:
    """The file of a version, whatever its name is made of."""
    stem = quote(version, safe="+")
    if stem.startswith("."):
        stem = "%2E" + stem[1:]  # a hidden file is not committed
    if len(stem) > MAX_STEM:
        stem = f"{stem[:MAX_STEM]}-{sha256(version.encode()).hexdigest()[:12]}"
    return results / CHANGELOGS_FOLDER / package / f"{stem}.csv"


def read_versions(results: Path, package: str) -> dict[str, VersionRecord]:
    """Version -> record of a package, in the order of the file names; empty where there is none yet.

    Raises:
        DamagedFile: a file is not as it was written.
    """
    files = sorted((results / CHANGELOGS_FOLDER / package).glob("*.csv"))
    records = [read_version(path) for path in files]
    return {record.version: record for record in records}


def read_version(path: Path) -> VersionRecord:
    """The version in one file.

    Raises:
        DamagedFile: the file is not as it was written.
    """
    rows = read_table_file(path, VERSIONS, finished=True, remedy=_REMEDY).rows
    if not rows:
        raise DamagedFile(path, "expected the row of the version, found the end of the file", line=2, remedy=_REMEDY)
    for line, row in enumerate(rows, 2):
        _check_place(path, line, row, rows[0])
    entries = [_meant(path, line, row, entry_of) for line, row in enumerate(rows[1:], 3)]
    record = _meant(path, 2, rows[0], lambda row: version_of(row, entries))
    expected = version_path(path.parents[2], record.package, record.version)
    if (expected.parent.name, expected.name) != (path.parent.name, path.name):
        problem = f"expected a file {expected.parent.name}/{expected.name}; the file was renamed or moved"
        raise DamagedFile(path, problem, line=2, column="version", remedy=_REMEDY)
    return record


def replace_versions(
    results: Path, package: str, old: Mapping[str, VersionRecord], new: Sequence[VersionRecord]
) -> Stored:
    """Make the files of a package those of `new`, remembering from `old` since when each entry is known.

    What the source says no more is removed, so that the files are the same whatever snapshots were read before.
    """
    kept = [record.after(old.get(record.version)) for record in new]
    contents = {version_path(results, package, record.version): _content(VERSIONS, rows_of(record)) for record in kept}
    folder = results / CHANGELOGS_FOLDER / package
    folder.mkdir(parents=True, exist_ok=True)
    written = tuple(path for path, content in contents.items() if write_if_changed(path, content))
    removed = tuple(path for path in sorted(folder.glob("*.csv")) if path not in contents)
    for path in removed:
        path.unlink()
    return Stored(written, removed, sum(record.entries_beyond(old.get(record.version)) for record in kept))


def read_checked(results: Path, project: str) -> Checked | None:
    """When the project's source was last read; None where it never was.

    Raises:
        DamagedFile: the file is not as it was written.
    """
    path = _checked_path(results, project)
    if not path.exists():
        return None
    rows = read_table_file(path, PROJECTS, finished=True, remedy=_REMEDY).rows
    if len(rows) != 1 or rows[0]["project"] != project:
        problem = f"expected one row, of project {quoted(project)}"
        raise DamagedFile(path, problem, line=2, column="project", remedy=_REMEDY)
    return _meant(path, 2, rows[0], lambda row: Checked(day(row, "checked"), names(row, "notices")))


def write_checked(results: Path, project: str, checked: Checked) -> tuple[Path, ...]:
    """Note when the project's source was read; the file if it had to be written."""
    path = _checked_path(results, project)
    notices = short_lines(checked.notices, MAX_LINE)
    row = {"project": project, "checked": checked.day, "notices": dump_names(notices) if notices else None}
    path.parent.mkdir(parents=True, exist_ok=True)
    return (path,) if write_if_changed(path, _content(PROJECTS, [row])) else ()


def _checked_path(results: Path, project: str) -> Path:
    return results / CHANGELOGS_FOLDER / f"{project}.csv"


def _content(table: Table, rows: Iterable[Mapping[str, object]]) -> bytes:
    cells = [normal_row(table, row) for row in rows]
    lines = [format_line(number, list(row.values())) for number, row in enumerate(cells)]
    return header_line(table) + b"".join(lines)


def _check_place(path: Path, line: int, row: Mapping[str, Cell], first: Mapping[str, Cell]) -> None:
    """The version stands first and once, and all rows agree about it."""
    expected = VERSION if line == 2 else ENTRY
    if row["kind"] != expected:
        problem = f"expected {expected} in this row, found {quoted(row['kind'])}"
        raise DamagedFile(path, problem, line=line, column="kind", remedy=_REMEDY)
    for name in _SAME_IN_ALL_ROWS:
        if row[name] != first[name]:
            problem = f"expected {quoted(first[name])} as in line 2, found {quoted(row[name])}"
            raise DamagedFile(path, problem, line=line, column=name, remedy=_REMEDY)


def _meant(path: Path, line: int, row: Mapping[str, Cell], meaning: Callable[[Mapping[str, Cell]], _T]) -> _T:
    try:
        return meaning(row)
    except BadValue as error:
        problem = f"{error}, found {quoted(row[error.column])}"
        raise DamagedFile(path, problem, line=line, column=error.column, remedy=_REMEDY) from None
