"""What the TensorFlow runtimes share: threads and devices, the Keras model with its inputs, and the session."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from kb.models.interface import Array, Model, Source
from kb.records.case import Case
from kb.runtimes.base import FULL, MIXED, Direct, device_index, device_kind
from kb.runtimes.errors import DeviceMissing
from kb.runtimes.interface import DeviceTimer

if TYPE_CHECKING:
    import keras

_T = TypeVar("_T")

#: TensorFlow's word for each kind of device; its plug-ins for Metal and for oneAPI bring the last two.
DEVICE_TYPES = {"cuda": "GPU", "mps": "GPU", "xpu": "XPU"}
#: Keras's policy for each precision.
POLICIES = {"fp32": "float32", "bf16": "mixed_bfloat16", "fp16": "mixed_float16"}


def start_tensorflow(threads: int, device: str) -> None:
    """Import TensorFlow, set its threads and show it this device alone, where float32 has all its bits.

    To be called before any operator runs.

    Raises:
        DeviceMissing: TensorFlow sees no such device here.
        RuntimeError: TensorFlow was used before with other settings, or Keras has another backend.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(f"Keras was imported with the {keras.backend.backend()} backend, not with tensorflow")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    _show_only(device)
    allow_tf32(False)


def allow_tf32(allowed: bool) -> None:
    """Whether an NVIDIA GPU may round the factors of float32 products to TF32, as TensorFlow does by default."""
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(allowed)


def _show_only(device: str) -> None:
    """Hide all accelerators but the one asked for: TensorFlow would otherwise place a CPU case on the first GPU."""
    import tensorflow as tf

    wanted = DEVICE_TYPES.get(device_kind(device))
    seen = tf.config.list_physical_devices(wanted) if wanted else []
    if device_kind(device) != "cpu" and device_index(device) >= len(seen):
        raise DeviceMissing(f"TensorFlow {tf.__version__} sees no {device} on this machine ({len(seen)} of that kind)")
    for kind in sorted(set(DEVICE_TYPES.values())):
        found = tf.config.list_physical_devices(kind)
        if found:
            tf.config.set_visible_devices([found[device_index(device)]] if kind == wanted else [], kind)


@dataclass(frozen=True)
class KerasBuilt:
    """A Keras model, and the function that turns a model's inputs into its own."""

    model: "keras.Model"
    arrange: Callable[[Mapping[str, Array]], dict[str, Array]]


def structured(model: "keras.Model", inputs: Mapping[str, _T]) -> Any:
    """The inputs in the form in which the Keras model takes them: bare if it is one, else a dict by name.

    A functional model assigns the entries of a dict to its inputs by their names, in whatever form it declares them;
    if it declares a dict, one input comes in a dict too.
    """
    declared = getattr(model, "input", None)  # Keras raises AttributeError for a model that was only called on data
    if len(inputs) > 1 or isinstance(declared, dict):
        return dict(inputs)
    return next(iter(inputs.values()))


def constants(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """The arrays as tensors on the case's device."""
    import tensorflow as tf

    return {name: tf.constant(array) for name, array in arrays.items()}


def _none_traced() -> int:
    return 0


@dataclass(frozen=True)
class TfSession:
    """A callable with its arguments in place."""

    call: Callable[[], Any]
    device: str  #: the case's
    compiles: Callable[[], int] = _none_traced

    def wait(self) -> None:
        """Return when the device has finished."""
        import tensorflow as tf

        if device_kind(self.device) != "cpu":
            tf.test.experimental.sync_devices()

    def outputs(self) -> list[Array]:
        """Outputs of one call, on the host; those of a dict in the order of their names, as TensorFlow flattens."""
        import tensorflow as tf

        return [np.asarray(tensor) for tensor in tf.nest.flatten(self.call())]

    def threads(self) -> int | None:
        """Intra-op threads."""
        import tensorflow as tf

        return int(tf.config.threading.get_intra_op_parallelism_threads())

    def peak_device_mib(self) -> float | None:
        """Peak of TensorFlow's allocator on the device since the process began; None where a plug-in keeps none."""
        import tensorflow as tf

        kind = DEVICE_TYPES.get(device_kind(self.device))
        if kind is None:
            return None
        try:  # the only one that is visible has index 0, whatever its number on this machine
            info = tf.config.experimental.get_memory_info(f"{kind}:0")
        except (ValueError, tf.errors.OpError):
            return None
        return float(info["peak"]) / 2**20

    def device_timer(self) -> DeviceTimer | None:
        """None: TensorFlow hands out no events of the device."""
        return None


class TfRuntime(Direct):
    """Base of the TensorFlow runtimes: from a Keras model."""

    packages: tuple[str, ...] = ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "keras")
    sources: tuple[Source, ...] = (Source.KERAS,)
    precisions: tuple[str, ...] = (FULL, *MIXED)

    def start(self, case: Case) -> None:
        """Import TensorFlow and Keras, set the threads, look for the device."""
        start_tensorflow(case.threads, case.device)

    def build(self, model: Model, case: Case) -> Any:
        """The Keras model under the policy of the precision, with the conversion of inputs that belongs to it."""
        return KerasBuilt(model.keras_model(POLICIES[case.precision]), model.keras_inputs)
