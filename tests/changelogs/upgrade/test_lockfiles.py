"""What lock files pin, in each form that tools write, and what changes from one to another."""

from pathlib import Path

import pytest

from kb.changelogs.upgrade.lockfiles import LockError, read_lock
from kb.changelogs.upgrade.requirements import from_locks

FREEZE = """\
# comment
jax==0.5.0
torch==2.7.0+cpu
numpy @ file:///wheels/numpy-2.1.0-cp311-cp311-linux_x86_64.whl
-e git+https://example.org/mine.git#egg=mine
other @ https://example.org/other.tar.gz
"""
COMPILED = """\
--index-url https://example.org/simple
-r more.txt
torch==2.7.0 ; python_version >= "3" \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via -r requirements.in
torch==1.0 ; python_version < "3"
numpy[all]==2.1.0 --hash=sha256:cc  # why
loose>=1
"""
UV = """\
version = 1
[[package]]
name = "mine"
version = "0.1.0"
source = { editable = "." }

[[package]]
name = "torch"
version = "2.7.0"
source = { registry = "https://example.org/simple" }
resolution-markers = ["sys_platform == 'never'", "python_full_version >= '3'"]

[[package]]
name = "torch"
version = "2.7.0+other"
resolution-markers = ["sys_platform == 'never'"]

[[package]]
name = "numpy"
version = "2.1.0"
"""
POETRY = """\
[[package]]
name = "torch"
version = "2.7.0"
optional = false
files = [{file = "torch.whl", hash = "sha256:aa"}]

[[package]]
name = "numpy"
version = "2.1.0"
markers = "python_version >= '3'"

[[package]]
name = "beside"
version = "1.0"
[package.source]
type = "directory"
url = "../beside"

[metadata]
lock-version = "2.1"
"""
PYLOCK = """\
lock-version = "1.0"
created-by = "a test"

[[packages]]
name = "torch"
version = "2.7.0"
marker = "'cpu' in extras or python_version >= '3'"

[[packages]]
name = "numpy"
version = "2.1.0"

[[packages]]
name = "mine"
directory = { path = "." }
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def pins(path: Path) -> dict[str, str]:
    return {name: str(pin.version) for name, pin in read_lock(path).pins.items()}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("frozen.txt", FREEZE, {"jax": "0.5.0", "torch": "2.7.0+cpu", "numpy": "2.1.0"}),
        ("requirements.txt", COMPILED, {"torch": "2.7.0", "numpy": "2.1.0"}),
        ("requirements.lock", COMPILED.partition("more.txt\n")[2], {"torch": "2.7.0", "numpy": "2.1.0"}),
        ("uv.lock", UV, {"torch": "2.7.0", "numpy": "2.1.0"}),
        ("poetry.lock", POETRY, {"torch": "2.7.0", "numpy": "2.1.0"}),
        ("pylock.toml", PYLOCK, {"torch": "2.7.0", "numpy": "2.1.0"}),
        ("crlf.txt", "torch==2.7.0\r\nnumpy==2.1.0\r\n", {"torch": "2.7.0", "numpy": "2.1.0"}),
    ],
)
def test_each_form_is_read(tmp_path: Path, name: str, text: str, expected: dict[str, str]) -> None:
    assert pins(write(tmp_path, name, text)) == expected


def test_what_windows_powershell_redirects_is_read(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes("torch==2.7.0\r\n".encode("utf-16"))
    assert pins(path) == {"torch": "2.7.0"}


@pytest.mark.parametrize(
    ("name", "text", "line"), [("a.txt", COMPILED, 3), ("uv.lock", UV, 7), ("pylock.toml", PYLOCK, 4)]
)
def test_a_pin_knows_its_line(tmp_path: Path, name: str, text: str, line: int) -> None:
    path = write(tmp_path, name, text)
    place = read_lock(path).pins["torch"].place
    assert place is not None
    assert (place.file, place.line) == (str(path), line)


def test_what_is_not_pinned_is_told(tmp_path: Path) -> None:
    remarks = read_lock(write(tmp_path, "a.txt", COMPILED)).remarks
    assert any("a.txt:2" in remark and "is not followed" in remark for remark in remarks)
    assert any("'loose>=1' is not pinned" in remark for remark in remarks)


def test_two_pins_that_both_apply_are_told(tmp_path: Path) -> None:
    lock = read_lock(write(tmp_path, "a.txt", "torch==2.7\ntorch==2.8\n"))
    assert str(lock.pins["torch"].version) == "2.8"
    assert "torch is pinned to 2.7, 2.8; 2.8 is taken" in lock.remarks[0]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "", "pins no distribution"),
        ("a.txt", "torch==2.7\n<html>\n", "a.txt:2: '<html>' is no pin"),
        ("a.txt", "torch===new\n", "a.txt:1"),
        ("uv.lock", "[[package]\n", "is no TOML"),
        ("uv.lock", "version = 1\n", "has no table [[package]]"),
        ("pylock.toml", "[[packages]]\nversion = '1'\n", "pylock.toml:1: a package without a name"),
        ("uv.lock", "[[package]]\nname = 'torch'\nversion = 'new'\n", "'new', of 'torch', is no version"),
        ("pylock.toml", "[[packages]]\nname = 'x'\nversion = '1'\nmarker = 'so'\n", "is no environment marker"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(LockError) as caught:
        read_lock(write(tmp_path, name, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="cannot be read"):
        read_lock(tmp_path / "absent.txt")
    (tmp_path / "image.txt").write_bytes(b"\x89PNG\xff")
    with pytest.raises(LockError, match=r"byte 0 is no UTF-8"):
        read_lock(tmp_path / "image.txt")


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
