"""Narrowing what a run measures: words that name cells, conversions or arms by one of their fields."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

from kb.complaints import nearest
from kb.discovery import split_size

Part = TypeVar("Part")


class SelectionError(ValueError):
    """A selection that selects nothing, or that names no part of the grid. One line: what, and the nearest valid."""


@dataclass(frozen=True)
class Selection(Generic[Part]):
    """How parts of one kind are named."""

    noun: str  #: for messages, in the plural
    fields: Sequence[str]  #: that ``field=value`` may name
    bare: Sequence[str]  #: fields that a word without `=` may be meant for, the first that it fits
    value: Callable[[Part, str], object] = getattr  #: of a field of a part

    def narrow(self, parts: Sequence[Part], select: Iterable[str]) -> list[Part]:
        """The parts that words leave: words of one field are alternatives, words of different fields must all hold.

        Args:
            select: ``field=value`` or a value; values may be globs.

        Raises:
            SelectionError: a word selects nothing, or nothing is left.
        """
        words = list(select)
        by_field: dict[str, list[str]] = {}
        for word in words:
            field, glob = self._read(word, parts)
            by_field.setdefault(field, []).append(glob)
        left = [
            part
            for part in parts
            if all(any(self._fits(part, field, glob) for glob in globs) for field, globs in by_field.items())
        ]
        if not left:
            raise SelectionError(f"nothing is left of the {len(parts)} {self.noun} by {' '.join(words)!r}")
        return left

    def _read(self, word: str, parts: Sequence[Part]) -> tuple[str, str]:
        """Which field a word speaks of, and the glob for it. A word that fits no part is an error of its own."""
        field, equals, value = word.partition("=")
        if equals and field not in self.fields:
            raise SelectionError(f"{word!r}: no field {field!r}; there are {', '.join(self.fields)}")
        candidates = [(field, value)] if equals else [(name, word) for name in self.bare]
        for name, glob in candidates:
            if any(self._fits(part, name, glob) for part in parts):
                return name, glob
        known = dict.fromkeys(str(self.value(part, name)) for part in parts for name, _ in candidates if name != "id")
        raise SelectionError(f"{word!r} selects nothing here; {nearest(candidates[0][1], known)}")

    def _fits(self, part: Part, field: str, glob: str) -> bool:
        """Whether a field of the part fits a glob. The bare name of a model stands for the model at any size."""
        text = str(self.value(part, field))
        return fnmatchcase(text, glob) or (field == "model" and fnmatchcase(split_size(text)[0], glob))
