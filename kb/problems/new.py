"""`kb problem new`: a note in a minute, and no file is ever overwritten."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from kb.problems.drafting import Draft
from kb.problems.errors import ProblemError
from kb.problems.reading import MAX_BYTES
from kb.records.atomic import write_new

#: A log of a build that is larger is not looked through for a traceback: its end is.
MAX_PASTE_BYTES = 64 * 2**20
#: Files `opset.md`, `opset-2.md`, ... that are tried before a person has to think of a name.
MAX_SAME_NAMES = 99


def read_source(source: str) -> str:
    """The text of a file, or of standard input for `-`; of a very long one, the end.

    Raises:
        ProblemError: there is no such file, or nothing is in it.
    """
    try:
        content = sys.stdin.buffer.read(MAX_PASTE_BYTES) if source == "-" else _tail(Path(source))
    except OSError as error:
        raise ProblemError(f"{source} cannot be read: {error.strerror}: name a file with the error in it") from None
    text = content.decode("utf-8", "replace")
    if not text.strip():
        place = "standard input" if source == "-" else source
        raise ProblemError(f"nothing stands in {place}: was the error written to another stream (2>&1)?")
    return text


def write_draft(folder: Path, draft: Draft) -> Path:
    """Write the note under a name that is free; its path.

    Raises:
        ProblemError: too many have that name, or the note is larger than one may be.
        OSError: the file cannot be written.
    """
    content = draft.text.encode()
    if len(content) > MAX_BYTES:
        raise ProblemError(f"the error is {len(content):,} bytes long: keep the lines that matter")
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, MAX_SAME_NAMES + 1):
        path = folder / f"{draft.name}{f'-{number}' if number > 1 else ''}.md"
        try:
            write_new(path, content)
        except FileExistsError:
            continue
        return path
    raise ProblemError(f"{folder} has {MAX_SAME_NAMES} notes called {draft.name}: give another title with --title")


def open_editor(path: Path) -> str:
    """Open the file in the user's editor and wait; why not, in one line, where that is not possible."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    if not command.strip():
        return "set $EDITOR to have new notes opened"
    try:
        with _keyboard() as keyboard:
            code = subprocess.run([*shlex.split(command), str(path)], stdin=keyboard).returncode
    except (OSError, ValueError) as error:
        return f"$EDITOR ({command}) cannot be started: {error}"
    return f"$EDITOR ({command}) ended with code {code}" if code else ""


@contextmanager
def _keyboard() -> Iterator[IO[bytes] | None]:
    """Standard input for an editor. Where an error was piped into kb that one is used up: the keyboard is elsewhere."""
    if sys.stdin.isatty():
        yield None
        return
    with ExitStack() as opened:
        try:
            terminal = opened.enter_context(Path("/dev/tty").open("rb"))
        except OSError:  # no terminal, as in CI
            terminal = opened.enter_context(Path(os.devnull).open("rb"))
        yield terminal


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MAX_PASTE_BYTES))
        return file.read(MAX_PASTE_BYTES)
