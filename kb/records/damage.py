"""What is said about a file that is not as it was written: where, what was expected, what was found, what to do."""

import reprlib
from pathlib import Path

#: Longest quotation of a damaged value in a message.
QUOTED_LENGTH = 60

RESTORE = "restore the file from git, or remove its run folder; results are never edited by hand"


class DamagedFile(ValueError):
    """A result file that cannot be trusted, in one line: FILE:LINE: column `x`: expected ..., found ...: what to do.

    Attributes:
        file: the file or folder.
        line: number of the line, from 1; None where the whole file is meant.
        column: the table's column, the dotted key of run.json, or the position of a byte or character in the line.
    """

    def __init__(
        self,
        file: Path,
        problem: str,
        *,
        line: int | None = None,
        column: str | int | None = None,
        remedy: str = RESTORE,
    ) -> None:
        where = printable(str(file)) + (f":{line}" if line is not None else "")
        if isinstance(column, int):
            where += f":{column}"
        elif column is not None:
            where += f": column `{printable(column)}`"
        super().__init__(f"{where}: {problem}: {remedy}")
        self.file = file
        self.line = line
        self.column = column


class NewerSchema(DamagedFile):
    """Written by a newer kb, whose columns this one would misread."""


def printable(text: str) -> str:
    """The text with everything that could move a terminal's cursor or break the line escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def quoted(value: object) -> str:
    """The value in quotes, escaped and bounded, for a message."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, str):
        return "'" + printable(value[:QUOTED_LENGTH]) + ("...'" if len(value) > QUOTED_LENGTH else "'")
    if value is None:
        return "nothing"
    text = reprlib.repr(value)
    return text if len(text) <= QUOTED_LENGTH else printable(text[:QUOTED_LENGTH]) + "..."
