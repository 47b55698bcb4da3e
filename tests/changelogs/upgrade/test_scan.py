"""Which files are scanned, and that none of them ends the scan."""

import json
from pathlib import Path
from typing import Any

import pytest

from kb.changelogs.upgrade import scan as scanning
from kb.changelogs.upgrade.scan import ScanError, scan
from kb.changelogs.upgrade.uses import Use

CODE = "import torch\ntorch.foo()\n"


def write(path: Path, text: str = CODE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def notebook(*cells: dict[str, Any]) -> str:
    return json.dumps({"cells": list(cells), "nbformat": 4})


def code_cell(*lines: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": [f"{line}\n" for line in lines]}


def files(uses: tuple[Use, ...]) -> set[str]:
    return {Path(use.file).name for use in uses}


def test_folders_are_walked_without_what_is_not_the_users_own(tmp_path: Path) -> None:
    for name in ("a.py", "sub/b.py", "sub/c.ipynb", "d.txt"):
        write(tmp_path / name, notebook(code_cell(*CODE.splitlines())) if name.endswith("ipynb") else CODE)
    skipped = (".git", ".venv", "venv", "build", "dist", "__pycache__", "node_modules", "x.egg-info", ".tox")
    for folder in skipped:
        write(tmp_path / folder / "hidden.py")
    write(tmp_path / "my-python" / "pyvenv.cfg", "")
    write(tmp_path / "my-python" / "hidden.py")
    found = scan([tmp_path])
    assert files(found.uses) == {"a.py", "b.py", "c.ipynb"}
    assert found.files == 3


def test_a_folder_that_is_named_is_scanned_whatever_its_name(tmp_path: Path) -> None:
    write(tmp_path / "build" / "a.py")
    assert scan([tmp_path / "build"]).files == 1


def test_a_file_is_scanned_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py")
    assert scan([path, tmp_path]).files == 1


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "code" / "a.py")
    (tmp_path / "code" / "again").symlink_to(tmp_path / "code", target_is_directory=True)
    assert scan([tmp_path / "code"]).files == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"def f(:\n", "a.py:1"),
        (b"print 'old'\n", "no Python 3"),
        (b"x = '\xff'\n", "no Python 3"),
        (b"a\x00b", "null"),
        (b"x = " + b"(" * 5000, "a.py"),
        (b"x = 1" + b" + 1" * 20_000, "nested too deeply"),
        (b"#" * 2_000_001, "larger than 2 MB"),
    ],
)
def test_what_cannot_be_parsed_is_listed(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.py").write_bytes(content)
    write(tmp_path / "b.py")
    found = scan([tmp_path])
    assert files(found.uses) == {"b.py"}
    [unread] = found.unread
    assert said in f"{unread.place} {unread.reason}"
    assert "\n" not in unread.reason


def test_the_coding_line_is_honoured(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"# coding: latin-1\nimport torch\nx = ('\xe9', torch.foo)\n")
    assert "torch.foo" in {use.symbol for use in scan([tmp_path]).uses}


def test_a_notebook_is_read_cell_by_cell(tmp_path: Path) -> None:
    text = notebook(
        code_cell("%matplotlib inline", "!pip install torch", "import torch"),
        {"cell_type": "markdown", "source": "import other"},
        code_cell("torch.foo?", "files = !ls", "x = (7", "  % 2)", "torch.foo(await x)"),
        code_cell("%%bash", "import no"),
        code_cell("%%time", "torch.bar()"),
        code_cell("this is no Python"),
        {"cell_type": "code", "source": "torch.baz"},
    )
    found = scan([write(tmp_path / "a.ipynb", text)])
    where = {use.symbol: (use.cell, use.line) for use in found.uses if use.symbol.startswith("torch.")}
    assert where["torch.bar"] == (5, 2)
    assert where["torch.baz"] == (7, 1)
    assert {use.place.rpartition("/")[2] for use in found.uses if use.symbol == "torch.bar"} == {"a.ipynb:cell 5:2"}
    assert any("cell 6:1" in unread.place for unread in found.unread)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"cells": 3}', '{"cells": [3, {"cell_type": "code"}]}'])
def test_a_notebook_that_is_none_ends_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.ipynb", text)
    write(tmp_path / "b.py")
    assert files(scan([tmp_path]).uses) == {"b.py"}


def test_only_the_packages_that_are_asked_for_are_kept(tmp_path: Path) -> None:
    write(tmp_path / "a.py", "import os, torch\nos.path\ntorch.foo().bar\n")
    write(tmp_path / "b.py", "import os\nos.open().read\n")
    found = scan([tmp_path], roots={"torch"})
    assert {use.symbol for use in found.uses} == {"torch", "torch.foo", ".bar"}
    assert found.files == 2


@pytest.mark.parametrize(
    ("name", "said"), [("absent", "does not exist"), ("a.txt", "is no Python code"), (".", "no Python code there")]
)
def test_a_path_that_holds_no_code_is_refused(tmp_path: Path, name: str, said: str) -> None:
    write(tmp_path / "a.txt")
    with pytest.raises(ScanError, match=said):
        scan([tmp_path / name])


def test_the_scan_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MAX_FILES", 2)
    for name in "abc":
        write(tmp_path / f"{name}.py")
    found = scan([tmp_path])
    assert found.files == 2
    assert "only the first 2 files" in found.unread[0].reason
