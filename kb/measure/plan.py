"""From settings, profile and selection to the cases of a run, and to the list of what it leaves out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from itertools import product

from kb.complaints import nearest
from kb.config import Profile
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
    grid = _grid(profile, models, runtimes, usable_cores)
    chosen = narrow(grid, select)
    wanted = set(chosen)
    rest = [case for case in _grid(whole, models, runtimes, usable_cores) if case not in wanted]
    in_profile = set(grid)
    reasons = {case: "not selected" if case in in_profile else f"not in profile {profile_name}" for case in rest}
    return Plan(tuple(chosen), tuple(reasons.items()))


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
        if all(any(fnmatchcase(_text(case, field), glob) for glob in globs) for field, globs in by_field.items())
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
        if any(fnmatchcase(_text(case, name), glob) for case in cases):
            return name, glob
    known = {_text(case, name) for case in cases for name, _ in candidates if name != "id"}
    raise SelectionError(f"{word!r} selects nothing here; {nearest(candidates[0][1], known)}")


def _text(case: Case, field: str) -> str:
    return str(getattr(case, field))


def _grid(profile: Profile, models: Collection[str], runtimes: Collection[str], usable_cores: int) -> list[Case]:
    """Every cell of a profile, in an order that does not depend on the settings' order of names."""
    threads = sorted({count or usable_cores for count in profile.threads})
    cells = product(
        _named(profile.models, models), _named(profile.runtimes, runtimes), profile.devices, profile.precisions,
        profile.batches, threads,
    )  # fmt: skip
    return [Case(*cell) for cell in cells]


def _named(globs: Iterable[str], names: Collection[str]) -> list[str]:
    return [name for name in sorted(names) if any(fnmatchcase(name, glob) for glob in globs)]
