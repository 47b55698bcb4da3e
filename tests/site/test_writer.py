"""Files are written only where they differ, and only kb's own are ever removed."""

import json
from pathlib import Path

import pytest

from kb.site import writer
from kb.site.writer import MANIFEST, NotOurs, Written, write_tree

FILES = {"a.md": b"one", "models/b.md": b"two"}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def test_the_second_time_nothing_is_written(tmp_path: Path) -> None:
    assert write_tree(tmp_path, FILES) == Written(2, 0, 0)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert write_tree(tmp_path, FILES) == Written(0, 2, 0)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == times


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    write_tree(tmp_path, FILES)
    assert write_tree(tmp_path, FILES | {"a.md": b"new"}) == Written(1, 1, 0)
    assert tree(tmp_path)["a.md"] == b"new"


def test_what_is_no_longer_made_is_removed_with_its_folder(tmp_path: Path) -> None:
    write_tree(tmp_path, FILES)
    assert write_tree(tmp_path, {"a.md": b"one"}) == Written(0, 1, 1)
    assert tree(tmp_path) == {"a.md": b"one"}
    assert not (tmp_path / "models").exists()


def test_a_file_of_somebody_else_stays(tmp_path: Path) -> None:
    write_tree(tmp_path, FILES)
    (tmp_path / "models" / "mine.md").write_bytes(b"mine")
    write_tree(tmp_path, {"a.md": b"one"})
    assert tree(tmp_path) == {"a.md": b"one", "models/mine.md": b"mine"}


def test_a_file_in_the_way_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"mine")
    with pytest.raises(NotOurs, match=r"a\.md is in the way"):
        write_tree(tmp_path, FILES)
    assert tree(tmp_path) == {"a.md": b"mine"}


@pytest.mark.parametrize("path", ["../out.md", "/etc/x", "a/../../x", "", MANIFEST, "a\\b"])
def test_no_path_leads_outside(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="no path below"):
        write_tree(tmp_path / "generated", {path: b""})
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_lists_a_path_outside_removes_nothing(tmp_path: Path) -> None:
    victim = tmp_path / "victim.md"
    victim.write_bytes(b"keep")
    folder = tmp_path / "generated"
    folder.mkdir()
    (folder / MANIFEST).write_text(json.dumps(["../victim.md"]))
    with pytest.raises(ValueError, match="no path below"):
        write_tree(folder, FILES)
    assert victim.read_bytes() == b"keep"


def test_after_being_killed_halfway_the_next_time_completes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, {"old.md": b"old"})

    def killed(target: Path, content: bytes) -> bool:
        if target.name == "b.md":
            raise KeyboardInterrupt
        target.write_bytes(content)
        return True

    with monkeypatch.context() as patch:
        patch.setattr(writer, "_write", killed)
        with pytest.raises(KeyboardInterrupt):
            write_tree(tmp_path, FILES)
    changed = FILES | {"a.md": b"changed since"}
    assert write_tree(tmp_path, changed) == Written(2, 0, 1)
    assert tree(tmp_path) == changed


def test_a_damaged_manifest_is_said_and_nothing_is_touched(tmp_path: Path) -> None:
    write_tree(tmp_path, FILES)
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(NotOurs, match="delete the folder"):
        write_tree(tmp_path, {})
    assert tree(tmp_path) == FILES
