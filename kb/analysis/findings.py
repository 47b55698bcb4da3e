"""What the pages say first: the entries to show, what is slower than eager, how each runtime does over all cells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.analysis.cells import Cell, cells_of
from kb.analysis.selection import CASE_COLUMNS, speaking
from kb.analysis.speed import BASELINES, Entry, Speed, entries_of, geometric_mean
from kb.measure.arms import Verdict
from kb.records.case import Case
from kb.records.run import RunInfo
from kb.records.statuses import Status

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, order=True)
class Place:
    """Where a runtime is compared with others: one row of the heat map."""

    model: str
    device: str
    batch: int
    threads: int


@dataclass(frozen=True, order=True)
class Arm:
    """What is compared there: one column of the heat map."""

    runtime: str
    precision: str
    environment: str


@dataclass(frozen=True)
class Standing:
    """How one arm does on one machine, over the places of a headline."""

    arm: Arm
    mean: float | None  #: geometric mean of the speeds against the common baseline
    low: float | None  #: the same of their lower bounds: no further off even if all err alike
    high: float | None
    n: int  #: places with a speed
    of: int  #: places measured on the machine
    verdicts: Mapping[Verdict, int]
    failed: int  #: places where it has no latency
    best: Entry | None
    worst: Entry | None

    @property
    def is_baseline(self) -> bool:
        """Nothing to compare with: it is what the others are compared with."""
        return self.n == 0 and self.arm.runtime in BASELINES and self.failed == 0


def place_of(case: Case) -> Place:
    return Place(case.model, case.device, case.batch, case.threads)


def arm_of(case: Case) -> Arm:
    return Arm(case.runtime, case.precision, case.environment)


def shown_entries(benchmarks: "pd.DataFrame", runs: Mapping[str, RunInfo]) -> tuple[Entry, ...]:
    """The entries that the pages show: per machine and case the newest VALID one, and a newer one that is not VALID."""
    chosen = speaking(benchmarks, runs)
    rows = benchmarks[benchmarks["run"].isin(list(chosen))] if chosen else benchmarks.iloc[:0]
    entries = entries_of(cells_of(rows, {run: runs[run] for run in chosen}))
    return tuple(entry for entry in entries if _key(entry.cell) in chosen[entry.cell.run])


def speaking_first(entries: Iterable[Entry]) -> dict[tuple[str, Case], Entry]:
    """(machine, case) -> the entry that counts: the VALID one where there is one."""
    kept: dict[tuple[str, Case], Entry] = {}
    for entry in entries:
        key = (entry.cell.machine, entry.cell.case)
        if key not in kept or entry.cell.valid:
            kept[key] = entry
    return kept


def slower_than_eager(entries: Iterable[Entry]) -> tuple[tuple[Entry, Speed], ...]:
    """Entries that are slower than eager execution, the worst first. Only verdicts of VALID runs count."""
    found = [(entry, speed) for entry in entries if (speed := entry.slower_than_eager) is not None]
    return tuple(sorted(found, key=lambda pair: (pair[1].ratio or 0.0, pair[0].cell.case)))


def standings(entries: Sequence[Entry]) -> tuple[Standing, ...]:
    """How the arms of one machine do, the fastest first. Of entries of runs that are not VALID only failures count."""
    counted = tuple(speaking_first(entries).values())
    places = {place_of(entry.cell.case) for entry in counted}
    arms: dict[Arm, list[Entry]] = {}
    for entry in counted:
        arms.setdefault(arm_of(entry.cell.case), []).append(entry)
    found = [_standing(arm, members, len(places)) for arm, members in arms.items()]
    return tuple(sorted(found, key=lambda s: (-(s.mean or 0.0), s.arm)))


def _standing(arm: Arm, members: Sequence[Entry], places: int) -> Standing:
    judged = [entry for entry in members if entry.cell.valid and entry.speed is not None and entry.speed.ratio]
    mean, n = geometric_mean(entry.speed.ratio for entry in judged if entry.speed)
    ranked = sorted(judged, key=lambda entry: entry.speed.ratio or 0.0 if entry.speed else 0.0)
    verdicts = {
        verdict: sum(entry.speed is not None and entry.speed.verdict is verdict for entry in judged)
        for verdict in Verdict
    }
    return Standing(
        arm=arm,
        mean=mean,
        low=geometric_mean(entry.speed.low for entry in judged if entry.speed)[0],
        high=geometric_mean(entry.speed.high for entry in judged if entry.speed)[0],
        n=n,
        of=places,
        verdicts=verdicts,
        failed=sum(entry.cell.status is not Status.OK for entry in members),
        best=ranked[-1] if ranked else None,
        worst=ranked[0] if ranked else None,
    )


def _key(cell: Cell) -> tuple[object, ...]:
    return tuple(getattr(cell.case, column) for column in CASE_COLUMNS)
