"""A fast wrong answer is a wrong answer."""

import numpy as np
import pytest

from kb.measure.correctness import TOLERANCE, judge
from kb.records.statuses import Status

TRUTH = [np.array([[1.0, -2.0], [4.0, 0.5]])]


def test_rounding_is_not_an_error():
    agreement = judge([TRUTH[0].astype(np.float32) + np.float32(1e-6)], TRUTH, "fp32")
    assert agreement.status is Status.OK
    assert agreement.error_max_abs == pytest.approx(1e-6, rel=0.1)
    assert agreement.error_relative == pytest.approx(2.5e-7, rel=0.1), "relative to the largest value of the reference"


@pytest.mark.parametrize("precision", TOLERANCE)
def test_the_tolerance_is_that_of_the_precision(precision):
    bound = TOLERANCE[precision] * 4.0
    assert judge([TRUTH[0] + 0.99 * bound], TRUTH, precision).status is Status.OK
    beyond = judge([TRUTH[0] + 1.01 * bound], TRUTH, precision)
    assert beyond.status is Status.WRONG_OUTPUT
    assert f"{TOLERANCE[precision]:g} is allowed" in beyond.reason


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_is_enough(bad):
    output = TRUTH[0].copy()
    output[1, 1] = bad
    agreement = judge([output], TRUTH, "fp32")
    assert agreement.status is Status.NOT_FINITE
    assert "output 0 has 1 values" in agreement.reason


def test_shapes_are_not_broadcast():
    assert "shape (1, 2)" in judge([TRUTH[0][:1]], TRUTH, "fp32").reason
    assert judge([TRUTH[0][:1]], TRUTH, "fp32").status is Status.WRONG_OUTPUT


def test_a_missing_output_is_wrong():
    assert "1 outputs where the reference has 2" in judge(TRUTH, TRUTH * 2, "fp32").reason


def test_the_worst_output_decides():
    agreement = judge([TRUTH[0], TRUTH[0] * 1.5], TRUTH * 2, "fp32")
    assert agreement.status is Status.WRONG_OUTPUT
    assert agreement.error_relative == pytest.approx(0.5)


def test_a_reference_of_zeros_allows_only_zeros():
    zeros = [np.zeros(3)]
    assert judge([np.zeros(3)], zeros, "fp32").status is Status.OK
    assert judge([np.full(3, 1e-9)], zeros, "fp32").status is Status.WRONG_OUTPUT


def test_integers_are_compared_too():
    assert judge([np.array([1, 2])], [np.array([1, 3])], "fp32").status is Status.WRONG_OUTPUT


def test_nothing_in_an_output_is_nothing_wrong():
    assert judge([np.zeros((0, 4))], [np.zeros((0, 4))], "fp32").status is Status.OK
