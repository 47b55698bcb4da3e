"""`kb problem assign-ids`: numbers for notes that have none, and new ones for those that came second to a number."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.problems.errors import ProblemError
from kb.problems.note import UNNUMBERED
from kb.problems.numbers import Elsewhere, Numbered, next_ids, numbered_elsewhere, numbered_here
from kb.problems.reading import note_files
from kb.records.atomic import sync_folder, write_whole

_NUMBER = re.compile(r"KB-[0-9]+-?", re.IGNORECASE)


@dataclass(frozen=True)
class Change:
    """One note that gets an id, a name, or both."""

    note: Numbered
    id: str
    target: Path
    why: str

    @property
    def sentence(self) -> str:
        name, target = self.note.path.name, self.target.name
        if self.id == self.note.id:
            return f"{name}: renamed to {target}, since {self.why}"
        return f"{name}: {self.note.id} -> {self.id}, as {target}, since {self.why}"


@dataclass(frozen=True)
class Assignment:
    """What has to change, and from how much of the repository that was found out."""

    changes: tuple[Change, ...]
    elsewhere: Elsewhere


def plan(folder: Path) -> Assignment:
    """What has to change in the notes of a folder.

    Raises:
        ProblemError: a file of the name that a note is to get is there already.
        kb.repository.RepositoryError: git failed, or is not there for a folder in a repository.
        OSError: a note cannot be read.
    """
    elsewhere = _elsewhere(folder)
    here = numbered_here(folder)
    same: defaultdict[str, list[Numbered]] = defaultdict(list)
    for note in here:
        same[note.id].append(note)
    fresh = next_ids(same.keys() | elsewhere.ids)
    changes = []
    for note in here:
        why = _why_new(note, same[note.id], elsewhere)
        number = next(fresh) if why else note.id
        target = note.path.with_name(f"{number}-{slug(note.path.stem)}.md")
        if why or not note.path.name.startswith(f"{note.id}-"):
            changes.append(Change(note, number, target, why or f"its id is {note.id}"))
    _refuse_to_overwrite(changes)
    return Assignment(tuple(changes), elsewhere)


def apply(changes: Sequence[Change]) -> None:
    """Write the ids, and rename the files. Nothing but the id changes in a file, and no half of one is ever there.

    The id is written first: a run that was cut off in between leaves a note with a number under its old name, which the
    next run renames.

    Raises:
        ProblemError: a file was changed or made by somebody else in the meantime. What was done until then stays.
        OSError: a file cannot be written.
    """
    for change in changes:
        note = change.note
        content = note.path.read_bytes()
        if content[note.start : note.end] != note.id.encode():
            raise ProblemError(f"{note.path} was changed while it got its number: run kb problem assign-ids again")
        if change.id != note.id:
            write_whole(note.path, content[: note.start] + change.id.encode() + content[note.end :])
        if change.target != note.path:
            _refuse_to_overwrite([change])
            note.path.rename(change.target)
            sync_folder(change.target.parent)


def still_naming(folder: Path, changes: Sequence[Change]) -> Iterator[tuple[str, str, int]]:
    """Notes that name an id which another gave up: file, the id, and the line. A person must say which is meant."""
    given_up = {change.note.id for change in changes if change.id != change.note.id} - {UNNUMBERED}
    for path in note_files(folder) if given_up else ():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), start=1):
            for old in sorted(given_up):
                if old in line and not line.startswith("id:"):
                    yield path.name, old, number


def report(folder: Path, assignment: Assignment, *, done: bool) -> Iterator[str]:
    """What was or would be changed, what a person has to look at, and how much was looked at, line by line."""
    changes = assignment.changes
    for change in changes:
        yield change.sentence if done else f"to do: {change.sentence}"
    for name, old, line in still_naming(folder, changes):
        yield f"{name}:{line}: names {old}, which another note gave up: check which one is meant"
    if not changes:
        yield "Every note has a number of its own."
    counted = assignment.elsewhere.branches
    what = f"{counted} {'branch' if counted == 1 else 'branches'} as last fetched" if counted else "no repository"
    yield f"Looked at the work tree and {what}."


def slug(stem: str) -> str:
    """A file name's own part: without a number, in lower case, with `-` for what cannot stand in a link."""
    words = re.sub(r"[^\w.-]+", "-", _NUMBER.sub("", stem, count=1) if _NUMBER.match(stem) else stem)
    return words.strip("-._").lower() or "note"


def _why_new(note: Numbered, same: Sequence[Numbered], elsewhere: Elsewhere) -> str:
    """Why a note cannot keep its id, which all in `same` have; empty where it can."""
    if note.id == UNNUMBERED:
        return "it had no number"
    kept = _kept(same, elsewhere)
    if note is not kept:
        where = f" on {elsewhere.main}" if _on_main(kept, elsewhere) else ""
        return f"{note.id} is {kept.path.name}{where}"
    others = elsewhere.on_main.get(note.id, frozenset()) - {note.path.name}
    # Where the main branch had the number before this branch left it, it is the same note under a new name.
    if others and not _on_main(note, elsewhere) and note.id not in elsewhere.at_base:
        return f"{note.id} is {min(others)} on {elsewhere.main}"
    return ""


def _kept(same: Sequence[Numbered], elsewhere: Elsewhere) -> Numbered:
    """Of notes with one id, the one that keeps it: others may have linked to what is on the main branch."""
    return next((note for note in same if _on_main(note, elsewhere)), same[0])


def _on_main(note: Numbered, elsewhere: Elsewhere) -> bool:
    return note.path.name in elsewhere.on_main.get(note.id, frozenset())


def _refuse_to_overwrite(changes: Sequence[Change]) -> None:
    for change in changes:
        if change.target != change.note.path and change.target.exists():
            raise ProblemError(
                f"{change.note.path.name} is to become {change.target.name}, which is there already: "
                "rename one of the two, and run kb problem assign-ids again"
            )


def _elsewhere(folder: Path) -> Elsewhere:
    """What other branches have. A folder in no repository has none; a repository that git cannot read is an error."""
    folder = folder.resolve()
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return Elsewhere()
    from kb.repository import Repository

    return numbered_elsewhere(Repository.find(folder), folder) if folder.is_dir() else Elsewhere()
