"""Only the digits that the interval defends."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.analysis.digits import MAX_DIGITS, defend, defended


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (2.3148, 2.29, 2.34, "2.31"),  # half-width 0.025: the second decimal is the uncertain one
        (2.3148, 2.2, 2.4, "2.3"),
        (2.3148, 1.0, 4.0, "2"),
        (2.3148, 0.1, 30.0, "2"),  # never fewer than one digit
        (2.3148, 2.3148, 2.3148, "2.315"),  # never more than four
        (1234.4, 1200.0, 1280.0, "1,230"),
        (1234.4, 1000.0, 1500.0, "1,200"),
        (0.04321, 0.0431, 0.0433, "0.0432"),
        (0.9996, 0.99, 1.01, "1.00"),
        (9.97, 9.0, 11.0, "10"),
        (0.0, 0.0, 0.0, "0.000"),
        (1.53e-6, 1.2e-6, 1.9e-6, "1.5e-06"),
        (-2.3148, -2.4, -2.2, "-2.3"),
    ],
)
def test_the_last_digit_is_the_first_uncertain_one(value: float, low: float, high: float, text: str) -> None:
    assert defended(value, low, high) == text


def test_without_an_interval_two_digits_stand() -> None:
    assert defended(2.3148) == "2.3"
    assert defended(2314.8) == "2,300"


def test_bounds_are_rounded_to_the_same_place() -> None:
    shown = defend(2.3148, 2.2871, 2.3419)
    assert (shown.value, shown.bounds) == ("2.31", "2.29 to 2.34")
    assert defend(2.3148).bounds == ""


def test_what_is_no_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="nan"):
        defended(math.nan)


@given(st.floats(0.001, 1e6), st.floats(0.0001, 0.9))
def test_the_printed_value_lies_within_the_interval_or_one_digit_of_it(value: float, spread: float) -> None:
    half = value * spread
    printed = defended(value, value - half, value + half)
    assert abs(float(printed.replace(",", "")) - value) <= max(half, value * 10.0 ** (1 - MAX_DIGITS))
    assert len(printed.replace(",", "").replace(".", "").strip("0")) <= MAX_DIGITS
