"""Accuracy before and after a conversion, on the same samples: what is lost, how many answers flip, and the bound."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kb.records.statuses import Status

#: Accuracy before conversion from which a gate means something: below, flips go both ways and hide a loss.
HARDEST_PCT = 80.0
#: And up to which it does: above, margins are so wide that hardly an answer can flip, and every conversion passes.
EASIEST_PCT = 92.0
#: Samples from which a loss of half a percentage point can be told from none.
MIN_SAMPLES = 3000
#: Loss that is allowed, percentage points, where the settings say nothing else. It holds for the bound.
GATE_PP = 0.5
#: One-sided level of the bound, and its normal quantile.
LEVEL, Z = 0.95, 1.6448536269514722


@dataclass(frozen=True)
class Paired:
    """Two sets of answers to the same labelled samples."""

    n: int
    before_pct: float  #: accuracy of the model as it was
    after_pct: float  #: of the conversion
    flips: int  #: answers that changed, right or wrong
    lost: int  #: right before, wrong after
    won: int  #: wrong before, right after
    loss_pp: float  #: before less after
    upper_pp: float  #: upper bound of the loss
    p: float  #: of McNemar's exact test: that as many are lost as are won


@dataclass(frozen=True)
class Gate:
    """What is allowed."""

    loss_pp: float = GATE_PP
    min_samples: int = MIN_SAMPLES
    hardest_pct: float = HARDEST_PCT
    easiest_pct: float = EASIEST_PCT

    def judge(self, paired: Paired) -> tuple[Status, str]:
        """`ok`, or `accuracy_failed` with the reason."""
        if paired.before_pct > self.easiest_pct:
            return Status.ACCURACY_FAILED, (
                f"too easy: the model answers {paired.before_pct:.2f} % of the samples rightly before it is converted; "
                f"above {self.easiest_pct:g} % hardly any answer can flip"
            )
        if paired.before_pct < self.hardest_pct:
            return Status.ACCURACY_FAILED, (
                f"too hard: the model answers {paired.before_pct:.2f} % of the samples rightly before it is converted; "
                f"{self.hardest_pct:g} % are needed"
            )
        upper = _apart(paired.upper_pp, self.loss_pp)
        bound = f"loss {paired.loss_pp:.2f} pp, at most {upper} pp, {self.loss_pp:g} pp are allowed"
        if paired.n < self.min_samples or (paired.loss_pp < self.loss_pp <= paired.upper_pp):
            return Status.ACCURACY_FAILED, (
                f"not enough data: {paired.n:,} samples, {self.min_samples:,} are needed: {bound}"
                if paired.n < self.min_samples
                else f"not enough data to rule it out: {bound} (n = {paired.n:,})"
            )
        if paired.upper_pp >= self.loss_pp:
            return Status.ACCURACY_FAILED, f"{bound} (n = {paired.n:,})"
        return Status.OK, ""


def _apart(value: float, limit: float) -> str:
    """With as many digits as tell it from a limit."""
    written = (f"{value:.{digits}f}" for digits in (2, 3, 4))
    return next((text for text in written if float(text) != limit), f"{value:g}")


def compare(labels: NDArray[np.int64], before: NDArray[np.int64], after: NDArray[np.int64]) -> Paired:
    """Compare two sets of answers.

    Args:
        labels: the right answers, (samples,).
        before: the model's, (samples,).
        after: the conversion's, (samples,).

    Raises:
        ValueError: the three are not of one length, or empty.
    """
    n = len(labels)
    if not n or before.shape != labels.shape or after.shape != labels.shape:
        raise ValueError(f"{labels.shape} labels, {before.shape} answers before and {after.shape} after")
    right_before, right_after = before == labels, after == labels
    lost, won = int(np.sum(right_before & ~right_after)), int(np.sum(~right_before & right_after))
    return Paired(
        n=n,
        before_pct=100 * float(right_before.mean()),
        after_pct=100 * float(right_after.mean()),
        flips=int(np.sum(before != after)),
        lost=lost,
        won=won,
        loss_pp=100 * (lost - won) / n,
        upper_pp=100 * upper_bound(lost, won, n),
        p=mcnemar(lost, won),
    )


def mcnemar(lost: int, won: int) -> float:
    """Exact two-sided p of McNemar's test (McNemar 1947): of the answers that changed between right and wrong, as many
    go one way as the other."""
    from scipy.stats import binomtest

    return float(binomtest(lost, lost + won, 0.5).pvalue) if lost + won else 1.0


def upper_bound(lost: int, won: int, n: int) -> float:
    """Upper bound of the loss as a share, one-sided at `LEVEL`: the score interval for paired proportions.

    Source: Tango 1998, "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17, 891-908. Without any change it is z^2 / (n + z^2).
    """
    from scipy.optimize import brentq

    observed = (lost - won) / n
    if observed >= 1:
        return 1.0

    def excess(delta: float) -> float:
        """How far the observed loss lies below `delta`, in standard errors, beyond z."""
        a, b, c = 2 * n, (2 * n - lost + won) * delta - lost - won, -won * delta * (1 - delta)
        q = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
        spread = n * (2 * q + delta * (1 - delta))
        return (lost - won - n * delta) / math.sqrt(spread) + Z if spread > 0 else Z

    return float(brentq(excess, observed + 1e-12, 1 - 1e-12))
