"""Cells that differ in batch size or threads alone, side by side: throughput by batch, and what more threads give."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kb.analysis.cells import Cell
from kb.analysis.findings import Arm, arm_of
from kb.analysis.speed import Entry, Speed, against


@dataclass(frozen=True)
class Step:
    """One batch size of one runtime."""

    batch: int
    cell: Cell

    @property
    def samples_per_s(self) -> float | None:
        """Samples that a loop of calls gets through in a second."""
        latency = self.cell.latency
        return None if latency is None else self.batch / latency.median * 1e3

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Of the samples per second, from the interval of the latency."""
        latency = self.cell.latency
        if latency is None or latency.interval is None:
            return None
        low, high = latency.interval
        return self.batch / high * 1e3, self.batch / low * 1e3


@dataclass(frozen=True)
class Sweep:
    """One model on one machine and device: each runtime at several batch sizes, one thread count."""

    model: str
    device: str
    threads: int
    arms: dict[Arm, tuple[Step, ...]]  #: batch sizes ascending


@dataclass(frozen=True)
class MoreThreads:
    """One case on more threads against the same case on the fewest that were measured, in one run."""

    cell: Cell
    gain: Speed


def sweeps_of(entries: Iterable[Entry]) -> tuple[Sweep, ...]:
    """Models that were measured at more than one batch size. Entries of one machine."""
    groups: dict[tuple[str, str, int], dict[Arm, list[Step]]] = {}
    for entry in entries:
        case = entry.cell.case
        arms = groups.setdefault((case.model, case.device, case.threads), {})
        arms.setdefault(arm_of(case), []).append(Step(case.batch, entry.cell))
    found = []
    for (model, device, threads), arms in sorted(groups.items(), key=lambda item: item[0]):
        swept = {
            arm: tuple(sorted(steps, key=lambda step: step.batch))
            for arm, steps in sorted(arms.items())
            if len({step.batch for step in steps}) > 1
        }
        if swept:
            found.append(Sweep(model, device, threads, swept))
    return tuple(found)


def more_threads(entries: Iterable[Entry]) -> tuple[MoreThreads, ...]:
    """Cases on several threads, each against the same case on the fewest, where one run has both."""
    cells = {(entry.cell.run, entry.cell.case): entry.cell for entry in entries}
    fewest: dict[tuple[str, object], Cell] = {}
    for (run, case), cell in sorted(cells.items(), key=lambda item: item[0][1].threads):
        fewest.setdefault((run, replace(case, threads=1)), cell)
    found = [
        MoreThreads(cell, against(cell, fewest[run, replace(case, threads=1)]))
        for (run, case), cell in sorted(cells.items())
        if fewest[run, replace(case, threads=1)] is not cell
        and cell.latency is not None
        and fewest[run, replace(case, threads=1)].latency is not None
    ]
    return tuple(found)
