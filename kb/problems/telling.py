"""Complaints for whom they are meant: a person, a program, or the page of a pull request on GitHub."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from kb.problems.complaint import Complaint
from kb.records.damage import printable


def as_text(complaints: Sequence[Complaint], root: Path) -> str:
    """One line each, `file:line: code level: message`, as editors and terminals link them."""
    return "\n".join(
        f"{place(one.path, root)}:{one.line}: {one.code.name} {one.code.level}: {one.message}" for one in complaints
    )


def as_json(complaints: Sequence[Complaint], root: Path) -> str:
    """A list of objects."""
    found = [
        {
            "file": place(one.path, root),
            "line": one.line,
            "code": one.code.name,
            "level": one.code.level.value,
            "message": one.message,
        }
        for one in complaints
    ]
    return json.dumps(found, indent=2, ensure_ascii=False)


def as_github(complaints: Sequence[Complaint], root: Path) -> str:
    """Workflow commands, which GitHub shows at the line of the file.

    Escaped as @actions/core does it: a note from a stranger must not be able to give a command.
    """
    return "\n".join(
        f"::{one.code.level} file={_property(place(one.path, root))},line={one.line},"
        f"title={_property(one.code.name)}::{_data(one.message)}"
        for one in complaints
    )


FORMATS: dict[str, Callable[[Sequence[Complaint], Path], str]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
}


def summary(complaints: Iterable[Complaint], notes: int) -> str:
    """How much was checked and found, in one line."""
    levels = [one.is_error for one in complaints]
    errors, warnings = levels.count(True), levels.count(False)
    found = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}" if levels else "nothing to complain of"
    return f"{_counted(notes, 'note')}: {found}"


def place(path: Path, root: Path) -> str:
    """The path from the root of the knowledge base, with forward slashes, or as it is where it lies elsewhere."""
    return printable((path.relative_to(root) if path.is_relative_to(root) else path).as_posix())


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
