"""training-step: forward, backward and update, eager against compiled: time of a step, of the first one, memory."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from kb.measure.protocol import timed
from kb.measure.replicate import peak_rss_mib
from kb.practices.interface import Arm, Measure, Reading
from kb.practices.timing import steady
from kb.practices.training import POOL, Course, Task, Training, reading, relative_difference, train
from kb.practices.training_tf import TfWay, tf_training
from kb.practices.training_torch import TorchWay, torch_training
from kb.records.statuses import Status
from kb.runtimes.base import device_kind
from kb.runtimes.tf_base import start_tensorflow
from kb.runtimes.torch_base import start_torch
from kb.workers.stages import enter

MODELS = ("cnn_s", "encoder_mini")
DEVICES = ("cpu", "cuda")
#: Samples per step on a CPU, and on an accelerator, which smaller batches would leave idle.
CPU_BATCH = 8
ACCELERATOR_BATCH = 64
#: Steps over which an arm must have the losses that eager steps have: two passes through the batches, of which the
#: second counts, since it shows what the first has taught.
STEPS = 2 * POOL
#: By how much of the mean loss it may differ. Compilers sum in another order, which moves it by up to 0.1 % here; a
#: learning rate that is wrong by a tenth moves it by 1 to 3 %, a missing update by a fifth and more.
LOSS_TOLERANCE = 5e-3

TORCH = {
    "torch eager": TorchWay(),
    "torch eager, fused AdamW": TorchWay(fused=True),
    "torch.compile": TorchWay(compile_model=True),
    "torch.compile, AdamW too": TorchWay(compile_model=True, compile_update=True),
}
TENSORFLOW = {
    "TensorFlow eager": TfWay.TAPE,
    "tf.function": TfWay.FUNCTION,
    "tf.function with XLA": TfWay.XLA,
    "Keras train_on_batch": TfWay.TRAIN_ON_BATCH,
}
#: By framework, the first is eager, which the others are compared with and must agree with.
EAGER_TORCH, EAGER_TENSORFLOW = next(iter(TORCH)), next(iter(TENSORFLOW))


class TrainingStep:
    """Steps of reference models with AdamW, in the ways that the frameworks offer."""

    name = "training-step"
    title = "Training step"
    advice = "Write and debug in eager mode, and compile for training: the steps get faster and compute the same."
    replicates = 3
    measures = (
        Measure("step_ms", "Step", "ms", "lower"),
        Measure("first_step_s", "First step, compiling included", "s", "lower"),
        Measure("train_loss", f"Loss after {STEPS} steps"),
        Measure("loss_difference_relative", "Distance from the loss of eager steps", "of that loss", "lower"),
        Measure("peak_rss_mib", "Peak memory of the process", "MiB", "lower"),
        Measure("peak_device_mib", "Peak device memory", "MiB", "lower"),
    )

    def arms(self) -> Sequence[Arm]:
        """Every way of both frameworks, for every model and device."""
        names = (*TORCH, *TENSORFLOW)
        return [Arm(model, name, device) for model in MODELS for device in DEVICES for name in names]

    def baseline(self, arm: Arm) -> Arm | None:
        """Eager steps of the same framework on the same device."""
        name = EAGER_TORCH if arm.name in TORCH else EAGER_TENSORFLOW
        return None if arm.name == name else Arm(arm.subject, name, arm.device, arm.threads)

    def refuse(self, arm: Arm) -> str | None:
        """Nothing: what a device can do is found out on it."""
        return None

    def run(self, arm: Arm, folder: Path) -> Sequence[Reading]:
        """Measure the arm in a process that has trained nothing before; the eager steps to judge it by come last."""
        batch = CPU_BATCH if device_kind(arm.device) == "cpu" else ACCELERATOR_BATCH
        task = Task.of(arm.subject, batch)
        enter("import")
        build = _start(arm, task)
        enter("build")
        training = build(arm.name)
        enter("first call")
        first, first_step_s = timed(lambda: train(training, 1))
        enter("measure")
        course = Course(first.losses + train(training, STEPS - 1, first=1).losses, first.step_ms)
        step_ms = _step_ms(training)
        rss_mib, device_mib = peak_rss_mib(), training.peak_device_mib()
        enter("check")
        eager = train(build(EAGER_TORCH if arm.name in TORCH else EAGER_TENSORFLOW), STEPS)
        return [
            *judged(step_ms, course, eager),
            *reading("first_step_s", first_step_s),
            *reading("peak_rss_mib", rss_mib),
            *reading("peak_device_mib", device_mib),
        ]


def _start(arm: Arm, task: Task) -> Callable[[str], Training]:
    """Import the framework; what builds a training by the name of an arm."""
    if arm.name in TORCH:
        start_torch(arm.threads, arm.device)
        return lambda name: torch_training(task, arm.device, TORCH[name])
    start_tensorflow(arm.threads, arm.device)
    return lambda name: tf_training(task, arm.device, TENSORFLOW[name])


def _step_ms(training: Training) -> float:
    """Steady-state time of a step; the batches take turns."""
    numbers = itertools.cycle(range(POOL))
    return steady(lambda: training.step(next(numbers)), training.wait).latency_p50_ms


def judged(step_ms: float, course: Course, eager: Course) -> list[Reading]:
    """The losses, and the time of a step if it computes what an eager one does."""
    difference = relative_difference(course.loss, eager.loss)
    rest = [*reading("train_loss", course.loss), *reading("loss_difference_relative", difference)]
    if difference <= LOSS_TOLERANCE:
        return [Reading("step_ms", step_ms), *rest]
    reason = f"loss {course.loss:.4g} where eager steps have {eager.loss:.4g}; {LOSS_TOLERANCE:.1%} is allowed"
    return [Reading("step_ms", status=Status.WRONG_OUTPUT, reason=reason), *rest]
