"""memory-housekeeping: emptying caches, clearing Keras's session and collecting garbage in loops: memory and time."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb.measure.correctness import judge
from kb.models.cnn_s import CnnS
from kb.models.interface import Array
from kb.practices.interface import Arm, Measure, Reading
from kb.practices.timing import steady
from kb.records.statuses import Status
from kb.runtimes.base import device_kind
from kb.runtimes.tf_base import TfSession, start_tensorflow
from kb.runtimes.torch_base import on_host, start_torch, synchronize, tensors
from kb.workers.stages import enter

if TYPE_CHECKING:
    import keras
    import torch

DEVICES = ("cpu", "cuda")
INFERENCE, KERAS_MODELS, TORCH_MODELS = "inference steps, torch", "15 models, Keras", "15 models, torch"

#: What is done before each iteration. The first of each subject does nothing: its baseline.
WAYS = {
    INFERENCE: ("no housekeeping", "torch.cuda.empty_cache()"),
    KERAS_MODELS: ("no housekeeping", "clear_session()", "del and gc.collect()"),
    TORCH_MODELS: ("no housekeeping", "del and gc.collect()", "del, gc.collect() and torch.cuda.empty_cache()"),
}
BASELINE = "no housekeeping"

#: Built in a loop, one after the other.
MODELS = 15
#: Resident memory is told after these as well.
TOLD_AFTER = (1, 5, 10)
#: Batch sizes of the inference steps, in turn. Several, since an allocator that keeps blocks for reuse keeps most where
#: sizes change; small ones on a CPU, so that a step takes milliseconds.
CPU_BATCHES = (1, 4, 2)
ACCELERATOR_BATCHES = (16, 64, 32)
#: Samples that each of the models in a loop answers.
MODEL_BATCH = 8
#: Of the inputs.
SEED = 15


class MemoryHousekeeping:
    """Loops of inference and of building models, with and without the calls that are said to free memory."""

    name = "memory-housekeeping"
    title = "Memory housekeeping"
    advice = "Call `torch.cuda.empty_cache()` and `clear_session()` regularly, so that memory does not run out."
    replicates = 5
    measures = (
        Measure("rss_end_mib", "Resident memory at the end", "MiB", "lower"),
        Measure("rss_growth_mib", "Growth from the first iteration on", "MiB", "lower"),
        *(Measure(f"rss_after_{n}_mib", f"Resident after {n}", "MiB", "lower") for n in TOLD_AFTER),
        Measure("iteration_ms", "One iteration", "ms", "lower"),
        Measure("allocated_mib", "Allocated on the device at the end", "MiB", "lower"),
        Measure("reserved_mib", "Reserved on the device at the end", "MiB", "lower"),
        Measure("peak_allocated_mib", "Most allocated on the device", "MiB", "lower"),
        Measure("peak_reserved_mib", "Most reserved on the device", "MiB", "lower"),
        Measure("right_output", "Right outputs", yes_no=True),
    )

    def arms(self) -> Sequence[Arm]:
        """Every way of every loop, on a CPU and on an NVIDIA GPU."""
        return [Arm(subject, name, device) for subject, ways in WAYS.items() for device in DEVICES for name in ways]

    def baseline(self, arm: Arm) -> Arm | None:
        """The same loop without any call."""
        return None if arm.name == BASELINE else Arm(arm.subject, BASELINE, arm.device, arm.threads)

    def refuse(self, arm: Arm) -> str | None:
        """Nothing is known before the framework is asked."""
        return None

    def run(self, arm: Arm, folder: Path) -> Sequence[Reading]:
        """Go through the arm's loop."""
        enter("import")
        if arm.subject == KERAS_MODELS:
            start_tensorflow(arm.threads, arm.device)
            return build_and_ask(keras_shop(arm.device), keras_housekeeping(arm.name))
        device = start_torch(arm.threads, arm.device)
        if arm.subject == INFERENCE:
            return step_through(device, torch_housekeeping(arm.name))
        return build_and_ask(torch_shop(device), torch_housekeeping(arm.name))


#: What is done before an iteration. It gets the list that holds the model of the last one, the only reference to it.
Housekeeping = Callable[[list[Any]], None]


def keras_housekeeping(name: str) -> Housekeeping:
    """As teams write it. `clear_session` meets the last model: its variable is bound until the next one is built."""
    import keras

    return {
        BASELINE: _nothing,
        "clear_session()": lambda held: keras.backend.clear_session(),
        "del and gc.collect()": _drop_and_collect,
    }[name]


def torch_housekeeping(name: str) -> Housekeeping:
    """As teams write it."""
    import torch

    def drop_collect_and_empty(held: list[Any]) -> None:
        _drop_and_collect(held)
        torch.cuda.empty_cache()

    return {
        BASELINE: _nothing,
        "torch.cuda.empty_cache()": lambda held: torch.cuda.empty_cache(),
        "del and gc.collect()": _drop_and_collect,
        "del, gc.collect() and torch.cuda.empty_cache()": drop_collect_and_empty,
    }[name]


def _nothing(held: list[Any]) -> None:
    """What the baseline does."""


def _drop_and_collect(held: list[Any]) -> None:
    held.clear()
    gc.collect()


@dataclass(frozen=True)
class Shop:
    """Where models are built and asked."""

    build: Callable[[], Any]
    ask: Callable[[Any], Array]  #: the outputs, on the host
    device_memory: Callable[[], list[Reading]]


def keras_shop(device: str) -> Shop:
    """A reference model in Keras, asked by `predict`."""
    model = CnnS()
    inputs = model.keras_inputs(model.inputs(MODEL_BATCH, SEED))

    def ask(built: "keras.Model") -> Array:
        answer: Array = built.predict(inputs, batch_size=MODEL_BATCH, verbose=0)
        return answer

    return Shop(model.keras_model, ask, lambda: _tensorflow_memory(device))


def torch_shop(device: "torch.device") -> Shop:
    """The same model in torch, called in inference mode."""
    import torch

    model = CnnS()
    inputs = tensors(model.inputs(MODEL_BATCH, SEED), device)

    def ask(built: "torch.nn.Module") -> Array:
        with torch.inference_mode():
            return on_host(built(*inputs))

    return Shop(lambda: model.torch_module().to(device), ask, lambda: _torch_memory(device))


def build_and_ask(shop: Shop, housekeeping: Housekeeping) -> list[Reading]:
    """Build and ask models one after the other; resident memory is read while exactly one of them is bound."""
    enter("measure")
    held: list[Any] = []
    outputs: list[Array] = []
    rss_mib: list[float] = []
    seconds: list[float] = []
    for _ in range(MODELS):
        start = time.perf_counter()
        housekeeping(held)
        held[:] = [shop.build()]
        outputs.append(shop.ask(held[0]))
        seconds.append(time.perf_counter() - start)
        rss_mib.append(resident_mib())
    device_memory = shop.device_memory()
    enter("check")
    reference, _ = CnnS().reference(CnnS().inputs(MODEL_BATCH, SEED))
    right = all(judge([output], reference, "fp32").status is Status.OK for output in outputs)
    return [
        Reading("rss_end_mib", rss_mib[-1]),
        Reading("rss_growth_mib", rss_mib[-1] - rss_mib[0]),
        *(Reading(f"rss_after_{n}_mib", rss_mib[n - 1]) for n in TOLD_AFTER),
        Reading("iteration_ms", statistics.median(seconds[1:]) * 1e3),  # the first one pays for what comes once
        *device_memory,
        Reading("right_output", float(right)),
    ]


def step_through(device: "torch.device", housekeeping: Housekeeping) -> list[Reading]:
    """Steps with batches of several sizes. One model serves all of them; an iteration is one step."""
    import torch

    enter("build")
    model = CnnS()
    sizes = CPU_BATCHES if device.type == "cpu" else ACCELERATOR_BATCHES
    module = model.torch_module().to(device)
    batches = [tensors(model.inputs(size, SEED), device) for size in sizes]

    def one_round() -> "list[torch.Tensor]":
        answers = []
        for batch in batches:
            housekeeping([])
            answers.append(module(*batch))
        return answers

    enter("measure")
    with torch.inference_mode():
        answers = [on_host(answer) for answer in one_round()]
        rss_before_mib = resident_mib()
        round_ms = steady(one_round, lambda: synchronize(device)).latency_p50_ms
        housekeeping([])
        rss_after_mib, device_memory = resident_mib(), _torch_memory(device)
    enter("check")
    expected = [model.reference(model.inputs(size, SEED))[0][0] for size in sizes]
    return [
        Reading("rss_end_mib", rss_after_mib),
        Reading("rss_growth_mib", rss_after_mib - rss_before_mib),
        Reading("iteration_ms", round_ms / len(sizes)),
        *device_memory,
        Reading("right_output", float(judge(answers, expected, "fp32").status is Status.OK)),
    ]


def resident_mib() -> float:
    """Resident memory of this process, the frameworks' libraries in it."""
    import psutil

    return float(psutil.Process().memory_info().rss) / 2**20


def _torch_memory(device: "torch.device") -> list[Reading]:
    """What torch's allocator holds: for tensors (allocated), and from the device (reserved). Nothing on a CPU."""
    import torch

    if device.type == "cpu":
        return []
    allocator: Any = torch.get_device_module(device)
    synchronize(device)
    figures = {
        "allocated_mib": allocator.memory_allocated(device),
        "reserved_mib": allocator.memory_reserved(device),
        "peak_allocated_mib": allocator.max_memory_allocated(device),
        "peak_reserved_mib": allocator.max_memory_reserved(device),
    }
    return [Reading(key, size / 2**20) for key, size in figures.items()]


def _tensorflow_memory(device: str) -> list[Reading]:
    """What TensorFlow's allocator has given to tensors; it does not tell what it took from the device."""
    import tensorflow as tf

    if device_kind(device) == "cpu":
        return []
    TfSession(lambda: None, device).wait()
    info = tf.config.experimental.get_memory_info("GPU:0")
    return [
        Reading("allocated_mib", info["current"] / 2**20),
        Reading("peak_allocated_mib", info["peak"] / 2**20),
    ]
