"""Writing a run: its folder, its lock, and one durable row after another."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kb.records.atomic import UNFINISHED, sync_folder, temporary_name, write_new, write_whole
from kb.records.cells import Cell
from kb.records.damage import quoted
from kb.records.infofile import INFO_FILE, info_text, read_info, write_info
from kb.records.lines import InvalidRow, format_line, header_line, key_of, normal_row
from kb.records.run import RUN_NAME, RunInfo, Validity
from kb.records.schema import SCHEMA_VERSION, TABLES, Table
from kb.records.tablefile import TableFile, read_table_file

RUNS_FOLDER = "runs"
#: In a run folder: a folder per conversion that is wrong, with the smallest file that shows it.
MINIMAL_FOLDER = "minimal"

#: Fields of run.json that are settled when the run starts, or that only the rows decide.
_NOT_AT_THE_END = frozenset({"schema_version", "run", "started", "machine", "rows", "counts"})


class RunError(Exception):
    """A run folder cannot be written to."""


class RunFinished(RunError):
    """The run has ended; what it holds is never changed."""


class RunLocked(RunError):
    """Another process is writing the run."""


class RunFolder:
    """One run being written. Holds the run's lock until it is released or the process ends.

    Every row is on disk when `append` returns. Use as a context manager, or call `release`.
    """

    def __init__(self, path: Path, info: RunInfo, lock: int) -> None:
        """For `create` and `reopen`."""
        self.path = path
        self.info = info
        self._lock: int | None = lock
        self._tables: dict[str, _TableWriter] = {}

    @classmethod
    def create(cls, results: Path, info: RunInfo) -> Self:
        """Make `<results>/runs/<year>/<run>/` with its run.json, in one step.

        Raises:
            ValueError: `info` does not describe a run that starts now, or its name is not one of `new_run_name`.
            FileExistsError: there is such a run.
        """
        name = RUN_NAME.fullmatch(info.run)
        if name is None or name[2] != info.machine.id:
            raise ValueError(f"{quoted(info.run)} is not the name of a run of machine {quoted(info.machine.id)}")
        if info.finished or info.rows or info.counts or info.schema_version != SCHEMA_VERSION:
            raise ValueError(f"run {info.run}: a new run has the current schema, no end and no rows")
        content = info_text(info)
        path = results / RUNS_FOLDER / name[1] / info.run
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(path.parents[1] / info.run)  # not beside the runs, where it would look like one
        temporary.mkdir()
        lock = _lock(temporary)
        try:
            write_new(temporary / INFO_FILE, content)
            sync_folder(temporary)
            _move_folder(temporary, path)
        except BaseException:
            (temporary / INFO_FILE).unlink(missing_ok=True)
            temporary.rmdir()
            os.close(lock)
            raise
        for folder in (path.parent, *path.parent.parents[:3]):
            sync_folder(folder)
        return cls(path, info, lock)

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Go on with a run that was killed. A torn last line is cut off: it was not yet a row.

        Raises:
            RunFinished: the run has ended.
            RunLocked: another process is writing it.
            RunError: it was begun under an older schema.
            DamagedFile: what it holds is not as it was written.
        """
        lock = _lock(path)
        try:
            file = read_info(path)
            if file.info.finished:
                raise RunFinished(f"{path}: the run ended at {file.info.ended}; start a new one")
            if file.version != SCHEMA_VERSION:
                raise RunError(f"{path}: the run was begun under schema {file.version}; start a new one")
            run = cls(path, file.info, lock)
            for leftover in path.glob(f"{UNFINISHED}*"):
                leftover.unlink()
            for table in TABLES:
                if (path / table.file_name).exists():
                    run._tables[table.name] = _TableWriter.reopen(path / table.file_name, table)
        except BaseException:
            os.close(lock)
            raise
        return run

    def append(self, table: Table, row: Mapping[str, object]) -> None:
        """Add one row: all columns of the schema except `row` and `check`, None where there is no value.

        Raises:
            InvalidRow: the row does not fit the schema, or its key is there already; nothing is written.
            RunError: the run is released or finished.
        """
        self.extend(table, [row])

    def extend(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Add rows that belong together, such as all figures of one process: all of them or, after an error, none.

        Raises:
            InvalidRow: a row does not fit the schema, or its key is there already; nothing is written.
            RunError: the run is released or finished.
        """
        self._must_be_open()
        cells = [normal_row(table, row) for row in rows]
        if table.name not in self._tables:
            self._tables[table.name] = _TableWriter.create(self.path / table.file_name, table)
        self._tables[table.name].extend(cells)

    def rows(self, table: Table) -> list[dict[str, Cell]]:
        """The rows on disk so far, as the strict reader sees them; typed, None for an empty cell.

        Raises:
            DamagedFile: the file is not as it was written.
        """
        path = self.path / table.file_name
        return read_table_file(path, table, finished=self.info.finished).rows if path.exists() else []

    def finish(self, *, validity: Validity, **fields: Any) -> RunInfo:
        """End the run: write its end, the number of rows, their statuses, and the fields given (noise, reasons, ...).

        Raises:
            ValueError: a field is unknown, of a wrong type, or not to be set at the end.
            RunError: the run is released or finished.
        """
        self._must_be_open()
        if refused := sorted(_NOT_AT_THE_END & fields.keys()):
            raise ValueError(f"run.json: {refused[0]} is not set when a run ends")
        at_the_end = {
            "ended": datetime.now(UTC).replace(microsecond=0),
            "rows": {name: writer.number for name, writer in self._tables.items()},
            "counts": {name: dict(sorted(writer.counts.items())) for name, writer in self._tables.items()},
            "validity": validity,
        }
        info = RunInfo.model_validate({**dict(self.info), **at_the_end, **fields})
        write_info(self.path, info)
        self.info = info
        return info

    def release(self) -> None:
        """Close the files and give up the lock. The run can then be reopened. Does nothing the second time."""
        for writer in self._tables.values():
            writer.close()
        self._tables.clear()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _must_be_open(self) -> None:
        if self.info.finished:
            raise RunFinished(f"{self.path}: the run ended at {self.info.ended}; start a new one")
        if self._lock is None:
            raise RunError(f"{self.path}: the run is released; reopen it")


class _TableWriter:
    """One CSV file that grows by whole, durable lines."""

    def __init__(self, path: Path, table: Table, rows: list[dict[str, Cell]]) -> None:
        self.number = len(rows)
        self.counts: Counter[str] = Counter(str(row["status"]) for row in rows)
        self._table = table
        self._path = path
        self._keys = {key_of(table, row) for row in rows}
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)

    @classmethod
    def create(cls, path: Path, table: Table) -> Self:
        write_whole(path, header_line(table))
        return cls(path, table, [])

    @classmethod
    def reopen(cls, path: Path, table: Table) -> Self:
        file: TableFile = read_table_file(path, table, finished=False)
        writer = cls(path, table, file.rows)
        writer._cut(file.whole_bytes)
        return writer

    def extend(self, rows: Sequence[dict[str, Cell]]) -> None:
        keys = [key_of(self._table, cells) for cells in rows]
        if repeated := [key for index, key in enumerate(keys) if key in self._keys or key in keys[:index]]:
            row = ", ".join(f"{name}={cell}" for name, cell in zip(self._table.key, repeated[0], strict=True))
            raise InvalidRow(f"{self._path}: there is a row of {row} already")
        lines = b"".join(format_line(self.number + index, list(cells.values())) for index, cells in enumerate(rows))
        size = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, lines)
            if written != len(lines):
                raise OSError(f"{self._path}: only {written} of {len(lines)} bytes could be written; is the disk full?")
            os.fsync(self._descriptor)
        except BaseException:
            self._cut(size)
            raise
        self._keys.update(keys)
        self.number += len(rows)
        self.counts.update(str(cells["status"]) for cells in rows)

    def _cut(self, size: int) -> None:
        """Take back what is not a whole row."""
        if os.fstat(self._descriptor).st_size != size:
            os.ftruncate(self._descriptor, size)
            os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


def _lock(folder: Path) -> int:
    """Take the run's lock: on the folder itself, so that it leaves no file behind and ends with the process."""
    import fcntl  # POSIX only; reading results needs no lock

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise RunLocked(f"{folder}: another process is writing this run; wait until it ends, or stop it") from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _move_folder(source: Path, target: Path) -> None:
    """Rename the folder; FileExistsError where the target is there (an empty one would be replaced in silence)."""
    if target.exists():
        raise FileExistsError(f"{target}: there is such a run already")
    source.rename(target)
