"""The operator that every way writes, y = relu(x) · sigmoid(x), in NumPy: what is right, and what is close enough."""

import numpy as np

from kb.models.interface import Array
from kb.practices.interface import Reading
from kb.records.statuses import Status

#: Elements by subject: the first is dominated by the cost of a call, the second by memory and arithmetic.
SIZES = {"relu_sigmoid 1k": 1_000, "relu_sigmoid 1M": 1_000_000}
SEED = 7
#: Standard deviation of the elements: wide enough for the sigmoid to saturate on both sides.
SPREAD = 3.0
#: Of float32 against float64: values reach about 15, where float32 is rounded by 1e-6 at most in each of three steps.
TOLERANCE = 1e-5


def elements(subject: str) -> Array:
    """The input of a subject: (elements,) float32, of both signs, none of them 0, where relu has no derivative."""
    drawn = np.random.default_rng(SEED).normal(0.0, SPREAD, SIZES[subject]).astype(np.float32)
    return np.where(drawn == 0.0, np.float32(1.0), drawn)


def value(x: Array) -> Array:
    """relu(x) · sigmoid(x), element by element, float64."""
    exact = x.astype(np.float64)
    return np.asarray(np.maximum(exact, 0.0) / (1.0 + np.exp(-exact)))


def derivative(x: Array) -> Array:
    """Its derivative, float64: s · (1 + x · (1 - s)) with s = sigmoid(x) for positive x, else 0."""
    exact = x.astype(np.float64)
    sigmoid = 1.0 / (1.0 + np.exp(-exact))
    return np.where(exact > 0.0, sigmoid * (1.0 + exact * (1.0 - sigmoid)), 0.0)


def compared(measure: str, found: Array, exact: Array) -> Reading:
    """The largest absolute difference of the two."""
    if found.shape != exact.shape:
        return Reading(measure, None, Status.WRONG_OUTPUT, f"the shape is {found.shape} instead of {exact.shape}")
    error = float(np.max(np.abs(found.astype(np.float64) - exact.astype(np.float64))))
    if not np.isfinite(error):
        return Reading(measure, None, Status.NOT_FINITE, "there is NaN or infinity in it")
    return Reading(measure, error)


def fault(reading: Reading) -> tuple[Status, str] | None:
    """Why a reading of `compared` is no agreement: status and reason. None: it agrees."""
    if reading.value is None:
        return reading.status, reading.reason
    if reading.value > TOLERANCE:
        return Status.WRONG_OUTPUT, f"{reading.measure} is {reading.value:.3g}, over {TOLERANCE:g}"
    return None
