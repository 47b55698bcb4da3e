"""Committing only the files that kb wrote, whatever else is staged or changed."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from kb.repository.commands import EMAIL, LOCK_TRIES, NAME, Git, Result, pause, presentable
from kb.repository.outcomes import Commit, RepositoryBusy, RepositoryError

_FROM_STDIN = ("--pathspec-from-file=-", "--pathspec-file-nul")
#: `git check-ignore` takes paths, not patterns, and refuses to be told to.
_PLAIN_PATHS = {"GIT_LITERAL_PATHSPECS": "0"}


def commit_files(git: Git, paths: Iterable[Path], message: str, removed: Iterable[Path] = ()) -> Commit | None:
    """Commit these files, and the files in these folders, as they are on disk; None where git has them already.

    `removed` are files that kb itself took away: they are committed as deleted, if git had them.

    The files are first entered in the user's index, next to what is staged there; then a commit of HEAD and these files
    alone is built in an index of its own. In this order, so that a kill in between leaves the files staged: the other
    way round they would be committed and staged for deletion. `git commit --only` does both at once, but reads the
    user's index before it locks it, and so can undo a `git add` of somebody else at the same moment.

    Files are named one by one, so that a file deleted from a folder is never committed as deleted.

    Raises:
        RepositoryError: a path is missing, outside the repository or ignored; or git failed. Nothing is staged then.
        RepositoryBusy: a merge or the like is in progress, or a lock stays held.
    """
    if not message.strip():
        raise RepositoryError("a commit needs a message")
    files, gone = _files(git.root, paths), _gone(git.root, removed)
    if not files and not gone:
        return None
    folder = _folder(files + gone)
    remedy = f"commit {folder} yourself (git add, git commit); the files are kept"
    git.require_idle(then=remedy)
    listed, missing = _listed(files), _listed(gone)
    _refuse_ignored(git, listed)
    if files:
        _require(git.patiently("add", *_FROM_STDIN, stdin=listed), git, remedy)
    try:
        if gone:
            _require(git.patiently("update-index", "--remove", "-z", "--stdin", stdin=missing), git, remedy)
        commit = _advance(git, listed + missing, message.strip() + "\n", remedy)
    except BaseException:
        git.patiently("reset", "--quiet", *_FROM_STDIN, stdin=listed + missing)
        raise
    return Commit(commit, git.branch(), len(files) + len(gone), folder) if commit else None


def _advance(git: Git, listed: bytes, message: str, remedy: str) -> str | None:
    """Make HEAD a commit of the old HEAD and the listed files; None where that would change nothing.

    HEAD moves only from the commit that was built on; when another process has moved it, this starts again.
    """
    for attempt in range(LOCK_TRIES):
        head = git.resolve("HEAD")
        tree = _tree(git, head, listed)
        if head and tree == git.ask("rev-parse", f"{head}^{{tree}}"):
            return None
        parents = ("-p", head) if head else ()
        made = git.require("commit-tree", tree, *parents, stdin=message.encode(), environment=_author(git)).text
        subject = message.partition("\n")[0]
        moved = git.run("update-ref", "-m", f"commit: {subject}", "HEAD", made, head or "0" * len(made))
        if not moved.locked:
            break
        pause(attempt)
    _require(moved, git, remedy)
    return made


def _tree(git: Git, head: str | None, listed: bytes) -> str:
    """The tree of a commit with the listed files as they are on disk."""
    with tempfile.TemporaryDirectory(prefix="kb-commit-") as folder:
        environment = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.require("read-tree", head or "--empty", environment=environment)
        options = ("--add", "--replace", "--remove", "-z", "--stdin")
        git.require("update-index", *options, stdin=listed, environment=environment)
        return git.require("write-tree", environment=environment).text


def _listed(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def _gone(root: Path, paths: Iterable[Path]) -> list[str]:
    """The paths, relative to the root, at which nothing is any more; what is there again was not removed."""
    places = (path.parent.resolve() / path.name for path in paths)
    return sorted(place.relative_to(root).as_posix() for place in places if not os.path.lexists(place))


def _files(root: Path, paths: Iterable[Path]) -> list[str]:
    """The files named or held by `paths`, relative to the root, with forward slashes, sorted.

    Hidden files in a folder are passed over: kb writes none, desktops and half-written files are hidden.
    """
    found: set[str] = set()
    for path in paths:
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow a link that is to be committed
        place = absolute.parent.resolve() / absolute.name
        if not place.is_relative_to(root):
            raise RepositoryError(f"{path} is outside the repository {root}: name a path in it")
        if place.is_dir() and not place.is_symlink():
            inside = [entry for entry in place.rglob("*") if entry.is_symlink() or entry.is_file()]
            visible = [
                entry for entry in inside if not any(part.startswith(".") for part in entry.relative_to(place).parts)
            ]
        elif os.path.lexists(place):
            visible = [place]
        else:
            raise RepositoryError(f"{path} does not exist: there is nothing to commit")
        found.update(entry.relative_to(root).as_posix() for entry in visible)
    return sorted(found)


def _folder(files: Sequence[str]) -> str:
    """The deepest folder that holds all files, relative to the root, as it can stand in a message."""
    return presentable(os.path.commonpath([str(Path(name).parent) for name in files]).replace(os.sep, "/"))


def _refuse_ignored(git: Git, listed: bytes) -> None:
    """Results that git ignores would be lost without a word.

    Raises:
        RepositoryError: naming the first ignored file and the rule that does it.
    """
    checked = git.run("check-ignore", "--verbose", "-z", "--stdin", stdin=listed, environment=_PLAIN_PATHS)
    if checked.code not in (0, 1):  # 1: nothing is ignored
        raise RepositoryError(f"git check-ignore failed in {git.root}: {checked.reason}")
    fields = checked.output.split(b"\0")[:-1]
    matches = zip(*[iter(os.fsdecode(field) for field in fields)] * 4, strict=True)
    for source, line, pattern, name in matches:
        if not pattern.startswith("!"):
            raise RepositoryError(
                presentable(
                    f"{name} is ignored by git (rule {pattern!r} in {source}, line {line}), so it is not committed"
                )
                + ": remove or narrow the rule; the files are kept"
            )


def _author(git: Git) -> dict[str, str]:
    """The author is whoever git is configured for, and kb where it is for nobody (git would guess from the host)."""
    known = git.run("-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT")
    return {} if known.ok else {"GIT_AUTHOR_NAME": NAME, "GIT_AUTHOR_EMAIL": EMAIL}


def _require(result: Result, git: Git, remedy: str) -> None:
    """Turn a failed `git add` or `git commit` into one line."""
    if result.locked:
        raise RepositoryBusy(
            f"another process holds a lock in {git.folder} ({result.reason}): "
            f"when no git is running, delete the lock file, then {remedy}"
        )
    if not result.ok:
        raise RepositoryError(f"git could not commit in {git.root} ({result.reason}): put that right, then {remedy}")
