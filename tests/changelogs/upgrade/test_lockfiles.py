"""Which pin of a lock file counts, what is left out, and what changes from one lock file to another."""

from pathlib import Path

import pytest

from kb.changelogs.upgrade.lockfiles import LockError, read_lock
from kb.changelogs.upgrade.requirements import from_locks
from kb.packages.pins import Place

LOCK = """\
[[package]]
name = "mine"
version = "0.1.0"
source = { editable = "." }

[[package]]
name = "Torch"
version = "2.7.0"
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_project_itself_is_no_release(tmp_path: Path) -> None:
    path = write(tmp_path, "uv.lock", LOCK)
    lock = read_lock(path)
    assert {name: str(pin.version) for name, pin in lock.pins.items()} == {"torch": "2.7.0"}
    assert lock.pins["torch"].place == Place(str(path), 6)
    assert not lock.remarks


def test_what_is_not_pinned_is_told(tmp_path: Path) -> None:
    lock = read_lock(write(tmp_path, "a.txt", "torch==2.7\nloose>=1\n-e .\n"))
    assert list(lock.pins) == ["torch"]
    assert any("a.txt:2: 'loose>=1' is not pinned" in remark for remark in lock.remarks)
    assert any("a.txt:3: has no version" in remark for remark in lock.remarks)


def test_two_pins_that_both_apply_are_told(tmp_path: Path) -> None:
    lock = read_lock(write(tmp_path, "a.txt", "torch==2.7\ntorch==2.8\ntorch==3; sys_platform == 'amiga'\n"))
    assert str(lock.pins["torch"].version) == "2.8"
    assert "torch is pinned to 2.7, 2.8; 2.8 is taken" in lock.remarks[0]


def test_a_pin_for_other_machines_counts_where_there_is_no_other(tmp_path: Path) -> None:
    lock = read_lock(write(tmp_path, "a.txt", "torch==2.8; sys_platform == 'amiga'\n"))
    assert str(lock.pins["torch"].version) == "2.8"


@pytest.mark.parametrize("text", ["", "loose>=1\n", "torch===new\n"])
def test_a_file_that_pins_nothing_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(LockError, match="pins no distribution"):
        read_lock(write(tmp_path, "a.txt", text))


def changed(folder: Path, before: str, after: str) -> list[tuple[str, str | None, str | None]]:
    question = from_locks(write(folder, "a.txt", before), write(folder, "b.txt", after))
    assert not question.asked_for
    return [
        (c.project, str(c.before.version) if c.before else None, str(c.after.version) if c.after else None)
        for c in question.changes
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("torch==2.7\nnumpy==2.1", "torch==2.8\nnumpy==2.1", [("torch", "2.7", "2.8")]),
        ("torch==2.7", "torch==2.7\njax==0.5", [("jax", None, "0.5")]),
        ("torch==2.7\njax==0.5", "torch==2.7", [("jax", "0.5", None)]),
        ("torch==2.7+cpu", "torch==2.7+cu128", []),
        ("torch==2.7", "torch==2.7.0", []),
        ("onnxruntime==1.20", "onnxruntime-gpu==1.22", [("onnxruntime", "1.20", "1.22")]),
        ("onnxruntime==1.20", "onnxruntime-gpu==1.20", []),
        ("torch==2.8", "torch==2.7", [("torch", "2.8", "2.7")]),
        ("Torch_X==1", "torch-x==2", [("torch-x", "1", "2")]),
    ],
)
def test_what_changes_from_one_lock_file_to_another(
    tmp_path: Path, before: str, after: str, expected: list[tuple[str, str | None, str | None]]
) -> None:
    assert changed(tmp_path, before, after) == expected
