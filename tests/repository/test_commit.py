"""A commit holds what kb wrote, and nothing else in the repository is other than before."""

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kb.repository import Repository, RepositoryBusy, RepositoryError, commands
from tests.repository.clones import begin_work, files_in, git, new_clone, state, touched, write_run


def test_only_the_given_paths_are_committed_and_somebodys_work_stays_as_it_was(clone: Path):
    begin_work(clone)
    before = state(clone)
    run, another = write_run(clone, "a"), write_run(clone, "b")
    parent = git(clone, "rev-parse", "HEAD")

    made = Repository.find(clone).commit([run], "Add run a\n\nWith a body.\n")

    assert made is not None
    assert made.id == git(clone, "rev-parse", "HEAD")
    assert git(clone, "rev-parse", "HEAD^") == parent
    assert touched(clone) == ["results/runs/2026/a/benchmarks.csv", "results/runs/2026/a/run.json"]
    assert git(clone, "log", "-1", "--format=%B") == "Add run a\n\nWith a body."
    assert made.sentence == f"Committed 2 files in results/runs/2026/a as {made.id[:10]} on main."
    assert state(clone) == before
    status = git(clone, "status", "--porcelain", "--untracked-files=all", "--", "results")
    assert status.splitlines() == [f"?? results/runs/2026/b/{name}" for name in ("benchmarks.csv", "run.json")]
    assert another.exists()


def test_the_work_in_progress_of_this_test_is_what_it_says(clone: Path):
    begin_work(clone)
    assert git(clone, "status", "--porcelain").splitlines() == [
        " M README.md", "MM code.py", " D gone.py", " A later.py", "A  new.py", "MM tool.sh", "?? untracked.txt",
    ]  # fmt: skip


def test_what_is_committed_already_makes_no_commit(clone: Path):
    repository = Repository.find(clone)
    run = write_run(clone, "a")
    made = repository.commit([run], "Add a run")
    assert made is not None
    begin_work(clone)
    before = state(clone)
    assert repository.commit([run], "Add a run") is None
    assert repository.head() == made.id
    assert state(clone) == before


def test_an_empty_folder_makes_no_commit(clone: Path):
    (clone / "results").mkdir()
    assert Repository.find(clone).commit([clone / "results"], "Add nothing") is None


def test_files_and_folders_and_changed_files(clone: Path):
    repository = Repository.find(clone)
    readme = clone / "results" / "README.md"
    readme.parent.mkdir()
    readme.write_text("old\n")
    repository.commit([readme], "Describe the results")
    readme.write_text("new\n")
    made = repository.commit([readme, write_run(clone, "a")], "Add a run")
    assert made is not None
    assert (made.files, made.folder) == (3, "results")
    assert git(clone, "show", "HEAD:results/README.md") == "new"


def test_a_file_deleted_from_a_folder_is_not_committed_as_deleted(clone: Path):
    repository = Repository.find(clone)
    first = write_run(clone, "a")
    repository.commit([first], "Add a run")
    (first / "benchmarks.csv").unlink()
    write_run(clone, "b")
    repository.commit([clone / "results"], "Add another")
    assert len(files_in(clone)) == 4
    assert git(clone, "status", "--porcelain") == " D results/runs/2026/a/benchmarks.csv"


class TestRemoved:
    """Files that kb itself took away, as the versions that a changelog does not name any more."""

    def test_is_committed_as_deleted_with_what_was_written(self, clone: Path):
        repository = Repository.find(clone)
        repository.commit([write_run(clone, "a")], "Add a run")
        gone = clone / "results/runs/2026/a/benchmarks.csv"
        gone.unlink()
        begin_work(clone)
        before = state(clone)
        made = repository.commit([write_run(clone, "b")], "Add another", removed=[gone])
        assert made is not None
        assert made.files == 3
        left = ("a/run.json", "b/benchmarks.csv", "b/run.json")
        assert files_in(clone) == [f"results/runs/2026/{name}" for name in left]
        assert git(clone, "status", "--porcelain", "--", "results") == ""
        assert state(clone) == before

    def test_alone_is_a_commit_too(self, clone: Path):
        repository = Repository.find(clone)
        repository.commit([write_run(clone, "a")], "Add a run")
        gone = clone / "results/runs/2026/a/benchmarks.csv"
        gone.unlink()
        assert repository.commit([], "Remove", removed=[gone]) is not None
        assert files_in(clone) == ["results/runs/2026/a/run.json"]

    def test_what_git_never_had_or_what_is_there_again_makes_no_commit(self, clone: Path):
        repository = Repository.find(clone)
        folder = write_run(clone, "a")
        repository.commit([folder], "Add a run")
        assert repository.commit([], "Remove", removed=[folder / "never.csv", folder / "run.json"]) is None
        assert len(files_in(clone)) == 2


def test_half_written_and_hidden_files_in_a_folder_are_passed_over(clone: Path):
    run = write_run(clone, "a")
    (run / ".unfinished-run.json-1234").write_text("{")
    (run / ".DS_Store").write_text("")
    Repository.find(clone).commit([run], "Add a run")
    assert [Path(name).name for name in touched(clone)] == ["benchmarks.csv", "run.json"]


def test_names_are_taken_literally(clone: Path):
    run = write_run(clone, "[ab]* :(top) ü\n-x")
    write_run(clone, "a")
    made = Repository.find(clone).commit([run], "Messung für März")
    assert made is not None
    assert made.files == 2
    assert "?? results/runs/2026/a/" in git(clone, "status", "--porcelain")
    assert git(clone, "log", "-1", "--format=%s") == "Messung für März"


def test_where_git_knows_nobody_kb_is_author_and_committer(clone: Path):
    Repository.find(clone).commit([write_run(clone, "a")], "Add a run")
    assert git(clone, "log", "-1", "--format=%an <%ae> %cn <%ce>") == "kb <kb@localhost> kb <kb@localhost>"


def test_the_configured_identity_is_the_author(clone: Path):
    git(clone, "config", "user.name", "Ada")
    git(clone, "config", "user.email", "ada@example.org")
    Repository.find(clone).commit([write_run(clone, "a")], "Add a run")
    assert git(clone, "log", "-1", "--format=%an <%ae> %cn <%ce>") == "Ada <ada@example.org> kb <kb@localhost>"


def test_no_hook_runs_and_nothing_is_signed(clone: Path):
    for name in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-index-change"):
        hook = clone / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {clone}/ran-{name}\nexit 1\n")
        hook.chmod(0o755)
    git(clone, "config", "commit.gpgSign", "true")
    git(clone, "config", "gpg.program", "false")
    assert Repository.find(clone).commit([write_run(clone, "a")], "Add a run") is not None
    assert list(clone.glob("ran-*")) == []


def test_the_first_commit_of_a_repository(tmp_path: Path):
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "staged.txt").write_text("staged\n")
    git(tmp_path, "add", "staged.txt")
    before = state(tmp_path)
    repository = Repository.find(tmp_path)
    made = repository.commit([write_run(tmp_path, "a")], "Add a run")
    assert made is not None
    assert repository.head() == made.id
    assert files_in(tmp_path, folder=".") == files_in(tmp_path) != []
    assert state(tmp_path) == before


def test_a_detached_head(clone: Path):
    git(clone, "checkout", "--quiet", "--detach")
    main = git(clone, "rev-parse", "main")
    made = Repository.find(clone).commit([write_run(clone, "a")], "Add a run")
    assert made is not None
    assert made.sentence.endswith("on a detached HEAD (no branch points to it yet).")
    assert git(clone, "rev-parse", "HEAD") == made.id
    assert git(clone, "rev-parse", "main") == main


def test_a_shallow_clone(remote: Path, tmp_path: Path):
    git(tmp_path / "seed", "commit", "--quiet", "--allow-empty", "--message=Second")
    git(tmp_path / "seed", "push", "--quiet", str(remote), "main")
    clone = new_clone(remote, tmp_path / "shallow", "--depth=1")
    assert Repository.find(clone).commit([write_run(clone, "a")], "Add a run") is not None
    assert git(clone, "rev-list", "--count", "HEAD") == "2"


def test_a_linked_worktree(clone: Path, tmp_path: Path):
    side = tmp_path / "side"
    git(clone, "worktree", "add", "--quiet", "-b", "side", str(side))
    begin_work(side)
    before, main = state(side), state(clone)
    made = Repository.find(side).commit([write_run(side, "a")], "Add a run")
    assert made is not None
    assert git(clone, "rev-parse", "side") == made.id
    assert state(side) == before
    assert state(clone) == main


def test_a_project_in_a_folder_of_a_larger_repository(clone: Path, monkeypatch: pytest.MonkeyPatch):
    project = clone / "tools" / "kb"
    run = write_run(project, "a")
    monkeypatch.chdir(project)
    made = Repository.find(project).commit([run.relative_to(project)], "Add a run")
    assert made is not None
    assert made.folder == "tools/kb/results/runs/2026/a"
    assert len(files_in(clone, folder="tools")) == 2


def test_a_repository_reached_through_a_link(clone: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(clone)
    run = write_run(tmp_path / "link", "a")
    assert Repository.find(tmp_path / "link").commit([run], "Add a run") is not None


@pytest.mark.parametrize("rule", ["results/", "*.csv", "benchmarks.csv"])
def test_an_ignored_file_is_an_error_not_a_result_that_is_lost(clone: Path, rule: str):
    (clone / ".gitignore").write_text(f"!nothing\n{rule}\n")
    before = git(clone, "rev-parse", "HEAD"), state(clone)
    run = write_run(clone, "a")
    with pytest.raises(RepositoryError) as error:
        Repository.find(clone).commit([run], "Add a run")
    assert str(error.value).startswith("results/runs/2026/a/benchmarks.csv is ignored by git (rule ")
    assert f"{rule!r} in .gitignore, line 2" in str(error.value)
    assert (git(clone, "rev-parse", "HEAD"), state(clone)) == before
    assert len(list(run.iterdir())) == 2


def test_a_rule_that_lets_the_results_in_again_is_followed(clone: Path):
    (clone / ".gitignore").write_text("*.csv\n!/results/**\n")
    assert Repository.find(clone).commit([write_run(clone, "a")], "Add a run") is not None


def test_a_path_elsewhere_and_a_path_that_is_not_there(clone: Path, tmp_path: Path):
    repository = Repository.find(clone)
    with pytest.raises(RepositoryError, match="is outside the repository"):
        repository.commit([write_run(tmp_path, "a")], "Add a run")
    with pytest.raises(RepositoryError, match="does not exist"):
        repository.commit([clone / "results"], "Add a run")
    with pytest.raises(RepositoryError, match="needs a message"):
        repository.commit([write_run(clone, "a")], " \n")


def start_merge(clone: Path) -> None:
    git(clone, "merge", "--no-commit", "--no-ff", "side")


def start_rebase(clone: Path) -> None:
    git(clone, "-c", "sequence.editor=sed -i 1s/pick/edit/", "rebase", "--interactive", "--quiet", "HEAD~1")


def start_cherry_pick(clone: Path) -> None:
    git(clone, "cherry-pick", "--no-commit", "side")
    (clone / ".git" / "CHERRY_PICK_HEAD").write_text(git(clone, "rev-parse", "side") + "\n")


def start_bisection(clone: Path) -> None:
    git(clone, "bisect", "start")


@pytest.mark.parametrize(
    ("start", "named"),
    [
        (start_merge, "a merge is in progress"),
        (start_rebase, "a rebase is in progress"),
        (start_cherry_pick, "a cherry-pick is in progress"),
        (start_bisection, "a bisection is in progress"),
    ],
)
def test_in_the_middle_of_somebodys_work_it_refuses_and_keeps_the_files(clone: Path, start, named: str):
    git(clone, "checkout", "--quiet", "-b", "side")
    git(clone, "commit", "--quiet", "--allow-empty", "--message=Side")
    git(clone, "checkout", "--quiet", "main")
    git(clone, "commit", "--quiet", "--allow-empty", "--message=Main")
    start(clone)
    before = git(clone, "rev-parse", "HEAD"), state(clone)
    run = write_run(clone, "a")
    with pytest.raises(RepositoryBusy, match=rf"^{named} in .*: end it with git .*, then commit .* yourself"):
        Repository.find(clone).commit([run], "Add a run")
    assert (git(clone, "rev-parse", "HEAD"), state(clone)) == before
    assert len(list(run.iterdir())) == 2


def test_a_lock_that_is_soon_released_is_waited_for(clone: Path):
    lock = clone / ".git" / "index.lock"
    lock.touch()
    repository = Repository.find(clone)
    run = write_run(clone, "a")
    release = threading.Thread(target=lambda: (time.sleep(0.2), lock.unlink()))
    release.start()
    made = repository.commit([run], "Add a run")
    release.join()
    assert made is not None


def test_a_lock_that_stays_is_named_and_left(clone: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commands, "LOCK_TRIES", 2)
    lock = clone / ".git" / "index.lock"
    lock.touch()
    before = git(clone, "rev-parse", "HEAD")
    run = write_run(clone, "a")
    with pytest.raises(RepositoryBusy, match=r"index\.lock.*when no git is running, delete the lock file, then commit"):
        Repository.find(clone).commit([run], "Add a run")
    assert lock.exists()
    assert git(clone, "rev-parse", "HEAD") == before
    assert len(list(run.iterdir())) == 2


def test_a_commit_that_fails_leaves_nothing_staged(clone: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commands, "LOCK_TRIES", 2)
    begin_work(clone)
    before = state(clone)
    (clone / ".git" / "HEAD.lock").touch()
    run = write_run(clone, "a")
    with pytest.raises(RepositoryError, match=r"HEAD\.lock"):
        Repository.find(clone).commit([run], "Add a run")
    (clone / ".git" / "HEAD.lock").unlink()
    assert state(clone) == before
    assert "?? results/" in git(clone, "status", "--porcelain")


def test_several_commits_at_once_while_somebody_stages_files(clone: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commands, "LOCK_WAIT_S", 0.1)
    staged = [f"new{number}.py" for number in range(12)]

    def stage() -> None:
        for name in staged:
            (clone / name).write_text(name)
            while subprocess.run(["git", "add", name], cwd=clone, stderr=subprocess.DEVNULL).returncode:
                time.sleep(0.01)  # locked: somebody would try again

    def commit(run: Path) -> None:
        made = Repository.find(clone).commit([run], f"Add {run.name}")
        assert made is not None
        assert [name.split("/")[3] for name in touched(clone, made.id)] == [run.name] * 2

    with ThreadPoolExecutor() as pool:
        tasks = [pool.submit(stage), *(pool.submit(commit, write_run(clone, name)) for name in "abcd")]
    for task in tasks:
        task.result()
    assert len(files_in(clone)) == 8
    assert git(clone, "rev-list", "--count", "HEAD") == "5"
    assert git(clone, "status", "--porcelain").splitlines() == [f"A  {name}" for name in sorted(staged)]


def test_a_file_that_git_cannot_take_in(clone: Path):
    (clone / ".gitattributes").write_text("*.csv filter=broken\n")
    git(clone, "config", "filter.broken.clean", "false")
    git(clone, "config", "filter.broken.required", "true")
    before = state(clone)
    with pytest.raises(RepositoryError, match=r"external filter .* failed.*put that right, then commit"):
        Repository.find(clone).commit([write_run(clone, "a")], "Add a run")
    assert state(clone) == before
    assert "?? results/" in git(clone, "status", "--porcelain")
