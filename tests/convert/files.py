"""Small ONNX files with planted faults, and the probes that their model would answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kb.convert.probes import Kind, Probe
from kb.models.interface import Array

OPSET = 18
ROWS, COLUMNS = 2, 4
WEIGHT = np.arange(COLUMNS * 3, dtype=np.float32).reshape(COLUMNS, 3) / 10


def x_of(batch: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal((batch, COLUMNS)).astype(np.float32)


def truth(x: Array) -> Array:
    """What the model computes."""
    return np.asarray(np.tanh(x.astype(np.float64) @ WEIGHT.astype(np.float64)))


def probes() -> list[Probe]:
    asked = [
        ("batch 2", Kind.EXPORTED, x_of(ROWS, 0)),
        ("seed 1", Kind.VALUES, x_of(ROWS, 1)),
        ("signs turned", Kind.VALUES, -x_of(ROWS, 0)),
        ("batch 1", Kind.SHAPE, x_of(1, 0)),
        ("batch 5", Kind.SHAPE, x_of(5, 0)),
    ]
    return [Probe(name, kind, {"x": x}, [truth(x)]) for name, kind, x in asked]


def save(
    path: Path, nodes: Sequence[Any], initializers: Sequence[Any], *, opset: int = OPSET, dtype: str = "FLOAT"
) -> Path:
    """A graph from x (batch, 4) to y (batch, 3)."""
    import onnx

    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        list(nodes),
        "graph",
        [value("x", onnx.TensorProto.FLOAT, ["batch", COLUMNS])],
        [value("y", getattr(onnx.TensorProto, dtype), [None, None])],
        list(initializers),
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=9)
    onnx.save(model, str(path))
    return path


def node(kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> Any:
    import onnx

    return onnx.helper.make_node(kind, list(inputs), [output], **attributes)


def tensor(name: str, array: Array) -> Any:
    import onnx

    return onnx.numpy_helper.from_array(np.asarray(array), name)


def sound(path: Path, opset: int = OPSET) -> Path:
    return save(path, [node("MatMul", "xw", "m"), node("Tanh", "m", "y")], [tensor("w", WEIGHT)], opset=opset)


def nan(path: Path) -> Path:
    """Logarithms of negative numbers: no hyperbolic tangent is above one."""
    nodes = [
        node("MatMul", "xw", "m"),
        node("Tanh", "m", "t"),
        node("Sub", ["t", "two"], "s"),
        node("Log", "s", "l"),
        node("Exp", "l", "y"),
    ]
    return save(path, nodes, [tensor("w", WEIGHT), tensor("two", np.float32(2))])


def baked_branch(path: Path) -> Path:
    """What tracing leaves of `x if x.sum() > 0 else -x`: one branch. The model here is odd, so signs tell."""
    x = x_of(ROWS, 0)
    nodes = [
        node("MatMul", "xw", "m"),
        node("Tanh", "m", "t"),
        node("ReduceSum", ["x"], "s", keepdims=0),
        node("Sign", "s", "g"),
        node("Mul", ["t", "g"], "u"),
        node("Mul", ["u", "c"], "y"),
    ]
    return save(path, nodes, [tensor("w", WEIGHT), tensor("c", np.float32(np.sign(x.sum())))])


def baked_batch(path: Path) -> Path:
    """A Reshape to the batch that was exported with."""
    nodes = [node("MatMul", "xw", "m"), node("Reshape", ["m", "shape"], "r"), node("Tanh", "r", "y")]
    return save(path, nodes, [tensor("w", WEIGHT), tensor("shape", np.array([ROWS, 3]))])


def wrong_elsewhere(path: Path) -> Path:
    """Right for two samples, and for any other number scaled by it."""
    nodes = [
        node("MatMul", "xw", "m"),
        node("Shape", "x", "n", start=0, end=1),
        node("Cast", "n", "f", to=1),
        node("Div", ["f", "two"], "d"),
        node("Mul", "md", "v"),
        node("Tanh", "v", "y"),
    ]
    return save(path, nodes, [tensor("w", WEIGHT), tensor("two", np.float32(ROWS))])


def transposed_kernel(path: Path) -> Path:
    turned = np.ascontiguousarray(WEIGHT.T).reshape(WEIGHT.shape)
    return save(path, [node("MatMul", "xw", "m"), node("Tanh", "m", "y")], [tensor("w", turned)])


def narrowed(path: Path) -> Path:
    """Rounded to float16 on the way."""
    nodes = [
        node("MatMul", "xw", "m"), node("Cast", "m", "h", to=10), node("Cast", "h", "b", to=1), node("Tanh", "b", "y"),
    ]  # fmt: skip
    return save(path, nodes, [tensor("w", WEIGHT)])


def narrowed_output(path: Path) -> Path:
    nodes = [node("MatMul", "xw", "m"), node("Tanh", "m", "t"), node("Cast", "t", "y", to=10)]
    return save(path, nodes, [tensor("w", WEIGHT)], dtype="FLOAT16")
