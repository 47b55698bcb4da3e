"""What the practices about training share: subjects, seeded batches, the loop that keeps its losses, readings of it."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.models.cnn_s import CnnS
from kb.models.encoder_mini import EncoderMini
from kb.models.interface import Array
from kb.models.mlp8 import Mlp8
from kb.models.paired import PairedModel
from kb.practices.interface import Reading
from kb.records.statuses import Status

#: Batches that are drawn once and gone through again and again: the loss falls, since they are learned by heart, and
#: no arm waits for data.
POOL = 10
#: Of AdamW on both sides; torch's default epsilon is 1e-8, Keras's 1e-7, torch's weight decay 1e-2, Keras's 4e-3.
EPSILON = 1e-7
WEIGHT_DECAY = 1e-2
CLASSES = 10
#: A loop that has a limit decides after this many steps whether it can keep it. The first ones compile and allocate.
PROBE_STEPS = 5


@dataclass(frozen=True)
class Subject:
    """A reference model, and how it is trained."""

    model: Callable[[], PairedModel]
    learning_rate: float  #: such that the loss after 50 steps is well below that of the start, and not yet near zero


SUBJECTS = {
    "cnn_s": Subject(CnnS, 1e-3),
    "encoder_mini": Subject(EncoderMini, 3e-5),
    "mlp8": Subject(Mlp8, 1e-3),
}


@dataclass(frozen=True)
class Batch:
    """What one step learns from."""

    inputs: dict[str, Array]  #: in torch's layout
    labels: NDArray[np.int64]  #: (batch,), at random: there is nothing in the inputs that would tell them


@dataclass(frozen=True)
class Task:
    """A model with its batches: the same for every arm of a subject on one kind of device."""

    model: PairedModel
    learning_rate: float
    batches: Sequence[Batch]

    @classmethod
    def of(cls, subject: str, size: int) -> "Task":
        """The task of a subject.

        Args:
            size: samples per batch.

        Raises:
            KeyError: there is no such subject.
        """
        chosen = SUBJECTS[subject]
        model = chosen.model()
        return cls(model, chosen.learning_rate, [_batch(model, size, seed) for seed in range(POOL)])


def _batch(model: PairedModel, size: int, seed: int) -> Batch:
    labels = np.random.default_rng(seed).integers(0, CLASSES, size, dtype=np.int64)
    return Batch(model.inputs(size, seed), labels)


@dataclass(frozen=True)
class Training:
    """A network in training, whatever the framework."""

    step: Callable[[int], Any]  #: forward, backward and update on a batch of the pool, by its number; gives the loss
    wait: Callable[[], None]  #: returns when the device has finished
    updates: Callable[[], int]  #: how often the weights were changed; a loss scaler leaves out steps that overflow
    peak_device_mib: Callable[[], float | None]  #: since the process began; None on a CPU


@dataclass(frozen=True)
class Answer:
    """What a network says to its inputs, and how long it takes."""

    outputs: list[Array]
    latency_ms: float  #: of a call in its steady state


@dataclass(frozen=True)
class Course:
    """What a loop of training steps gave."""

    losses: list[float]  #: of every step, before its update
    step_ms: list[float]
    cut_short: str = ""  #: why there are fewer steps than were asked for; empty when there are not

    @property
    def loss(self) -> float:
        """Mean over the last pass through the batches, or over all steps if they were fewer."""
        return float(np.mean(self.losses[-POOL:]))

    @property
    def steady_step_ms(self) -> float:
        """Median without the first steps, which compile and allocate."""
        return float(np.median(self.step_ms[min(PROBE_STEPS, len(self.step_ms) - 1) :]))


def train(training: Training, steps: int, *, first: int = 0, limit_s: float = math.inf) -> Course:
    """Train, and keep every loss.

    Args:
        steps: at most.
        first: number of the first step, which says with which batch it begins.
        limit_s: the loop ends after `PROBE_STEPS` if all steps would take longer than this.
    """
    losses: list[float] = []
    times_ms: list[float] = []
    for number in range(first, first + steps):
        start = time.perf_counter_ns()
        loss = training.step(number % POOL)
        training.wait()
        times_ms.append((time.perf_counter_ns() - start) / 1e6)
        losses.append(float(loss))
        step_s = float(np.median(times_ms)) / 1e3
        if len(times_ms) == PROBE_STEPS and step_s * steps > limit_s:
            reason = f"a step takes {step_s:.2g} s, {steps} of them more than the limit of {limit_s:g} s"
            return Course(losses, times_ms, reason)
    return Course(losses, times_ms)


def relative_difference(value: float, reference: float) -> float:
    """Distance from the reference as a share of it."""
    return abs(value - reference) / abs(reference)


def reading(measure: str, value: float | None) -> list[Reading]:
    """A figure; none where it is None; and one that says so where it is no number."""
    if value is None:
        return []
    if not math.isfinite(value):
        return [Reading(measure, status=Status.NOT_FINITE, reason=f"it is {value}")]
    return [Reading(measure, value)]
