"""mixed-precision: float32 against 16 bits, by autocast and by Keras policies: speed, error, loss of a training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.measure.correctness import judge
from kb.models.interface import Array
from kb.practices.interface import Arm, Measure, Reading
from kb.practices.training import SUBJECTS, Answer, Course, Task, Training, reading, relative_difference, train
from kb.practices.training_tf import TfWay, tf_answer, tf_training
from kb.practices.training_torch import TorchWay, torch_answer, torch_training
from kb.records.statuses import Status
from kb.runtimes import tf_base, torch_base
from kb.runtimes.base import device_kind
from kb.workers.stages import enter

DEVICES = ("cpu", "cuda")
#: Steps after which the losses are compared.
STEPS = 50
#: A training that would take longer is given up after a few steps: a CPU may have no float16 kernels worth the name.
TRAIN_LIMIT_S = 90.0
#: Samples per training step and per call of inference. On a CPU so few that `STEPS` end in seconds, but more than one:
#: the error is a share of the largest output, and a single sample may have only small ones.
CPU_BATCH = 4
#: The same on an accelerator, which smaller batches would leave idle.
ACCELERATOR_BATCH = 64
#: Of the inputs of inference; the batches of the training have the seeds from 0.
INFERENCE_SEED = 1000
#: TF32 keeps as many bits behind the point as float16, so its outputs are allowed to be as far off.
JUDGED_AS = {"tf32": "fp16"}


@dataclass(frozen=True)
class Side:
    """What the arms of one framework are made of."""

    start: Callable[[int, str], Any]  #: threads, device
    allow_tf32: Callable[[bool], None]
    training: Callable[[Task, str, str], Training]  #: task, device, precision
    answer: Callable[[Task, Mapping[str, Array], str, str], Answer]  #: task, inputs, device, precision


def _torch_training(task: Task, device: str, precision: str) -> Training:
    return torch_training(task, device, TorchWay(precision))


def _tf_training(task: Task, device: str, precision: str) -> Training:
    return tf_training(task, device, TfWay.FUNCTION, precision)


TORCH = Side(torch_base.start_torch, torch_base.allow_tf32, _torch_training, torch_answer)
KERAS = Side(tf_base.start_tensorflow, tf_base.allow_tf32, _tf_training, tf_answer)

#: What stands behind the names of the arms: the framework and the precision. The first of a framework is its baseline.
WAYS = {
    "torch float32": (TORCH, "fp32"),
    "torch bfloat16 autocast": (TORCH, "bf16"),
    "torch float16 autocast": (TORCH, "fp16"),
    "torch TF32": (TORCH, "tf32"),
    "Keras float32": (KERAS, "fp32"),
    "Keras mixed_bfloat16": (KERAS, "bf16"),
    "Keras mixed_float16": (KERAS, "fp16"),
    "Keras TF32": (KERAS, "tf32"),
}


class MixedPrecision:
    """Inference and training of reference models in float32 and in 16 bits."""

    name = "mixed-precision"
    title = "Mixed precision"
    advice = "Run most operators in 16 bits: it is faster and takes less memory, and the model learns as well."
    replicates = 3
    measures = (
        Measure("latency_ms", "Inference", "ms", "lower"),
        Measure("train_step_ms", "Training step", "ms", "lower"),
        Measure("error_relative", "Output error", "of the largest output", "lower"),
        Measure("train_loss", f"Loss after {STEPS} steps"),
        Measure("loss_difference_relative", "Distance from the loss in float32", "of that loss", "lower"),
        Measure("skipped_steps", "Steps that the loss scaler skipped"),
        Measure("peak_device_mib", "Peak device memory of the training", "MiB", "lower"),
    )

    def arms(self) -> Sequence[Arm]:
        """Every precision in both frameworks, for every subject and device; TF32 where the hardware may have it."""
        return [
            Arm(subject, name, device)
            for subject in SUBJECTS
            for device in DEVICES
            for name, (_, precision) in WAYS.items()
            if precision != "tf32" or device == "cuda"
        ]

    def baseline(self, arm: Arm) -> Arm | None:
        """Float32 with all its bits, in the same framework on the same device."""
        side, _ = WAYS[arm.name]
        name = next(name for name, (other, _) in WAYS.items() if other is side)
        return None if arm.name == name else Arm(arm.subject, name, arm.device, arm.threads)

    def refuse(self, arm: Arm) -> str | None:
        """Nothing: what a device can do is found out on it."""
        return None

    def run(self, arm: Arm, folder: Path) -> Sequence[Reading]:
        """Train and infer in the arm's precision, then train in float32 from the same start.

        The reference outputs come last, since torch computes them, also beside TensorFlow.
        """
        side, precision = WAYS[arm.name]
        asked = "fp32" if precision == "tf32" else precision
        batch = CPU_BATCH if device_kind(arm.device) == "cpu" else ACCELERATOR_BATCH
        task = Task.of(arm.subject, batch)
        inputs = task.model.inputs(batch, INFERENCE_SEED)
        enter("import")
        side.start(arm.threads, arm.device)
        side.allow_tf32(precision == "tf32")
        enter("build")
        training = side.training(task, arm.device, asked)
        enter("measure")
        course = train(training, STEPS, limit_s=TRAIN_LIMIT_S)
        skipped, peak_mib = len(course.losses) - training.updates(), training.peak_device_mib()
        answer = side.answer(task, inputs, arm.device, asked)
        enter("check")
        side.allow_tf32(False)
        exact = train(side.training(task, arm.device, "fp32"), len(course.losses))
        reference, _ = task.model.reference(inputs)
        return [
            *judged(answer, reference, precision),
            *reading("train_step_ms", course.steady_step_ms),
            *losses(course, exact),
            *reading("skipped_steps", skipped),
            *reading("peak_device_mib", peak_mib),
        ]


def judged(answer: Answer, reference: Sequence[Array], precision: str) -> list[Reading]:
    """The error of the outputs, and the latency if they are right."""
    agreement = judge(answer.outputs, reference, JUDGED_AS.get(precision, precision))
    if agreement.status is Status.OK:
        latency = Reading("latency_ms", answer.latency_ms)
    else:
        latency = Reading("latency_ms", status=agreement.status, reason=agreement.reason)
    return [latency, *reading("error_relative", agreement.error_relative)]


def losses(course: Course, exact: Course) -> list[Reading]:
    """The loss at the end, and how far it is from that of as many steps in float32."""
    if course.cut_short:
        reached = f"after {len(course.losses)}: loss {course.loss:.4g}, in float32 {exact.loss:.4g}"
        reason = f"{course.cut_short}; {reached}"
        both = ("train_loss", "loss_difference_relative")
        return [Reading(measure, status=Status.TIMEOUT, reason=reason) for measure in both]
    difference = relative_difference(course.loss, exact.loss)
    return [*reading("train_loss", course.loss), *reading("loss_difference_relative", difference)]
