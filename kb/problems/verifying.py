"""`kb problem verify`: run the reproducers of notes, here and in environments of other versions, a row for each."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from kb.caches import cache_folder
from kb.complaints import nearest
from kb.config import Settings
from kb.measure.runs import begin
from kb.problems.arms import Arm, requirements_of, versions_of
from kb.problems.checks import Matches
from kb.problems.endings import CANNOT_RUN, Judged, judge, without_paths
from kb.problems.errors import ProblemError
from kb.problems.note import UNNUMBERED, Note, State
from kb.problems.outcomes import CURRENT, names_of
from kb.problems.surroundings import installed
from kb.records.damage import printable, quoted
from kb.records.fingerprints import file_hash, source_hash
from kb.records.folder import RunFolder
from kb.records.run import Machine, RunInfo, Validity
from kb.records.schema import REPRODUCERS
from kb.records.statuses import Status
from kb.workers.environments import CannotBuild, Tool, environment_of, prune, tool
from kb.workers.process import sweep
from kb.workers.script import Bounds, run_script

#: A reproducer shows one thing; the slowest exports or compiles a small model.
TIMEOUT_S = 300.0
#: Of the end of the output that is kept.
TAIL_CHARS = 4_000
#: The part of the cache that holds environments for versions that are not installed.
ENVIRONMENTS = "environments"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where a reproducer runs."""

    name: str
    python: Path
    versions: Mapping[str, str]  #: distribution -> version


@dataclass(frozen=True)
class Verifying:
    """One run of reproducers: what it works with."""

    matches: Matches
    bounds: Bounds
    say: Say
    names: Mapping[Path, str]  #: file of a note -> what its rows are called by, see `names_of`
    resolver: Callable[[], Tool] = tool
    cache: Path = field(default_factory=lambda: cache_folder(ENVIRONMENTS))

    def execute(self, folder: RunFolder, notes: Sequence[Note], arms: Sequence[Arm], *, asked: bool) -> RunInfo:
        """Run every note in every environment that it is for, and finish the run.

        Args:
            asked: the notes were named one by one, and run in every environment.
        """
        sweep()
        environments = dict(folder.info.environments)
        for note in notes:
            for arm in _arms_for(note, arms, asked):
                row = {**dict.fromkeys(REPRODUCERS.names[1:-1]), "note": self.names[note.path], **self._row(note, arm)}
                versions = json.loads(row["versions"] or "{}")
                environments.setdefault(str(row["environment"]), {}).update(versions)
                folder.append(REPRODUCERS, row)
                said = f": {row['reason']}" if row["reason"] else ""
                self.say(f"{row['note']} in {row['environment']}: {row['outcome']}{said}")
        rows = folder.rows(REPRODUCERS)
        answered = any(row["status"] == Status.OK for row in rows)
        return folder.finish(
            validity=Validity.VALID if answered else Validity.INVALID,
            reasons=() if answered else ("no reproducer gave an answer",),
            environments=environments,
        )

    def _row(self, note: Note, arm: Arm | None) -> dict[str, Any]:
        """The columns of one note in one environment."""
        common: dict[str, Any] = {
            "environment": arm.name if arm else CURRENT,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        script = script_of(note)
        if isinstance(script, str):
            return {**common, **_columns(Judged(CANNOT_RUN, Status.NOT_RUN, "plan", script))}
        common["reproducer_hash"] = hash_of(script)
        try:
            place = self._place(note, script, arm)
        except CannotBuild as error:
            judged = Judged(CANNOT_RUN, Status.ENVIRONMENT_FAILED, "environment", printable(str(error)))
            return {**common, **_columns(judged)}
        ending = run_script(script, place.python, self.bounds)
        output = without_paths(ending.output, place.python.parents[1])
        return {
            **common,
            **_columns(judge(note, ending, output, self.matches)),
            "versions": json.dumps(versions_of(note, place.versions), separators=(",", ":")),
            "process_s": ending.seconds,
            "output_tail": output.strip()[-TAIL_CHARS:],
        }

    def _place(self, note: Note, script: Path, arm: Arm | None) -> Place:
        here = installed()
        if arm is None:
            return Place(CURRENT, Path(sys.executable), here)
        found = environment_of(requirements_of(note, script, arm, here), self.resolver(), self.cache)
        return Place(arm.name, found.python, found.versions)


def verify(
    settings: Settings,
    log: Sequence[Note],
    ids: Sequence[str],
    arms: Sequence[Arm],
    matches: Matches,
    machine: Machine,
    *,
    commit: str | None,
    say: Say,
) -> tuple[RunInfo, Path] | None:
    """Run the reproducers of notes into a new run folder.

    Args:
        log: all notes.
        ids: of those to run; without any, all that have a reproducer.
        arms: environments; without any, what is installed here.
        say: takes a line per row.

    Returns:
        run.json as it is at the end, and the run's folder; None where there is no reproducer to run.

    Raises:
        ProblemError: there is no such note, or it has no reproducer.
        OSError: the results or the cache cannot be written.
    """
    notes = chosen(log, ids)
    if not ids and arms:
        notes = [note for note in notes if any(arm.is_about(note) for arm in arms)]
    if not notes:
        return None
    bounds = Bounds(min(settings.timeout_s, TIMEOUT_S), settings.memory_limit_mib)
    if arms:
        prune(cache_folder(ENVIRONMENTS))
    with begin(settings, machine, command="verify", commit=commit, profile="reproducers", replicates=1) as folder:
        return Verifying(matches, bounds, say, names_of(log)).execute(folder, notes, arms, asked=bool(ids)), folder.path


def chosen(notes: Sequence[Note], ids: Sequence[str]) -> list[Note]:
    """The notes to verify: those that were asked for, or all that have a reproducer and are not withdrawn.

    Raises:
        ProblemError: there is no such note, or it has no reproducer.
    """
    if not ids:
        return [note for note in notes if note.reproducer and note.status is not State.WITHDRAWN]
    found = [find(notes, wanted) for wanted in dict.fromkeys(ids)]
    for note in found:
        if not note.reproducer:
            raise ProblemError(f"{note.path.name} names no reproducer: write a script beside it, and name it there")
    return found


def find(notes: Sequence[Note], wanted: str) -> Note:
    """The note of an id, or of a file name, with or without its folder and ending.

    Raises:
        ProblemError: there is none, or more than one.
    """
    stem = PurePosixPath(wanted).name.removesuffix(".md")
    found = [note for note in notes if wanted == note.id != UNNUMBERED or stem == note.path.stem]
    if not found:
        raise ProblemError(f"there is no note {quoted(wanted)}; {nearest(wanted, names_of(notes).values())}")
    if len(found) > 1:
        raise ProblemError(f"{wanted} is the id of several notes: run kb problem assign-ids, or name the file")
    return found[0]


def script_of(note: Note) -> Path | str:
    """The script beside a note, or why there is none to run."""
    name = note.reproducer
    path = note.path.with_name(PurePosixPath(name).name)
    if PurePosixPath(name).name != name or "\\" in name or path.is_symlink() or not path.is_file():
        return f"{quoted(name)} is no script beside the note: see kb problem lint"
    return path if path.suffix == ".py" else f"{quoted(name)} is no Python script: its name must end in .py"


def hash_of(script: Path) -> str:
    """Hash of what a script means; of its bytes where it is not Python."""
    try:
        return source_hash(script)
    except (SyntaxError, ValueError):
        return file_hash(script)


def _arms_for(note: Note, arms: Sequence[Arm], asked: bool) -> Sequence[Arm | None]:
    """The environments that a note is for; None is what is installed here."""
    return [arm for arm in arms if asked or arm.is_about(note)] if arms else [None]


def _columns(judged: Judged) -> dict[str, Any]:
    return {
        "outcome": judged.outcome,
        "status": judged.status,
        "stage": judged.stage or None,
        "reason": judged.reason or None,
    }
