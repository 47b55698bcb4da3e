"""One row and its line in the file: valid by the schema, numbered, and closed by its check."""

from collections.abc import Mapping, Sequence
from zlib import crc32

from kb.records.cells import BadCell, Cell, normal, to_text
from kb.records.damage import quoted
from kb.records.schema import Rule, Table


class InvalidRow(ValueError):
    """A row that the schema does not allow. The message names table, column, what was expected and what was found."""


def header_line(table: Table) -> bytes:
    return (",".join(table.names) + "\n").encode()


def normal_row(table: Table, row: Mapping[str, object]) -> dict[str, Cell]:
    """The row as a reader will get it back, in the order of the schema.

    Raises:
        InvalidRow: a column is missing or unknown, a value does not fit its column, or the row breaks a rule.
    """
    names = [column.name for column in table.data_columns]
    if wrong := [name for name in row if name not in names]:
        raise InvalidRow(f"{table.name}: unknown column {quoted(wrong[0])}: the columns are {', '.join(names)}")
    if missing := [name for name in names if name not in row]:
        raise InvalidRow(f"{table.name}: column `{missing[0]}` is missing: give None for a value that there is not")
    cells: dict[str, Cell] = {}
    for column in table.data_columns:
        try:
            cells[column.name] = normal(column, row[column.name])
        except BadCell as error:
            found = quoted(row[column.name])
            raise InvalidRow(f"{table.name}: column `{column.name}`: {error}, found {found}") from None
    if broken := broken_rule(table, cells):
        rule, name = broken
        raise InvalidRow(f"{table.name}: column `{name}`: {rule.meaning} Found {quoted(cells[name])}")
    return cells


def broken_rule(table: Table, cells: Mapping[str, Cell]) -> tuple[Rule, str] | None:
    """The first rule that the row breaks, with the column that breaks it."""
    for rule in table.rules:
        if all(cells[name] in values for name, values in rule.where):
            for name in rule.columns:
                if (cells[name] is not None) is not rule.filled:
                    return rule, name
    return None


def key_of(table: Table, cells: Mapping[str, Cell]) -> tuple[Cell, ...]:
    """What makes the row unique in its file."""
    return tuple(cells[name] for name in table.key)


def format_line(number: int, cells: Sequence[Cell]) -> bytes:
    """The line of a normal row: its number, its cells in the order of the schema, its check, a line feed."""
    body = ",".join((str(number), *map(to_text, cells))).encode()
    return body + b"," + check_of(body) + b"\n"


def check_of(body: bytes) -> bytes:
    """CRC-32 of a line up to the comma before its check, 8 hexadecimal digits."""
    return b"%08x" % crc32(body)
