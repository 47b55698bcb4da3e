"""One value of a table and its text in the file, both ways: the only place that knows how a cell is written."""

import math
import re
import unicodedata
from numbers import Integral, Real

from kb.records.schema import Column

Cell = str | int | float | None

#: Digits kept of a measured number. Timings repeat within 1 % at best, so six digits are four more than any verdict
#: uses, and the files stay half the size of full precision.
SIGNIFICANT_DIGITS = 6

#: Longest text of a cell. A reason is one line with the end of a traceback; beyond this it hides the table.
MAX_TEXT = 8_000

#: Largest integer that every reader of the files can hold.
MAX_INTEGER = 2**63 - 1

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]{1,3})?")
_SPACED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})  #: control, lone surrogate, line and paragraph separator
_NAMED_ESCAPES = {"\n": "\\n", "\t": "\\t"}
_SHORTENED = " [... {} characters left out ...] "


class BadCell(ValueError):
    """A value that its column cannot hold."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"expected {expected}")
        self.expected = expected


def one_line(text: str) -> str:
    r"""Text as it is kept: line breaks as the two characters ``\n``, other control characters and lone surrogates
    escaped in the same manner (``\x00``, ``\udc80``). Applying it twice changes nothing.
    """
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_escaped(char) if unicodedata.category(char) in _SPACED_CATEGORIES else char for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    return _NAMED_ESCAPES.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def shortened(text: str, limit: int = MAX_TEXT) -> str:
    """The text; over the limit, its beginning and its longer end, where a traceback says what happened."""
    if len(text) <= limit:
        return text
    room = limit - len(_SHORTENED.format(len(text)))
    head = room // 4
    tail = room - head
    return text[:head] + _SHORTENED.format(len(text) - room) + text[-tail:]


def normal(column: Column, value: object) -> Cell:
    """The value as a reader will get it back: plain Python type, one line of text, significant digits.

    Raises:
        BadCell: the column cannot hold it.
    """
    if value is None or value == "":
        if column.required:
            raise BadCell("a value, the column is never empty")
        return None
    cell: Cell
    if column.type == "string":
        cell = _normal_text(column, value)
    elif column.type == "integer":
        cell = _normal_integer(value)
    else:
        cell = _normal_number(value)
    check_range(column, cell)
    return cell


def _normal_text(column: Column, value: object) -> str:
    if not isinstance(value, str):
        raise BadCell("text")
    text = one_line(str(value))
    if column.free_text:
        return shortened(text)
    limit = column.limit or MAX_TEXT
    if len(text) > limit:
        raise BadCell(f"at most {limit} characters")
    return text


def _normal_integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise BadCell("an integer")
    return int(value)


def _normal_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise BadCell("a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadCell("a finite number")
    return float(_number_text(number))


def check_range(column: Column, cell: Cell) -> None:
    """Closed set and bounds of the column.

    Raises:
        BadCell: the value is outside them.
    """
    if isinstance(cell, str):
        if column.values and cell not in column.values:
            raise BadCell("one of " + ", ".join(column.values))
    elif cell is not None:
        if column.minimum is not None and cell < column.minimum:
            raise BadCell(f"at least {column.minimum:g}")
        if column.positive and cell <= 0:
            raise BadCell("more than 0")
        if isinstance(cell, int) and abs(cell) > MAX_INTEGER:
            raise BadCell("an integer of at most 64 bits")


def _number_text(number: float) -> str:
    return f"{number:.{SIGNIFICANT_DIGITS}g}"


def to_text(cell: Cell) -> str:
    """Text of a normal value, quoted where CSV needs it. None is the empty text."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return _number_text(cell)
    text = str(cell)
    if "," in text or '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def from_text(column: Column, text: str) -> Cell:
    """The value of an unquoted text.

    Raises:
        BadCell: the column cannot hold it.
    """
    if not text:
        if column.required:
            raise BadCell("a value, the column is never empty")
        return None
    cell: Cell = text
    if column.type == "integer":
        if not _INTEGER.fullmatch(text):
            raise BadCell("an integer")
        cell = int(text)
    elif column.type == "number":
        if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
            raise BadCell("a finite number")
        cell = float(text)
    check_range(column, cell)
    return cell
