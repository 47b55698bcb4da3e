"""The repository that kb works in: found once, then committed to and pushed."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from kb.repository.branches import FoundLine, branch_names, folders_of, lines_in, main_branch, merge_base
from kb.repository.commands import Git
from kb.repository.committing import commit_files
from kb.repository.outcomes import NO_GIT, Commit, PushOutcome, RepositoryError
from kb.repository.pushing import push_head

#: `--pathspec-from-file` came with it (January 2020).
OLDEST_GIT = (2, 25)


class Repository:
    """A git work tree. What kb did not write there stays as it is: staged, changed and untracked files."""

    def __init__(self, git: Git) -> None:
        self._git = git

    @classmethod
    def find(cls, start: Path) -> Self:
        """The repository that `start`, a folder, is in.

        Raises:
            RepositoryError: there is none, it has no work tree, git will not open it, or git is missing or too old.
        """
        try:
            import git
        except ImportError as error:  # what GitPython raises where there is no git to run
            raise RepositoryError(NO_GIT) from error
        try:
            repo = git.Repo(start, search_parent_directories=True, expand_vars=False)
        except git.NoSuchPathError as error:
            raise RepositoryError(f"{start} does not exist: name a folder in a git repository") from error
        except git.InvalidGitRepositoryError as error:
            raise RepositoryError(
                f"{start} is in no git repository: run git init there, or run with --no-commit"
            ) from error
        if repo.bare or repo.working_tree_dir is None:
            raise RepositoryError(f"the repository {repo.git_dir} is bare: work in a clone of it")
        folder = Path(repo.git_dir).resolve()
        commands = Git(repo, (folder / repo.working_tree_dir).resolve(), folder)
        commands.ask("rev-parse", "--git-dir")  # git itself may refuse: owned by somebody else, damaged, too new
        if repo.git.version_info[:2] < OLDEST_GIT:
            found = ".".join(map(str, repo.git.version_info))
            raise RepositoryError(f"git {found} is too old: install {'.'.join(map(str, OLDEST_GIT))} or newer")
        return cls(commands)

    @property
    def root(self) -> Path:
        """The folder of the work tree, links resolved."""
        return self._git.root

    def head(self) -> str | None:
        """The id of the commit that is checked out; None in a repository without commits."""
        return self._git.resolve("HEAD")

    def branches(self) -> list[str]:
        """Full names of all local and remote-tracking branches, as they were last fetched."""
        return branch_names(self._git)

    def main_branch(self) -> str | None:
        """Full name of the branch that others start from: the remote's default, or `main`; None where there is none."""
        return main_branch(self._git)

    def merge_base(self, first: str, second: str) -> str | None:
        """The commit that two revisions both come from; None where there is none."""
        return merge_base(self._git, first, second)

    def folders_at(self, revisions: Sequence[str], folder: Path) -> dict[str, str]:
        """Revision -> id of a folder, relative to the root, as it has it; those without the folder are left out.

        Raises:
            RepositoryError: git failed.
        """
        return folders_of(self._git, revisions, folder.as_posix())

    def lines_in(self, tree: str, pattern: str) -> list[FoundLine]:
        """Lines that match an extended regular expression, in the files of a folder that `folders_at` gave.

        Raises:
            RepositoryError: git failed.
        """
        return list(lines_in(self._git, tree, pattern))

    def commit(self, paths: Iterable[Path], message: str, removed: Iterable[Path] = ()) -> Commit | None:
        """Commit the files at `paths` (files or folders) and nothing else; None where git has them already.

        `removed` are files that kb itself took away: they are committed as deleted.

        The index keeps what is staged, the work tree is not touched, no hook runs, nothing is signed. The author is
        the configured identity, if there is one; the committer is kb.

        Raises:
            RepositoryError: a path is missing, outside the repository or ignored, or git failed.
            RepositoryBusy: a merge, rebase or the like is in progress, or a lock stays held.
        """
        return commit_files(self._git, paths, message, removed)

    def push(self, remote: str = "origin", branch: str | None = None, derived: Iterable[Path] = ()) -> PushOutcome:
        """Push HEAD. Where others pushed first, put the local commits on top of theirs and try again.

        `branch` is the remote's; without it, the one that HEAD's branch follows, or the remote's default branch on a
        detached HEAD. After a rebase the local branch follows, if no staged or changed file is in the way.

        `derived` are folders of what kb can write anew from its source: where both sides changed a file there, the
        remote's stays.

        Raises:
            RepositoryError: git failed in this repository. What the remote says is in the outcome instead.
        """
        places = (folder.parent.resolve() / folder.name for folder in derived)
        return push_head(self._git, remote, branch, [place.relative_to(self.root).as_posix() for place in places])
