"""Running git: never interactive, never for ever, never printing a password."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kb.repository.outcomes import NO_GIT, RepositoryBusy, RepositoryError

if TYPE_CHECKING:
    import git

#: Name on kb's commits as their committer, and as their author where git knows no identity.
NAME, EMAIL = "kb", "kb@localhost"
#: A local command that takes longer hangs on something (a network file system, a filter).
LOCAL_TIMEOUT_S = 300.0
#: A monthly run adds well under a megabyte; five minutes is a slow line, not a dead one.
NETWORK_TIMEOUT_S = 300.0
#: After SIGTERM git removes its lock files; only then SIGKILL.
TERMINATION_S = 5.0
#: Waits for a lock, doubling from the first: 0.1, 0.2, ... 3.2 s. An editor's `git status` is over long before.
LOCK_TRIES, LOCK_WAIT_S = 7, 0.1
#: Outside text in a message: long enough for git's own line, short enough for one line of a terminal or two.
REASON_CHARACTERS = 300

#: Settings that would make git run the user's hooks, start work in the background, or walk into submodules.
_QUIET = {
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "i18n.commitEncoding": "UTF-8",
}
#: No question on a terminal, in a window or by a credential manager: an unattended job would wait for ever.
_SILENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_COMMITTER_NAME": NAME,
    "GIT_COMMITTER_EMAIL": EMAIL,
}
#: What lies in the git folder while an operation waits for a person -> its name, and how to end it.
_OPERATIONS = {
    "MERGE_HEAD": ("a merge", "end it with git merge --continue or --abort"),
    "rebase-merge": ("a rebase", "end it with git rebase --continue or --abort"),
    "rebase-apply": ("a rebase (or git am)", "end it with git rebase --continue or --abort (git am)"),
    "CHERRY_PICK_HEAD": ("a cherry-pick", "end it with git cherry-pick --continue or --abort"),
    "REVERT_HEAD": ("a revert", "end it with git revert --continue or --abort"),
    "BISECT_LOG": ("a bisection", "end it with git bisect reset"),
}
#: Jitter must differ between machines, also where a schedule's stored seed was given to `random`.
JITTER = random.SystemRandom()
_CREDENTIALS = re.compile(r"(?<=://)[^\s/]*@")
_LOCKED = re.compile(r"Unable to create '.*\.lock': File exists|cannot lock ref|could not lock", re.IGNORECASE)
#: Lines that git adds to every failure of a kind; the line that says what happened is another one.
_PADDING = (
    "hint:",
    "fatal: Could not read from remote repository",
    "Please make sure you have the correct access rights",
    "and the repository exists",
    "error: failed to push some refs",
)


def masked(text: str) -> str:
    """The text with what stands before the host of every URL (user, password, token) replaced."""
    return _CREDENTIALS.sub("***@", text)


def presentable(line: str) -> str:
    """A line of git's or a remote's, fit for a message: no password, no control character, bounded."""
    line = "".join(character for character in masked(line) if character.isprintable())
    return line if len(line) <= REASON_CHARACTERS else line[: REASON_CHARACTERS - 1] + "…"


def pause(attempt: int) -> None:
    """Wait for somebody else's lock; `attempt` counts from 0."""
    time.sleep(LOCK_WAIT_S * 2**attempt * JITTER.uniform(0.5, 1.0))


@dataclass(frozen=True)
class Result:
    """What one git process gave back."""

    code: int
    output: bytes
    errors: str
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def text(self) -> str:
        """Standard output without the line break at its end."""
        return os.fsdecode(self.output).rstrip("\n")

    @property
    def locked(self) -> bool:
        """Whether it failed because another process held a lock."""
        return not self.ok and bool(_LOCKED.search(self.errors))

    @property
    def reason(self) -> str:
        """The line of git's message that says most."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        telling = [line for line in lines if not line.startswith(_PADDING)] or lines
        failures = [line for line in telling if line.startswith(("fatal:", "error:"))] or telling[-1:]
        return presentable(failures[0] if failures else f"git ended with code {self.code} and said nothing")


class Git:
    """The git command in one work tree."""

    def __init__(self, repo: "git.Repo", root: Path, folder: Path) -> None:
        """`root`: of the work tree; `folder`: its git folder (`.git`, or the one of a linked worktree)."""
        self._repo = repo
        self.root = root
        self.folder = folder

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout_s: float = LOCAL_TIMEOUT_S,
        hooks: bool = False,
    ) -> Result:
        """Run `git *arguments` in the root and wait. A failure is in the result, not an exception.

        Raises:
            RepositoryError: there is no git to run.
        """
        from git.exc import GitCommandNotFound

        settings = {name: value for name, value in _QUIET.items() if not (hooks and name == "core.hooksPath")}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        executable = str(self._repo.git.GIT_PYTHON_GIT_EXECUTABLE)
        try:
            handle = self._repo.git.execute(
                [executable, "-C", str(self.root), *options, *arguments],  # GitPython's own way expands $NAME in paths
                istream=subprocess.PIPE,
                as_process=True,
                env={**self._environment(), **(environment or {})},
                start_new_session=True,  # no terminal to ask on, and one group to end
            )
        except GitCommandNotFound as error:
            raise RepositoryError(NO_GIT) from error
        process = handle.proc
        assert process is not None
        try:
            output, errors = process.communicate(stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            _end(process)
            return Result(-1, b"", f"fatal: no answer within {timeout_s:g} s", timed_out=True)
        except BaseException:
            _end(process)
            raise
        return Result(process.returncode, output, os.fsdecode(errors))

    def patiently(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout_s: float = LOCAL_TIMEOUT_S,
    ) -> Result:
        """The same for a command that takes a lock: while another process holds it, wait a little and try again."""
        for attempt in range(LOCK_TRIES - 1):
            result = self.run(*arguments, stdin=stdin, environment=environment, timeout_s=timeout_s)
            if not result.locked:
                return result
            pause(attempt)
        return self.run(*arguments, stdin=stdin, environment=environment, timeout_s=timeout_s)

    def require(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> Result:
        """The same for a command that must succeed.

        Raises:
            RepositoryError: it did not.
        """
        result = self.run(*arguments, stdin=stdin, environment=environment)
        if not result.ok:
            raise RepositoryError(f"git {arguments[0]} failed in {self.root}: {result.reason}")
        return result

    def ask(self, *arguments: str) -> str:
        """Standard output of a command that must succeed; raises as `require` does."""
        return self.require(*arguments).text

    def resolve(self, revision: str) -> str | None:
        """The full id of the commit that a revision names, or None."""
        result = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return result.text if result.ok else None

    def branch(self) -> str | None:
        """The branch that HEAD is on, born or unborn; None where HEAD is detached."""
        result = self.run("symbolic-ref", "--quiet", "--short", "HEAD")
        return result.text if result.ok else None

    def require_idle(self, then: str) -> None:
        """Refuse to work in the middle of somebody's merge, rebase or the like.

        Raises:
            RepositoryBusy: naming the operation and how to end it; `then` says what to do afterwards.
        """
        for name, (operation, remedy) in _OPERATIONS.items():
            if (self.folder / name).exists():
                raise RepositoryBusy(f"{operation} is in progress in {self.root}: {remedy}, then {then}")

    def _environment(self) -> dict[str, str]:
        """Variables for git. Those that a hook or a script around kb may have set must not lead elsewhere."""
        here = {
            "GIT_DIR": str(self.folder),
            "GIT_WORK_TREE": str(self.root),
            "GIT_INDEX_FILE": str(self.folder / "index"),
        }
        variables = _SILENT | {name: value for name, value in here.items() if name in os.environ}
        # Empty: do not fall back to SSH_ASKPASS, which opens a window. A GIT_ASKPASS that is set answers by itself.
        return {"GIT_ASKPASS": os.environ.get("GIT_ASKPASS", "")} | variables


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its children: git's transports (ssh, git-remote-https) are children."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, number)
            else:
                process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=TERMINATION_S)
            return
