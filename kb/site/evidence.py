"""Everything the pages are made from, computed once from the results."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kb.analysis.conversions import Converted, latest
from kb.analysis.findings import shown_entries
from kb.analysis.practices import PracticeResult, results_of
from kb.analysis.speed import Entry
from kb.practices.catalogue import practices
from kb.practices.interface import Practice
from kb.records.reading import Results
from kb.records.run import Machine, RunInfo
from kb.site.text import slugs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Evidence:
    """Runs, and the entries that they speak for."""

    runs: tuple[RunInfo, ...]  #: newest first
    entries: tuple[Entry, ...]
    benchmarks: "pd.DataFrame"
    slugs: Mapping[str, str]  #: model -> name of its page's file
    practices: Mapping[str, Practice]  #: those that are installed
    practice_results: tuple[PracticeResult, ...]
    conversions: tuple[Converted, ...]
    folders: Mapping[str, Path]  #: run -> its folder

    @property
    def machines(self) -> tuple[Machine, ...]:
        """Each machine as its newest run saw it, the one that ran last first."""
        seen: dict[str, Machine] = {}
        for info in self.runs:
            seen.setdefault(info.machine.id, info.machine)
        return tuple(seen.values())

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(sorted({entry.cell.case.model for entry in self.entries}))

    def runs_of(self, machine: Machine) -> tuple[RunInfo, ...]:
        """The machine's runs, newest first."""
        return tuple(info for info in self.runs if info.machine.id == machine.id)

    def of(self, *, machine: Machine | None = None, model: str | None = None) -> tuple[Entry, ...]:
        """The entries of a machine, of a model, or of both."""
        return tuple(
            entry
            for entry in self.entries
            if (machine is None or entry.cell.machine == machine.id)
            and (model is None or entry.cell.case.model == model)
        )

    def speaking(self, entries: Iterable[Entry]) -> tuple[RunInfo, ...]:
        """The runs that these entries come from, newest first."""
        names = {entry.cell.run for entry in entries}
        return tuple(info for info in self.runs if info.run in names)


def gather(results: Results) -> Evidence:
    """Compute what the pages show."""
    runs = {run.info.run: run.info for run in results.runs}
    newest_first = tuple(sorted(runs.values(), key=lambda info: (info.started, info.run), reverse=True))
    entries = shown_entries(results.benchmarks, runs)
    known = practices()
    return Evidence(
        runs=newest_first,
        entries=entries,
        benchmarks=results.benchmarks,
        slugs=slugs(entry.cell.case.model for entry in entries),
        practices=known,
        practice_results=results_of(results.practices, runs, known),
        conversions=latest(results.conversions, runs),
        folders={run.info.run: run.folder for run in results.runs},
    )


def newest(runs: Iterable[RunInfo]) -> RunInfo | None:
    return max(runs, key=lambda info: (info.started, info.run), default=None)
