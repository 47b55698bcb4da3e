"""When others pushed first, local commits are put on top of theirs, and nobody's work is touched."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.repository import PushState, Repository, pushing
from tests.repository.clones import (
    begin_work,
    commit_run,
    files_in,
    git,
    kept,
    new_clone,
    push_run,
    state,
    touched,
    write_run,
)


class TestOthersPushedFirst:
    def test_both_commits_arrive_and_the_local_branch_follows(self, clone: Path, other: Path, remote: Path):
        theirs = push_run(other, "theirs").commit
        git(clone, "config", "user.name", "Ada")
        git(clone, "config", "user.email", "ada@example.org")
        ours = commit_run(clone, "ours")
        begin_work(clone)
        before = state(clone)

        outcome = Repository.find(clone).push()

        assert (outcome.state, outcome.commits, outcome.rejections, outcome.reason) == (PushState.PUSHED, 1, 1, "")
        assert outcome.sentence.endswith(", at try 2.")
        assert outcome.commit == git(remote, "rev-parse", "main") == git(clone, "rev-parse", "HEAD") != ours
        assert git(remote, "rev-parse", "main^") == theirs
        assert len(files_in(remote, "main")) == 4
        assert touched(remote, "main") == files_in(clone, ours)
        same = "--format=%an <%ae> %ad%n%cn%n%B"
        assert git(remote, "log", "-1", same, "main") == git(clone, "log", "-1", same, ours)
        assert state(clone) == before
        assert (clone / "results/runs/2026/theirs/run.json").exists()
        assert git(clone, "status", "--porcelain", "--", "results") == ""

    def test_with_a_changed_file_in_the_way_the_local_branch_stays(self, clone: Path, other: Path, remote: Path):
        (other / "README.md").write_text("theirs\n")
        git(other, "commit", "--quiet", "--all", "--message=Change")
        push_run(other, "theirs")
        ours = commit_run(clone, "ours")
        begin_work(clone)  # changes README.md
        before = state(clone)

        outcome = Repository.find(clone).push()

        assert outcome.state is PushState.PUSHED
        assert len(files_in(remote, "main")) == 4
        assert git(clone, "rev-parse", "HEAD") == ours
        assert state(clone) == before
        assert f"here main stays at {ours[:10]} (" in outcome.reason
        assert outcome.reason.endswith("run git pull --rebase when it suits you")

        again = push_run(clone, "again")  # the run delivered already is not sent twice
        assert (again.state, again.commits) == (PushState.PUSHED, 1)
        assert len(files_in(remote, "main")) == 6
        assert git(remote, "log", "--format=%s", "main").splitlines().count("Add run ours") == 1
        assert state(clone) == before

    def test_an_untracked_file_in_the_way_is_not_overwritten(self, clone: Path, other: Path):
        (other / "notes.txt").write_text("theirs\n")
        git(other, "add", "notes.txt")
        git(other, "commit", "--quiet", "--message=Notes")
        push_run(other, "theirs")
        (clone / "notes.txt").write_text("ours, not under version control\n")
        outcome = push_run(clone, "ours")
        assert outcome.state is PushState.PUSHED
        assert "notes.txt" in outcome.reason
        assert (clone / "notes.txt").read_text() == "ours, not under version control\n"

    def test_several_commits_keep_their_order_and_their_bytes(self, clone: Path, other: Path, remote: Path):
        push_run(other, "theirs")
        (clone / "code.py").write_text("ours\n")
        message = "Größe in Latin-1\n\nBody\n".encode("latin-1")
        (clone / "message").write_bytes(message)
        git(clone, "-c", "i18n.commitEncoding=ISO-8859-1", "commit", "--quiet", "--all", "--file=message")
        (clone / "message").unlink()
        outcome = push_run(clone, "ours")
        assert (outcome.state, outcome.commits) == (PushState.PUSHED, 2)
        assert git(remote, "log", "-3", "--format=%s", "main").splitlines() == [
            "Add run ours", "Größe in Latin-1", "Add run theirs",
        ]  # fmt: skip
        assert git(remote, "log", "-1", "--format=%an", "main^") == "Somebody"

    def test_a_detached_head(self, clone: Path, other: Path, remote: Path):
        push_run(other, "theirs")
        git(clone, "checkout", "--quiet", "--detach")
        assert push_run(clone, "ours").rejections == 1
        assert git(remote, "rev-parse", "main") == git(clone, "rev-parse", "HEAD")
        assert len(files_in(remote, "main")) == 4

    def test_a_shallow_clone(self, remote: Path, other: Path, tmp_path: Path):
        push_run(other, "first")
        shallow = new_clone(remote, tmp_path / "shallow", "--depth=1")
        push_run(other, "second")
        push_run(other, "third")
        outcome = push_run(shallow, "ours")
        assert (outcome.state, outcome.commits) == (PushState.PUSHED, 1)
        assert len(files_in(remote, "main")) == 8
        assert git(remote, "fsck", "--strict") == ""
        assert git(remote, "rev-list", "--count", "main") == "5"

    def test_a_linked_worktree(self, clone: Path, other: Path, remote: Path, tmp_path: Path):
        git(clone, "checkout", "--quiet", "-b", "aside")
        git(clone, "worktree", "add", "--quiet", str(tmp_path / "tree"), "main")
        push_run(other, "theirs")
        before = state(clone)
        outcome = push_run(tmp_path / "tree", "ours")
        assert (outcome.state, outcome.reason) == (PushState.PUSHED, "")
        assert len(files_in(remote, "main")) == 4
        assert state(clone) == before

    def test_another_branch_than_the_one_followed_leaves_the_local_one(self, clone: Path, other: Path, remote: Path):
        commit_run(other, "theirs")
        Repository.find(other).push(branch="measured")
        ours = commit_run(clone, "ours")
        outcome = Repository.find(clone).push(branch="measured")
        assert outcome.state is PushState.PUSHED
        assert len(files_in(remote, "measured")) == 4
        assert git(clone, "rev-parse", "HEAD") == ours
        assert "follows another branch" in outcome.reason

    def test_the_same_file_with_the_same_content_is_no_conflict(self, clone: Path, other: Path, remote: Path):
        for root in (other, clone):
            write_run(root, "described")
            (root / "results" / "README.md").write_text("the same on every machine\n")
            Repository.find(root).commit([root / "results"], f"Describe in {root.name}")
        assert Repository.find(other).push().delivered
        tip = git(remote, "rev-parse", "main")
        assert Repository.find(clone).push().delivered
        assert git(remote, "rev-parse", "main") == tip, "a commit whose changes are there already is left out"


class TestDerived:
    """Each machine reads the changelogs for itself: two that read on different days must not stop each other."""

    @staticmethod
    def write(root: Path, day: str) -> Path:
        folder = root / "results" / "changelogs"
        (folder / "sample").mkdir(parents=True, exist_ok=True)
        (folder / "sample.csv").write_text(f"read on {day}\n")
        (folder / "sample" / "1.0.csv").write_text(f"first seen on {day}\n")
        return folder

    def commit(self, root: Path, day: str) -> Path:
        folder = self.write(root, day)
        assert Repository.find(root).commit([folder, write_run(root, f"run-{day}")], f"Read on {day}") is not None
        return folder

    def test_where_both_read_them_the_remotes_files_stay_and_the_runs_arrive(
        self, clone: Path, other: Path, remote: Path
    ):
        self.commit(other, "monday")
        assert Repository.find(other).push().delivered
        folder = self.commit(clone, "tuesday")
        (folder / "sample" / "1.1.csv").write_text("only here\n")
        Repository.find(clone).commit([folder], "Read more")
        outcome = Repository.find(clone).push(derived=[folder])
        assert outcome.state is PushState.PUSHED
        assert git(remote, "show", "main:results/changelogs/sample/1.0.csv") == "first seen on monday"
        assert git(remote, "show", "main:results/changelogs/sample/1.1.csv") == "only here"
        assert len(files_in(remote, "main", "results/runs")) == 4
        assert (folder / "sample.csv").read_text() == "read on monday\n"
        assert git(clone, "status", "--porcelain", "--", "results") == ""

    @pytest.mark.parametrize("deleting", ["clone", "other"])
    def test_a_file_that_one_side_removed_and_the_other_changed(
        self, clone: Path, other: Path, remote: Path, deleting: str
    ):
        self.commit(other, "monday")
        Repository.find(other).push()
        git(clone, "pull", "--quiet")
        for root in (other, clone):
            path = self.write(root, f"tuesday in {root.name}") / "sample" / "1.0.csv"
            if root.name == deleting:
                path.unlink()
            removed = [path] if root.name == deleting else []
            Repository.find(root).commit([root / "results"], "Read again", removed)
            assert Repository.find(root).push(derived=[root / "results/changelogs"]).delivered
        left = files_in(remote, "main", "results/changelogs/sample")
        assert left == ([] if deleting == "other" else ["results/changelogs/sample/1.0.csv"])

    def test_elsewhere_it_is_a_conflict_as_ever(self, clone: Path, other: Path):
        for root in (other, clone):
            folder = self.write(root, root.name)
            (root / "results" / "README.md").write_text(root.name)
            Repository.find(root).commit([root / "results"], "Describe")
            outcome = Repository.find(root).push(derived=[folder])
        assert outcome.state is PushState.CONFLICT
        assert "(results/README.md)" in outcome.reason


class TestRaces:
    """A pre-push hook runs after git has read the remote's branch and before it writes: what it pushes is first."""

    @pytest.fixture
    def race(self, clone: Path, other: Path, tmp_path: Path):
        def install(times: int) -> None:
            script = tmp_path / "race"
            script.write_text(
                "#!/bin/sh\n"
                "unset $(git rev-parse --local-env-vars)\n"
                f"n=$(cat {tmp_path}/count 2>/dev/null || echo 0)\n"
                f"[ $n -ge {times} ] && exit 0\n"
                f"echo $((n + 1)) >{tmp_path}/count\n"
                f"cd {other} && mkdir -p results/runs/2026/other$n && echo $n >results/runs/2026/other$n/run.json &&\n"
                "git add . && git -c user.name=x -c user.email=x commit --quiet -m other && git push --quiet\n"
            )
            script.chmod(0o755)
            (clone / ".git" / "hooks" / "pre-push").symlink_to(script)

        return install

    @pytest.mark.parametrize("lost", [1, pushing.RETRIES])
    def test_lost_but_not_every_time(self, clone: Path, remote: Path, race, lost: int):
        race(lost)
        outcome = push_run(clone, "ours")
        assert (outcome.state, outcome.rejections) == (PushState.PUSHED, lost)
        assert len(files_in(remote, "main")) == lost + 2
        assert git(clone, "rev-parse", "HEAD") == git(remote, "rev-parse", "main")

    def test_lost_every_time(self, clone: Path, remote: Path, race):
        race(1000)
        commit = commit_run(clone, "ours")
        outcome = Repository.find(clone).push()
        assert outcome.state is PushState.REJECTED
        assert outcome.reason == "others pushed first, 6 times in a row: run git pull --rebase, then git push"
        assert kept(clone, outcome, commit)
        assert len(files_in(remote, "main")) == pushing.RETRIES + 1

    def test_each_wait_may_be_longer_and_grows_with_the_time_that_a_push_takes(
        self, clone: Path, race, monkeypatch: pytest.MonkeyPatch
    ):
        waits: list[float] = []
        monkeypatch.setattr(pushing, "sleep", waits.append)
        monkeypatch.setattr(pushing.JITTER, "random", lambda: 1.0)
        monkeypatch.setattr(pushing, "FIRST_WAIT_S", 3.0)
        race(1000)
        push_run(clone, "ours")
        assert waits == [3.0, 6.0, 12.0, 24.0, 48.0]
        monkeypatch.setattr(pushing, "WAIT_PUSHES", 1e6)
        Repository.find(clone).push()
        assert min(waits[5:]) > 48.0


class TestConflicts:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """Where temporary files go; nothing may be left there."""
        place = tmp_path / "temporary"
        place.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        yield place
        assert list(place.iterdir()) == []

    def test_a_file_that_both_changed(self, clone: Path, other: Path, remote: Path, folder: Path):
        for root in (other, clone):
            (root / "results").mkdir()
            (root / "results" / "README.md").write_text(f"by {root.name}\n")
            Repository.find(root).commit([root / "results"], "Describe")
        Repository.find(other).push()
        before = git(clone, "rev-parse", "HEAD"), git(remote, "rev-parse", "main")
        begin_work(clone)
        work = state(clone)

        outcome = Repository.find(clone).push()

        assert outcome.state is PushState.CONFLICT
        assert "changed the same file (results/README.md): run git pull --rebase, settle it there" in outcome.reason
        assert kept(clone, outcome, before[0])
        assert git(remote, "rev-parse", "main") == before[1]
        assert state(clone) == work
        assert git(clone, "worktree", "list").count("\n") == 0

    def test_a_file_that_one_made_a_folder(self, clone: Path, other: Path, folder: Path):
        write_run(other, "a")
        Repository.find(other).commit([other / "results"], "A folder")
        Repository.find(other).push()
        (clone / "results").write_text("a file\n")
        Repository.find(clone).commit([clone / "results"], "A file")
        outcome = Repository.find(clone).push()
        assert outcome.state is PushState.CONFLICT

    def test_a_local_merge_is_left_to_its_owner(self, clone: Path, other: Path):
        push_run(other, "theirs")
        git(clone, "checkout", "--quiet", "-b", "side")
        git(clone, "commit", "--quiet", "--allow-empty", "--message=Side")
        git(clone, "checkout", "--quiet", "main")
        git(clone, "merge", "--quiet", "--no-ff", "side")
        commit = commit_run(clone, "ours")
        outcome = Repository.find(clone).push()
        assert outcome.state is PushState.CONFLICT
        assert "is a merge: run git pull, then git push" in outcome.reason
        assert kept(clone, outcome, commit)

    def test_histories_that_share_nothing_are_not_joined(self, remote: Path, tmp_path: Path):
        git(tmp_path, "init", "--quiet", "--initial-branch=main", "stranger")
        stranger = tmp_path / "stranger"
        git(stranger, "remote", "add", "origin", remote.as_uri())
        commit = commit_run(stranger, "a")
        outcome = Repository.find(stranger).push()
        assert outcome.state is PushState.CONFLICT
        assert "share no commit: check that it is the right remote" in outcome.reason
        assert kept(stranger, outcome, commit)

    def test_what_the_remote_dropped_from_its_history_neither_comes_back_nor_goes_away(
        self, clone: Path, other: Path, remote: Path
    ):
        dropped = push_run(clone, "dropped").commit
        assert dropped is not None
        git(other, "commit", "--quiet", "--allow-empty", "--message=Rewritten")
        git(other, "push", "--quiet", "--force", "origin", "main")
        for name in ("ours", "more"):  # it must not be forgotten from one push to the next
            commit = commit_run(clone, name)
            outcome = Repository.find(clone).push()
            assert outcome.state is PushState.CONFLICT
            assert f"history was rewritten: it had {dropped[:10]} and has it no longer" in outcome.reason
            assert kept(clone, outcome, commit)
        assert files_in(remote, "main") == []
        assert len(files_in(clone)) == 6
        git(clone, "pull", "--quiet", "--rebase")  # the remedy that the message names
        assert Repository.find(clone).push().commits == 2
        assert {name.split("/")[3] for name in files_in(remote, "main")} == {"ours", "more"}

    def test_a_clone_too_shallow_to_know(self, remote: Path, other: Path, tmp_path: Path):
        push_run(other, "first")
        shallow = new_clone(remote, tmp_path / "shallow", "--depth=1")
        git(other, "reset", "--quiet", "--hard", "HEAD~1")
        git(other, "commit", "--quiet", "--allow-empty", "--message=Rewritten")
        git(other, "push", "--quiet", "--force", "origin", "main")
        git(shallow, "update-ref", "-d", "refs/remotes/origin/main")
        commit = commit_run(shallow, "ours")
        outcome = Repository.find(shallow).push()
        assert outcome.state is PushState.CONFLICT
        assert "run git fetch --unshallow" in outcome.reason
        assert kept(shallow, outcome, commit)

    def test_in_the_middle_of_somebodys_merge(self, clone: Path, remote: Path):
        commit = commit_run(clone, "ours")
        git(clone, "checkout", "--quiet", "-b", "side", "HEAD~1")
        git(clone, "commit", "--quiet", "--allow-empty", "--message=Side")
        git(clone, "checkout", "--quiet", "main")
        git(clone, "merge", "--no-ff", "--no-commit", "side")
        before = git(remote, "rev-parse", "main")
        outcome = Repository.find(clone).push()
        assert outcome.state is PushState.BUSY
        assert kept(clone, outcome, commit)
        assert git(remote, "rev-parse", "main") == before
