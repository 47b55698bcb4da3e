"""Speed counts only with right answers: the output of a session against the model's reference."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.models.interface import Array
from kb.records.statuses import Status

#: Largest difference from the reference, over the largest absolute value of the reference, by precision.
#: Single precision keeps 24 bits (6e-8); sums over a few thousand terms in another order cost two digits more, so that
#: 1e-4 leaves every correct kernel room and catches a wrong epsilon or a transposed kernel. bfloat16 keeps 8 bits
#: (4e-3) and float16 11 bits (5e-4): the same room above that.
TOLERANCE = {"fp32": 1e-4, "fp16": 2e-2, "bf16": 1e-1}


@dataclass(frozen=True)
class Agreement:
    """How far the outputs are from the reference, and what that means."""

    status: Status  #: ok, wrong_output or not_finite
    reason: str
    error_max_abs: float | None
    error_relative: float | None
    tolerance_relative: float


def judge(outputs: Sequence[Array], reference: Sequence[Array], precision: str) -> Agreement:
    """Compare a session's outputs with the reference, output by output, and keep the worst.

    Raises:
        KeyError: no tolerance is known for the precision.
    """
    tolerance = TOLERANCE[precision]
    if len(outputs) != len(reference):
        reason = f"{len(outputs)} outputs where the reference has {len(reference)}"
        return Agreement(Status.WRONG_OUTPUT, reason, None, None, tolerance)
    worst_abs = worst_relative = 0.0
    for index, (got, expected) in enumerate(zip(outputs, reference, strict=True)):
        if got.shape != expected.shape:
            reason = f"output {index} has shape {got.shape} where the reference has {expected.shape}"
            return Agreement(Status.WRONG_OUTPUT, reason, None, None, tolerance)
        wide, truth = np.asarray(got, np.float64), np.asarray(expected, np.float64)
        if not np.isfinite(wide).all():
            bad = int(np.size(wide) - np.isfinite(wide).sum())
            return Agreement(
                Status.NOT_FINITE, f"output {index} has {bad} values that are not finite", None, None, tolerance
            )
        difference = float(np.max(np.abs(wide - truth), initial=0.0))
        scale = float(np.max(np.abs(truth), initial=0.0))
        worst_abs = max(worst_abs, difference)
        worst_relative = max(worst_relative, difference / scale if scale else (math.inf if difference else 0.0))
    if worst_relative > tolerance:
        reason = f"differs from the reference by {worst_relative:.2g} of its largest value; {tolerance:g} is allowed"
        shown = worst_relative if math.isfinite(worst_relative) else None
        return Agreement(Status.WRONG_OUTPUT, reason, worst_abs, shown, tolerance)
    return Agreement(Status.OK, "", worst_abs, worst_relative, tolerance)
