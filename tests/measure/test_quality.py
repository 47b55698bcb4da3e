"""Flags of rows, and what makes a run INVALID."""

import pytest

from kb.measure.quality import NOISY_IQR, UNTRUSTED_IQR, busy_limit_cores, judge_run, median_conditions, row_quality
from kb.records.run import Noise, Validity

QUIET = {"load_1m": 0.4, "foreign_cpu_cores": 0.02, "steal_pct": 0.1, "throttle_events": None}


def noise(verdict: str = "same", **changes: object) -> Noise:
    values = {"case": "m/r", "ratio": 1.001, "low": 0.99, "high": 1.01, "confidence": 0.98, "n": 8, "detectable": 0.02}
    return Noise.model_validate({**values, "verdict": verdict, **changes})


@pytest.mark.parametrize(
    ("spread", "recompiles", "steal", "throttled", "expected"),
    [
        (0.0, 0, 0.0, 0, "good"),
        (NOISY_IQR, 0, None, None, "good"),
        (NOISY_IQR + 0.001, 0, 0.0, 0, "noisy"),
        (UNTRUSTED_IQR + 0.001, 0, 0.0, 0, "untrusted"),
        (0.01, 0, 9.0, 0, "noisy"),
        (0.01, 0, 0.0, 3, "noisy"),
        (0.01, 1, 0.0, 0, "noisy"),
    ],
)
def test_a_row_is_flagged_by_its_spread_and_its_surroundings(spread, recompiles, steal, throttled, expected):
    assert row_quality(spread, recompiles, steal, throttled) == expected


def test_a_quiet_run_whose_case_equals_itself_is_valid():
    assert judge_run(noise(), QUIET, 2, 1, ok_rows=10) == (Validity.VALID, ())
    assert judge_run(noise("inconclusive"), QUIET, 2, 1, ok_rows=10) == (Validity.VALID, ())


@pytest.mark.parametrize("verdict", ["faster", "slower"])
def test_a_case_that_differs_from_itself_makes_the_run_invalid(verdict):
    validity, [reason] = judge_run(noise(verdict, ratio=1.08, low=1.02, high=1.15), QUIET, 2, 1, 10)
    assert validity is Validity.INVALID
    assert "different from itself: ratio 1.080, 98% interval 1.020 to 1.150" in reason


def test_a_run_without_a_check_of_its_noise_is_invalid():
    assert "noise of this run is not known" in judge_run(None, QUIET, 2, 1, 10)[1][0]
    assert "noise of this run is not known" in judge_run(noise(n=1, low=None, high=None), QUIET, 2, 1, 10)[1][0]


def test_a_busy_machine_makes_the_run_invalid():
    limit = busy_limit_cores(4, 1)
    assert judge_run(noise(), {**QUIET, "foreign_cpu_cores": limit}, 4, 1, 10)[0] is Validity.VALID
    validity, [reason] = judge_run(noise(), {**QUIET, "foreign_cpu_cores": limit + 0.1}, 4, 1, 10)
    assert validity is Validity.INVALID
    assert "the machine was busy: others used 1.60 cores, 1.50 are allowed" in reason


def test_a_run_on_all_cores_bears_less():
    assert busy_limit_cores(4, 4) < busy_limit_cores(4, 1)
    assert busy_limit_cores(1, 1) > 0


def test_stolen_time_makes_the_run_invalid():
    assert "hypervisor took 12.0 %" in judge_run(noise(), {**QUIET, "steal_pct": 12.0}, 2, 1, 10)[1][0]


def test_nothing_measured_is_never_valid():
    assert judge_run(None, QUIET, 2, 1, ok_rows=0) == (Validity.INVALID, ("no case was measured",))


def test_conditions_are_medians_and_unknown_ones_stay_unknown():
    rows = [{"load_1m": load, "throttle_events": 1} for load in (0.1, 9.0, 0.3)]
    assert median_conditions(rows) == {
        "load_1m": 0.3,
        "foreign_cpu_cores": None,
        "steal_pct": None,
        "throttle_events": 3,
    }
