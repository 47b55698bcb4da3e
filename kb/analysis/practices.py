"""From rows of practices to what each arm gives, and how it compares with its baseline."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kb.analysis.cells import Figure, figure
from kb.measure.arms import Comparison, compare
from kb.practices.interface import Arm, Practice
from kb.records.run import RunInfo, Validity
from kb.records.statuses import Status

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Trouble:
    """Why some processes of an arm have no figure."""

    measure: str
    status: Status
    reason: str
    processes: int


@dataclass(frozen=True)
class ArmResult:
    """One arm in one run, summed up over its processes."""

    arm: Arm
    processes: int
    figures: Mapping[str, Figure]  #: measure -> figure, where any process has it
    troubles: tuple[Trouble, ...]
    baseline: Arm | None
    effect: Comparison | None  #: of the main measure, as a gain: above 1 is better than the baseline

    @property
    def unsupported(self) -> str | None:
        """Why the arm has no figure at all here, where it was never going to have one."""
        told = [trouble for trouble in self.troubles if trouble.status is Status.UNSUPPORTED]
        return told[0].reason if told and not self.figures else None


@dataclass(frozen=True)
class PracticeResult:
    """One practice on one machine: the run that speaks, and its arms in the practice's own order."""

    practice: str
    run: RunInfo
    arms: tuple[ArmResult, ...]

    @property
    def valid(self) -> bool:
        return self.run.validity is Validity.VALID


def results_of(
    rows: "pd.DataFrame", runs: Mapping[str, RunInfo], practices: Mapping[str, Practice]
) -> tuple[PracticeResult, ...]:
    """Per machine and practice the newest VALID run, or the newest where none is VALID. Unknown practices are left out.

    Args:
        rows: the table of practices of all runs.
        runs: by name.
        practices: those that are installed: they know their baselines.
    """
    chosen: dict[tuple[str, str], RunInfo] = {}
    seen = rows[["run", "practice"]].drop_duplicates().itertuples(index=False, name=None)
    for run, practice in sorted(seen, key=lambda pair: (runs[pair[0]].started, pair[0])):
        info, key = runs[run], (runs[run].machine.id, str(practice))
        kept = chosen.get(key)
        if kept is None or info.validity is Validity.VALID or kept.validity is not Validity.VALID:
            chosen[key] = info
    return tuple(
        PracticeResult(name, info, _arms(_rows_of(rows, info.run, name), practices[name]))
        for (_, name), info in chosen.items()
        if name in practices
    )


def _rows_of(rows: "pd.DataFrame", run: str, practice: str) -> list[dict[str, Any]]:
    """The first arms' rows (none of the A/A check's second) as dicts, None for what is missing."""
    picked = rows[(rows["run"] == run) & (rows["practice"] == practice) & (rows["kind"] == "arm")].astype(object)
    return [{str(k): v for k, v in row.items()} for row in picked.where(picked.notna(), None).to_dict("records")]


def _arms(rows: Sequence[Row], practice: Practice) -> tuple[ArmResult, ...]:
    by_arm: dict[Arm, list[Row]] = {}
    for row in rows:
        arm = Arm(str(row["subject"]), str(row["arm"]), str(row["device"]), int(row["threads"]))
        by_arm.setdefault(arm, []).append(row)
    order = {(arm.subject, arm.name, arm.device): place for place, arm in enumerate(practice.arms())}
    every = sorted(by_arm, key=lambda arm: order.get((arm.subject, arm.name, arm.device), len(order)))
    return tuple(_result(arm, by_arm, practice) for arm in every)


def _result(arm: Arm, by_arm: Mapping[Arm, Sequence[Row]], practice: Practice) -> ArmResult:
    rows = by_arm[arm]
    named = practice.baseline(arm)
    baseline = None if named is None else _present(named, by_arm)
    figures = {
        measure.key: found
        for measure in practice.measures
        if (found := figure(_values(rows, measure.key).values())) is not None
    }
    return ArmResult(
        arm=arm,
        processes=len({int(row["replicate"]) for row in rows}),
        figures=figures,
        troubles=_troubles(rows),
        baseline=named if baseline is None else baseline,
        effect=None if baseline is None else _effect(by_arm[baseline], rows, practice),
    )


def _present(named: Arm, by_arm: Mapping[Arm, object]) -> Arm | None:
    """The arm as it was run: an arm on all cores is named without their number."""
    if named in by_arm:
        return named
    return next((arm for arm in by_arm if replace(arm, threads=named.threads) == named), None)


def _effect(baseline: Sequence[Row], rows: Sequence[Row], practice: Practice) -> Comparison | None:
    """The gain of the main measure over the baseline, paired by round."""
    main = practice.measures[0]
    before, after = _values(baseline, main.key), _values(rows, main.key)
    rounds = sorted({*before, *after})
    pairs = [(_positive(before.get(number)), _positive(after.get(number))) for number in rounds]
    if main.better == "higher":  # `compare` speaks of times: of these the inverse is one
        pairs = [(_inverse(first), _inverse(second)) for first, second in pairs]
    found = compare([first for first, _ in pairs], [second for _, second in pairs])
    if found.ratio is None:
        return None
    return replace(found, ratio=1 / found.ratio, low=_inverse(found.high), high=_inverse(found.low))


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 and math.isfinite(value) else None


def _inverse(value: float | None) -> float | None:
    return None if value is None else 1 / value


def _values(rows: Iterable[Row], measure: str) -> dict[int, float]:
    """Replicate -> value."""
    return {
        int(row["replicate"]): float(row["value"])
        for row in rows
        if row["measure"] == measure and row["value"] is not None
    }


def _troubles(rows: Iterable[Row]) -> tuple[Trouble, ...]:
    """What has no figure, alike endings counted together."""
    counted = Counter(
        (str(row["measure"]), Status(row["status"]), str(row["reason"] or ""))
        for row in rows
        if row["status"] != Status.OK
    )
    return tuple(Trouble(*ending, processes=count) for ending, count in counted.items())
