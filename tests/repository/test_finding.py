"""Finding the repository, or one line that says why not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kb.repository import Repository, RepositoryError
from tests.repository.clones import files_in, git, new_clone, write_run


def test_it_is_found_from_a_folder_below(clone: Path):
    run = write_run(clone, "a")
    repository = Repository.find(run)
    assert repository.root == clone.resolve()
    assert repository.head() == git(clone, "rev-parse", "HEAD")


def test_a_repository_without_commits_has_no_head(tmp_path: Path):
    git(tmp_path, "init", "--quiet")
    assert Repository.find(tmp_path).head() is None


def test_a_linked_worktree_has_a_root_and_a_head_of_its_own(clone: Path, tmp_path: Path):
    git(clone, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    git(tmp_path / "side", "commit", "--quiet", "--allow-empty", "--message=Side")
    repository = Repository.find(tmp_path / "side")
    assert repository.root == (tmp_path / "side").resolve()
    assert repository.head() == git(clone, "rev-parse", "side") != git(clone, "rev-parse", "HEAD")


def test_no_repository(tmp_path: Path):
    with pytest.raises(RepositoryError, match=r"is in no git repository: run git init there, or run with --no-commit$"):
        Repository.find(tmp_path)


def test_no_folder(tmp_path: Path):
    with pytest.raises(RepositoryError, match="does not exist"):
        Repository.find(tmp_path / "absent")


def test_a_bare_repository(remote: Path):
    with pytest.raises(RepositoryError, match="is bare: work in a clone of it"):
        Repository.find(remote)


def test_a_repository_of_somebody_else_is_not_trusted_by_git(clone: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(RepositoryError, match="dubious ownership"):
        Repository.find(clone)


def test_no_git(clone: Path, tmp_path: Path):
    program = (
        "from pathlib import Path; import sys; from kb.repository import *\n"
        "try: Repository.find(Path(sys.argv[1]))\n"
        "except RepositoryError as error: sys.stdout.write(str(error))"
    )
    for refresh in ("raise", "quiet"):  # the latter is a setting of GitPython's: it finds out later
        variables = os.environ | {"PATH": str(tmp_path), "GIT_PYTHON_REFRESH": refresh}
        done = subprocess.run(
            [sys.executable, "-c", program, str(clone)], capture_output=True, text=True, env=variables, timeout=60
        )
        assert done.stdout == "git is not installed or not on PATH: install it, or run with --no-commit", done.stderr


def test_the_variables_of_a_hook_do_not_lead_to_the_repository_that_the_hook_is_in(
    clone: Path, other: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    repository = Repository.find(clone)
    made = repository.commit([write_run(clone, "a")], "Add a run")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    assert made is not None
    assert git(clone, "rev-parse", "HEAD") == made.id
    assert git(clone, "status", "--porcelain") == git(other, "status", "--porcelain") == ""
    assert files_in(other) == []


def test_importing_the_room_does_not_import_gitpython():
    program = "import sys, kb.repository; sys.exit('git' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


def test_a_clone_may_lie_in_a_folder_with_any_name(remote: Path, tmp_path: Path):
    clone = new_clone(remote, tmp_path / "the $HOME of [ünïcode] 'quotes'")
    made = Repository.find(clone).commit([write_run(clone, "a")], "Add a run")
    assert made is not None
