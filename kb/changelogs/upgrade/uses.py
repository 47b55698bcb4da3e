"""Where code uses a name, and how sure that is: what scanning gives and matching takes."""

from dataclasses import dataclass
from enum import StrEnum


class Certainty(StrEnum):
    """How sure it is that the code means this name."""

    CERTAIN = "certain"  #: resolved through imports
    INFERRED = "inferred"  #: an attribute of what a class, or an annotation, says that a value is
    POSSIBLE = "possible"  #: it may come from a star import
    METHOD = "method"  #: an attribute of a value that nobody knows; the symbol is ``.name``


@dataclass(frozen=True, order=True)
class Use:
    """A name in the code, as its package calls it: ``torch.nn.Linear`` for ``nn.Linear``."""

    file: str
    cell: int  #: of a notebook, from 1; 0 in a file without cells
    line: int  #: from 1; within the cell in a notebook
    column: int  #: from 1, in characters
    symbol: str
    certainty: Certainty = Certainty.CERTAIN
    arguments: tuple[str, ...] = ()  #: keywords that it is called with

    @property
    def place(self) -> str:
        """``train.py:12``, or ``train.ipynb:cell 3:12``."""
        return f"{self.file}:cell {self.cell}:{self.line}" if self.cell else f"{self.file}:{self.line}"


@dataclass(frozen=True, order=True)
class Unread:
    """A file, or a cell, that was not scanned."""

    place: str
    reason: str


@dataclass(frozen=True)
class Scan:
    """What was found in the code."""

    uses: tuple[Use, ...]  #: by file and line
    files: int  #: that were scanned
    unread: tuple[Unread, ...] = ()
