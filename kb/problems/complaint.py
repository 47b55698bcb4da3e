"""One thing that is wrong in one line of one note, and how it is told."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kb.problems.codes import Code, Level
from kb.records.damage import printable

#: Takes what is wrong in a file that is being read: line, code, message.
Complain = Callable[[int, Code, str], None]


@dataclass(frozen=True)
class Complaint:
    """What is wrong, where, and what to write instead."""

    path: Path
    line: int  #: from 1
    code: Code
    message: str  #: one line; nothing of the note in it can move a terminal's cursor

    @property
    def is_error(self) -> bool:
        return self.code.level is Level.ERROR

    @property
    def order(self) -> tuple[str, int, str]:
        """Sorts complaints by file and line."""
        return str(self.path), self.line, self.code.name


def complaint(path: Path, line: int, code: Code, message: str) -> Complaint:
    """A complaint whose message is made safe to print, whatever of the note it quotes."""
    return Complaint(path, max(line, 1), code, printable(message))
