"""The clipboard, by whatever program is installed; a clear line where there is none."""

from pathlib import Path

import pytest

from kb.problems import clipboard
from kb.problems.clipboard import read_clipboard
from kb.problems.errors import ProblemError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that programs are looked for in."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_the_text_in_the_clipboard(programs: Path) -> None:
    install(programs, "xclip", 'echo "ValueError: 精度 $*"')
    assert read_clipboard() == "ValueError: 精度 -selection clipboard -o"


def test_the_next_program_is_asked_where_one_cannot_reach_its_desktop(programs: Path) -> None:
    install(programs, "wl-paste", "echo 'failed to connect' >&2; exit 1")
    install(programs, "xsel", "echo text")
    assert read_clipboard() == "text"


def test_no_program_at_all(programs: Path) -> None:
    with pytest.raises(ProblemError, match=r"^no program that reads the clipboard is installed \(wl-paste, .*--from"):
        read_clipboard()


def test_no_desktop(programs: Path) -> None:
    install(programs, "xclip", 'echo "Error: Can\'t open display" >&2; exit 1')
    with pytest.raises(ProblemError, match=r"cannot be read \(xclip: Error: Can't open display\): save the text"):
        read_clipboard()


def test_an_empty_clipboard(programs: Path) -> None:
    install(programs, "xclip", "echo")
    with pytest.raises(ProblemError, match="the clipboard has no text"):
        read_clipboard()


def test_a_program_that_hangs_is_not_waited_for(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "TIMEOUT_S", 0.1)
    install(programs, "xclip", "exec /bin/sleep 60")
    with pytest.raises(ProblemError, match=r"xclip: TimeoutExpired"):
        read_clipboard()
