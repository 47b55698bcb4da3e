"""What reproducers have shown so far: per note and environment the newest answer, in words, and what it contradicts."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from kb.problems.affects import Environment, affects
from kb.problems.conditions import Answer
from kb.problems.endings import CANNOT_RUN, GONE, REPRODUCES
from kb.problems.note import UNNUMBERED, Note, State
from kb.records.folder import RUNS_FOLDER
from kb.records.schema import REPRODUCERS

#: Outcomes that say something of the problem. A machine that cannot run a script does not outweigh one that can.
ANSWERS = (GONE, REPRODUCES)
CURRENT = "current"
OPEN = (State.OPEN, State.WORKAROUND)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """The newest that is known of one note in one environment."""

    note: str  #: as its rows are called, see `names_of`
    environment: str
    outcome: str
    day: date
    versions: Mapping[str, str]  #: of the packages that the note names
    reason: str = ""
    first: "Standing | None" = None  #: of a problem that is gone, the first time that it was

    @property
    def sentence(self) -> str:
        """`still reproduces with torch 2.13.0 (2026-11-22)`, `gone since ...`, `cannot run here: ...`."""
        if self.outcome == REPRODUCES:
            return f"still reproduces{self._with} ({self.day})"
        if self.outcome == GONE:
            first = self.first or self
            if self.environment != CURRENT:
                return f"gone{self._with} ({self.day})"
            still = "" if first.day == self.day else f", last seen so {self.day}{self._with}"
            return f"gone since {first.day}{first._with}{still}"
        if self.outcome == CANNOT_RUN:
            return f"cannot run here: {self.reason} ({self.day})"
        return f"unclear: {self.reason} ({self.day})"

    @property
    def _with(self) -> str:
        named = " and ".join(f"{name} {version}" for name, version in self.versions.items())
        return f" with {named}" if named else ""


@dataclass(frozen=True)
class Contradiction:
    """A note says one thing, and its reproducer another."""

    message: str
    shown: tuple[Standing, ...]  #: what contradicts it


def names_of(notes: Iterable[Note]) -> dict[Path, str]:
    """File -> what its rows are called by: the id, or the name of the file where that is not the note's alone."""
    notes = list(notes)
    used = Counter(note.id for note in notes)
    return {note.path: note.path.stem if note.id == UNNUMBERED or used[note.id] > 1 else note.id for note in notes}


def recorded(results: Path) -> list[dict[str, Any]]:
    """Every row of every `reproducers.csv`, as it is; none where nothing was ever verified.

    Raises:
        DamagedFile: a run with such a file is not as it was written.
    """
    folders = [path.parent for path in sorted(results.glob(f"{RUNS_FOLDER}/*/*/{REPRODUCERS.file_name}"))]
    if not folders:
        return []
    from kb.records.reading import read_run

    return [row for folder in folders for row in rows_of(read_run(folder).reproducers)]


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """The rows of `Results.reproducers`, None for an empty cell."""
    return [
        {name: None if value != value else value for name, value in row.items()} for row in frame.to_dict("records")
    ]


def latest(rows: Iterable[Row]) -> dict[str, tuple[Standing, ...]]:
    """Note -> its newest standing in each environment, `current` first.

    An answer outweighs what is none, whichever is newer; rows of an older script count only until the new one was run.
    """
    grouped: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: str(row["started"])):
        grouped[str(row["note"]), str(row["environment"])].append(row)
    found: defaultdict[str, list[Standing]] = defaultdict(list)
    for note, environment in sorted(grouped, key=lambda key: (key[0], key[1] != CURRENT, key[1])):
        found[note].append(_standing(grouped[note, environment]))
    return {note: tuple(standings) for note, standings in found.items()}


def contradiction(note: Note, standings: Sequence[Standing]) -> Contradiction | None:
    """What the newest answers contradict in a note, if anything: its status, or the versions that it names.

    - fixed, and it reproduces in versions that the note says are not affected;
    - open, and it is gone in every environment whose versions the note says are affected. What is installed now counts
      before environments of chosen versions, which may be old ones.
    """
    answers = [one for one in standings if one.outcome in ANSWERS]
    if note.status is State.FIXED:
        shown = [one for one in answers if one.outcome == REPRODUCES and in_range(note, one) is Answer.NO]
        if shown:
            return Contradiction(f"fixed, but it {shown[0].sentence}", tuple(shown))
    if note.status in OPEN:
        within = [one for one in answers if in_range(note, one) is not Answer.NO]
        decisive = [one for one in within if one.environment == CURRENT] or within
        if decisive and all(one.outcome == GONE for one in decisive):
            return Contradiction(f"{note.status}, but it is {decisive[0].sentence}", tuple(decisive))
    return None


def in_range(note: Note, standing: Standing) -> Answer:
    """Whether a note says of these versions that they are affected."""
    packages = {}
    for name, version in standing.versions.items():
        try:
            packages[name] = Version(version)
        except InvalidVersion:
            continue
    return affects(note, Environment(packages)).answer


def _standing(rows: Sequence[Row]) -> Standing:
    """Of rows of one note in one environment, the oldest first."""
    script = next((row["reproducer_hash"] for row in reversed(rows) if row["reproducer_hash"]), None)
    of_script = [row for row in rows if row["reproducer_hash"] == script] or list(rows)
    answers = [row for row in of_script if row["outcome"] in ANSWERS]
    newest = _of_row((answers or of_script)[-1])
    if newest.outcome != GONE:
        return newest
    first = answers[-1]
    for row in reversed(answers):
        if row["outcome"] != GONE:
            break
        first = row
    return _of_row(answers[-1], _of_row(first))


def _of_row(row: Row, first: Standing | None = None) -> Standing:
    return Standing(
        note=str(row["note"]),
        environment=str(row["environment"]),
        outcome=str(row["outcome"]),
        day=datetime.fromisoformat(str(row["started"])).date(),
        versions=json.loads(row["versions"] or "{}"),
        reason=str(row["reason"] or ""),
        first=first,
    )
