"""How long a plan would take, from what its processes took before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from kb.measure.runs import aa_case
from kb.records.case import Case, Kind
from kb.records.run import RunInfo

if TYPE_CHECKING:
    import pandas as pd

#: For a process of which nothing is known, nor of its like: most took between three and thirty seconds.
GUESS_S = 10.0

#: What rows are looked up by, from the closest likeness to the loosest; the last is any process of that kind.
LIKENESS = (
    ("model", "runtime", "device", "batch", "kind"),
    ("model", "runtime", "kind"),
    ("runtime", "kind"),
    ("kind",),
)


@dataclass(frozen=True)
class Estimate:
    """Time that some cases would take, and what that is known from."""

    processes: int
    seconds: float
    guessed: int  #: processes of which nothing is known, nor of their like


@dataclass(frozen=True)
class History:
    """What processes took on one machine, or where it has no rows yet, on all."""

    medians: Mapping[tuple[str, ...], float]  #: seconds, by the values of each likeness
    overhead: float  #: wall clock of whole runs over the sum of their processes: exports, references, writing

    def seconds(self, case: Case, kind: Kind) -> float | None:
        """Of one process; None where nothing like it was ever run."""
        values = {**case.as_dict(), "kind": kind}
        keys = (tuple(str(values[name]) for name in names) for names in LIKENESS)
        return next((self.medians[key] for key in keys if key in self.medians), None)

    def estimate(self, cases: Sequence[Case], replicates: int, memory: bool, *, whole: bool = True) -> Estimate:
        """Of a plan, or (not `whole`) of a part of one, without the A/A case that a plan has."""
        twice = aa_case(cases) if whole else None
        jobs = [(case, Kind.LATENCY, replicates) for case in cases]
        jobs += [(twice, Kind.AA, replicates)] if twice else []
        jobs += [(case, Kind.MEMORY, 1) for case in cases] if memory else []
        times = [(self.seconds(case, kind), count) for case, kind, count in jobs]
        known = sum((GUESS_S if seconds is None else seconds) * count for seconds, count in times)
        return Estimate(
            processes=sum(count for _, count in times),
            seconds=known * self.overhead,
            guessed=sum(count for seconds, count in times if seconds is None),
        )


def history_of(benchmarks: "pd.DataFrame", runs: Iterable[RunInfo], machine: str) -> History:
    """What is known of process times, on this machine if it has any rows with them.

    Args:
        benchmarks: of all runs.
        machine: id.
    """
    timed = benchmarks.dropna(subset=["process_s"])
    infos = {info.run: info for info in runs}
    here = timed["run"].map(lambda run: infos[run].machine.id == machine).astype(bool)
    rows = timed[here] if here.any() else timed
    medians: dict[tuple[str, ...], float] = {}
    for names in LIKENESS:
        found: dict[Any, float] = rows.groupby(list(names), observed=True)["process_s"].median().to_dict()
        medians |= {_key(key): float(value) for key, value in found.items()}
    whole = rows.groupby("run", observed=True)["process_s"].sum().to_dict()
    return History(medians, _overhead(infos, {str(run): float(total) for run, total in whole.items()}))


def _key(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, tuple) else (str(values),)


def _overhead(infos: Mapping[str, RunInfo], processes_s: Mapping[str, float]) -> float:
    """Median over the finished runs; 1 where there is none. A run that was resumed later has a long pause in it."""
    ratios = [
        (info.ended - info.started).total_seconds() / processes_s[run]
        for run, info in infos.items()
        if info.ended is not None and processes_s.get(run)
    ]
    return max(1.0, median(ratios)) if ratios else 1.0
