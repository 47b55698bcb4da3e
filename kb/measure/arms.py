"""Two arms measured interleaved in one run: their ratio, its interval, and the verdict it supports."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np

#: Level of the interval, and of the verdict that follows from it. 98 %: two identical arms are then called different
#: in 2 % of comparisons, while with 8 rounds at 2 % noise a change of 5 % is still found in more than 90 %
#: (tests/measure/test_arms.py simulates both).
CONFIDENCE = 0.98

#: "Same" means: the interval lies within this relative distance of 1. Below it a change is not worth an upgrade.
EQUIVALENCE_MARGIN = 0.05

#: Power of the "we would have seen" figure.
POWER = 0.90


class Verdict(StrEnum):
    """What a comparison supports. Nothing is called the same because it could not be told apart."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Comparison:
    """Candidate against baseline. Ratios are of times: above 1 the candidate is slower."""

    ratio: float | None
    low: float | None
    high: float | None
    n: int  #: rounds in which both arms have a figure
    verdict: Verdict
    detectable: float | None  #: smallest relative change that would have been called with 90 % power
    confidence: float = CONFIDENCE


def compare(
    baseline: Sequence[float | None], candidate: Sequence[float | None], confidence: float = CONFIDENCE
) -> Comparison:
    """Compare two arms by the paired t-interval of the log ratio per round.

    Both sequences give one time per round (any unit, the same for both), None where the replicate failed; the i-th
    items come from the same round of one interleaved schedule, so that a drift of the machine cancels.

    Raises:
        ValueError: the arms differ in length, or a time is not positive and finite.
    """
    if len(baseline) != len(candidate):
        raise ValueError(f"arms of {len(baseline)} and {len(candidate)} rounds cannot be paired")
    pairs = [(a, b) for a, b in zip(baseline, candidate, strict=True) if a is not None and b is not None]
    if any(not (math.isfinite(x) and x > 0) for pair in pairs for x in pair):
        raise ValueError("times must be positive and finite")
    n = len(pairs)
    if n == 0:
        return Comparison(None, None, None, 0, Verdict.INCONCLUSIVE, None, confidence)
    logs = np.log([b / a for a, b in pairs])
    mean = float(logs.mean())
    if n == 1:
        return Comparison(math.exp(mean), None, None, 1, Verdict.INCONCLUSIVE, None, confidence)
    from scipy.stats import t

    error = float(logs.std(ddof=1)) / math.sqrt(n)
    half = float(t.ppf((1 + confidence) / 2, n - 1)) * error
    low, high = math.exp(mean - half), math.exp(mean + half)
    detectable = math.expm1(_shift(n - 1, confidence) * error)
    return Comparison(math.exp(mean), low, high, n, _verdict(low, high), detectable, confidence)


@lru_cache
def _shift(freedom: int, confidence: float) -> float:
    """Standard errors by which the mean must be shifted to be called different with `POWER`: the non-centrality at
    which the non-central t exceeds the critical value that often (the far tail is negligible there).
    """
    from scipy.optimize import brentq
    from scipy.stats import nct, t

    critical = float(t.ppf((1 + confidence) / 2, freedom))
    return float(brentq(lambda shift: nct.sf(critical, freedom, shift) - POWER, 0.0, 20 * critical))


def _verdict(low: float, high: float) -> Verdict:
    """Different when the interval excludes 1; the same only when it fits into the margin."""
    if low > 1:
        return Verdict.SLOWER
    if high < 1:
        return Verdict.FASTER
    if high <= 1 + EQUIVALENCE_MARGIN and low >= 1 / (1 + EQUIVALENCE_MARGIN):
        return Verdict.SAME
    return Verdict.INCONCLUSIVE
