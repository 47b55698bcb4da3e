"""From rows of conversions to what speaks for each: the newest run that has it, sorted for matrices and charts."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, mode
from typing import TYPE_CHECKING, Any, TypeVar

from kb.convert.conversion import NO_OPSET, Conversion
from kb.convert.precisions import FULL
from kb.records.run import RunInfo, Validity
from kb.records.statuses import Status

if TYPE_CHECKING:
    import pandas as pd

_K = TypeVar("_K", bound=Hashable)

#: Statuses of conversions that nobody tried: there is nothing to look into.
UNTRIED = frozenset({Status.UNSUPPORTED, Status.NOT_RUN})
#: Statuses of files that were written and load, and answer wrongly: the failures that nobody is told of.
WRONG = frozenset({Status.WRONG_OUTPUT, Status.NOT_FINITE, Status.SHAPE_FAILED, Status.ACCURACY_FAILED})


@dataclass(frozen=True)
class Converted:
    """What became of one conversion on one machine, by the run that speaks for it."""

    conversion: Conversion
    run: RunInfo
    row: Mapping[str, Any]  #: None where a column is empty

    @property
    def status(self) -> Status:
        return Status(self.row["status"])

    @property
    def broken(self) -> bool:
        """Whether it was tried and is not as it should be."""
        return self.status is not Status.OK and self.status not in UNTRIED

    @property
    def wrong(self) -> bool:
        """Whether there is a file that answers wrongly."""
        return self.status in WRONG

    def number(self, column: str) -> float | None:
        """A figure; None where there is none."""
        value = self.row[column]
        return None if value is None else float(value)

    def text(self, column: str) -> str:
        """A column of words; empty where there are none."""
        value = self.row[column]
        return "" if value is None else str(value)


@dataclass(frozen=True)
class Spread:
    """A figure over several conversions."""

    median: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Alike:
    """Conversions that ended in the same way."""

    status: Status
    stage: str
    reason: str  #: of the first
    members: tuple[Converted, ...]

    @property
    def opsets(self) -> tuple[int, ...]:
        """That were asked for, without those of forms that have none."""
        return tuple(sorted({each.conversion.opset for each in self.members} - {NO_OPSET}))


@dataclass(frozen=True)
class OpsetsOf:
    """What one route made of the opsets that it was asked for, over all models in float32."""

    route: str
    kept: tuple[int, ...]  #: some file is of the opset asked for
    changed: tuple[tuple[int, int], ...]  #: asked for, and got instead
    without_file: tuple[int, ...]  #: no model gave a file


def latest(rows: "pd.DataFrame", runs: Mapping[str, RunInfo]) -> tuple[Converted, ...]:
    """Per machine and conversion the row of the newest VALID run, or of the newest where none is; in a fixed order.

    Args:
        rows: the table of conversions of all runs.
        runs: by name.
    """
    chosen: dict[tuple[str, Conversion], Converted] = {}
    plain = rows.astype(object).where(rows.notna(), None)
    for found in plain.to_dict("records"):
        row = {str(name): value for name, value in found.items()}
        info = runs[str(row["run"])]
        conversion = Conversion(str(row["model"]), str(row["route"]), str(row["precision"]), int(row["opset"]))
        key, candidate = (info.machine.id, conversion), Converted(conversion, info, row)
        kept = chosen.get(key)
        if kept is None or _rank(info) > _rank(kept.run):
            chosen[key] = candidate
    return tuple(chosen[key] for key in sorted(chosen))


def _rank(info: RunInfo) -> tuple[bool, Any, str]:
    return info.validity is Validity.VALID, info.started, info.run


def counts(found: Iterable[Converted]) -> dict[Status, int]:
    """Status -> conversions, for the statuses that there are, in the order of the statuses."""
    statuses = [each.status for each in found]
    return {status: statuses.count(status) for status in Status if status in statuses}


def usual_opset(found: Iterable[Converted]) -> int:
    """The opset that most conversions ask for; of two that are as frequent, the older."""
    return mode(sorted(each.conversion.opset for each in found if each.conversion.opset != NO_OPSET) or [NO_OPSET])


def at_opset(found: Iterable[Converted], opset: int) -> tuple[Converted, ...]:
    """The conversions at one opset, and those of forms that have none."""
    return tuple(each for each in found if each.conversion.opset in (opset, NO_OPSET))


def swept(found: Sequence[Converted], opset: int) -> dict[tuple[str, str], tuple[Converted, ...]]:
    """(model, precision) -> its conversions, where they ask for other opsets than this one."""
    asked = _by(found, lambda each: (each.conversion.model, each.conversion.precision))
    return {
        key: members
        for key, members in asked.items()
        if {each.conversion.opset for each in members} - {opset, NO_OPSET}
    }


def opsets_of_routes(found: Iterable[Converted]) -> tuple[OpsetsOf, ...]:
    """Per route which opsets it keeps, changes, or gives no file for."""
    plain = [e for e in found if e.conversion.precision == FULL and e.conversion.opset != NO_OPSET]
    return tuple(
        _opsets_of(route, members) for route, members in _by(plain, lambda each: each.conversion.route).items()
    )


def _opsets_of(route: str, members: Sequence[Converted]) -> OpsetsOf:
    got = {(each.conversion.opset, int(opset)) for each in members if (opset := each.number("opset_got")) is not None}
    tried = {each.conversion.opset for each in members if each.status not in UNTRIED}
    return OpsetsOf(
        route,
        kept=tuple(sorted(asked for asked, opset in got if asked == opset)),
        changed=tuple(sorted((asked, opset) for asked, opset in got if asked != opset)),
        without_file=tuple(sorted(tried - {asked for asked, _ in got})),
    )


def troubles(found: Iterable[Converted]) -> tuple[Alike, ...]:
    """What is broken: a model by a route in one precision that ends alike at several opsets is told of once."""

    def ending(each: Converted) -> tuple[str, ...]:
        asked = each.conversion
        return asked.model, asked.route, asked.precision, str(each.status), each.text("stage")

    return _alike((each for each in found if each.broken), ending)


def untried(found: Iterable[Converted]) -> tuple[Alike, ...]:
    """What nobody tried, together where the reason is the same."""
    return _alike(
        (each for each in found if each.status in UNTRIED), lambda each: (str(each.status), each.text("reason"))
    )


def _alike(found: Iterable[Converted], key: Callable[[Converted], Hashable]) -> tuple[Alike, ...]:
    return tuple(
        Alike(members[0].status, members[0].text("stage"), members[0].text("reason"), members)
        for members in _by(found, key).values()
    )


def worst_losses(found: Iterable[Converted]) -> tuple[Converted, ...]:
    """Per model and precision the conversion whose loss of accuracy has the highest bound, whatever the route."""
    compared = (each for each in found if each.number("loss_upper_pp") is not None)
    groups = _by(
        compared, lambda each: (each.conversion.model, each.conversion.precision != FULL, each.conversion.precision)
    )
    return tuple(max(groups[place], key=_bound) for place in sorted(groups))


def _bound(each: Converted) -> float:
    return each.number("loss_upper_pp") or 0.0


def size_shares(found: Sequence[Converted]) -> dict[Conversion, float]:
    """Conversion to fewer bits on one machine -> its size over that of the same one in float32."""
    sizes = {each.conversion: size for each in found if (size := each.number("file_bytes"))}
    shares = {}
    for asked, size in sizes.items():
        whole = sizes.get(Conversion(asked.model, asked.route, FULL, asked.opset))
        if asked.precision != FULL and whole:
            shares[asked] = size / whole
    return shares


def knowing(found: Iterable[Converted]) -> RunInfo | None:
    """The newest run that says which opsets and IR versions fit together."""
    runs = {each.run.run: each.run for each in found if each.run.compatibility}
    return max(runs.values(), key=lambda info: (info.started, info.run), default=None)


def overflowing(found: Iterable[Converted]) -> tuple[str, ...]:
    """The kinds of 8-bit conversions, `dynamic` and `static`, whose products overflow on this machine's CPU."""
    info = knowing(found)
    known = info.compatibility if info is not None else {}
    return tuple(kind for kind in ("dynamic", "static") if known.get(f"exact_{kind}") == 0)


def spread(values: Iterable[float | None]) -> Spread | None:
    """Median and range of what is there; None where nothing is."""
    known = [value for value in values if value is not None]
    return Spread(median(known), min(known), max(known), len(known)) if known else None


def _by(found: Iterable[Converted], key: Callable[[Converted], _K]) -> dict[_K, tuple[Converted, ...]]:
    groups: dict[_K, list[Converted]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    return {name: tuple(members) for name, members in groups.items()}
