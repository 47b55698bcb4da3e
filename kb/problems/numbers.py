"""Which numbers notes have: in the work tree, on every branch that was fetched, and on the main branch."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kb.problems.reading import MAX_BYTES, NOT_NOTES, note_files

if TYPE_CHECKING:
    from kb.repository import Repository

#: An id line as it may be written. Found by its bytes, so that a note with a mistake elsewhere keeps its number.
_ID_LINE = re.compile(rb"^id:[ \t]*([\"']?)(KB-[0-9]{4,6})\1[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)
_FRONT_MATTER = re.compile(rb"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n.*?^---[ \t]*\r?$", re.MULTILINE | re.DOTALL)
#: The same line for `git grep`.
_ID_PATTERN = "^id:[[:space:]]*[\"']?KB-[0-9]+"


@dataclass(frozen=True)
class Numbered:
    """A note's file, its id, and where in its bytes that stands."""

    path: Path
    id: str
    start: int
    end: int


@dataclass(frozen=True)
class Elsewhere:
    """What is known of other branches. Without a repository: nothing."""

    ids: frozenset[str] = frozenset()  #: on any branch
    branches: int = 0  #: how many were read
    main: str = ""  #: the short name of the main branch
    on_main: Mapping[str, frozenset[str]] = field(default_factory=dict)  #: id -> names of the files that have it
    at_base: frozenset[str] = frozenset()  #: where this branch left the main one


def numbered_here(folder: Path) -> list[Numbered]:
    """The notes of the work tree that have an id, in the order of their names; raises OSError."""
    return [found for path in note_files(folder) if (found := _numbered(path)) is not None]


def numbered_elsewhere(repository: "Repository", folder: Path) -> Elsewhere:
    """The notes of all branches.

    Args:
        folder: of the notes, in the repository's work tree.

    Raises:
        kb.repository.RepositoryError: git failed.
    """
    branches = repository.branches()
    main = repository.main_branch()
    base = repository.merge_base("HEAD", main) if main and repository.head() else None
    revisions = [*branches, *filter(None, (main, base))]
    trees = repository.folders_at(revisions, folder.resolve().relative_to(repository.root))
    by_tree = {tree: _ids(repository, tree) for tree in set(trees.values())}  # most branches share their notes
    at = {revision: by_tree[tree] for revision, tree in trees.items()}
    return Elsewhere(
        ids=frozenset(number for ids in by_tree.values() for number in ids),
        branches=len(branches),
        main=re.sub(r"^refs/(heads|remotes)/", "", main or ""),
        on_main=at.get(main or "", {}),
        at_base=frozenset(at.get(base or "", {})),
    )


def number_of(note_id: str) -> int:
    """`12` of `KB-0012`."""
    return int(note_id.removeprefix("KB-"))


def next_ids(taken: Iterable[str]) -> Iterator[str]:
    """Ids above all that are taken. A gap stays one: somebody may remember what the number was."""
    number = max((number_of(one) for one in taken), default=0)
    while True:
        number += 1
        yield f"KB-{number:04}"


def _numbered(path: Path) -> Numbered | None:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES:
        return None
    front = _FRONT_MATTER.search(path.read_bytes())
    found = _ID_LINE.search(front[0]) if front else None
    return Numbered(path, found[2].decode(), *found.span(2)) if found else None


def _ids(repository: "Repository", tree: str) -> dict[str, frozenset[str]]:
    """Id -> names of the notes in a folder that have it. The first line counts: a later one is in the note's text."""
    first: dict[str, str] = {}
    for line in repository.lines_in(tree, _ID_PATTERN):
        if line.name.endswith(".md") and "/" not in line.name and line.name not in NOT_NOTES:
            found = _ID_LINE.match(line.text.encode())
            first.setdefault(line.name, found[2].decode() if found else "")
    names: dict[str, set[str]] = {}
    for name, number in first.items():
        names.setdefault(number, set()).add(name)
    return {number: frozenset(having) for number, having in names.items() if number}
