"""The whole log checked at once: every note by itself, and all of them against each other."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from kb.packages.families import normalised
from kb.problems import codes
from kb.problems.checks import CHECKS, ID, Matches, Surroundings
from kb.problems.complaint import Complaint, complaint
from kb.problems.known_packages import known_packages
from kb.problems.note import UNNUMBERED, Note
from kb.problems.outcomes import Standing, contradiction, names_of
from kb.problems.reading import note_files, read_notes

_ID_IN_NAME = re.compile(rf"({ID.pattern})-")


def lint(
    folder: Path,
    matches: Matches,
    *,
    packages: Iterable[str] = (),
    today: date,
    shown: Mapping[str, Sequence[Standing]] | None = None,
) -> tuple[Complaint, ...]:
    """Everything that is wrong in the notes of a folder, by file and line.

    Args:
        matches: whether a signature matches a text.
        packages: names that notes may use beside those that kb knows.
        shown: what reproducers showed, see `kb.problems.outcomes.latest`.

    Raises:
        OSError: the folder cannot be listed.
    """
    log = read_notes(folder)
    names = names_of(log.notes)

    def contradicted(note: Note) -> str:
        found = contradiction(note, (shown or {}).get(names[note.path], ()))
        return found.message if found else ""

    around = Surroundings(
        matches=matches,
        today=today,
        packages=known_packages() | {normalised(name) for name in packages} | _used_twice(log.notes),
        ids=frozenset(_ids(folder, log.notes)),
        files=frozenset(_plain_files(folder)),
        contradicted=contradicted,
    )
    found = [*log.complaints, *repeated_ids(log.notes)]
    for note in log.notes:
        found.extend(check(note, around))
    return tuple(sorted(set(found), key=lambda one: one.order))


def check(note: Note, around: Surroundings) -> Iterator[Complaint]:
    """What is wrong in one note that could be read."""
    for one in CHECKS:
        for where, code, message in one(note, around):
            yield complaint(note.path, line_of(note, where), code, message)


def line_of(note: Note, where: str) -> int:
    """The line of a field, or of what holds it."""
    while where and where not in note.lines:
        where = where.rpartition("." if where.rfind(".") > where.rfind("[") else "[")[0]
    return note.lines.get(where, 1)


def repeated_ids(notes: Sequence[Note]) -> Iterator[Complaint]:
    """Every note whose id an earlier one has."""
    first: dict[str, Note] = {}
    for note in notes:
        if note.id == UNNUMBERED:
            continue
        other = first.setdefault(note.id, note)
        if other is not note:
            message = f"{note.id} is the id of {other.path.name} already: kb problem assign-ids gives one a new number"
            yield complaint(note.path, line_of(note, "id"), codes.REPEATED_ID, message)


def _used_twice(notes: Sequence[Note]) -> set[str]:
    """Packages that more than one note names: hardly a slip of the pen."""
    used = Counter(
        package
        for note in notes
        for package in {normalised(part.package) for one in note.affected for part in one.ranges}
    )
    return {package for package, times in used.items() if times > 1}


def _ids(folder: Path, notes: Sequence[Note]) -> Iterator[str]:
    """The ids that exist: of the notes, and of files that say theirs in their name but cannot be read."""
    yield from (note.id for note in notes if note.id != UNNUMBERED)
    yield from (found[1] for path in note_files(folder) if (found := _ID_IN_NAME.match(path.name)))


def _plain_files(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        yield from (path.name for path in folder.iterdir() if path.is_file() and not path.is_symlink())
