"""What the branches of a repository hold, as far as they were fetched: read from git's objects, nothing is touched."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb.repository.commands import Git
from kb.repository.outcomes import RepositoryError

#: Points to the remote's default branch.
_DEFAULT = "refs/remotes/origin/HEAD"
#: Where teams keep what counts if the remote does not say so.
_MAIN = ("refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master")


@dataclass(frozen=True)
class FoundLine:
    """A line of a file in a commit."""

    name: str  #: of the file, from the folder that was searched
    text: str


def branch_names(git: Git) -> list[str]:
    """Full names of all local and remote-tracking branches; raises as `Git.ask` does."""
    listed = git.ask("for-each-ref", "--format=%(refname) %(symref)", "refs/heads", "refs/remotes")
    pairs = (line.partition(" ") for line in listed.splitlines())
    return [name for name, _, points_to in pairs if not points_to]


def main_branch(git: Git) -> str | None:
    """Full name of the branch that others start from; None where nothing says which that is."""
    default = git.run("symbolic-ref", "--quiet", _DEFAULT)
    names = (default.text, *_MAIN) if default.ok else _MAIN
    return next((name for name in names if git.resolve(name)), None)


def merge_base(git: Git, first: str, second: str) -> str | None:
    """The commit that two revisions both come from; None where there is none."""
    found = git.run("merge-base", first, second)
    return found.text.partition("\n")[0] if found.ok else None


def folders_of(git: Git, revisions: Sequence[str], folder: str) -> dict[str, str]:
    """Revision -> id of a folder as it has it, the same for all with the same files; those without it are left out.

    Raises:
        RepositoryError: git failed.
    """
    asked = "".join(f"{revision}:{'' if folder == '.' else folder}\n" for revision in revisions)
    answers = git.require("cat-file", "--batch-check", stdin=os.fsencode(asked)).text.splitlines()
    found = (answer.split(" ") for answer in answers)
    return {
        revision: words[0]
        for revision, words in zip(revisions, found, strict=True)
        if words[1:2] == ["tree"]  # or: `name missing`
    }


def lines_in(git: Git, tree: str, pattern: str) -> Iterator[FoundLine]:
    """Lines of the files of a folder, by its id, that an extended regular expression matches.

    Raises:
        RepositoryError: git failed.
    """
    found = git.run("grep", "--no-color", "--full-name", "-I", "-z", "-E", "-e", pattern, tree)
    if found.code > 1:  # 1: no line matches
        raise RepositoryError(f"git grep failed in {git.root}: {found.reason}")
    for entry in found.output.split(b"\n")[:-1]:
        place, _, text = entry.partition(b"\0")
        yield FoundLine(os.fsdecode(place.partition(b":")[2]), text.decode("utf-8", "replace"))
