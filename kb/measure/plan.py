"""From settings, profile and selection to the cases of a run, and to the list of what it leaves out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from itertools import product

from kb.config import EXCLUDED, Grid, Profile
from kb.discovery import split_size
from kb.measure.selection import Selection, SelectionError
from kb.records.case import Case

#: How a selection names cells: by a field of the case, a model, a runtime, or the case's id.
CELLS: Selection[Case] = Selection("cases", [field.name for field in fields(Case)], ("model", "runtime", "id"))


@dataclass(frozen=True)
class Plan:
    """The cells to measure, in a fixed order, and those of the whole grid that are not."""

    cases: tuple[Case, ...]
    left_out: tuple[tuple[Case, str], ...]


def plan(
    profile_name: str,
    profile: Profile,
    whole: Profile,
    models: Collection[str],
    runtimes: Collection[str],
    usable_cores: int,
    select: Sequence[str] = (),
) -> Plan:
    """The cases of a profile, narrowed by a selection.

    Args:
        profile_name: for the reason of what is left out.
        profile: what to measure.
        whole: the profile that is the whole grid.
        models: all known names.
        runtimes: all known names.
        usable_cores: what 0 threads stands for.
        select: words as of `CELLS`.

    Raises:
        SelectionError: a word selects nothing.
    """
    grid = grid_of(profile, models, runtimes, usable_cores)
    everything = grid_of(whole, models, runtimes, usable_cores)
    chosen = _chosen(profile_name, _with_sizes(grid, select), _with_sizes(everything, select), select)
    wanted = set(chosen)
    rest = [case for case in everything if case not in wanted]
    in_profile = set(grid)
    reasons = {case: "not selected" if case in in_profile else f"not in profile {profile_name}" for case in rest}
    return Plan(tuple(chosen), tuple(reasons.items()))


def _chosen(profile_name: str, grid: Sequence[Case], everything: Sequence[Case], select: Sequence[str]) -> list[Case]:
    """What a selection leaves of the profile; where it leaves nothing, how much of the whole grid it would."""
    try:
        return CELLS.narrow(grid, select)
    except SelectionError as error:
        try:
            elsewhere = CELLS.narrow(everything, select)
        except SelectionError:
            raise error from None
        what = "1 cell" if len(elsewhere) == 1 else f"{len(elsewhere)} cells"
        raise SelectionError(
            f"{' '.join(select)!r} selects nothing of profile {profile_name}, but {what} of the whole grid: "
            "add --profile full"
        ) from None


def _with_sizes(grid: Sequence[Case], select: Sequence[str]) -> list[Case]:
    """The grid with the cells of models that the selection asks for at a size of its own (`resnet50@160`)."""
    names = [word.removeprefix("model=") for word in select]
    asked = {name: split_size(name)[0] for name in names if split_size(name)[1] is not None}
    known = {case.model for case in grid}
    added = {
        replace(case, model=name)
        for name, base in asked.items()
        if name not in known
        for case in grid
        if split_size(case.model)[0] == base
    }
    return [*grid, *sorted(added)]


def grid_of(profile: Profile, models: Collection[str], runtimes: Collection[str], usable_cores: int) -> list[Case]:
    """Every cell of a profile once, in an order that does not depend on the settings' order of names."""
    return sorted({case for grid in (profile, *profile.also) for case in _cells(grid, models, runtimes, usable_cores)})


def _cells(grid: Grid, models: Collection[str], runtimes: Collection[str], usable_cores: int) -> Iterable[Case]:
    threads = {count or usable_cores for count in grid.threads}
    axes = (named(grid.models, models), named(grid.runtimes, runtimes), grid.devices, grid.precisions, grid.batches)
    return (Case(*cell) for cell in product(*axes, threads))


def named(globs: Iterable[str], names: Collection[str]) -> list[str]:
    """The names that a globs allows and none takes away; where a glob asks for a size, with that size."""
    wanted = [split_size(glob) for glob in globs if not glob.startswith(EXCLUDED)]
    unwanted = [glob.removeprefix(EXCLUDED) for glob in globs if glob.startswith(EXCLUDED)]
    found = [
        name if size is None else f"{name}@{size}" for glob, size in wanted for name in names if fnmatchcase(name, glob)
    ]
    return [name for name in found if not any(fnmatchcase(name, glob) for glob in unwanted)]
