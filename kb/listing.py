"""What `--list` shows: the cells of a profile and the time that each profile would take, as tables for a terminal."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from kb.config import Profile, Settings
from kb.records.case import Case

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from kb.analysis.estimate import Estimate, History


def grid(settings: Settings, profile_name: str, select: Sequence[str], replicates: int | None) -> "RenderableType":
    """The cells that a selection leaves of a profile, model by model, and below them all profiles with their times.

    Raises:
        kb.config.ConfigError, kb.measure.selection.SelectionError: there is no such profile or cell.
    """
    from rich.console import Group
    from rich.text import Text

    from kb.machine.fingerprint import fingerprint
    from kb.measure.plan import grid_of, plan

    machine = fingerprint()
    names, runtimes = settings.model_names(), settings.runtime_targets()
    profile = _with(settings.profile(profile_name), replicates)
    planned = plan(profile_name, profile, settings.profile("full"), names, runtimes, machine.usable_cores, select)
    history = _history(settings, machine.id)
    total = history.estimate(planned.cases, profile.replicates, profile.memory)
    cells = _cells_table(planned.cases, profile, history, f"Profile {profile_name}: {profile.replicates} replicates")
    profiles = {name: _with(each, replicates) for name, each in settings.profiles.items()}
    estimates = {
        name: (len(cases), history.estimate(cases, each.replicates, each.memory))
        for name, each in profiles.items()
        if (cases := grid_of(each, names, runtimes, machine.usable_cores))
    }
    left = f" Of the whole grid, {_count(len(planned.left_out), 'cell')} left out." if planned.left_out else ""
    sentence = Text(f"{_count(len(planned.cases), 'cell')}, {_words(total)}.{left}")
    return Group(cells, sentence, _profiles_table(settings, estimates))


def arms(settings: Settings, select: Sequence[str], replicates: int | None) -> "RenderableType":
    """The arms of the practices that a selection leaves.

    Raises:
        kb.measure.selection.SelectionError: there is no such arm.
    """
    from kb.machine.fingerprint import fingerprint
    from kb.practices.catalogue import practices
    from kb.practices.plan import trials

    known = practices()
    planned = trials(known, fingerprint().usable_cores, select)
    table = _table(_count(len(planned), "arm"), "practice, subject, arm, device, threads", "processes", "note")
    for trial in planned:
        practice = known[trial.practice]
        refused = practice.refuse(trial.arm)
        count = 1 if refused else min(practice.replicates, replicates or practice.replicates)
        _row(table, trial.id, str(count), refused or "")
    return table


def conversions(settings: Settings, profile_name: str, select: Sequence[str]) -> "RenderableType":
    """The conversions that a selection leaves of a profile, a line per model and route.

    Raises:
        kb.config.ConfigError, kb.measure.selection.SelectionError: there is no such profile or conversion.
    """
    from rich.console import Group
    from rich.text import Text

    from kb.convert.plan import conversions_of

    planned = conversions_of(settings, profile_name, select)
    table = _table(_count(len(planned.conversions), "conversion"), "model", "route", "opsets", "precisions")
    for (model, route), group in groupby(planned.conversions, key=lambda each: (each.model, each.route)):
        members = list(group)
        opsets = ",".join(str(opset) for opset in sorted({each.opset for each in members}))
        _row(table, model, route, opsets, ",".join(dict.fromkeys(each.precision for each in members)))
    return Group(table, Text(f"Of the whole grid, {_count(len(planned.left_out), 'conversion')} left out."))


def _history(settings: Settings, machine: str) -> "History":
    from kb.analysis.estimate import history_of
    from kb.records.reading import read_results

    results = read_results(settings.results)
    return history_of(results.benchmarks, (run.info for run in results.runs), machine)


def _with(profile: Profile, replicates: int | None) -> Profile:
    return profile.model_copy(update={"replicates": replicates}) if replicates else profile


def _cells_table(cases: Sequence[Case], profile: Profile, history: "History", title: str) -> "RenderableType":
    """One line per model, runtime, device and precision, with its batches and threads; it fits into 80 columns."""
    table = _table(title, "model", "runtime", "device", "batch", "threads", "time")
    for (model, runtime, device, precision), group in groupby(
        cases, key=lambda case: (case.model, case.runtime, case.device, case.precision)
    ):
        members = list(group)
        seconds = history.estimate(members, profile.replicates, profile.memory, whole=False).seconds
        batches = ",".join(str(batch) for batch in sorted({case.batch for case in members}))
        threads = ",".join(str(count) for count in sorted({case.threads for case in members}))
        _row(table, model, runtime, f"{device} {precision}", batches, threads, _minutes(seconds))
    return table


def _profiles_table(settings: Settings, estimates: "dict[str, tuple[int, Estimate]]") -> "RenderableType":
    table = _table("Profiles", "name", "cells", "processes", "time", "what it is")
    for name, (cells, estimate) in estimates.items():
        profile = settings.profiles[name]
        also = "; practices beside it, not in this time" if profile.practices else ""
        _row(
            table, name, str(cells), str(estimate.processes), _minutes(estimate.seconds), f"{profile.description}{also}"
        )
    return table


def _words(estimate: "Estimate") -> str:
    text = f"{estimate.processes} processes, about {_minutes(estimate.seconds)}"
    if estimate.guessed:
        return f"{text}, of which {estimate.guessed} are guessed: nothing like them was ever run here"
    return f"{text} by what they took before"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _minutes(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def _table(title: str, *headers: str) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), box=SIMPLE_HEAD, title_justify="left", pad_edge=False, collapse_padding=True)
    for header in headers:
        right = header in ("cells", "processes", "time")
        table.add_column(header, justify="right" if right else "left", overflow="fold")
    return table


def _row(table: "Table", *texts: str) -> None:
    """Names come from settings: they are text, never markup."""
    from rich.text import Text

    table.add_row(*(Text(text) for text in texts))
