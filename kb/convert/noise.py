"""Tolerances from the model itself: how far it moves when only what must not matter is changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kb.convert.compare import distance
from kb.convert.original import arranged, keras_original, torch_inputs, torch_original
from kb.convert.precisions import FULL, bits_of
from kb.convert.probes import Kind, Probe
from kb.models.arrays import flat
from kb.models.errors import ModelError
from kb.models.interface import Array, Model, Source

if TYPE_CHECKING:
    import keras
    import torch

#: How much further than the noise floor a right conversion may be. The variants reorder sums in some of the operators
#: and round each weight once; an exporter reorders in all of them and rounds activations as well.
FACTOR = 8.0
#: Spacing of float32 at 1. The floor is never below it: where a model is so small that all variants agree to the last
#: bit, a conversion may still round once more.
EPSILON = 2.0**-23
#: An output that is off by half of its largest value is no answer, whatever the precision.
CEILING = 0.5
#: The variant in which images lie in memory with their channels last.
LAYOUT = "channels last"
#: Steps of an 8-bit signed integer on either side of zero.
STEPS = 127

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Floor:
    """The noise of one model: for float32 over its variants, for fewer bits with its weights rounded to them."""

    relative: Mapping[str, float]  #: bits -> error relative to the reference
    variants: Mapping[str, float]  #: variant in float32 -> the same, as evidence

    def tolerance(self, bits: str) -> float:
        """What a conversion's relative error may be.

        Raises:
            KeyError: the floor of these bits is not known.
        """
        return min(CEILING, FACTOR * max(self.relative[bits], EPSILON))


def rounded(array: Array, bits: str) -> Array:
    """A weight as it is after it was kept in fewer bits; integers and float32 as they are.

    ``fp16`` rounds each number to float16, ``int8`` to one of `STEPS` steps up to the tensor's largest. Vectors, such
    as biases and the statistics of a BatchNorm, are not kept in 8 bits by any quantiser.
    """
    if not np.issubdtype(array.dtype, np.floating):
        return array
    if bits == "fp16":
        return np.asarray(array.astype(np.float16).astype(array.dtype))
    if array.ndim < 2:
        return array
    largest = float(np.max(np.abs(array), initial=0.0))
    if not largest:
        return array
    step = largest / STEPS
    return np.asarray(np.round(array.astype(np.float64) / step) * step, array.dtype)


def floor_of(model: Model, probes: Sequence[Probe], cores: int) -> Floor:
    """Measure the noise of a model on the probes of the exported shape and of other values.

    Raises:
        Exception: whatever the model's framework raises.
    """
    asked = [probe for probe in probes if probe.kind is not Kind.SHAPE]
    if (module := torch_original(model)) is not None:
        found = _measured(_torch_variants(model, module, cores), asked)
    elif (built := keras_original(model)) is not None:
        found = _measured(_keras_variants(model, built), asked)
    else:
        moved = [far for probe in asked if (far := _moved(model, probe)) is not None]
        found = {"inputs rounded": max(moved)} if moved else {}
        found |= _onnx_spread(model, asked) if Source.ONNX in model.sources else {}
    plain = {name: value for name, value in found.items() if name not in ("fp16", "int8")}
    relative = {"fp32": max(plain.values(), default=0.0)}
    relative |= {bits: found[bits] for bits in ("fp16", "int8") if bits in found}
    return Floor(relative, plain)


#: One way to compute the model's outputs.
Run = Callable[[Mapping[str, Array]], list[Array]]


def _measured(variants: Iterator[tuple[str, Run]], probes: Sequence[Probe]) -> dict[str, float]:
    found = {}
    for name, run in variants:
        try:
            found[name] = max(distance(run(probe.inputs), probe.expected).relative for probe in probes)
        except RuntimeError:
            if name != LAYOUT:  # a module may view its tensors in a way that only one layout allows
                raise
    return found


def _torch_variants(model: Model, original: "torch.nn.Module", cores: int) -> Iterator[tuple[str, Run]]:
    """float32 by threads, kernels, layout and optimised graph; then with rounded weights.

    Settings are made when a variant is taken, and hold until the next one is. The module itself is changed last.
    """
    import torch

    def running(module: Any, arrange: Callable[[Any], Any] = lambda tensor: tensor) -> Run:
        def run(inputs: Mapping[str, Array]) -> list[Array]:
            with torch.inference_mode():
                outputs = module(*(arrange(tensor) for tensor in torch_inputs(original, inputs)))
            return [output.numpy() for output in flat(outputs)]

        return run

    for threads in sorted({1, cores}):
        torch.set_num_threads(threads)
        yield f"{threads} threads" if threads > 1 else "1 thread", running(original)
    torch.set_num_threads(1)
    with torch.backends.mkldnn.flags(enabled=False):
        yield "without oneDNN", running(original)
    if Source.TORCH in model.sources:  # whatever a user brings may not be traced
        yield "frozen graph", running(_frozen(original, model))
    weights = {name: tensor.clone() for name, tensor in original.state_dict().items()}
    for bits in ("fp16", "int8"):
        original.load_state_dict({name: _rounded(tensor, bits) for name, tensor in weights.items()})
        yield bits, running(original)
    original.load_state_dict(weights)
    yield LAYOUT, running(original.to(memory_format=torch.channels_last), _last)


def _rounded(tensor: "torch.Tensor", bits: str) -> "torch.Tensor":
    import torch

    return torch.from_numpy(rounded(tensor.numpy(), bits))


def _last(tensor: "torch.Tensor") -> "torch.Tensor":
    import torch

    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def _frozen(module: "torch.nn.Module", model: Model) -> Any:
    """BatchNorm folded into convolutions, operators fused: what optimisers of graphs do."""
    import torch

    from kb.convert.probes import examples_of
    from kb.runtimes.torch_base import tensors

    examples = tensors(examples_of(model, 0), torch.device("cpu"))
    with torch.no_grad():
        return torch.jit.optimize_for_inference(torch.jit.trace(module, examples, check_trace=False))


def _moved(model: Model, probe: Probe) -> float | None:
    """How far the reference moves when each input is rounded once more: where the model cannot be run otherwise.

    None where the reference is a file, which answers nothing but its own inputs.
    """
    random = np.random.default_rng(0)

    def nudged(array: Array) -> Array:
        if not np.issubdtype(array.dtype, np.floating):
            return array
        moved = array.astype(np.float64) * (1 + EPSILON * random.choice((-1, 1), array.shape))
        return np.asarray(moved, array.dtype)

    try:
        moved, _ = model.reference({name: nudged(array) for name, array in probe.inputs.items()})
    except ModelError:
        return None
    return distance(moved, probe.expected).relative


def _onnx_spread(model: Model, probes: Sequence[Probe]) -> dict[str, float]:
    """How far an ONNX file is from itself: over the levels of graph optimisation, and with its weights rounded.

    From itself and not from the reference, since whether it is right is what is to be found out.
    """
    import onnx

    from kb.convert.execution import LEVELS, open_export
    from kb.convert.interface import Form

    if model.path is None:
        raise ValueError(f"{model.name} is no file")
    own = [open_export(model.path, Form.ONNX)(probe.inputs) for probe in probes]

    def apart(run: Run) -> float:
        return max(distance(run(probe.inputs), mine).relative for probe, mine in zip(probes, own, strict=True))

    found = {level: apart(open_export(model.path, Form.ONNX, level)) for level in LEVELS[:-1]}
    for bits in ("fp16", "int8") if bits_of(model.path) == FULL else ():  # what is rounded already cannot be again
        proto = onnx.load(str(model.path))
        for tensor in proto.graph.initializer:
            coarse = rounded(onnx.numpy_helper.to_array(tensor), bits)
            tensor.CopyFrom(onnx.numpy_helper.from_array(coarse, tensor.name))
        with TemporaryDirectory() as folder:
            path = Path(folder) / "rounded.onnx"
            onnx.save(proto, str(path))
            found[bits] = apart(open_export(path, Form.ONNX))
    return found


def _keras_variants(model: Model, built: "keras.Model") -> Iterator[tuple[str, Run]]:
    """float32 as a graph and by XLA; then with rounded weights, which the model itself is given."""
    import tensorflow as tf

    def running(jit_compile: bool | None = None) -> Run:
        function = tf.function(lambda given: built(given, training=False), jit_compile=jit_compile)

        def run(inputs: Mapping[str, Array]) -> list[Array]:
            return [np.asarray(output) for output in flat(function(arranged(model, built, inputs)))]

        return run

    yield "graph", running()
    yield "XLA", running(jit_compile=True)
    weights = built.get_weights()
    for bits in ("fp16", "int8"):
        built.set_weights([rounded(weight, bits) for weight in weights])
        yield bits, running()
    built.set_weights(weights)
