"""Random numbers for labelled data whose bits are the same on every platform, so that its hash can be checked.

Normal numbers, sines and float sums over an axis depend on the platform's mathematical library and vector width. Whole
numbers, their sums, and single additions, multiplications, divisions and square roots of IEEE do not.
"""

import math

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

#: Uniform numbers that are added to make one bell-shaped: with four, it ends at 3.5 standard deviations.
TERMS = 4

#: Largest of the whole numbers that stand for uniform ones.
WHOLE = 2**20

#: Least squared length that is divided by; a shorter vector comes out shorter than 1.
SMALLEST = 1e-12


def bell(random: np.random.Generator, shape: tuple[int, ...]) -> Float64:
    """Float64 of `shape` with mean 0 and variance 1, close to normal (Irwin 1927, Hall 1927)."""
    whole = random.integers(-WHOLE, WHOLE, (TERMS, *shape), dtype=np.int64, endpoint=True)
    return np.asarray(whole.sum(axis=0) * (math.sqrt(3 / TERMS) / WHOLE), np.float64)


def uniform(random: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Float64:
    """Float64 of `shape` in [low, high)."""
    return random.random(shape) * (high - low) + low


def directions(random: np.random.Generator, shape: tuple[int, ...], axes: int) -> Float64:
    """Unit vectors, (axes, *shape), about as likely in every direction."""
    vectors = bell(random, (axes, *shape))
    squares = vectors * vectors
    total: Float64 = squares[0]
    for square in squares[1:]:
        total = total + square
    length: Float64 = np.sqrt(np.maximum(total, SMALLEST))
    return vectors / length
