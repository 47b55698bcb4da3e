"""What files of packages say, in each form that tools write, and what is refused."""

from pathlib import Path

import pytest

from kb.packages import lockfiles
from kb.packages.errors import PackageFileError
from kb.packages.lockfiles import Packages, read_packages

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
--find-links wheels
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


UV_FORKS = """\
[[package]]
name = "Torch"
version = "2.4.0"
resolution-markers = ["sys_platform == 'amiga'"]

[[package]]
name = "torch"
version = "2.5.0"
resolution-markers = ["sys_platform == 'amiga'", "sys_platform != 'amiga'"]
"""


def read(folder: Path, text: str, name: str = "requirements.txt") -> Packages:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_packages(path)


def pinned(packages: Packages) -> dict[str, str]:
    """What counts here and is pinned."""
    return {row.name: str(row.version) for row in packages.rows if row.applies and row.version and not row.local}


@pytest.mark.parametrize(
    ("name", "text", "expected", "whole"),
    [
        ("frozen.txt", FREEZE, {"jax": "0.5.0", "torch": "2.7.0+cpu", "numpy": "2.1.0"}, False),
        ("compiled.txt", COMPILED, {"torch": "2.7.0", "numpy": "2.1.0"}, False),
        ("requirements.lock", COMPILED.partition("simple\n")[2], {"torch": "2.7.0", "numpy": "2.1.0"}, False),
        ("uv.lock", UV, {"torch": "2.7.0", "numpy": "2.1.0"}, True),
        ("uv.lock", UV_FORKS, {"torch": "2.5.0"}, True),
        ("poetry.lock", POETRY, {"torch": "2.7.0", "numpy": "2.1.0"}, True),
        ("pylock.toml", PYLOCK, {"torch": "2.7.0", "numpy": "2.1.0"}, True),
        ("crlf.txt", "torch==2.7.0\r\nnumpy==2.1.0\r\n", {"torch": "2.7.0", "numpy": "2.1.0"}, False),
        ("bom.txt", "\ufefftorch==2.7.0\n", {"torch": "2.7.0"}, False),
    ],
)
def test_each_form_is_read(tmp_path: Path, name: str, text: str, expected: dict[str, str], whole: bool) -> None:
    packages = read(tmp_path, text, name)
    assert (pinned(packages), packages.whole) == (expected, whole)


def test_what_windows_powershell_redirects_is_read(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes("torch==2.7.0\r\n".encode("utf-16"))
    assert pinned(read_packages(path)) == {"torch": "2.7.0"}


@pytest.mark.parametrize(
    ("name", "text", "line"), [("a.txt", COMPILED, 3), ("uv.lock", UV, 7), ("pylock.toml", PYLOCK, 4)]
)
def test_a_row_knows_its_line(tmp_path: Path, name: str, text: str, line: int) -> None:
    place = next(row.place for row in read(tmp_path, text, name).rows if row.name == "torch")
    assert (place.file, place.line) == (str(tmp_path / name), line)


def test_what_is_no_version_is_told_as_it_is_asked(tmp_path: Path) -> None:
    text = "onnx>=1.16  # why\n\nnumpy\nkeras==3.*\nodd===new\nother @ https://e.org/other.tar.gz\n"
    rows = read(tmp_path, text).rows
    assert [row.version for row in rows] == [None] * 5
    assert [row.asked for row in rows] == [">=1.16", "", "==3.*", "===new", "@ https://e.org/other.tar.gz"]


def test_a_wheel_says_its_version_in_its_name(tmp_path: Path) -> None:
    text = (
        "https://e.org/whl/torch-2.4.0%2Bcpu-cp311-cp311-linux_x86_64.whl#sha256=0\n"
        "onnx @ file:///onnx-1.16.0-py3-none-any.whl\n./numpy-2.1.0-py3-none-any.whl\n"
    )
    assert pinned(read(tmp_path, text)) == {"torch": "2.4.0+cpu", "onnx": "1.16.0", "numpy": "2.1.0"}


def test_other_files_are_followed_and_a_circle_ends(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("-r requirements.txt\nonnx==1.16\n")
    packages = read(tmp_path, "-rmore.txt\n--requirement=more.txt\ntorch==2.4\n")
    assert pinned(packages) == {"onnx": "1.16", "torch": "2.4"}
    assert [Path(row.place.file).name for row in packages.rows] == ["more.txt", "requirements.txt"]


def test_a_constraint_pins_what_is_asked_for_and_brings_nothing(tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("torch==2.4\nnumpy==2.0\nonnx==1.16\n")
    packages = read(tmp_path, "-c constraints.txt\ntorch>=2\nonnx==1.17\n")
    assert pinned(packages) == {"torch": "2.4", "onnx": "1.17"}


def test_what_has_no_version_at_all_is_told(tmp_path: Path) -> None:
    remarks = read(tmp_path, "-e .\ngit+https://e.org/x.git\n./folder\n-r https://e.org/r.txt\n").remarks
    assert len(remarks) == 4
    assert remarks[0] == f"{tmp_path}/requirements.txt:1: has no version and is not counted: '-e .'"


@pytest.mark.parametrize(
    ("markers", "applies"),
    [
        ("", True),
        ("markers = \"sys_platform != 'amiga'\"", True),
        ("markers = \"sys_platform == 'amiga'\"", False),
        ('markers = {main = "sys_platform == \'amiga\'", dev = ""}', True),
        ("markers = \"'cpu' in extras\"", True),
        ("resolution-markers = []", True),
    ],
)
def test_markers_are_judged_for_this_machine(tmp_path: Path, markers: str, applies: bool) -> None:
    text = f'[[package]]\nname = "torch"\nversion = "2.4.0"\n{markers}\n[metadata]\nlock-version = "2.1"\n'
    assert [row.applies for row in read(tmp_path, text, "poetry.lock").rows] == [applies]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "torch==2.7\n<html>\n", "a.txt:2: '<html>' is no requirement"),
        ("a.txt", "torch=2.4\n", "a.txt:1: 'torch=2.4' is no requirement"),
        ("a.txt", "-r gone.txt\n", "a.txt:1: includes"),
        ("uv.lock", "[[package]\n", "is no TOML"),
        ("uv.lock", "version = 1\n", "has no table [[package]]"),
        ("pylock.toml", "[project]\n", "has no table [[package]]"),
        ("pylock.toml", "[[packages]]\nversion = '1'\n", "pylock.toml:1: a package without a name"),
        ("uv.lock", "[[package]]\nname = 'torch'\nversion = 'new'\n", "'new', of 'torch', is no version"),
        ("pylock.toml", "[[packages]]\nname = 'x'\nversion = '1'\nmarker = 'so'\n", "is no environment marker"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(PackageFileError) as caught:
        read(tmp_path, text, name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageFileError, match="cannot be read"):
        read_packages(tmp_path / "absent.txt")
    with pytest.raises(PackageFileError, match="cannot be read"):
        read_packages(tmp_path)
    (tmp_path / "image.txt").write_bytes(b"\x89PNG\xff")
    with pytest.raises(PackageFileError, match=r"byte 0 is no UTF-8"):
        read_packages(tmp_path / "image.txt")


def test_a_file_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockfiles, "MAX_BYTES", 1_000_000)
    with pytest.raises(PackageFileError, match="larger than 1 MB"):
        read_packages(Path("/dev/zero"))
