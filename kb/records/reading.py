"""Reading results strictly: what is there is right or named as damaged, and only "no such file" means empty."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.records.damage import DamagedFile, NewerSchema, quoted
from kb.records.folder import MINIMAL_FOLDER, RUNS_FOLDER
from kb.records.frames import TablePath, read_frame
from kb.records.infofile import INFO_FILE, InfoFile, read_info
from kb.records.run import RunInfo
from kb.records.schema import BENCHMARKS, CONVERSIONS, PRACTICES, REPRODUCERS, TABLES, Table
from kb.records.upgrade import UPGRADES, Upgrade, known_versions, tables_of, upgraded_frame

if TYPE_CHECKING:
    import pandas

__all__ = ["DamagedFile", "NewerSchema", "Results", "Run", "read_results", "read_run"]

_YEAR = re.compile(r"[0-9]{4}")
_STRANGER = "move it elsewhere; results hold only what kb writes"


@dataclass(frozen=True)
class Run:
    """One run that was read."""

    folder: Path
    info: RunInfo


@dataclass(frozen=True)
class Results:
    """All runs, oldest first, and their rows.

    A frame has the columns of its table but `row` and `check`, and `run` before them; `kb.records.frames.read_frame`
    says which types. Rows of INVALID and of unfinished runs are in them: look into `runs` before drawing a verdict.
    """

    runs: tuple[Run, ...]
    benchmarks: "pandas.DataFrame"
    practices: "pandas.DataFrame"
    conversions: "pandas.DataFrame"
    reproducers: "pandas.DataFrame"


@dataclass(frozen=True)
class _Found:
    """A run folder with its run.json read and its files not yet."""

    folder: Path
    file: InfoFile
    names: frozenset[str]


def read_results(root: Path, upgrades: Mapping[int, Upgrade] = UPGRADES) -> Results:
    """Read every run below `<root>/runs`. Nothing is written, whatever is found.

    Raises:
        DamagedFile: a file is not as it was written, or is none of kb's.
        NewerSchema: a run was written by a newer kb.
    """
    found = [_look(folder, upgrades) for folder in _run_folders(root / RUNS_FOLDER)]
    return _read(sorted(found, key=lambda run: run.file.info.run), upgrades)


def read_run(folder: Path, upgrades: Mapping[int, Upgrade] = UPGRADES) -> Results:
    """The same for one run folder.

    Raises:
        FileNotFoundError: there is no such folder.
        DamagedFile: a file in it is not as it was written, or is none of kb's.
        NewerSchema: it was written by a newer kb.
    """
    return _read([_look(folder, upgrades)], upgrades)


def _run_folders(runs: Path) -> Iterator[Path]:
    for year in _folders(runs, "a folder named by a year"):
        if not _YEAR.fullmatch(year.name):
            raise DamagedFile(year, "expected a folder named by a year, found another name", remedy=_STRANGER)
        yield from _folders(year, "run folders")


def _folders(parent: Path, expected: str) -> Iterator[Path]:
    """The folders in a folder, dot names aside; none where it does not exist."""
    try:
        entries = list(os.scandir(parent))
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise DamagedFile(parent, "expected a folder, found a file", remedy=_STRANGER) from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            raise DamagedFile(parent / entry.name, f"expected {expected}, found a file", remedy=_STRANGER)
        yield parent / entry.name


def _look(folder: Path, upgrades: Mapping[int, Upgrade]) -> _Found:
    names = frozenset(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    file = read_info(folder, upgrades)
    tables = tables_of(file.version, TABLES, upgrades)
    files = {table.file_name for table in tables}
    if strangers := sorted(names - files - {INFO_FILE, MINIMAL_FOLDER}):
        problem = f"expected {INFO_FILE} and {', '.join(sorted(files))}, found {quoted(strangers[0])}"
        raise DamagedFile(folder, problem, remedy=_STRANGER)
    if unknown := sorted(file.info.rows.keys() - {table.name for table in tables}):
        problem = f"expected names of tables, found {quoted(unknown[0])}"
        raise DamagedFile(folder / INFO_FILE, problem, column="rows")
    return _Found(folder, file, names)


def _read(found: Sequence[_Found], upgrades: Mapping[int, Upgrade]) -> Results:
    frames = {table.name: _frame(found, table, upgrades) for table in TABLES}
    for name, frame in frames.items():
        _compare_counts(found, name, frame)
    runs = tuple(Run(run.folder, run.file.info) for run in found)
    return Results(runs, *(frames[table.name] for table in (BENCHMARKS, PRACTICES, CONVERSIONS, REPRODUCERS)))


def _frame(found: Sequence[_Found], table: Table, upgrades: Mapping[int, Upgrade]) -> "pandas.DataFrame":
    """The rows of one table, those of every schema version read by its own columns and then upgraded."""
    names = [run.file.info.run for run in found]
    frames = []
    for version in known_versions(upgrades):
        for older in tables_of(version, TABLES, upgrades):
            if older.name != table.name:
                continue
            sources = list(_sources(found, version, older))
            if sources or older is table:
                frame = read_frame(sources, older, names)
                frames.append(upgraded_frame(version, table.name, frame, upgrades))
    return _joined(frames, table)


def _sources(found: Sequence[_Found], version: int, table: Table) -> Iterator[TablePath]:
    for place, run in enumerate(found):
        info = run.file.info
        if run.file.version != version:
            continue
        path = run.folder / table.file_name
        if table.file_name in run.names:
            if info.finished and table.name not in info.rows:
                raise DamagedFile(path, "expected no such file as run.json says, found it")
            yield TablePath(place, path, info.rows.get(table.name))
        elif table.name in info.rows:
            raise DamagedFile(path, f"expected {info.rows[table.name]} rows as run.json says, found no such file")


def _joined(frames: Sequence["pandas.DataFrame"], table: Table) -> "pandas.DataFrame":
    """One frame of the current columns and types, ordered by run."""
    import pandas
    from pandas.api.types import union_categoricals

    newest = frames[-1]
    if len(frames) == 1:
        return newest
    columns: dict[str, Any] = {}
    for name in newest.columns:
        parts = [frame[name] for frame in frames]
        if isinstance(newest[name].dtype, pandas.CategoricalDtype):
            fixed = name == "run" or bool(table.columns[table.names.index(name)].values)
            columns[name] = union_categoricals([part.astype("category") for part in parts], sort_categories=not fixed)
            if fixed:
                columns[name] = columns[name].set_categories(newest[name].cat.categories)
        else:
            columns[name] = pandas.concat([part.astype(newest[name].dtype) for part in parts], ignore_index=True)
    return pandas.DataFrame(columns).sort_values("run", kind="stable", ignore_index=True)


def _compare_counts(found: Sequence[_Found], name: str, frame: "pandas.DataFrame") -> None:
    """Rows by status, as run.json says and as they are."""
    statuses = frame["status"].cat.categories
    places = frame["run"].cat.codes.to_numpy(np.int64) * len(statuses) + frame["status"].cat.codes.to_numpy(np.int64)
    table = np.bincount(places, minlength=len(found) * len(statuses)).reshape(len(found), len(statuses))
    for run, counts in zip(found, table.tolist(), strict=True):
        actual = {status: count for status, count in zip(statuses, counts, strict=True) if count}
        if run.file.info.finished and run.file.info.counts.get(name, {}) != actual:
            stated = run.file.info.counts.get(name)
            problem = f"expected the counts of {name}.csv, {quoted(str(actual))}, found {quoted(str(stated))}"
            raise DamagedFile(run.folder / INFO_FILE, problem, column=f"counts.{name}")
