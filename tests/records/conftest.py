"""One small run, and ways to damage it as accidents and well-meaning people do."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.records.case import Case
from kb.records.cells import to_text
from kb.records.lines import check_of
from kb.records.run import Validity
from kb.records.schema import BENCHMARKS
from tests.records.synthetic import make_run

CASES = (Case("mlp8", "torch-eager"), Case("mlp8", "onnxruntime"))
ROWS = 8  #: two replicates of two cases, two A/A rows, two memory rows

Snapshot = dict[Path, bytes]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def finished(results: Path) -> Path:
    """A run folder with `ROWS` rows that has ended."""
    return make_run(results, 1, CASES, 2)


@pytest.fixture
def unfinished(results: Path) -> Path:
    """The same, killed before its end."""
    return make_run(results, 1, CASES, 2, validity=Validity.UNFINISHED)


@pytest.fixture
def rows_file(finished: Path) -> Path:
    return finished / BENCHMARKS.file_name


def snapshot(folder: Path) -> Snapshot:
    """Every file below a folder with its content."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def holding(path: Path, content: bytes) -> Iterator[None]:
    """For the time of the block the file has another content."""
    original = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(original)


def change_line(path: Path, line: int, change: Callable[[bytes], bytes]) -> None:
    """Put another text in the place of one line (from 1), line feed included."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line - 1] = change(lines[line - 1])
    path.write_bytes(b"".join(lines))


def set_cell(path: Path, line: int, column: str, text: str, *, seal: bool = True) -> None:
    """Put a text into a cell; `seal` gives the line the right check for it, as a faulty program would."""

    def change(old: bytes) -> bytes:
        cells = next(csv.reader([old.decode().rstrip("\n")]))
        cells[BENCHMARKS.names.index(column)] = text
        body = ",".join(map(to_text, cells[:-1])).encode()
        sealed = seal and column != "check"
        return body + b"," + (check_of(body) if sealed else cells[-1].encode()) + b"\n"

    change_line(path, line, change)
