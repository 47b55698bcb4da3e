"""Two identical arms are rarely called different, a real change is found, and "same" is more than "not different"."""

import math

import numpy as np
import pytest

from kb.measure.arms import CONFIDENCE, EQUIVALENCE_MARGIN, Verdict, compare
from kb.measure.schedule import schedule
from kb.profiles import BUILT_IN_PROFILES
from kb.records.case import Case, Kind

JOBS = 200  #: simulated runs
DRIFT = 0.05  #: by which the machine gets slower from the first process of a run to the last
FULL = int(BUILT_IN_PROFILES["full"]["replicates"])
ARMS = (Case("m", "baseline"), Case("m", "candidate"))


def simulated_run(random: np.random.Generator, change: float, noise: float, others: int) -> tuple[list, list]:
    """Times of two arms among other cases, in the order of the real schedule, on a machine that drifts."""
    cases = [*ARMS, *(Case(f"other{i}", "r") for i in range(others))]
    jobs = schedule(cases, FULL, seed=int(random.integers(2**32)), memory=False)
    times: dict[Case, list[float]] = {case: [] for case in cases}
    for position, job in enumerate(jobs):
        assert job.kind is Kind.LATENCY
        slow = 1 + DRIFT * position / (len(jobs) - 1)
        factor = change if job.case == ARMS[1] else 1.0
        times[job.case].append(5.0 * factor * slow * math.exp(random.normal(0, noise)))
    return times[ARMS[0]], times[ARMS[1]]


def share_called_different(change: float, noise: float, others: int, seed: int) -> float:
    random = np.random.default_rng(seed)
    verdicts = [compare(*simulated_run(random, change, noise, others)).verdict for _ in range(JOBS)]
    return sum(verdict in (Verdict.FASTER, Verdict.SLOWER) for verdict in verdicts) / JOBS


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("noise", "others"), [(0.01, 0), (0.02, 0), (0.02, 10), (0.08, 10)])
def test_identical_arms_on_a_drifting_machine_are_rarely_called_different(noise, others, seed):
    assert share_called_different(1.0, noise, others, seed) <= 0.05


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("others", [0, 10])
def test_a_change_of_5_percent_at_2_percent_noise_is_found(others, seed):
    assert share_called_different(1.05, 0.02, others, seed) >= 0.90


def test_measuring_one_arm_after_the_other_would_call_identical_programs_different():
    """Why the schedule interleaves: the same statistic on the same machine, without it."""
    random = np.random.default_rng(0)
    different = 0
    for _ in range(JOBS):
        slow = 1 + DRIFT * np.arange(2 * FULL) / (2 * FULL - 1)
        times = slow * np.exp(random.normal(0, 0.01, 2 * FULL))
        different += compare(list(times[:FULL]), list(times[FULL:])).verdict is Verdict.SLOWER
    assert different / JOBS > 0.5


def test_the_ratio_is_of_times_so_above_1_is_slower():
    result = compare([1.0, 1.01, 0.99], [2.0, 2.01, 1.99])
    assert result.ratio == pytest.approx(2.0, rel=0.01)
    assert result.verdict is Verdict.SLOWER
    assert compare([2.0, 2.01, 1.99], [1.0, 1.01, 0.99]).verdict is Verdict.FASTER


def test_the_interval_is_the_paired_t_interval_of_the_logs():
    from scipy import stats

    a, b = [1.0, 1.1, 0.9, 1.05], [1.2, 1.25, 1.1, 1.3]
    result = compare(a, b, confidence=0.95)
    logs = np.log(np.array(b) / np.array(a))
    low, high = stats.t.interval(0.95, 3, loc=logs.mean(), scale=stats.sem(logs))
    assert (result.low, result.high) == pytest.approx((math.exp(low), math.exp(high)))
    assert result.n == 4


def test_same_needs_an_interval_within_the_margin():
    tight = [1.0, 1.001, 0.999, 1.0]
    assert compare(tight, [1.0, 1.0, 1.0, 0.9995]).verdict is Verdict.SAME
    wide = compare([1.0, 1.2, 0.8, 1.0], [1.1, 1.0, 0.9, 1.0])
    assert wide.verdict is Verdict.INCONCLUSIVE
    assert wide.high > 1 + EQUIVALENCE_MARGIN


def test_the_detectable_change_is_found_with_90_percent_power():
    random = np.random.default_rng(7)
    noise = 0.02
    found = [compare(*simulated_run(random, 1.0, noise, 0)).detectable for _ in range(JOBS)]
    typical = math.expm1(math.sqrt(np.mean(np.log1p(found) ** 2)))  # it follows the estimated noise of each run
    assert share_called_different(1 + typical, noise, 0, seed=8) == pytest.approx(0.9, abs=0.06)


def test_rounds_in_which_an_arm_failed_do_not_count():
    assert compare([1.0, None, 1.0], [1.0, 1.0, None]).n == 1
    assert compare([None], [None]).verdict is Verdict.INCONCLUSIVE
    assert compare([None], [None]).ratio is None


def test_one_round_gives_a_ratio_but_no_verdict():
    result = compare([1.0], [3.0])
    assert result.ratio == pytest.approx(3.0)
    assert (result.low, result.verdict) == (None, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_times_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError, match="positive and finite"):
        compare([1.0, bad], [1.0, 1.0])


def test_arms_of_different_length_cannot_be_paired():
    with pytest.raises(ValueError, match="cannot be paired"):
        compare([1.0], [1.0, 2.0])


def test_the_level_is_the_one_documented():
    assert compare([1.0, 1.1], [1.0, 1.2]).confidence == CONFIDENCE
