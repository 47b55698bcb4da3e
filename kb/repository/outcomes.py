"""What came of a commit or a push, each with one sentence that says so."""

from dataclasses import dataclass
from enum import StrEnum

NO_GIT = "git is not installed or not on PATH: install it, or run with --no-commit"


class RepositoryError(Exception):
    """Git cannot do what was asked. One line: what, where, what to do. The files that kb wrote stay as they are."""


class RepositoryBusy(RepositoryError):
    """Somebody else is at work in the repository: a merge or rebase in progress, or a lock held."""


def short(commit: str) -> str:
    """The first digits of a commit id, as many as `git log --oneline` needs in any repository of this size."""
    return commit[:10]


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True)
class Commit:
    """One commit that kb made."""

    id: str
    branch: str | None  #: None on a detached HEAD
    files: int  #: files handed to git; those that had not changed are counted too
    folder: str  #: the folder that holds them all, relative to the root

    @property
    def sentence(self) -> str:
        place = f"on {self.branch}" if self.branch else "on a detached HEAD (no branch points to it yet)"
        return f"Committed {counted(self.files, 'file')} in {self.folder} as {short(self.id)} {place}."


class PushState(StrEnum):
    """How a push ended. Only `PUSHED` and `UP_TO_DATE` mean that the remote has everything."""

    PUSHED = "pushed"
    UP_TO_DATE = "up_to_date"
    REJECTED = "rejected"  #: others pushed first, every time
    CONFLICT = "conflict"  #: a local commit and a remote one changed the same file
    REFUSED = "refused"  #: the remote's rules or a hook forbid it
    UNREACHABLE = "unreachable"  #: no such remote, host or path; no permission; no answer in time
    NO_BRANCH = "no_branch"  #: nothing says which branch to push to
    BUSY = "busy"  #: a merge or rebase is in progress here


@dataclass(frozen=True)
class PushOutcome:
    """How one push ended. Unless the remote has everything, the commit is kept here and `reason` says what to do."""

    state: PushState
    remote: str
    branch: str | None = None
    commit: str | None = None  #: the commit that the remote's branch points to after a push
    commits: int | None = None  #: how many commits were sent; None where that is not known (a new branch)
    rejections: int = 0  #: pushes that came second to somebody else's
    reason: str = ""  #: why not, or what is left to do, in one line; empty when there is nothing to say

    @property
    def delivered(self) -> bool:
        """Whether the remote has everything that is committed here."""
        return self.state in (PushState.PUSHED, PushState.UP_TO_DATE)

    @property
    def sentence(self) -> str:
        place = f"{self.remote}/{self.branch}" if self.branch else self.remote
        if self.state is PushState.UP_TO_DATE:
            return f"Nothing to push: {place} has everything already."
        if self.state is not PushState.PUSHED:
            return f"Not pushed to {place}; the commit is kept here: {self.reason}"
        what = "a new branch" if self.commits is None else counted(self.commits, "commit")
        told = f"Pushed {what} to {place}" + (f" as {short(self.commit)}" if self.commit else "")
        if self.rejections:
            told += f", at try {self.rejections + 1}"
        return f"{told}; {self.reason}" if self.reason else f"{told}."
