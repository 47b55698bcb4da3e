"""One CSV file read line by line: slow, but it can say which line and column is damaged, and how."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kb.records.cells import BadCell, Cell, from_text
from kb.records.damage import RESTORE, DamagedFile, quoted
from kb.records.lines import broken_rule, check_of, header_line, key_of
from kb.records.schema import CHECK, Table

_BOM = b"\xef\xbb\xbf"
_CHECK_LENGTH = 8
_CONVERTED = "a program converted the line endings; "


@dataclass(frozen=True)
class TableFile:
    """The rows of one file, without their number and check."""

    rows: list[dict[str, Cell]]
    whole_bytes: int  #: length of the file up to the end of its last whole row


def read_table_file(path: Path, table: Table, *, finished: bool, remedy: str = RESTORE) -> TableFile:
    """Read one table, of a run or written whole; `remedy` says what to do about damage.

    In a run that is not finished a torn last line (no line feed, or a wrong check) was never a row: it is left out.

    Raises:
        DamagedFile: anything else in the file is not as `RunFolder.append` writes it.
    """
    content = path.read_bytes()
    header = header_line(table)
    if not content.startswith(header):
        raise _damaged_header(path, table, content, remedy)
    reader = _LineReader(path, table, remedy)
    end = len(header)
    while end < len(content):
        start, end = end, content.find(b"\n", end) + 1 or len(content)
        line = content[start:end]
        if not finished and end == len(content) and is_torn(line):
            return TableFile(reader.rows, start)
        reader.take(line)
    return TableFile(reader.rows, end)


def is_torn(line: bytes) -> bool:
    body, _, check = line.rpartition(b",")
    return check != check_of(body) + b"\n"


def _damaged_header(path: Path, table: Table, content: bytes, remedy: str) -> DamagedFile:
    """Why the first line is not the header."""
    if not content:
        return DamagedFile(path, "expected the table's header, found an empty file", remedy=remedy)
    if content.startswith(_BOM):
        return DamagedFile(path, "expected no byte-order mark, found one", line=1, column=1, remedy=remedy)
    line, newline, _ = content.partition(b"\n")
    if line.endswith(b"\r"):
        return DamagedFile(path, "expected the line to end in LF, found CRLF", line=1, remedy=_CONVERTED + remedy)
    found = line.decode("utf-8", "backslashreplace").split(",")
    for place, name in enumerate(table.names):
        if place >= len(found) or found[place] != name:
            other = quoted(found[place]) if place < len(found) else "the end of the line"
            problem = f"expected `{name}` as column {place + 1}, found {other}"
            return DamagedFile(path, problem, line=1, column=name, remedy=remedy)
    if len(found) > len(table.names):
        problem = f"expected no column after `{CHECK.name}`, found {quoted(found[len(table.names)])}"
        return DamagedFile(path, problem, line=1, column=found[len(table.names)], remedy=remedy)
    assert not newline, "a header of the right columns differs from the expected one only by its line feed"
    problem = "expected a line feed after the header, found the end of the file"
    return DamagedFile(path, problem, line=1, remedy=remedy)


class _LineReader:
    """Takes the lines after the header in order, and keeps their rows."""

    def __init__(self, path: Path, table: Table, remedy: str) -> None:
        self.rows: list[dict[str, Cell]] = []
        self._path = path
        self._table = table
        self._remedy = remedy
        self._keys: dict[tuple[Cell, ...], int] = {}

    def _damage(self, problem: str, column: str | int | None = None, cause: str = "") -> DamagedFile:
        return DamagedFile(self._path, problem, line=len(self.rows) + 2, column=column, remedy=cause + self._remedy)

    def take(self, line: bytes) -> None:
        if not line.endswith(b"\n"):
            raise self._damage("expected a whole line, found the file cut off in the middle of it")
        if line.endswith(b"\r\n"):
            raise self._damage("expected the line to end in LF, found CRLF", cause=_CONVERTED)
        body, _, check = line[:-1].rpartition(b",")
        cells = dict(self._cells(self._texts(line)))
        if check != check_of(body):
            problem = f"expected {check_of(body).decode()} for this line, found {quoted(check)}; the line was changed"
            raise self._damage(problem, CHECK.name)
        if cells.pop("row") != len(self.rows):
            raise self._damage(
                f"expected {len(self.rows)}, found {quoted(line.partition(b',')[0])}; rows are missing or moved", "row"
            )
        del cells[CHECK.name]
        self._check_row(cells)
        self.rows.append(cells)

    def _texts(self, line: bytes) -> list[str]:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            problem = f"expected UTF-8, found the byte 0x{line[error.start]:02x}"
            raise self._damage(problem, error.start + 1) from None
        try:
            texts = next(csv.reader([text], strict=True))
        except csv.Error as error:
            raise self._damage(f"expected a line of CSV, found one that is not ({error})") from None
        if len(texts) != len(self._table.columns):
            raise self._damage(f"expected {len(self._table.columns)} columns, found {len(texts)}")
        return texts

    def _cells(self, texts: list[str]) -> Iterator[tuple[str, Cell]]:
        for column, text in zip(self._table.columns, texts, strict=True):
            try:
                yield column.name, from_text(column, text)
            except BadCell as error:
                raise self._damage(f"{error}, found {quoted(text)}", column.name) from None

    def _check_row(self, cells: dict[str, Cell]) -> None:
        if broken := broken_rule(self._table, cells):
            rule, name = broken
            expected = "a value" if rule.filled else "nothing"
            raise self._damage(f"expected {expected}, found {quoted(cells[name])} ({rule.meaning})", name)
        key = key_of(self._table, cells)
        if key in self._keys:
            first = self._keys[key] + 2
            raise self._damage(f"expected each {' + '.join(self._table.key)} once, found that of line {first} again")
        self._keys[key] = len(self.rows)
