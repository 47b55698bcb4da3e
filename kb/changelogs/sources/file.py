"""A changelog on this disk: one file or several, as they are now or as they are at a commit of their repository."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from kb.changelogs.sources.interface import MAX_BYTES, Document, Fetched, SourceUnreachable, decoded

if TYPE_CHECKING:
    import git

_LINK = 0o120000  #: file mode of a symbolic link in git


@dataclass(frozen=True)
class LocalFiles:
    """The file at a path, or all files whose names match its last part, e.g. `release/*-notes.rst`."""

    path: Path
    ref: str = ""  #: commit, branch or tag to read from; empty: the files as they are
    page: str = ""  #: where a person reads it

    def fetch(self) -> Fetched:
        """One document per file, in the order of the names.

        Raises:
            SourceUnreachable: there is no such file, commit or repository, or a file is no text.
        """
        now = datetime.now(UTC)
        found = sorted(self._at_ref() if self.ref else self._on_disk())
        if not found:
            raise SourceUnreachable(f"{self._what}: there is no such file")
        texts = (decoded(content, name) for name, content in found)
        return Fetched(tuple(Document(text, self.page, now) for text in texts))

    @property
    def _what(self) -> str:
        return f"{self.path} at {self.ref}" if self.ref else str(self.path)

    def _on_disk(self) -> Iterator[tuple[str, bytes]]:
        try:
            for path in self.path.parent.iterdir():
                if fnmatchcase(path.name, self.path.name) and path.is_file():
                    with path.open("rb") as file:
                        yield str(path), file.read(MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise SourceUnreachable(f"{self._what} cannot be read: {error.strerror}") from None

    def _at_ref(self) -> Iterator[tuple[str, bytes]]:
        """The files in the tree of the commit; the work tree and the index are not touched."""
        try:
            import git
        except ImportError:  # what GitPython raises where there is no git to run
            raise SourceUnreachable(f"{self._what}: git is not installed or not on PATH") from None
        try:
            yield from self._blobs(git.Repo(self._nearest(), search_parent_directories=True, expand_vars=False))
        except (git.InvalidGitRepositoryError, git.NoSuchPathError):
            raise SourceUnreachable(f"{self._what}: there is no git repository around it") from None
        except (git.GitError, git.exc.ODBError, ValueError, OSError) as error:
            reason = str(error).partition("\n")[0][:200]
            raise SourceUnreachable(f"{self._what} cannot be read from git ({reason})") from None

    def _nearest(self) -> Path:
        """The nearest folder that is there: at the commit there may be folders that are gone."""
        return next(folder for folder in self.path.parents if folder.is_dir())

    def _blobs(self, repo: "git.Repo") -> Iterator[tuple[str, bytes]]:
        with repo:
            root = Path(repo.working_tree_dir or repo.git_dir).resolve()
            folder = self.path.parent.resolve().relative_to(root)
            tree = repo.commit(self.ref).tree
            for part in folder.parts:
                below = {str(each.name): each for each in tree.trees}
                if part not in below:
                    return
                tree = below[part]
            for blob in tree.blobs:
                if fnmatchcase(str(blob.name), self.path.name) and blob.mode != _LINK:
                    name = f"{self.path.with_name(str(blob.name))} at {self.ref}"
                    yield name, blob.data_stream.read(MAX_BYTES + 1)
