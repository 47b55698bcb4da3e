"""Rebasing without a work tree: the commits are rebuilt in an index of their own, so nobody's files are touched."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from kb.repository.commands import EMAIL, NAME, Git, presentable
from kb.repository.outcomes import short

#: Paths named in a conflict's message.
SHOWN_PATHS = 3
_REMEDY = "run git pull --rebase, settle it there, then git push"


class Conflict(Exception):
    """The commits cannot be put on top of the others without a person's decision. The text says which and why."""


def local_commits(git: Git, head: str, onto: str, tracking: str) -> list[str]:
    """Commits that only this repository has, oldest first.

    The reflog of the remote-tracking branch tells what was made here from what the remote once had and has no longer.
    Whether the latter was dropped on purpose or by mistake only a person knows, so it neither comes back by itself nor
    goes away here.

    Raises:
        Conflict: the histories share no commit, the remote's was rewritten, or a commit is a merge.
    """
    once = git.run("merge-base", "--fork-point", tracking, head)
    if once.ok and not git.run("merge-base", "--is-ancestor", once.text, onto).ok:
        raise Conflict(
            f"the remote's history was rewritten: it had {short(once.text)} and has it no longer: "
            "run git pull --rebase to follow it, or bring the commit back there, then git push"
        )
    base = git.run("merge-base", onto, head)
    if not base.ok:
        shallow = git.ask("rev-parse", "--is-shallow-repository") == "true"
        remedy = "run git fetch --unshallow" if shallow else "check that it is the right remote (git remote -v)"
        raise Conflict(f"this history and the remote's share no commit: {remedy}, then git push")
    lines = git.ask("rev-list", "--reverse", "--topo-order", "--parents", f"{base.text}..{head}", f"^{onto}")
    commits = [line.split() for line in lines.splitlines()]
    for commit, *parents in commits:
        if len(parents) > 1:
            raise Conflict(f"local commit {short(commit)} is a merge: run git pull, then git push")
    return [commit for commit, *_ in commits]


def replay(git: Git, commits: Sequence[str], onto: str, derived: Sequence[str] = ()) -> str:
    """Put `commits` (each with one parent, oldest first) on top of `onto` and return the new tip.

    Each is a three-way merge of whole files. A file that both sides changed differently is a conflict even where its
    lines could be merged: merging two tables by lines can make a third that nobody measured. A commit whose changes
    are there already is left out.

    Args:
        derived: folders, relative to the root, of what kb can write anew from its source, such as the entries of
            changelogs, which each machine reads for itself: there the remote's file stays.

    Raises:
        Conflict: naming files.
    """
    tip = onto
    with tempfile.TemporaryDirectory(prefix="kb-rebase-") as folder:
        for commit in commits:
            tree = _merged_tree(git, commit, tip, Path(folder) / "index", derived)
            if tree != git.ask("rev-parse", f"{tip}^{{tree}}"):
                tip = _rewritten(git, commit, tree, tip)
    return tip


def _merged_tree(git: Git, commit: str, onto: str, index: Path, derived: Sequence[str]) -> str:
    """The tree of `onto` with the changes that `commit` made to its parent."""
    environment = {"GIT_INDEX_FILE": str(index)}
    index.unlink(missing_ok=True)
    read = git.run("read-tree", "-i", "-m", "--aggressive", f"{commit}^", onto, commit, environment=environment)
    if not read.ok:
        raise Conflict(f"local commit {short(commit)} does not fit the remote's files ({read.reason}): {_REMEDY}")
    tree = git.run("write-tree", environment=environment)
    if tree.ok:
        return tree.text
    unmerged = git.run("ls-files", "--unmerged", "-z", environment=environment).output.split(b"\0")[:-1]
    every = {os.fsdecode(entry.partition(b"\t")[2]) for entry in unmerged}
    names = sorted(name for name in every if not any(name.startswith(f"{folder}/") for folder in derived))
    if every and not names:
        git.require("update-index", "-z", "--index-info", stdin=_remotes(unmerged), environment=environment)
        return git.require("write-tree", environment=environment).text
    more = f" and {len(names) - SHOWN_PATHS} more" if len(names) > SHOWN_PATHS else ""
    what = presentable(", ".join(names[:SHOWN_PATHS]) + more)
    raise Conflict(f"local commit {short(commit)} and the remote changed the same file ({what}): {_REMEDY}")


def _remotes(unmerged: Sequence[bytes]) -> bytes:
    """What tells git to take, of each path in conflict, the remote's file, or none where the remote has none."""
    stages = [(name, *head.split(b" ")) for head, _, name in (entry.partition(b"\t") for entry in unmerged)]
    nothing = {name: b"0 %s\t%s\0" % (b"0" * len(blob), name) for name, _, blob, _ in stages}
    theirs = [b"%s %s 0\t%s\0" % (mode, blob, name) for name, mode, blob, stage in stages if stage == b"2"]
    return b"".join([*nothing.values(), *theirs])


def _rewritten(git: Git, commit: str, tree: str, parent: str) -> str:
    """The same commit (author, date, message, byte by byte) with another tree and parent, and kb as its committer."""
    raw = git.require("cat-file", "commit", commit).output
    header, _, message = raw.partition(b"\n\n")
    fields = {line.partition(b" ")[0]: line for line in header.split(b"\n")}
    lines = [
        f"tree {tree}".encode(),
        f"parent {parent}".encode(),
        fields[b"author"],
        f"committer {NAME} <{EMAIL}> {int(time.time())} +0000".encode(),
        *(fields[name] for name in (b"encoding",) if name in fields),  # a signature would no longer hold
    ]
    new = b"\n".join(lines) + b"\n\n" + message
    return git.require("hash-object", "-t", "commit", "-w", "--stdin", stdin=new).text
