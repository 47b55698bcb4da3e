"""Values out of front matter: text, lists, dates, versions, closed sets, and what to write where one is wrong."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from packaging.version import InvalidVersion, Version

from kb.complaints import nearest
from kb.problems import codes
from kb.problems.codes import Code
from kb.problems.complaint import Complain
from kb.problems.frontmatter import Entry, Mapping, Node, Scalar, Sequence
from kb.records.damage import quoted

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_T = TypeVar("_T")
_Choice = TypeVar("_Choice", bound=StrEnum)

_NAMES = {"int": "a number", "float": "a number", "bool": "true or false", "timestamp": "a date", "null": "nothing"}


class Wrong(Exception):
    """A value that cannot be used; `Table` turns it into a complaint."""

    def __init__(self, line: int, code: Code, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.code = code


class Table:
    """One table of the front matter. Each method reads one key; what is wrong is told, and its default comes back."""

    def __init__(self, table: Mapping, where: str, complain: Complain) -> None:
        """`where`: what stands before a key's name in a message: nothing, or the keys that lead here."""
        self._table = table
        self._where = where
        self._complain = complain

    @property
    def line(self) -> int:
        return self._table.line

    def known(self, keys: Iterable[str]) -> None:
        """Complain of every other key."""
        keys = list(keys)
        for key, entry in self._table.entries.items():
            if key not in keys:
                message = f"{self._where}{quoted(key)} is not a key here; {nearest(key, keys)}"
                self._complain(entry.line, codes.UNKNOWN_KEY, message)

    def text(self, key: str, *, required: bool = False) -> str:
        """One text; empty where there is none."""

        def read() -> str:
            found = self._found(key, required)
            return text(found.value, self._where + key) if found else ""

        return self._tried(read, "")

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where there is none."""
        return self._tried(lambda: tuple(text(node, self._where + key) for node in self._list(key, False)), ())

    def tables(self, key: str, *, required: bool = False) -> "tuple[Table, ...]":
        """A list of tables; empty where there is none."""
        name = self._where + key

        def read() -> tuple[Table, ...]:
            nodes = self._list(key, required)
            return tuple(Table(_mapping(node, name), f"{name}: ", self._complain) for node in nodes)

        return self._tried(read, ())

    def date(self, key: str) -> date:
        """A day; the first of all days stands for one that is wrong or missing, which is complained of."""

        def read() -> date:
            found = self._found(key, required=True)
            return day(found.value, key) if found else date.min

        return self._tried(read, date.min)

    def version(self, key: str, *, required: bool = False) -> str:
        """A version of a package, as it is written; empty where there is none."""

        def read() -> str:
            found = self._found(key, required)
            return version(found.value, self._where + key) if found else ""

        return self._tried(read, "")

    def choice(self, key: str, choices: type[_Choice]) -> _Choice:
        """One of a closed set; its first member stands for a wrong one, which is complained of."""
        first = next(iter(choices))

        def read() -> _Choice:
            found = self._found(key, required=True)
            return one_of(found.value, key, choices) if found else first

        return self._tried(read, first)

    def conditions(self, key: str) -> dict[str, str]:
        """A table of texts or whole numbers, which are kept as text."""
        where = self._where + key

        def read() -> dict[str, str]:
            found = self._found(key, required=False)
            entries = _mapping(found.value, where).entries if found else {}
            return {name: condition(entry.value, f"{where}: {name}") for name, entry in entries.items()}

        return self._tried(read, {})

    def _tried(self, read: Callable[[], _T], default: _T) -> _T:
        try:
            return read()
        except Wrong as wrong:
            self._complain(wrong.line, wrong.code, str(wrong))
            return default

    def _list(self, key: str, required: bool) -> tuple[Node, ...]:
        found = self._found(key, required)
        if found is None:
            return ()
        if not isinstance(found.value, Sequence):
            raise Wrong(found.line, codes.WRONG_TYPE, f"{self._where}{key} must be a list: [...], or one - a line")
        if required and not found.value.items:
            raise Wrong(found.line, codes.MISSING_KEY, f"{self._where}{key} is empty: see TEMPLATE.txt")
        return found.value.items

    def _found(self, key: str, required: bool) -> Entry | None:
        """The entry of a key; None where it may be left away and is, or is empty."""
        entry = self._table.entries.get(key)
        empty = entry is not None and isinstance(entry.value, Scalar) and not entry.value.text.strip()
        if entry is not None and not empty:
            return entry
        if required:
            state = "is missing" if entry is None else "is empty"
            line = self.line if entry is None else entry.line
            raise Wrong(line, codes.MISSING_KEY, f"{self._where}{key} {state}: see TEMPLATE.txt for what it says")
        return None


def text(node: Node, name: str) -> str:
    """The text of a value.

    Raises:
        Wrong: it is a list or a table, or YAML takes it for something else.
    """
    if not isinstance(node, Scalar):
        raise Wrong(node.line, codes.WRONG_TYPE, f"{name} must be text, and is {_kind(node)}: put it in double quotes")
    if node.type != "str":
        taken = _NAMES.get(node.type, "something else")
        message = f'{name}: YAML takes {quoted(node.text)} for {taken}: write "{node.text}", in quotes'
        raise Wrong(node.line, codes.UNQUOTED_NUMBER, message)
    return node.text


def day(node: Node, name: str) -> date:
    """The day of a value.

    Raises:
        Wrong: it is no date, has a time, or is a day that no calendar has.
    """
    written = node.text if isinstance(node, Scalar) else ""
    if _DATE.fullmatch(written):
        try:
            return date.fromisoformat(written)
        except ValueError:
            pass
    shown = quoted(written) if written else _kind(node)
    raise Wrong(node.line, codes.NOT_A_DATE, f"{name} must be a date of the form 2026-11-27, and is {shown}")


def version(node: Node, name: str) -> str:
    """The version of a value, as it is written.

    Raises:
        Wrong: YAML takes it for a number, of which 2.10 is 2.1; or it is no version.
    """
    if isinstance(node, Scalar) and node.type in ("int", "float"):
        trap = " (2.10 is the number 2.1)" if node.type == "float" else ""
        message = f'{name}: YAML takes {node.text} for a number{trap}: write "{node.text}", in quotes'
        raise Wrong(node.line, codes.UNQUOTED_NUMBER, message)
    written = text(node, name)
    if not is_version(written):
        message = f'{name}: {quoted(written)} is no version: write one such as "2.13.0" or "2.13.0rc1", without < or ='
        raise Wrong(node.line, codes.NOT_A_VERSION, message)
    return written


def one_of(node: Node, name: str, choices: type[_Choice]) -> _Choice:
    """The member of a closed set that a value names.

    Raises:
        Wrong: there is none of that name, or the value is no text.
    """
    written = text(node, name)
    try:
        return choices(written)
    except ValueError:
        message = f"{name}: {quoted(written)} is none of the valid ones; {nearest(written, choices)}"
        raise Wrong(node.line, codes.NOT_ONE_OF, message) from None


def condition(node: Node, name: str) -> str:
    """The text of a condition; `opset: 17` needs no quotes, since no digit of a whole number is lost.

    Raises:
        Wrong: as `text` and `version` do.
    """
    if isinstance(node, Scalar) and node.type == "int":
        return node.text
    if isinstance(node, Scalar) and node.type == "float":
        return version(node, name)
    return text(node, name)


@lru_cache(maxsize=4096)
def is_version(written: str) -> bool:
    """Whether it is a version by PEP 440."""
    try:
        Version(written)
    except InvalidVersion:
        return False
    return True


def _mapping(node: Node, name: str) -> Mapping:
    if not isinstance(node, Mapping):
        raise Wrong(node.line, codes.WRONG_TYPE, f"{name} must be a table of keys, and is {_kind(node)}")
    return node


def _kind(node: Node) -> str:
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a table of keys"
    return _NAMES.get(node.type, "text")
