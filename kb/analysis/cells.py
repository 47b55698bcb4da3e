"""The figures of one cell of one run: what its replicates say together, and what became of those that failed."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kb.analysis.selection import CASE_COLUMNS
from kb.measure.arms import compare
from kb.records.case import Case, Kind
from kb.records.run import RunInfo, Validity
from kb.records.statuses import Status

if TYPE_CHECKING:
    import pandas as pd

#: One replicate with wrong answers withdraws the speed of the whole cell: speed counts only with right answers.
WITHDRAWING = frozenset({Status.WRONG_OUTPUT, Status.NOT_FINITE, Status.SHAPE_FAILED, Status.ACCURACY_FAILED})

#: Stages of a process from its start to its first answer, in order; `convert` happens once per run, not per process.
PROCESS_STAGES = ("import_s", "build_s", "load_s", "first_call_s")
STAGES = ("import_s", "build_s", "convert_s", "load_s", "first_call_s")

#: Stands for a replicate whose timing varied too much to be used (quality column).
UNTRUSTED = "untrusted"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """One quantity over the replicates that have it: median, extremes, quartiles (inclusive method), their number.

    `interval` holds the bounds of the geometric mean at the confidence of `kb.measure.arms`; None for one replicate, or
    where a value is zero. The extremes of two processes that happen to agree are no interval; this one is.
    """

    median: float
    low: float
    high: float
    q1: float
    q3: float
    n: int
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of some of the processes of a cell: those of one kind that ended alike."""

    kind: Kind
    status: Status
    stage: str
    reason: str
    replicates: int


@dataclass(frozen=True)
class Memory:
    """Peak resident memory, MiB: of the process, of one that only imports the framework, and the difference."""

    peak: Figure
    baseline: Figure | None
    net: Figure | None


@dataclass(frozen=True)
class Cell:
    """One case of one run, summed up. Times are in the units of the columns that they come from."""

    case: Case
    run: str
    machine: str
    valid: bool  #: the run is VALID; verdicts are drawn from no other
    planned: int  #: replicates that the run planned
    outcomes: tuple[Outcome, ...]
    times: Mapping[int, float | None]  #: round -> latency_p50_ms; None where the replicate failed or is untrusted
    figures: Mapping[str, Figure]  #: column -> figure, for the columns that any good replicate has
    start: Figure | None  #: seconds from the start of a process to its first answer: the sum of PROCESS_STAGES
    memory: Memory | None
    quality: Mapping[str, int]  #: good, noisy, untrusted -> replicates
    facts: Mapping[str, Any]  #: tolerance, reference, hashes, threads_reported: the same in every replicate

    @property
    def latency(self) -> Figure | None:
        """Median latency of a call, ms; None where nothing succeeded or answers were wrong."""
        return self.figures.get("latency_p50_ms")

    @property
    def convert(self) -> Figure | None:
        return self.figures.get("convert_s")

    @property
    def status(self) -> Status:
        """`ok` where some replicate counts; otherwise wrong answers first, then what happened most often."""
        timed = [outcome for outcome in self.outcomes if outcome.kind is not Kind.MEMORY] or list(self.outcomes)
        withdrawn = [outcome for outcome in timed if outcome.status in WITHDRAWING]
        if withdrawn:
            return withdrawn[0].status
        if any(outcome.status is Status.OK for outcome in timed):
            return Status.OK
        return max(timed, key=lambda outcome: outcome.replicates).status if timed else Status.NOT_RUN

    @property
    def failures(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status is not Status.OK)

    @property
    def failed(self) -> int:
        """Timed replicates that did not end well."""
        return sum(outcome.replicates for outcome in self.failures if outcome.kind is Kind.LATENCY)


def cells_of(benchmarks: "pd.DataFrame", runs: Mapping[str, RunInfo]) -> tuple[Cell, ...]:
    """Every cell of every run in the frame, ordered by run and case. A/A rows are left to the run's noise figure."""
    if benchmarks.empty:
        return ()
    rows = benchmarks[(benchmarks["kind"] != Kind.AA) & benchmarks["run"].isin(list(runs))]
    grouped: dict[tuple[Any, ...], list[Row]] = {}
    for row in _plain(rows):
        grouped.setdefault((row["run"], *(row[column] for column in CASE_COLUMNS)), []).append(row)
    return tuple(_cell(group, runs[key[0]]) for key, group in sorted(grouped.items()))


def figure(values: Iterable[float | None]) -> Figure | None:
    """Median and spread of the values that exist; None where there is none."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    if len(known) == 1:
        q1 = q3 = known[0]
    else:
        q1, _, q3 = statistics.quantiles(known, n=4, method="inclusive")
    return Figure(statistics.median(known), known[0], known[-1], q1, q3, len(known), _interval(known))


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The t-interval of the mean logarithm: what `compare` gives for times over a unit of one."""
    if values[0] <= 0:
        return None
    result = compare([1.0] * len(values), values)
    return None if result.low is None or result.high is None else (result.low, result.high)


def _plain(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Rows as dicts of Python values, None for what is missing."""
    plain = frame.astype(object)
    return [
        {str(name): value for name, value in row.items()} for row in plain.where(plain.notna(), None).to_dict("records")
    ]


def _cell(rows: Sequence[Row], info: RunInfo) -> Cell:
    timed = sorted((row for row in rows if row["kind"] == Kind.LATENCY), key=lambda row: int(row["replicate"]))
    withdrawn = any(row["status"] in WITHDRAWING for row in timed)
    good = [] if withdrawn else [row for row in timed if row["status"] == Status.OK]
    usable = {int(row["replicate"]): row["latency_p50_ms"] for row in good if row["quality"] != UNTRUSTED}
    first = rows[0]
    return Cell(
        case=Case(**{column: first[column] for column in CASE_COLUMNS}),
        run=info.run,
        machine=info.machine.id,
        valid=info.validity is Validity.VALID,
        planned=max(info.replicates, len(timed)),
        outcomes=_outcomes(rows),
        times={int(row["replicate"]): usable.get(int(row["replicate"])) for row in timed},
        figures=_figures(good, timed),
        start=figure(_start_s(row) for row in good),
        memory=None if withdrawn else _memory(rows),
        quality=dict(Counter(str(row["quality"]) for row in good if row["quality"])),
        facts=_facts(timed or rows),
    )


def _start_s(row: Row) -> float | None:
    """Seconds to the first answer; None unless the first call was timed. A stage that does not exist is empty."""
    if row["first_call_s"] is None:
        return None
    return sum(row[stage] or 0.0 for stage in PROCESS_STAGES)


def _figures(good: Sequence[Row], timed: Sequence[Row]) -> dict[str, Figure]:
    """Figures of the good replicates; errors against the reference also of those that were refused for them."""
    speeds = (
        *STAGES,
        *("latency_p50_ms", "latency_iqr_ms", "latency_p90_ms", "latency_p99_ms"),
        *("device_p50_ms", "calls", "blocks", "warmup_calls", "recompiles", "peak_device_mib"),
        *("load_1m", "foreign_cpu_cores", "steal_pct"),
    )
    found = {column: figure(row[column] for row in good) for column in speeds}
    found |= {column: figure(row[column] for row in timed) for column in ("error_max_abs", "error_relative")}
    return {column: value for column, value in found.items() if value is not None}


def _memory(rows: Sequence[Row]) -> Memory | None:
    good = [row for row in rows if row["kind"] == Kind.MEMORY and row["status"] == Status.OK]
    peak = figure(row["peak_rss_mib"] for row in good)
    if peak is None:
        return None
    both = [row for row in good if row["peak_rss_mib"] is not None and row["baseline_rss_mib"] is not None]
    net = figure(row["peak_rss_mib"] - row["baseline_rss_mib"] for row in both)
    return Memory(peak, figure(row["baseline_rss_mib"] for row in both), net)


def _outcomes(rows: Sequence[Row]) -> tuple[Outcome, ...]:
    """Alike endings counted together, those of timed processes first, good ones first."""
    counted = Counter(
        (Kind(row["kind"]), Status(row["status"]), str(row["stage"] or ""), str(row["reason"] or "")) for row in rows
    )
    found = [Outcome(*ending, replicates=count) for ending, count in counted.items()]
    return tuple(sorted(found, key=lambda o: (o.kind is Kind.MEMORY, o.status is not Status.OK, -o.replicates)))


def _facts(rows: Sequence[Row]) -> dict[str, Any]:
    """Values that describe the cell, from the first row that has them."""
    names = ("tolerance_relative", "reference", "model_hash", "weights_hash", "protocol_hash", "threads_reported")
    return {name: next((row[name] for row in rows if row[name] is not None), None) for name in names}
