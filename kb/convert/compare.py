"""How far outputs are from what they should be: one measure for exports, for the noise floor and for single tensors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kb.models.interface import Array


@dataclass(frozen=True)
class Distance:
    """How far some arrays are from others."""

    max_abs: float
    relative: float  #: the same over the largest absolute value of the array that is right; the worst array counts


def distance(got: Sequence[Array], right: Sequence[Array]) -> Distance:
    """The largest difference, array by array; infinite where something is not finite that should be.

    Raises:
        ValueError: the arrays differ in number or shape.
    """
    if len(got) != len(right):
        raise ValueError(f"{len(got)} outputs where the model has {len(right)}")
    worst = Distance(0.0, 0.0)
    for index, (mine, truth) in enumerate(zip(got, right, strict=True)):
        if mine.shape != truth.shape:
            raise ValueError(f"output {index} has shape {mine.shape} where the model's has {truth.shape}")
        found = _of_one(np.asarray(mine, np.float64), np.asarray(truth, np.float64))
        worst = Distance(max(worst.max_abs, found.max_abs), max(worst.relative, found.relative))
    return worst


def _of_one(mine: NDArray[np.float64], truth: NDArray[np.float64]) -> Distance:
    same = (mine == truth) | (np.isnan(mine) & np.isnan(truth))  # infinities agree with themselves
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(mine - truth))
    largest = float(np.max(apart, initial=0.0))
    if not math.isfinite(largest):
        return Distance(math.inf, math.inf)
    scale = float(np.max(np.abs(truth[np.isfinite(truth)]), initial=0.0))
    return Distance(largest, largest / scale if scale else (math.inf if largest else 0.0))


def not_finite(got: Sequence[Array], right: Sequence[Array]) -> str | None:
    """What is NaN or infinite where it should not be, in words; None where nothing is."""
    for index, (mine, truth) in enumerate(zip(got, right, strict=False)):
        if not np.issubdtype(mine.dtype, np.inexact) or mine.shape != truth.shape:
            continue
        bad = int(np.sum(~np.isfinite(mine) & np.isfinite(np.asarray(truth, np.float64))))
        if bad:
            return f"output {index} has {bad} of {mine.size} values that are not finite"
    return None
