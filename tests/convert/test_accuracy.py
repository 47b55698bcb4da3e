"""The gate is for the bound of the loss: 3,000 unchanged answers pass, 300 do not; easy data are refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.convert.accuracy import Gate, Paired, compare, mcnemar, upper_bound
from kb.records.statuses import Status

RIGHT = 0.86


def answers(n: int, lost: int, won: int, right: float = RIGHT) -> Paired:
    """A model that answers a share of n samples rightly; `lost` of them are wrong afterwards, `won` others right."""
    labels = np.zeros(n, np.int64)
    before = (np.arange(n) >= round(right * n)).astype(np.int64)
    after = before.copy()
    after[:lost] = 1
    after[n - won :] = 0
    return compare(labels, before, after)


def test_loss_flips_and_accuracy_are_counted_on_the_same_samples() -> None:
    paired = answers(4000, lost=12, won=4)
    assert (paired.n, paired.lost, paired.won, paired.flips) == (4000, 12, 4, 16)
    assert paired.before_pct == pytest.approx(86.0)
    assert paired.loss_pp == pytest.approx(0.2)
    assert paired.after_pct == pytest.approx(85.8)
    assert paired.loss_pp < paired.upper_pp


def test_an_answer_that_changes_from_wrong_to_wrong_is_a_flip_and_no_loss() -> None:
    paired = compare(np.zeros(10, np.int64), np.full(10, 1), np.full(10, 2))
    assert (paired.flips, paired.lost, paired.won, paired.loss_pp) == (10, 0, 0, 0.0)


def test_without_any_change_in_3000_the_bound_is_below_a_tenth_of_a_point() -> None:
    paired = answers(3000, 0, 0)
    assert paired.flips == 0
    assert 0 < paired.upper_pp <= 0.1
    assert Gate().judge(paired) == (Status.OK, "")


def test_the_same_in_300_is_not_enough_data() -> None:
    status, reason = Gate().judge(answers(300, 0, 0))
    assert status is Status.ACCURACY_FAILED
    assert reason.startswith("not enough data: 300 samples, 3,000 are needed")


def test_a_loss_that_may_be_over_the_gate_is_not_ruled_out() -> None:
    status, reason = Gate().judge(answers(3000, lost=25, won=15))
    assert status is Status.ACCURACY_FAILED
    assert "not enough data to rule it out" in reason


def test_a_loss_over_the_gate_fails() -> None:
    status, reason = Gate().judge(answers(3000, lost=40, won=2))
    assert status is Status.ACCURACY_FAILED
    assert reason.startswith("loss 1.27 pp, at most")


def test_the_gate_holds_for_the_bound_and_may_be_another() -> None:
    paired = answers(3000, lost=25, won=15)
    assert Gate(loss_pp=1.0).judge(paired)[0] is Status.OK


@pytest.mark.parametrize(("right", "word"), [(0.99, "too easy"), (0.7, "too hard")])
def test_data_on_which_the_gate_cannot_fail_are_refused(right: float, word: str) -> None:
    status, reason = Gate().judge(answers(3600, 0, 0, right))
    assert status is Status.ACCURACY_FAILED
    assert reason.startswith(word)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(200, 5000))
def test_the_bound_is_above_the_loss_and_its_score_is_z(lost: int, won: int, n: int) -> None:
    bound = upper_bound(lost, won, n)
    assert (lost - won) / n < bound <= 1
    assert upper_bound(lost + 1, won, n) > bound


def test_the_bound_without_any_change_is_the_score_bound_of_a_proportion() -> None:
    z = 1.6448536269514722
    for n in (300, 3000):
        assert upper_bound(0, 0, n) == pytest.approx(z * z / (n + z * z), rel=1e-6)


def test_the_bound_covers_a_true_loss_as_often_as_it_says() -> None:
    """5 % of the bounds may lie below the truth; 2,000 seeded samples of 3,000 answers, exact to about half a point."""
    random = np.random.default_rng(1)
    lost, won, n = 0.006, 0.003, 3000
    draws = random.multinomial(n, [lost, won, 1 - lost - won], size=2000)
    missed = np.mean([upper_bound(int(a), int(b), n) < lost - won for a, b, _ in draws])
    assert 0.035 <= missed <= 0.065


def test_mcnemar_is_exact() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(8, 0) == pytest.approx(2 * 0.5**8)
    assert mcnemar(3, 5) == pytest.approx(2 * sum(math.comb(8, k) for k in range(4)) / 2**8)


def test_answers_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="labels"):
        compare(np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(2, np.int64))
