"""From settings, profile and selection to the cases of a run, and to the list of what it leaves out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from itertools import product

from kb.complaints import nearest
from kb.config import EXCLUDED, Grid, Profile
from kb.discovery import split_size
from kb.records.case import Case

#: Fields of a case that a selection may name.
FIELDS = tuple(field.name for field in fields(Case))


class SelectionError(ValueError):
    """A selection that selects nothing, or that names no part of the grid. One line: what, and the nearest valid."""


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
        select: words as of `matches`.

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
        return narrow(grid, select)
    except SelectionError as error:
        try:
            elsewhere = narrow(everything, select)
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


def narrow(cases: Sequence[Case], select: Iterable[str]) -> list[Case]:
    """The cases that a selection leaves: words of one field are alternatives, words of different fields all hold.

    A word is ``field=value`` (the value may be a glob), a name or glob of a model or runtime, or a glob of case ids.
    """
    by_field: dict[str, list[str]] = {}
    for word in select:
        field, value = _read_word(word, cases)
        by_field.setdefault(field, []).append(value)
    left = [
        case
        for case in cases
        if all(any(_matches(case, field, glob) for glob in globs) for field, globs in by_field.items())
    ]
    if not left:
        raise SelectionError(f"nothing is left of the {len(cases)} cases by {' '.join(select)!r}")
    return left


def _read_word(word: str, cases: Sequence[Case]) -> tuple[str, str]:
    """Which field a word speaks of, and the glob for it. A word that matches no case is an error of its own."""
    field, equals, value = word.partition("=")
    if equals and field not in FIELDS:
        raise SelectionError(f"{word!r}: no field {field!r}; there are {', '.join(FIELDS)}")
    candidates = [(field, value)] if equals else [(name, word) for name in ("model", "runtime", "id")]
    for name, glob in candidates:
        if any(_matches(case, name, glob) for case in cases):
            return name, glob
    known = {_text(case, name) for case in cases for name, _ in candidates if name != "id"}
    raise SelectionError(f"{word!r} selects nothing here; {nearest(candidates[0][1], known)}")


def _matches(case: Case, field: str, glob: str) -> bool:
    """Whether a field of the case fits a glob. The bare name of a model stands for the model at any size."""
    text = _text(case, field)
    return fnmatchcase(text, glob) or (field == "model" and fnmatchcase(split_size(text)[0], glob))


def _text(case: Case, field: str) -> str:
    return str(getattr(case, field))


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
