"""What each arm of a practice gives, and its gain over the baseline."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pytest

from kb.analysis.practices import ArmResult, PracticeResult, results_of
from kb.measure.arms import Verdict
from kb.practices.interface import Measure
from kb.records.run import RunInfo, Validity
from kb.records.schema import PRACTICES
from kb.records.statuses import Status
from tests.analysis.frames import info
from tests.practices.fakes import Sleeping

KNOWN = {"sleeping": Sleeping()}


def rows(arm: str, values: Sequence[float | Status], measure: str = "nap_ms", **columns: Any) -> list[dict[str, Any]]:
    """A row per round."""
    return [
        dict.fromkeys(PRACTICES.names)
        | {"practice": "sleeping", "subject": "bed", "arm": arm, "device": "cpu", "threads": 1, "kind": "arm"}
        | {"replicate": number, "measure": measure}
        | (
            {"status": value, "reason": f"made to be {value}"}
            if isinstance(value, Status)
            else {"status": Status.OK, "value": value}
        )
        | columns
        for number, value in enumerate(values)
    ]


def found(*runs: tuple[RunInfo, Sequence[Mapping[str, Any]]]) -> tuple[PracticeResult, ...]:
    every = [{**row, "run": run.run} for run, made in runs for row in made]
    return results_of(pd.DataFrame(every, columns=["run", *PRACTICES.names]), {r.run: r for r, _ in runs}, KNOWN)


def arms(*made: list[dict[str, Any]]) -> dict[str, ArmResult]:
    (result,) = found((info(), [row for part in made for row in part]))
    return {each.arm.name: each for each in result.arms}


LONG, SHORT = [20.0, 20.2, 19.9, 20.1, 20.0], [10.0, 10.1, 9.9, 10.0, 10.1]


def test_the_gain_is_how_much_better_the_main_figure_is_than_the_baselines() -> None:
    effect = arms(rows("long nap", LONG), rows("short nap", SHORT))["short nap"].effect
    assert effect is not None
    assert effect.low is not None
    assert effect.high is not None
    assert effect.low < 2.0 < effect.high
    assert (effect.verdict, effect.n) == (Verdict.FASTER, 5)


def test_where_more_is_better_more_is_a_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sleeping, "measures", (Measure("nap_ms", "Nap", better="higher"),))
    effect = arms(rows("long nap", LONG), rows("short nap", SHORT))["short nap"].effect
    assert effect is not None
    assert effect.ratio == pytest.approx(0.5, rel=0.02)
    assert effect.verdict is Verdict.SLOWER


def test_the_baseline_has_none_and_is_named() -> None:
    every = arms(rows("long nap", LONG), rows("short nap", SHORT))
    assert every["long nap"].baseline is None
    assert every["long nap"].effect is None
    assert every["short nap"].baseline == every["long nap"].arm


def test_the_second_arm_of_the_aa_check_is_not_counted() -> None:
    made = arms(rows("long nap", LONG), rows("long nap", [99.0] * 5, kind="aa"))
    assert made["long nap"].figures["nap_ms"].n == 5
    assert made["long nap"].figures["nap_ms"].high < 21


def test_rounds_that_failed_are_left_out_of_the_pairs_and_told() -> None:
    made = arms(rows("long nap", LONG), rows("short nap", [10.0, Status.CRASHED, 9.9, 10.0, Status.CRASHED]))
    effect = made["short nap"].effect
    assert effect is not None
    assert effect.n == 3
    (trouble,) = made["short nap"].troubles
    assert (trouble.status, trouble.processes, trouble.reason) == (Status.CRASHED, 2, "made to be crashed")


def test_an_arm_that_has_no_place_here_has_a_reason_and_no_figure() -> None:
    made = arms(rows("long nap", LONG), rows("short nap", [Status.UNSUPPORTED], device="cuda"))
    assert made["short nap"].unsupported == "made to be unsupported"
    assert made["short nap"].effect is None
    assert made["long nap"].unsupported is None


def test_the_newest_valid_run_speaks_for_its_machine() -> None:
    old, new, broken = info(0), info(1), info(2, Validity.INVALID)
    (result,) = found(*((run, rows("long nap", LONG)) for run in (new, old, broken)))
    assert result.run.run == new.run
    assert result.valid
    (only,) = found((broken, rows("long nap", LONG)))
    assert not only.valid


def test_practices_that_are_not_installed_are_left_out() -> None:
    assert found((info(), rows("long nap", LONG, practice="gone"))) == ()
