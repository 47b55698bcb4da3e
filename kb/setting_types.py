"""What single values of the settings may be: names, targets, shapes, addresses; each refuses what is none."""

import re
from datetime import date, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, PlainValidator, StrictInt, StrictStr

from kb.complaints import nearest
from kb.known_changelogs import https_address

#: Element types that an artefact's inputs may have: those that NumPy and ONNX share.
DTYPES = (
    *("float16", "float32", "float64", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_T = TypeVar("_T")


def _part_name(text: str) -> str:
    """A name that can stand in a case's id, a file name and a command line."""
    if not _PART.fullmatch(text):
        raise ValueError("must be made of letters, digits, '.', '_' and '-', beginning with a letter or digit")
    return text


def _target(text: str) -> str:
    if not _TARGET.fullmatch(text):
        raise ValueError("must be of the form module:Class, e.g. 'mypkg.nets:MyNet'")
    return text


def _dimension(value: object) -> int | str:
    """One axis: its length, or the name of an axis of any length (the batch, a sequence)."""
    if isinstance(value, str) and value.isidentifier():
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError("must be a length of at least 1, or a name such as 'batch' for an axis of any length")


def _dtype(text: str) -> str:
    if text not in DTYPES:
        raise ValueError(f"is no element type; {nearest(text, DTYPES)}")
    return text


def _day(value: object) -> date:
    """A day, as TOML writes it or as text."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("must be a date such as 2027-01-31") from None


def _told(text: str) -> str:
    if not text.strip():
        raise ValueError("must say why, in a sentence")
    return text


def unlike(values: tuple[_T, ...]) -> tuple[_T, ...]:
    """Reject what is listed twice: the grid would hold the same case twice."""
    repeated = [value for index, value in enumerate(values) if value in values[:index]]
    if repeated:
        raise ValueError(f"lists {repeated[0]!r} twice")
    return values


Name = Annotated[StrictStr, AfterValidator(_part_name)]
Target = Annotated[StrictStr, AfterValidator(_target)]
Dimension = Annotated[int | str, PlainValidator(_dimension)]
Patterns = Annotated[tuple[StrictStr, ...], Field(min_length=1), AfterValidator(unlike)]
Address = Annotated[StrictStr, AfterValidator(https_address)]
Batches = Annotated[tuple[Annotated[StrictInt, Field(ge=1)], ...], Field(min_length=1), AfterValidator(unlike)]
Threads = Annotated[tuple[Annotated[StrictInt, Field(ge=0)], ...], Field(min_length=1), AfterValidator(unlike)]
Dtype = Annotated[StrictStr, AfterValidator(_dtype)]
Day = Annotated[date, PlainValidator(_day)]
Why = Annotated[StrictStr, AfterValidator(_told)]
