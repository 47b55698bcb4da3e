"""How fast a cell is against eager execution in the same run, and after how many calls a slower start has paid."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from kb.analysis.cells import Cell
from kb.measure.arms import Verdict, compare
from kb.records.case import Case

#: The common baseline of a model's cells: the first of these that the run measured on the same model, device, batch
#: and threads. Eager execution is what a model does before anyone has chosen a runtime for it.
BASELINES = ("torch-eager", "tf-eager")

#: The eager runtime of a runtime's own framework, by the word before the first hyphen of its name: what its user would
#: do otherwise.
OWN_EAGER = {"torch": "torch-eager", "tf": "tf-eager", "keras": "tf-eager"}

#: Precision of a baseline where the cell's own was not measured: a quantised cell is compared with what it replaces.
BASE_PRECISION = "fp32"
BASE_ENVIRONMENT = "current"


Index = Mapping[tuple[str, Case], Cell]


@dataclass(frozen=True)
class Speed:
    """A cell's speed over its baseline's: above 1 it is faster. Bounds at the confidence of `kb.measure.arms`."""

    baseline: Cell
    ratio: float | None  #: None where the two have no round in common
    low: float | None
    high: float | None
    n: int  #: rounds in which both arms have a usable figure
    of: int  #: rounds planned
    verdict: Verdict | None  #: None where the run is not VALID: no verdict is drawn from it
    detectable: float | None  #: smallest relative change that would have been called


class Payback(StrEnum):
    """Whether a break-even count exists."""

    CALLS = "calls"  #: after `BreakEven.calls` calls
    AT_ONCE = "at once"  #: the start costs no more, so the first call is already won
    NEVER = "never"  #: slower, or the same: no number of calls pays for a longer start
    NOT_SHOWN = "not shown"  #: no verdict, so no promise


@dataclass(frozen=True)
class BreakEven:
    """Calls after which a faster runtime has earned the longer way to its first answer."""

    payback: Payback
    calls: float | None = None
    low: float | None = None  #: at the upper bound of the speed
    high: float | None = None  #: at the lower bound of the speed


@dataclass(frozen=True)
class Entry:
    """One cell as the pages show it: figures, speed against both baselines, and what the start costs."""

    cell: Cell
    speed: Speed | None  #: against the common baseline; None for the baseline itself, or where there is none
    own: Speed | None  #: against eager execution in its own framework
    per_process: BreakEven  #: every process pays: import, build, load, first call
    with_conversion: BreakEven  #: the conversion is counted as well

    @property
    def is_baseline(self) -> bool:
        return self.cell.case.runtime in BASELINES and self.speed is None

    @property
    def slower_than_eager(self) -> Speed | None:
        """The comparison that found it slower than what its user would do otherwise, if one did."""
        judged = self.own or self.speed
        if self.cell.case.runtime in BASELINES or judged is None or judged.verdict is not Verdict.SLOWER:
            return None
        return judged


def entries_of(cells: Iterable[Cell]) -> tuple[Entry, ...]:
    """One entry per cell, each compared within its own run.

    `cells` must hold the baselines too; pick the cells to show from the result.
    """
    every = tuple(cells)
    index = {(cell.run, cell.case): cell for cell in every}
    return tuple(_entry(cell, index) for cell in every)


def against(cell: Cell, baseline: Cell) -> Speed:
    """Speed of a cell over its baseline, round by round (`kb.measure.arms.compare`)."""
    rounds = sorted({*cell.times, *baseline.times})
    result = compare([baseline.times.get(r) for r in rounds], [cell.times.get(r) for r in rounds])
    bounded = result.low is not None and result.high is not None
    return Speed(
        baseline=baseline,
        ratio=None if result.ratio is None else 1 / result.ratio,
        low=1 / result.high if bounded and result.high else None,
        high=1 / result.low if bounded and result.low else None,
        n=result.n,
        of=max(cell.planned, baseline.planned),
        verdict=result.verdict if cell.valid and baseline.valid else None,
        detectable=result.detectable,
    )


def break_even(cell: Cell, speed: Speed | None, *, conversion: bool) -> BreakEven:
    """Calls after which the cell has caught up with its baseline: extra cold seconds over seconds saved per call.

    calls = (cold - cold of the baseline) / (t0 * (1 - 1 / speed)), t0 the median latency of the baseline. `cold` is
    the median time from the start of a process to its first answer, and with `conversion` the conversion on top.
    Only a verdict of faster gives a count; its interval follows from the bounds of the speed alone.
    """
    if speed is None or speed.verdict in (None, Verdict.INCONCLUSIVE):
        return BreakEven(Payback.NOT_SHOWN)
    if speed.verdict is not Verdict.FASTER:
        return BreakEven(Payback.NEVER)
    base = speed.baseline
    if cell.start is None or base.start is None or base.latency is None or speed.ratio is None:
        return BreakEven(Payback.NOT_SHOWN)
    extra_s = cell.start.median - base.start.median
    if conversion:
        extra_s += _conversion_s(cell) - _conversion_s(base)
    if extra_s <= 0:
        return BreakEven(Payback.AT_ONCE)
    counts = [_calls(extra_s, base.latency.median, bound) for bound in (speed.ratio, speed.high, speed.low)]
    return BreakEven(Payback.CALLS, *counts)


def geometric_mean(ratios: Iterable[float | None]) -> tuple[float | None, int]:
    """Geometric mean of the ratios that exist, and their number."""
    logs = [math.log(ratio) for ratio in ratios if ratio is not None]
    return (math.exp(sum(logs) / len(logs)) if logs else None), len(logs)


def _calls(extra_s: float, base_ms: float, speed: float | None) -> float | None:
    if speed is None or speed <= 1:
        return None
    return extra_s / (base_ms / 1e3 * (1 - 1 / speed))


def _conversion_s(cell: Cell) -> float:
    return cell.convert.median if cell.convert else 0.0


def _entry(cell: Cell, index: Index) -> Entry:
    common = next(_candidates(cell, BASELINES, index), None)
    own_name = OWN_EAGER.get(cell.case.runtime.partition("-")[0])
    own = next(_candidates(cell, (own_name,), index), None) if own_name else None
    speed = against(cell, common) if common is not None and common is not cell else None
    same = common is own
    return Entry(
        cell=cell,
        speed=speed,
        own=speed if same else against(cell, own) if own is not None and own is not cell else None,
        per_process=break_even(cell, speed, conversion=False),
        with_conversion=break_even(cell, speed, conversion=True),
    )


def _candidates(cell: Cell, runtimes: Iterable[str], index: Index) -> Iterator[Cell]:
    """Cells of the same run that can stand as the baseline, the likest first; only ones with a latency."""
    for runtime in runtimes:
        for environment in dict.fromkeys((cell.case.environment, BASE_ENVIRONMENT)):
            for precision in dict.fromkeys((cell.case.precision, BASE_PRECISION)):
                case = replace(cell.case, runtime=runtime, environment=environment, precision=precision)
                found = index.get((cell.run, case))
                if found is not None and found.latency is not None:
                    yield found
