"""Changelogs on this disk, as they are and as they were."""

from pathlib import Path

import git
import pytest

from kb.changelogs.sources.file import LocalFiles
from kb.changelogs.sources.interface import MAX_BYTES, SourceUnreachable


def texts(path: Path, ref: str = "") -> list[str]:
    return [document.text for document in LocalFiles(path, ref).fetch().documents]


def complaint(path: Path, ref: str = "") -> str:
    with pytest.raises(SourceUnreachable) as caught:
        LocalFiles(path, ref).fetch()
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository whose notes were `old` at the tag v1 and are `new` now, with more of them in a folder of v1."""
    root = tmp_path / "clone"
    with git.Repo.init(root) as repo:
        repo.config_writer().set_value("user", "name", "A").set_value("user", "email", "a@example.org").release()
        (root / "notes" / "deep").mkdir(parents=True)
        (root / "notes" / "deep" / "1.0-notes.rst").write_text("one")
        (root / "notes" / "deep" / "1.1-notes.rst").write_text("two")
        (root / "notes" / "deep" / "template.rst").write_text("none")
        (root / "LOG.md").write_bytes(b"old\r\n")
        (root / "link.md").symlink_to("LOG.md")
        repo.git.add("--all")
        repo.git.commit("--message", "one")
        repo.create_tag("v1")
        repo.git.rm("-r", "notes")
        (root / "LOG.md").write_text("new\n")
        repo.git.commit("--all", "--message", "two")
    return root


class TestOnDisk:
    def test_a_file_is_one_document(self, tmp_path: Path) -> None:
        (tmp_path / "LOG.md").write_bytes("\ufeff- 新\r\n- b\r".encode())
        (document,) = LocalFiles(tmp_path / "LOG.md", page="https://example.org/log").fetch().documents
        assert (document.text, document.origin_url) == ("- 新\n- b\n", "https://example.org/log")

    def test_a_pattern_is_a_document_per_file_in_the_order_of_names(self, tmp_path: Path) -> None:
        for name in ("1.1-notes.rst", "1.0-notes.rst", "other.txt"):
            (tmp_path / name).write_text(name)
        (tmp_path / "2-notes.rst").mkdir()
        assert texts(tmp_path / "*-notes.rst") == ["1.0-notes.rst", "1.1-notes.rst"]

    @pytest.mark.parametrize("name", ["none.md", "none/LOG.md", "*.none", "LOG.md/deeper.md"])
    def test_what_is_not_there_is_told(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "LOG.md").write_text("text")
        assert complaint(tmp_path / name) == f"{tmp_path / name}: there is no such file"

    def test_what_is_no_text_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        (tmp_path / "binary").write_bytes(b"\xff")
        with (tmp_path / "large").open("wb") as file:
            file.truncate(MAX_BYTES * 4)
        assert "is empty" in complaint(tmp_path / "empty")
        assert "is not UTF-8" in complaint(tmp_path / "binary")
        assert "more than 50 MiB" in complaint(tmp_path / "large")


class TestAtACommit:
    def test_the_file_is_read_as_it_was(self, clone: Path) -> None:
        assert texts(clone / "LOG.md") == ["new\n"]
        assert texts(clone / "LOG.md", "v1") == ["old\n"]
        assert texts(clone / "LOG.md", "HEAD") == ["new\n"]

    def test_folders_that_are_gone_are_read_too(self, clone: Path) -> None:
        assert texts(clone / "notes" / "deep" / "*-notes.rst", "v1") == ["one", "two"]

    def test_the_repository_stays_as_it_is(self, clone: Path) -> None:
        (clone / "LOG.md").write_text("being edited")
        texts(clone / "LOG.md", "v1")
        assert (clone / "LOG.md").read_text() == "being edited"
        with git.Repo(clone) as repo:
            assert repo.git.status("--porcelain") == " M LOG.md"

    def test_a_bare_repository_does(self, clone: Path, tmp_path: Path) -> None:
        with git.Repo(clone) as repo, repo.clone(tmp_path / "bare.git", bare=True):
            assert texts(tmp_path / "bare.git" / "LOG.md", "v1") == ["old\n"]

    @pytest.mark.parametrize(
        ("name", "ref", "said"),
        [
            ("LOG.md", "v9", "cannot be read from git ("),
            ("LOG.md", "--output=/tmp/x", "cannot be read from git ("),
            ("none.md", "v1", "there is no such file"),
            ("none/LOG.md", "v1", "there is no such file"),
            ("LOG.md/LOG.md", "v1", "there is no such file"),
            ("link.md", "v1", "there is no such file"),
        ],
    )
    def test_what_is_not_there_is_told(self, clone: Path, name: str, ref: str, said: str) -> None:
        assert said in complaint(clone / name, ref)

    def test_without_a_repository_it_is_told(self, tmp_path: Path) -> None:
        assert "there is no git repository around it" in complaint(tmp_path / "LOG.md", "v1")
