"""The run of the practices: every arm in a fresh process, its rows on disk before the next one starts."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, Self

from kb.config import Settings
from kb.machine.conditions import Watch
from kb.measure.arms import compare
from kb.measure.crew import Crew
from kb.measure.preparation import Mishap, mishap
from kb.measure.provenance import practice_hash
from kb.measure.quality import Row, judge_run, median_conditions
from kb.measure.runs import ResumeError, begin
from kb.practices.catalogue import load_practice
from kb.practices.interface import Practice
from kb.practices.plan import Trial, Turn, schedule
from kb.records.folder import RunFolder
from kb.records.run import Machine, Noise, RunInfo
from kb.records.schema import PRACTICES
from kb.records.statuses import EXPECTED, Status
from kb.workers.process import sweep

#: An arm that failed in this many processes is not tried again in this run.
GIVE_UP_AFTER = 2


class Progress(Protocol):
    """What the run reports."""

    def running(self, turn: Turn, number: int, of: int) -> None:
        """A worker process starts; `number` counts from 1."""
        ...

    def finished(self, turn: Turn, row: Row, seconds: float) -> None:
        """Its rows are on disk; `row` is the first of them."""
        ...


@dataclass(frozen=True)
class Measuring:
    """One run on one machine: what it works with."""

    crew: Crew
    targets: Mapping[str, str]  #: practice -> module:Class
    progress: Progress

    @classmethod
    def from_settings(cls, settings: Settings, targets: Mapping[str, str], progress: Progress) -> Self:
        return cls(Crew(settings.root, settings.timeout_s, settings.memory_limit_mib, settings.pin), targets, progress)

    def execute(self, folder: RunFolder) -> RunInfo:
        """Do what is missing of a run, and finish it."""
        sweep()
        practices = {name: load_practice(target) for name, target in self.targets.items()}
        turns = turns_of(folder.info, practices)
        present = folder.rows(PRACTICES)
        _refuse_another_series(present, practices)
        done = {_key_of(row) for row in present}
        absent = unsupported(present)
        failures: dict[Trial, list[str]] = {}
        for position, turn in enumerate(turns):
            if _key(turn) in done or turn.trial in absent:
                continue
            self.progress.running(turn, position + 1, len(turns))
            start = time.perf_counter()
            rows = self._rows(turn, position, practices[turn.trial.practice], failures.setdefault(turn.trial, []))
            folder.extend(PRACTICES, rows)
            absent |= unsupported(rows)
            self.progress.finished(turn, rows[0], time.perf_counter() - start)
        return folder.finish(**conclude(folder.info, folder.rows(PRACTICES), practices))

    def _rows(self, turn: Turn, position: int, practice: Practice, failures: list[str]) -> list[dict[str, Any]]:
        """The rows of one process: one per figure, or one that says why there is none."""
        common = {
            **dict.fromkeys(PRACTICES.names[1:-1]),
            **turn.trial.columns,
            "kind": turn.kind,
            "replicate": turn.replicate,
            "position": position,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "practice_hash": practice_hash(type(practice).__module__),
        }
        refused = practice.refuse(turn.trial.arm)
        if refused is not None:
            return [{**common, **_told(practice, Mishap(Status.UNSUPPORTED, "plan", refused))}]
        if len(failures) >= GIVE_UP_AFTER:
            reason = f"failed {len(failures)} times before; last {failures[-1]}"
            return [{**common, **_told(practice, Mishap(Status.NOT_RUN, "schedule", reason))}]
        readings, conditions, trouble = self._work(turn)
        if trouble is not None:
            if trouble.status not in EXPECTED:
                failures.append(f"{trouble.status}: {trouble.reason}")
            return [{**common, **conditions, **_told(practice, trouble)}]
        return [{**common, **conditions, **_columns(reading)} for reading in readings]

    def _work(self, turn: Turn) -> tuple[list[dict[str, Any]], dict[str, Any], Mishap | None]:
        """One worker: its readings, the conditions meanwhile, and what went wrong."""
        arm = turn.trial.arm
        payload = {"practice": self.targets[turn.trial.practice], "arm": arm.as_dict()}
        watch = Watch.start()
        outcome = self.crew.run("kb.practices.worker:execute", payload, threads=arm.threads, device=arm.device)
        seen = watch.stop(outcome.cpu_s)
        conditions = {
            "process_s": outcome.seconds,
            "load_1m": seen.load_1m,
            "foreign_cpu_cores": seen.foreign_cpu_cores,
            "steal_pct": seen.steal_pct,
            "throttle_events": seen.throttle_events,
        }
        if outcome.failure is not None:
            return [], conditions, mishap(outcome.failure)
        readings = outcome.result["readings"]
        if not readings:
            return [], conditions, Mishap(Status.RUN_FAILED, "measure", "the practice gave no figure")
        return readings, conditions, None


def new_run(
    settings: Settings, planned: Sequence[Trial], replicates: int, machine: Machine, *, command: str, commit: str | None
) -> RunFolder:
    """Make the folder of a new run of practices.

    Args:
        replicates: processes per arm at most; a practice may ask for fewer.
    """
    arms = tuple(trial.as_dict() for trial in planned)
    return begin(
        settings, machine, command=command, commit=commit, profile="practices", replicates=replicates, arms=arms
    )


def unsupported(rows: Sequence[Row]) -> set[Trial]:
    """Arms that have no place on this machine, as a process of theirs found out: asking again would cost its time."""
    statuses: dict[tuple[Trial, str, int], set[object]] = {}
    for row in rows:
        statuses.setdefault(_key_of(row), set()).add(row["status"])
    return {trial for (trial, _, _), found in statuses.items() if found == {Status.UNSUPPORTED}}


def _refuse_another_series(rows: Sequence[Row], practices: Mapping[str, Practice]) -> None:
    """Refuse to go on with a run whose practices are gone, or are not those of the rows that are there.

    Raises:
        ResumeError: they differ.
    """
    for row in rows:
        name = str(row["practice"])
        if name not in practices:
            raise ResumeError(f"there is no practice {name!r} any more; start a new run")
        now = practice_hash(type(practices[name]).__module__)
        if row["practice_hash"] != now:
            raise ResumeError(f"practice {name!r} has rows of {row['practice_hash']}, now it is {now}; start a new run")


def turns_of(info: RunInfo, practices: Mapping[str, Practice]) -> tuple[Turn, ...]:
    """The schedule of a run, the same each time. An arm that is refused has one turn: the row that says why."""
    every = [Trial.from_dict(values) for values in info.arms]
    counts = {
        trial: 1
        if practices[trial.practice].refuse(trial.arm)
        else min(practices[trial.practice].replicates, info.replicates)
        for trial in every
    }
    return schedule(counts, info.seed, aa_trial(every, practices))


def aa_trial(every: Sequence[Trial], practices: Mapping[str, Practice]) -> Trial | None:
    """The arm that a run measures twice: the first baseline on the CPU that is not refused."""
    candidates = (
        trial
        for trial in every
        if trial.arm.device == "cpu"
        and practices[trial.practice].baseline(trial.arm) is None
        and practices[trial.practice].refuse(trial.arm) is None
    )
    return next(candidates, None)


def conclude(info: RunInfo, rows: Sequence[Row], practices: Mapping[str, Practice]) -> dict[str, Any]:
    """What run.json says at the end: noise, conditions, validity with reasons."""
    noise = aa_noise(rows, practices)
    conditions = median_conditions(rows)
    ok_rows = sum(row["status"] == Status.OK for row in rows)
    # Arms on all cores take them from nobody; only what others did counts, as if one core were left to them.
    validity, reasons = judge_run(noise, conditions, info.machine.usable_cores, 1, ok_rows)
    return {"noise": noise, "conditions": conditions, "validity": validity, "reasons": reasons}


def aa_noise(rows: Sequence[Row], practices: Mapping[str, Practice]) -> Noise | None:
    """The A/A check of a run: the main figure of one arm against its second process, round by round."""
    second = [row for row in rows if row["kind"] == "aa"]
    if not second:
        return None
    trial = _trial(second[0])
    main = practices[trial.practice].measures[0].key
    first = [row for row in rows if row["kind"] == "arm" and _trial(row) == trial]
    rounds = sorted({int(row["replicate"] or 0) for row in second})
    once, again = (_by_round(part, main, rounds) for part in (first, second))
    return Noise(case=trial.id, **asdict(compare(once, again)))


def _by_round(rows: Sequence[Row], measure: str, rounds: Sequence[int]) -> list[float | None]:
    found = {
        int(row["replicate"] or 0): float(row["value"] or 0)
        for row in rows
        if row["measure"] == measure and row["status"] == Status.OK
    }
    return [found.get(number) for number in rounds]


def _told(practice: Practice, trouble: Mishap) -> dict[str, Any]:
    """The columns of a process without figures; the row stands for the figure that carries the verdict."""
    return {
        "measure": practice.measures[0].key,
        "status": trouble.status,
        "stage": trouble.stage,
        "reason": trouble.reason,
    }


def _columns(reading: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of one figure; where it failed, its own reason."""
    ok = reading["status"] == Status.OK
    return {
        "measure": reading["measure"],
        "status": reading["status"],
        "value": reading["value"] if ok else None,
        "stage": None if ok else "measure",
        "reason": None if ok else reading["reason"],
    }


def _trial(row: Row) -> Trial:
    columns = {name: row[name] for name in ("practice", "subject", "device")}
    return Trial.from_dict({**columns, "name": row["arm"], "threads": int(row["threads"] or 0)})


def _key(turn: Turn) -> tuple[Trial, str, int]:
    return turn.trial, turn.kind, turn.replicate


def _key_of(row: Row) -> tuple[Trial, str, int]:
    return _trial(row), str(row["kind"]), int(row["replicate"] or 0)
