"""The computation that every device must get right, and how its result is judged."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.machine.checks import (
    FULL_PRECISION,
    LINE_CHARS,
    REDUCED_PRECISION,
    SIDE,
    Device,
    Matrix,
    check,
    error_line,
    one_line,
)

CPU = Device("cpu")


def multiplied(change: Callable[[Matrix], Any]) -> Callable[[Matrix, Matrix], Callable[[], Any]]:
    """A device that multiplies and then changes the result."""
    return lambda left, right: lambda: change(left @ right)


def rounded(bits: int) -> Callable[[Matrix, Matrix], Callable[[], Any]]:
    """A device that rounds its factors to `bits` of mantissa first, as TF32 (10) and bfloat16 (7) units do."""

    def round_to(matrix: Matrix) -> Matrix:
        fraction, exponent = np.frexp(matrix)
        return np.ldexp(np.round(fraction * 2 ** (bits + 1)) / 2 ** (bits + 1), exponent).astype(np.float32)

    return lambda left, right: lambda: round_to(left) @ round_to(right)


def test_a_right_device(capsys: pytest.CaptureFixture[str]) -> None:
    device = check(CPU, multiplied(lambda product: product))
    assert (device.works, device.correct, device.error, device.note) == (True, True, None, None)
    assert device.error_relative is not None
    assert device.error_relative <= FULL_PRECISION
    assert device.time_ms is not None
    assert device.time_ms > 0
    assert capsys.readouterr().err.splitlines()[-1] == "checking cpu"


@pytest.mark.parametrize("bits", [10, 7])
def test_reduced_precision_is_right_and_said(bits: int) -> None:
    device = check(CPU, rounded(bits))
    assert device.correct is True
    assert device.error_relative is not None
    assert FULL_PRECISION < device.error_relative <= REDUCED_PRECISION
    assert device.note is not None
    assert "reduced precision" in device.note


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda product: product.T, "wrong by"),
        (lambda product: product * 1.02, "wrong by"),
        (np.zeros_like, "wrong by"),
        (lambda product: np.where(np.eye(SIDE), np.nan, product), "NaN or infinity"),
        (lambda product: product[:1], "shape (1, 64)"),
    ],
)
def test_a_wrong_result_works_but_is_not_correct(change: Callable[[Matrix], Any], error: str) -> None:
    device = check(CPU, multiplied(change))
    assert (device.works, device.correct) == (True, False)
    assert device.error is not None
    assert error in device.error


def test_whatever_is_raised_is_the_devices_line() -> None:
    def prepare(left: Matrix, right: Matrix) -> Callable[[], Any]:
        raise RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported")

    device = check(CPU, prepare)
    assert (device.found, device.works, device.correct) == (True, False, None)
    assert device.error == "RuntimeError: CUDA error: out of memory"


def test_a_description_that_fails_is_its_line_too() -> None:
    def describe() -> Device:
        raise ValueError("no such device")

    assert check(CPU, multiplied(lambda product: product), describe).error == "ValueError: no such device"


def test_an_exception_without_text_has_its_type() -> None:
    assert error_line(TimeoutError()) == "TimeoutError"


@given(st.text(max_size=2 * LINE_CHARS))
def test_text_from_outside_becomes_one_printable_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= LINE_CHARS
    assert line == "" or line.isprintable()


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    assert one_line("\x1b[31mred\x1b[0m\r\nnext") == "[31mred [0m next"
