"""Pushing when others push too: on a rejection fetch, rebase and try again; whatever happens, the commit is kept."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic, sleep

from kb.repository.commands import JITTER, NETWORK_TIMEOUT_S, Git, Result, presentable
from kb.repository.outcomes import PushOutcome, PushState, RepositoryBusy, short
from kb.repository.rebasing import Conflict, local_commits, replay

#: How often a rejected push is tried again.
RETRIES = 5
#: Longest wait before the first retry: so many durations of the push just rejected, and at least so many seconds. It
#: doubles with each retry; the wait itself is drawn evenly between nothing and that. It must be long against the time
#: between reading the remote's branch and writing it, or the same machines meet again; `tests/repository/fleet.py`
#: shows it: 8 machines push 5 times each as fast as they can. With at most 0.5 s before the first retry 2 of 12 such
#: jobs had a push rejected 6 times, which is the end; with 4 s no push of 44 jobs was rejected more than 4 times.
WAIT_PUSHES, FIRST_WAIT_S = 5.0, 4.0

#: The remote's ways to say that the branch moved between our reading and our writing.
_RACE = re.compile(
    r"\[rejected\]|\[remote rejected\] \(.*(cannot lock ref|failed to update ref|failed to lock|unable to lock"
    r"|incorrect old value|reference already exists|transaction failed)",
    re.IGNORECASE,
)
#: Words in git's message, and what a person can do about it; the first that fits.
_REMEDIES = (
    (
        re.compile(r"authentication|could not read (username|password)|permission|denied|\b40[13]\b", re.IGNORECASE),
        "check that this machine may write there (key, token or credential helper), then git push",
    ),
    (
        re.compile(r"resolve host|connect|timed out|no answer|unable to access|hung up", re.IGNORECASE),
        "check the network and the address (git remote -v), then git push",
    ),
    (re.compile(""), "check the address (git remote -v), then git push"),
)


class _Stopped(Exception):
    """The push ends here, with this state and reason."""

    def __init__(self, state: PushState, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


@dataclass(frozen=True)
class _Target:
    """A branch of a remote."""

    remote: str
    branch: str

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"

    @property
    def tracking(self) -> str:
        return f"refs/remotes/{self.remote}/{self.branch}"


@dataclass(frozen=True)
class _Answer:
    """The remote's answer to one push."""

    accepted: bool
    changed: bool = False
    span: str | None = None  #: `old..new`; None for a new branch


def push_head(git: Git, remote: str, branch: str | None, derived: Sequence[str] = ()) -> PushOutcome:
    """Push HEAD to a branch of a remote. Every way in which that can end is an outcome, not an exception.

    HEAD's branch is pushed as `git push` does it: with every commit on it, those of its user too. The user's
    pre-push hook runs (Git LFS uploads its files in it); no other hook does. `derived`: see `replay`.
    """
    outcome = PushOutcome(PushState.UP_TO_DATE, remote, branch)
    try:
        git.require_idle(then="git push")
        head = git.resolve("HEAD")
        if head is None:
            return outcome
        target = _target(git, remote, branch)
        outcome = replace(outcome, branch=target.branch)
        return _push(git, target, head, outcome, derived)
    except _Stopped as stopped:
        return replace(outcome, state=stopped.state, reason=stopped.reason)
    except Conflict as conflict:
        return replace(outcome, state=PushState.CONFLICT, reason=str(conflict))
    except RepositoryBusy as busy:
        return replace(outcome, state=PushState.BUSY, reason=str(busy))


def _push(git: Git, target: _Target, head: str, outcome: PushOutcome, derived: Sequence[str]) -> PushOutcome:
    """Send; while others are faster, wait, fetch, rebase and send again."""
    tip = head
    for rejections in range(RETRIES + 1):
        started = monotonic()
        if rejections:
            onto = _fetch(git, target)
            tip = replay(git, local_commits(git, head, onto, target.tracking), onto, derived)
            if tip == onto:
                return replace(outcome, rejections=rejections)
        answer = _send(git, target, tip)
        if answer.accepted:
            break
        if rejections < RETRIES:
            longest = max(FIRST_WAIT_S, WAIT_PUSHES * (monotonic() - started))
            sleep(longest * 2**rejections * JITTER.random())
    else:
        reason = f"others pushed first, {RETRIES + 1} times in a row: run git pull --rebase, then git push"
        raise _Stopped(PushState.REJECTED, reason)
    if not answer.changed:
        return replace(outcome, rejections=rejections)
    return replace(
        outcome,
        state=PushState.PUSHED,
        commit=tip,
        commits=_count(git, answer.span),
        rejections=rejections,
        reason=_follow(git, target, head, tip) if tip != head else "",
    )


def _target(git: Git, remote: str, branch: str | None) -> _Target:
    """Where to push: the branch asked for, else the one that HEAD's branch follows, else its namesake.

    On a detached HEAD it is the remote's default branch.
    """
    address = git.run("remote", "get-url", "--push", "--", remote)
    if not address.ok:
        reason = f"there is no remote named {remote!r}: run git remote add {remote} URL, then git push"
        raise _Stopped(PushState.UNREACHABLE, reason)
    if branch is None:
        local = git.branch()
        branch = _followed(git, remote, local) if local else _default(git, remote)
    if not git.run("check-ref-format", f"refs/heads/{branch}").ok:
        raise _Stopped(PushState.NO_BRANCH, f"{branch!r} is not a name for a branch: name another one")
    return _Target(remote, branch)


def _followed(git: Git, remote: str, local: str) -> str:
    """The remote's branch that a local one follows; its namesake where it follows none there."""
    if git.run("config", f"branch.{local}.remote").text == remote:
        return git.run("config", f"branch.{local}.merge").text.removeprefix("refs/heads/") or local
    return local


def _default(git: Git, remote: str) -> str:
    """The remote's default branch: as noted when it was cloned, or asked of the remote."""
    noted = git.run("symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
    if noted.ok:
        return noted.text.removeprefix(f"{remote}/")
    asked = git.run("ls-remote", "--symref", "--", remote, "HEAD", timeout_s=NETWORK_TIMEOUT_S)
    if not asked.ok:
        raise _unreachable(asked)
    found = re.match(r"ref: refs/heads/(\S+)\tHEAD", asked.text)
    if found is None:
        reason = f"HEAD is detached and {remote} names no default branch: say which branch to push to"
        raise _Stopped(PushState.NO_BRANCH, reason)
    return found[1]


def _send(git: Git, target: _Target, tip: str) -> _Answer:
    """One push of one commit. Never forced.

    Raises:
        _Stopped: it failed, and not because somebody else was faster.
    """
    options = ("--porcelain", "--no-follow-tags", "--no-signed", "--recurse-submodules=no")
    result = git.run(
        "push", *options, "--", target.remote, f"{tip}:{target.ref}", timeout_s=NETWORK_TIMEOUT_S, hooks=True
    )
    lines = [line.split("\t") for line in os.fsdecode(result.output).splitlines() if line.count("\t") == 2]
    lines.sort(key=lambda line: line[0] != "!")  # a remote may have several addresses: first the one that failed
    flag, _, summary = lines[0] if lines else ("", "", "")
    if result.ok:
        span = re.match(r"\w+\.\.\w+$", summary)
        return _Answer(accepted=True, changed=flag != "=", span=span[0] if span else None)
    if _RACE.match(summary):
        return _Answer(accepted=False)
    if flag == "!":
        raise _Stopped(PushState.REFUSED, _refusal(target, summary, result))
    if "fatal:" not in result.errors:  # git itself did not fail
        reason = f"the pre-push hook refused it ({result.reason}): put that right, then git push"
        raise _Stopped(PushState.REFUSED, reason)
    raise _unreachable(result)


def _count(git: Git, span: str | None) -> int | None:
    """Commits in `old..new`; None for a new branch, and where a shallow clone does not hold `old`."""
    counted = git.run("rev-list", "--count", span) if span else None
    return int(counted.text) if counted and counted.ok else None


def _refusal(target: _Target, summary: str, result: Result) -> str:
    """What the remote objects to: git's summary and the first thing that the remote itself said."""
    said = [line.removeprefix("remote:").strip() for line in result.errors.splitlines() if line.startswith("remote:")]
    why = presentable(": ".join([summary, *filter(None, said)][:2]))
    return f"{why}: ask whoever keeps {target.remote}, or push to another branch"


def _fetch(git: Git, target: _Target) -> str:
    """Fetch the remote's branch and return its tip."""
    options = ("--no-tags", "--no-prune", "--recurse-submodules=no", "--quiet")
    refspec = f"+{target.ref}:{target.tracking}"
    result = git.patiently("fetch", *options, "--", target.remote, refspec, timeout_s=NETWORK_TIMEOUT_S)
    if not result.ok:
        raise _unreachable(result)
    return git.ask("rev-parse", target.tracking)


def _unreachable(result: Result) -> _Stopped:
    remedy = next(remedy for words, remedy in _REMEDIES if words.search(result.errors))
    return _Stopped(PushState.UNREACHABLE, f"{result.reason}: {remedy}")


def _follow(git: Git, target: _Target, old: str, new: str) -> str:
    """Move HEAD and its files from `old` to `new`, as a checkout would; return why not, or nothing.

    Files that are staged or changed stay so. Where one of them is among the files that differ between the two
    commits, nothing moves at all: git decides that before it writes the first file.
    """
    local = git.branch()
    stays = f"here {local or 'HEAD'} stays at {short(old)}"
    remedy = "run git pull --rebase when it suits you"
    if local is not None and _followed(git, target.remote, local) != target.branch:
        return f"{stays}, for it follows another branch"
    if git.resolve("HEAD") != old:
        return f"here {local or 'HEAD'} has moved meanwhile: {remedy}"
    git.patiently("update-index", "-q", "--refresh")
    moved = git.patiently("read-tree", "-m", "-u", old, new)
    if not moved.ok:
        return f"{stays} ({moved.reason}): {remedy}"
    if git.patiently("update-ref", "-m", "kb: rebased and pushed", "HEAD", new, old).ok:
        return ""
    git.patiently("read-tree", "-m", "-u", new, old)
    return f"here {local or 'HEAD'} has moved meanwhile: {remedy}"
