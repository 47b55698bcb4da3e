"""What a model and an export compute inside, value by value, so that the first wrong one can be found."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kb.convert.original import arranged, keras_original, torch_original
from kb.models.arrays import widened
from kb.models.interface import Array, Model

if TYPE_CHECKING:
    import keras
    import onnx
    import torch

#: Tensors that are larger are not kept: a tape of all of them would not fit into memory.
MOST_ELEMENTS = 2**22


@dataclass(frozen=True)
class Recorded:
    """One value that the model computes, in double precision."""

    name: str  #: operator, and the module that calls it
    value: NDArray[np.float64]
    sources: tuple[int, ...]  #: places on the tape of what it was computed from


@dataclass(frozen=True)
class Tape:
    """What a model computes for some inputs."""

    values: Sequence[Recorded] = ()  #: its inputs, and everything that its operators give, in their order
    parameters: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)  #: its weights by name


def record(model: Model, inputs: Mapping[str, Array]) -> Tape:
    """The tape of a model; an empty one where neither it nor its original is a torch module or a Keras model.

    Raises:
        Exception: whatever the model's framework raises.
    """
    if (module := torch_original(model)) is not None:
        return _record_torch(module, inputs)
    if (built := keras_original(model)) is not None:
        return _record_keras(model, built, inputs)
    return Tape()


def _record_torch(module: "torch.nn.Module", inputs: Mapping[str, Array]) -> Tape:
    """In double precision, so that only the export rounds."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    taker = _Taker()
    path: list[str] = []

    class Recorder(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            given = taker.places_of(tree_leaves((args, kwargs)))
            where = f" in {path[-1]}" if path and path[-1] else ""
            for leaf in tree_leaves(result):
                if isinstance(leaf, torch.Tensor) and leaf.is_floating_point() and leaf.numel() <= MOST_ELEMENTS:
                    taker.take(f"{func}{where}", leaf, leaf.detach().numpy(), given)
            return result

    module = module.double()
    handles = [] if isinstance(module, torch.jit.ScriptModule) else list(_follow(module, path))
    tensors = [torch.from_numpy(widened(array)) for array in inputs.values()]
    for name, tensor in zip(inputs, tensors, strict=True):
        if tensor.is_floating_point():
            taker.take(f"input {name}", tensor, tensor.numpy(), ())
    with torch.no_grad(), Recorder():
        module(*tensors)
    for handle in handles:
        handle.remove()
    weights = {name: tensor.numpy() for name, tensor in module.state_dict().items() if tensor.is_floating_point()}
    return Tape(taker.tape, weights)


def _record_keras(model: Model, built: "keras.Model", inputs: Mapping[str, Array]) -> Tape:
    """In the precision that the model is in, operator by operator as TensorFlow runs them one at a time."""
    import tensorflow as tf
    from tensorflow.python.framework import op_callbacks  # what tf.debugging dumps tensors with

    taker = _Taker()

    def take(op_type: Any, given: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None) -> None:
        if graph is not None:  # a function that is traced has no values yet
            return
        places = taker.places_of(given)
        name = op_type.decode() if isinstance(op_type, bytes) else str(op_type)
        for output in outputs:
            if output.dtype.is_floating and math.prod(output.shape) <= MOST_ELEMENTS:
                taker.take(name, output, output.numpy(), places)

    given = tf.nest.map_structure(tf.constant, arranged(model, built, inputs))
    for number, tensor in enumerate(tf.nest.flatten(given)):
        taker.take(f"input {number}", tensor, tensor.numpy(), ())
    op_callbacks.add_op_callback(take)
    try:
        built(given, training=False)
    finally:
        op_callbacks.remove_op_callback(take)
    return Tape(taker.tape, {weight.path: np.asarray(weight, np.float64) for weight in built.weights})


class _Taker:
    """Puts tensors on a tape, and knows those that are there again."""

    def __init__(self) -> None:
        self.tape: list[Recorded] = []
        self._places: dict[int, int] = {}  # of living tensors
        self._alive: list[Any] = []  # an address must not be given to another tensor meanwhile

    def places_of(self, tensors: Iterable[Any]) -> tuple[int, ...]:
        return tuple(self._places[id(tensor)] for tensor in tensors if id(tensor) in self._places)

    def take(self, name: str, tensor: Any, value: Array, given: tuple[int, ...]) -> None:
        self._alive.append(tensor)
        self._places[id(tensor)] = len(self.tape)
        self.tape.append(Recorded(name, value.astype(np.float64), given))


def _follow(module: "torch.nn.Module", path: list[str]) -> Iterator[Any]:
    """Hooks that keep the name of the module that is running."""

    def enter(name: str) -> Any:
        return lambda *_: path.append(name)

    for name, part in module.named_modules():
        yield part.register_forward_pre_hook(enter(name))
        yield part.register_forward_hook(lambda *_: path.pop() and None)


def record_onnx(path: Path, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Every tensor of an ONNX file's top-level graph by name, as ONNX Runtime computes it without optimisation.

    Initializers and graph inputs are among them.

    Raises:
        Exception: whatever ONNX Runtime raises.
    """
    import onnx
    import onnxruntime

    from kb.runtimes.onnxruntime import feed

    proto = onnx.load(str(path))
    known = {value.name for value in proto.graph.output}
    names = [name for node in proto.graph.node for name in node.output if name and name not in known]
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = feed(session, inputs)
    outputs = [value.name for value in session.get_outputs()]
    values = dict(zip(outputs, session.run(outputs, given), strict=True))
    found = {name: np.asarray(value) for name, value in values.items() if isinstance(value, np.ndarray | np.generic)}
    return {**initializers(proto), **given, **found}


def initializers(proto: "onnx.ModelProto") -> dict[str, Array]:
    """The constants of a graph by name."""
    import onnx

    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}


def depends_on(nodes: Sequence[Any], names: set[str]) -> set[str]:
    """The tensors that some tensors decide, themselves among them."""
    found = set(names)
    for node in nodes:  # in topological order
        if any(name in found for name in node.input):
            found.update(name for name in node.output if name)
    return found
