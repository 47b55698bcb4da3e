"""What branches hold, read without touching anything."""

from pathlib import Path

import pytest

from kb.repository import Repository, RepositoryError
from tests.repository.clones import git, new_clone


def commit_file(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)
    git(root, "add", name)
    git(root, "commit", "--quiet", f"--message={name}")


def test_local_and_remote_branches_are_listed_and_pointers_to_them_are_not(clone: Path) -> None:
    git(clone, "branch", "work")
    assert Repository.find(clone).branches() == ["refs/heads/main", "refs/heads/work", "refs/remotes/origin/main"]


def test_the_main_branch_is_what_the_remote_says(clone: Path) -> None:
    assert Repository.find(clone).main_branch() == "refs/remotes/origin/main"
    git(clone, "push", "--quiet", "origin", "main:trunk")
    git(clone, "remote", "set-head", "origin", "trunk")
    assert Repository.find(clone).main_branch() == "refs/remotes/origin/trunk"


def test_without_a_remote_it_goes_by_the_usual_names(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=master")
    assert Repository.find(tmp_path).main_branch() is None
    commit_file(tmp_path, "a", "a")
    assert Repository.find(tmp_path).main_branch() == "refs/heads/master"


def test_the_merge_base_is_where_branches_parted(clone: Path, remote: Path, tmp_path: Path) -> None:
    base = git(clone, "rev-parse", "HEAD")
    commit_file(clone, "mine", "mine")
    theirs = new_clone(remote, tmp_path / "theirs")
    commit_file(theirs, "theirs", "theirs")
    git(theirs, "push", "--quiet")
    git(clone, "fetch", "--quiet")
    repository = Repository.find(clone)
    assert repository.merge_base("HEAD", "refs/remotes/origin/main") == base
    git(clone, "checkout", "--quiet", "--orphan", "alone")
    git(clone, "commit", "--quiet", "--message=Alone")
    assert repository.merge_base("HEAD", "refs/remotes/origin/main") is None


def test_lines_of_the_files_of_a_folder(clone: Path) -> None:
    commit_file(clone, "notes/a.md", "id: 1\nother\nid: 2\n")
    commit_file(clone, "notes/ü b.md", "id: 3: x\n")
    commit_file(clone, "code.py", "id: 9\n")
    repository = Repository.find(clone)
    tree = repository.folders_at(["HEAD"], Path("notes"))["HEAD"]
    found = [(line.name, line.text) for line in repository.lines_in(tree, "^id: ")]
    assert found == [("a.md", "id: 1"), ("a.md", "id: 2"), ("ü b.md", "id: 3: x")]
    assert repository.lines_in(tree, "^nothing") == []


def test_a_folder_has_one_id_on_all_branches_that_have_the_same_files(clone: Path) -> None:
    commit_file(clone, "my notes/a.md", "id: 1")
    git(clone, "branch", "same")
    repository = Repository.find(clone)
    found = repository.folders_at(["HEAD", "refs/heads/same", "refs/remotes/origin/main", "gone"], Path("my notes"))
    assert list(found) == ["HEAD", "refs/heads/same"]
    assert len(set(found.values())) == 1


def test_the_root_is_a_folder_and_a_file_is_none(clone: Path) -> None:
    repository = Repository.find(clone)
    assert repository.folders_at(["HEAD"], Path()) == {"HEAD": git(clone, "rev-parse", "HEAD^{tree}")}
    assert repository.folders_at(["HEAD"], Path("README.md")) == {}
    assert repository.folders_at([], Path()) == {}


def test_a_wrong_pattern_or_tree_is_an_error(clone: Path) -> None:
    with pytest.raises(RepositoryError, match="git grep failed"):
        Repository.find(clone).lines_in("0" * 40, "x")
