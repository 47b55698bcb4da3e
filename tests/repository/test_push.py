"""A push delivers what is committed, to the right branch; when it cannot, the commit is kept and it says why."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from kb.repository import PushOutcome, PushState, Repository, pushing
from tests.repository.clones import commit_run, git, kept, push_run, state


class TestNobodyElsePushes:
    def test_the_commit_arrives(self, clone: Path, remote: Path):
        commit = commit_run(clone, "a")
        outcome = Repository.find(clone).push()
        assert git(remote, "rev-parse", "main") == commit
        assert outcome == PushOutcome(PushState.PUSHED, "origin", "main", commit, commits=1)
        assert outcome.sentence == f"Pushed 1 commit to origin/main as {commit[:10]}."
        assert git(clone, "status", "--branch", "--porcelain") == "## main...origin/main"

    def test_everything_is_there_already(self, clone: Path):
        outcome = Repository.find(clone).push()
        assert (outcome.state, outcome.delivered) == (PushState.UP_TO_DATE, True)
        assert outcome.sentence == "Nothing to push: origin/main has everything already."

    def test_the_clone_is_only_behind(self, clone: Path, other: Path):
        push_run(other, "a")
        before = git(clone, "rev-parse", "HEAD"), state(clone)
        assert Repository.find(clone).push().state is PushState.UP_TO_DATE
        assert (git(clone, "rev-parse", "HEAD"), state(clone)) == before

    def test_the_first_push_to_an_empty_remote(self, clone: Path, tmp_path: Path):
        git(tmp_path, "init", "--quiet", "--bare", str(tmp_path / "empty.git"))
        git(clone, "remote", "add", "spare", str(tmp_path / "empty.git"))
        outcome = Repository.find(clone).push("spare")
        assert outcome.sentence.startswith("Pushed a new branch to spare/main as ")

    def test_a_repository_without_commits(self, tmp_path: Path, remote: Path):
        git(tmp_path, "init", "--quiet", "--initial-branch=main", "fresh")
        git(tmp_path / "fresh", "remote", "add", "origin", str(remote))
        assert Repository.find(tmp_path / "fresh").push().state is PushState.UP_TO_DATE


class TestWhichBranch:
    def test_the_one_that_is_followed(self, clone: Path, remote: Path):
        git(clone, "branch", "--move", "mine")
        assert push_run(clone, "a").branch == "main"
        assert git(remote, "branch", "--format=%(refname:short)") == "main"

    def test_the_namesake_of_one_that_follows_none(self, clone: Path, remote: Path):
        git(clone, "checkout", "--quiet", "--no-track", "-b", "side")
        outcome = push_run(clone, "a")
        assert (outcome.branch, git(remote, "rev-parse", "side")) == ("side", outcome.commit)

    def test_the_one_asked_for(self, clone: Path, remote: Path):
        commit = commit_run(clone, "a")
        assert Repository.find(clone).push("origin", "measured/2026").delivered
        assert git(remote, "rev-parse", "measured/2026") == commit != git(remote, "rev-parse", "main")

    @pytest.mark.parametrize("noted", [True, False])
    def test_the_default_branch_on_a_detached_head(self, clone: Path, remote: Path, noted: bool):
        git(clone, "checkout", "--quiet", "--detach")
        if not noted:  # as in the clones that CI makes
            git(clone, "remote", "set-head", "origin", "--delete")
        outcome = push_run(clone, "a")
        assert outcome.state is PushState.PUSHED
        assert git(remote, "rev-parse", "main") == git(clone, "rev-parse", "HEAD")

    def test_a_detached_head_and_no_default_branch(self, clone: Path, remote: Path):
        git(clone, "checkout", "--quiet", "--detach")
        git(clone, "remote", "set-head", "origin", "--delete")
        git(remote, "symbolic-ref", "HEAD", "refs/heads/absent")
        commit = commit_run(clone, "a")
        outcome = Repository.find(clone).push()
        assert outcome.state is PushState.NO_BRANCH
        assert "HEAD is detached and origin names no default branch" in outcome.reason
        assert kept(clone, outcome, commit)
        assert Repository.find(clone).push(branch="main").delivered

    def test_a_name_that_no_branch_can_have(self, clone: Path):
        assert Repository.find(clone).push(branch="a..b").state is PushState.NO_BRANCH


class TestRefused:
    def test_by_the_remotes_rules(self, clone: Path, remote: Path):
        hook = remote / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
        hook.chmod(0o755)
        commit = commit_run(clone, "a")
        outcome = Repository.find(clone).push()
        assert outcome.state is PushState.REFUSED
        assert outcome.reason.startswith("[remote rejected] (pre-receive hook declined): main is protected: ask")
        assert kept(clone, outcome, commit)

    def test_by_a_branch_that_is_checked_out_there(self, clone: Path, tmp_path: Path):
        git(clone, "remote", "add", "seed", str(tmp_path / "seed"))
        commit = commit_run(clone, "a")
        outcome = Repository.find(clone).push("seed")
        assert outcome.state is PushState.REFUSED
        assert "(branch is currently checked out)" in outcome.reason
        assert kept(clone, outcome, commit)

    def test_by_the_users_pre_push_hook(self, clone: Path):
        hook = clone / ".git" / "hooks" / "pre-push"
        hook.write_text("#!/bin/sh\necho 'large files are missing' >&2\nexit 1\n")
        hook.chmod(0o755)
        commit = commit_run(clone, "a")
        outcome = Repository.find(clone).push()
        assert outcome.state is PushState.REFUSED
        assert "the pre-push hook refused it (large files are missing)" in outcome.reason
        assert kept(clone, outcome, commit)


class _Locked(BaseHTTPRequestHandler):
    """A server that lets nobody in."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="kb"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class TestUnreachable:
    @pytest.fixture
    def locked(self) -> Iterator[str]:
        """Host and port of a server that asks for a password and takes none."""
        server = HTTPServer(("127.0.0.1", 0), _Locked)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()

    def refused(self, clone: Path, address: str) -> PushOutcome:
        """The outcome of a push to an address that cannot be reached."""
        git(clone, "remote", "set-url", "origin", address)
        commit = commit_run(clone, "a")
        outcome = Repository.find(clone).push()
        assert outcome.state is PushState.UNREACHABLE
        assert kept(clone, outcome, commit)
        return outcome

    def test_no_such_remote(self, clone: Path):
        outcome = Repository.find(clone).push("upstream")
        assert outcome.state is PushState.UNREACHABLE
        assert outcome.reason == ("there is no remote named 'upstream': run git remote add upstream URL, then git push")

    def test_no_such_path(self, clone: Path, tmp_path: Path):
        outcome = self.refused(clone, str(tmp_path / "absent.git"))
        assert "does not appear to be a git repository: check the address (git remote -v)" in outcome.reason

    def test_nobody_listens(self, clone: Path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        outcome = self.refused(clone, f"http://127.0.0.1:{port}/kb.git")
        assert "check the network and the address" in outcome.reason

    def test_a_password_is_wanted_and_nobody_is_asked(
        self, clone: Path, locked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        window = tmp_path / "window"
        window.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexec sleep 600\n")
        window.chmod(0o755)
        monkeypatch.setenv("SSH_ASKPASS", str(window))
        monkeypatch.delenv("GIT_TERMINAL_PROMPT")
        monkeypatch.setattr(pushing, "NETWORK_TIMEOUT_S", 30.0)
        outcome = self.refused(clone, f"http://{locked}/kb.git")
        assert "terminal prompts disabled: check that this machine may write there" in outcome.reason
        assert not (tmp_path / "asked").exists()

    @pytest.mark.parametrize("login", ["ada:s3cr%40t", "s3cr", "ada:s3cr@t"])  # git itself shows the last one
    def test_a_password_is_wrong_and_is_not_shown(self, clone: Path, locked: str, login: str):
        outcome = self.refused(clone, f"http://{login}@{locked}/kb.git")
        assert locked in outcome.sentence
        assert "s3cr" not in outcome.sentence
        assert "ada" not in outcome.sentence

    def test_no_answer_in_time(self, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(pushing, "NETWORK_TIMEOUT_S", 1.0)
        script = tmp_path / "silent"
        script.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid\nexec sleep 600\n")
        script.chmod(0o755)
        git(clone, "config", "protocol.ext.allow", "always")
        outcome = self.refused(clone, f"ext::{script}")
        assert "no answer within 1 s: check the network" in outcome.reason
        process = int((tmp_path / "pid").read_text())
        for _ in range(100):
            if not Path(f"/proc/{process}").exists() or "Z" in Path(f"/proc/{process}/stat").read_text().split()[2]:
                break
            time.sleep(0.05)
        else:
            os.kill(process, 9)
            pytest.fail("what git had started outlived it")

    def test_it_goes_away_between_the_rejection_and_the_retry(
        self, clone: Path, other: Path, remote: Path, monkeypatch: pytest.MonkeyPatch
    ):
        push_run(other, "theirs")
        commit = commit_run(clone, "ours")
        monkeypatch.setattr(pushing, "sleep", lambda _: remote.rename(remote.with_name("gone.git")))
        outcome = Repository.find(clone).push()
        assert outcome.state is PushState.UNREACHABLE
        assert kept(clone, outcome, commit)
