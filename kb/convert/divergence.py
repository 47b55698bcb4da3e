"""Where an export leaves its model: the first node whose value is none that the model computes."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.convert.compare import distance
from kb.convert.integers import PRODUCTS
from kb.convert.tape import Recorded, Tape, depends_on, record_onnx
from kb.models.interface import Array

#: Smaller tensors agree with others by chance.
FEWEST_ELEMENTS = 4
#: Axes up to which all their orders are tried.
MOST_AXES = 5
#: What quantisers append to the name of the tensor that they stand for.
QUANTISED = ("_DequantizeLinear_Output", "_QuantizeLinear_Output", "_dequantized", "_quantized")


@dataclass(frozen=True)
class Divergence:
    """The first node that is wrong."""

    node: str
    op_type: str
    output: str
    position: int  #: of the node in the graph, from 0
    inputs: tuple[str, ...]  #: those that are no constants: all of them are right
    error: float | None  #: relative, where what it should be is known
    model_computes: str = ""  #: the model's own operator at this place, where one was found
    expected: Array | None = None  #: what the model computes there, in the layout of the node's output
    not_finite: bool = False  #: it makes NaN or infinity of finite numbers

    def __str__(self) -> str:
        where = f"{self.op_type} {self.node or self.output} (node {self.position})"
        return f"{where}; the model computes {self.model_computes}" if self.model_computes else where


def locate(path: Path, inputs: Mapping[str, Array], tape: Tape, tolerance: float) -> Divergence | None:
    """The first diverging node of an export, by what its model computes.

    A tensor is right if it is one that the model computes, in whatever layout, or if a right one follows from it. The
    first node with only right inputs and a wrong output that the graph's outputs depend on has diverged. Tensors that
    are small, constant or of integers prove nothing.

    Args:
        path: the export.
        inputs: of the model, for which the export is wrong.
        tape: of the model on these inputs; empty where there is none.
        tolerance: of the relative error.

    Returns:
        None where every value is right, or where there is no tape to tell.

    Raises:
        Exception: whatever ONNX Runtime raises.
    """
    import onnx

    graph = onnx.load(str(path)).graph
    values = record_onnx(path, inputs)
    nodes = list(graph.node)
    if found := _first_not_finite(nodes, values):
        return found
    if not tape.values:
        return None
    moving = depends_on(nodes, _fed(graph))
    by_size: dict[int, list[Recorded]] = {}
    for recorded in tape.values:
        by_size.setdefault(recorded.value.size, []).append(recorded)
    matches = {
        name: match
        for name in moving
        if (value := values.get(name)) is not None
        and _proves(value)
        and (match := _match(value, by_size.get(value.size, ()), tolerance)) is not None
    }
    right = _right(nodes, moving, set(matches) | _fed(graph))
    wanted = _leading_to(nodes, {value.name for value in graph.output})
    for position, node in enumerate(nodes):
        if not all(name in right for name in node.input if name in moving):
            continue
        if found := _overflowed(node, position, values):
            return found
        for output in (name for name in node.output if name and name not in right and name in wanted):
            if (value := values.get(output)) is not None and _proves(value):
                if rescaled := _rescaled_weight(nodes, node, values, tape.parameters, moving, tolerance):
                    return rescaled
                return _described(node, position, output, values, tape.values, matches, moving)
            right.add(output)  # it cannot be told; what follows from it can
    return None


def locate_reduced(path: Path, parent: Path, inputs: Mapping[str, Array], tolerance: float) -> Divergence | None:
    """The first node of an export in fewer bits whose value is too far from that of the same name in its parent.

    Raises:
        Exception: whatever ONNX Runtime raises.
    """
    import onnx

    nodes = list(onnx.load(str(path)).graph.node)
    values, truth = record_onnx(path, inputs), record_onnx(parent, inputs)
    if found := _first_not_finite(nodes, values):
        return found
    quantised = _only_quantised(nodes)
    for position, node in enumerate(nodes):
        if found := _overflowed(node, position, values):
            return found
        for output in node.output:
            expected, value = truth.get(_plain(output)), values.get(output)
            if value is None or expected is None or value.shape != expected.shape or value.dtype.kind != "f":
                continue
            if output in quantised:
                continue
            error = distance([value], [expected]).relative
            if error > tolerance:
                given = tuple(name for name in node.input if name in values)
                return Divergence(node.name, node.op_type, output, position, given, error, _plain(output), expected)
    return None


def _overflowed(node: Any, position: int, values: Mapping[str, Array]) -> Divergence | None:
    """A product of integers that is not what integer arithmetic gives: no tolerance is needed to tell."""
    if node.op_type not in PRODUCTS or not all(name in values for name in (*node.input, *node.output) if name):
        return None
    given, output = [values[name] if name else None for name in node.input], node.output[0]
    expected = PRODUCTS[node.op_type](node, *given)
    if expected is None or np.array_equal(expected, values[output]):
        return None
    error = distance([values[output]], [expected]).relative
    moving = tuple(name for name in node.input[:2] if name)
    computes = "the same in integers that do not overflow"
    return Divergence(node.name, node.op_type, output, position, moving, error, computes, expected)


def _only_quantised(nodes: Sequence[Any]) -> set[str]:
    """Tensors that are quantised before anything uses them: rectifying is then left to the quantisation, so that only
    what comes back from it can be compared."""
    users: dict[str, set[str]] = {}
    for node in nodes:
        for name in node.input:
            users.setdefault(name, set()).add(node.op_type)
    return {name for name, kinds in users.items() if kinds == {"QuantizeLinear"}}


def _plain(name: str) -> str:
    """The tensor that a quantised one stands for."""
    for suffix in QUANTISED:
        name = name.removesuffix(suffix)
    return name


def _first_not_finite(nodes: Sequence[Any], values: Mapping[str, Array]) -> Divergence | None:
    """The first node that makes something that is not finite of what is."""

    def finite(name: str) -> bool:
        value = values.get(name)
        return value is None or value.dtype.kind != "f" or bool(np.isfinite(value).all())

    for position, node in enumerate(nodes):
        for output in node.output:
            if not finite(output) and all(finite(name) for name in node.input):
                given = tuple(name for name in node.input if name in values)
                return Divergence(node.name, node.op_type, output, position, given, None, not_finite=True)
    return None


def _fed(graph: Any) -> set[str]:
    """The graph's inputs that are no constants."""
    constants = {tensor.name for tensor in graph.initializer}
    return {value.name for value in graph.input} - constants


def _proves(value: Array) -> bool:
    """Whether agreement of a tensor means anything."""
    return value.dtype.kind == "f" and value.size >= FEWEST_ELEMENTS and bool(np.max(value) != np.min(value))


def _match(value: Array, candidates: Sequence[Recorded], tolerance: float) -> Recorded | None:
    """What the model computes with these values, in whatever layout; the last of several."""
    return next((each for each in reversed(candidates) if aligned(each.value, value, tolerance) is not None), None)


def aligned(recorded: Array, value: Array, tolerance: float) -> Array | None:
    """A recorded tensor in the layout of another that has its values; None where the values are others.

    Of one shape, axes may only be in another order; of another shape, the sorted values decide.
    """
    if value.shape == recorded.shape and _near(value, recorded, tolerance):
        return recorded
    if value.ndim == recorded.ndim <= MOST_AXES and sorted(value.shape) == sorted(recorded.shape):
        for axes in itertools.permutations(range(value.ndim)):
            turned = recorded.transpose(axes)
            if turned.shape == value.shape and _near(value, turned, tolerance):
                return turned
        return None
    if _near(np.sort(value, axis=None), np.sort(recorded, axis=None), tolerance):
        return value
    return None


def _near(value: Array, truth: Array, tolerance: float) -> bool:
    return distance([value], [truth]).relative <= tolerance


def _right(nodes: Sequence[Any], moving: set[str], proven: set[str]) -> set[str]:
    """The tensors that are proven, those that a proven one follows from, and those that no input decides."""
    right = set(proven)
    for node in reversed(nodes):
        if any(name in right for name in node.output):
            right.update(name for name in node.input if name)
    still = {name for node in nodes for name in node.output if name} - moving
    return right | still


def _leading_to(nodes: Sequence[Any], outputs: set[str]) -> set[str]:
    wanted = set(outputs)
    for node in reversed(nodes):
        if any(name in wanted for name in node.output):
            wanted.update(name for name in node.input if name)
    return wanted


def _rescaled_weight(
    nodes: Sequence[Any],
    user: Any,
    values: Mapping[str, Array],
    parameters: Mapping[str, NDArray[np.float64]],
    moving: set[str],
    tolerance: float,
) -> Divergence | None:
    """The node that unpacks a weight of `user` with a wrong scale: it gives a multiple of a parameter, and none."""
    for position, node in enumerate(nodes):
        output = node.output[0]
        if node.op_type != "DequantizeLinear" or output in moving or output not in user.input:
            continue
        weight = values[output]
        alike = {name: array for name, array in parameters.items() if array.size == weight.size and np.any(array)}
        if any(aligned(array, weight, tolerance) is not None for array in alike.values()):
            continue
        for name, array in alike.items():
            multiple = float(np.linalg.norm(weight) / np.linalg.norm(array))
            if (turned := aligned(array * multiple, weight, tolerance)) is not None:
                expected = np.asarray(turned, np.float64) / multiple
                error = distance([weight], [expected]).relative
                return Divergence(node.name, node.op_type, output, position, (), error, f"parameter {name}", expected)
    return None


def _described(
    node: Any,
    position: int,
    output: str,
    values: Mapping[str, Array],
    tape: Sequence[Recorded],
    matches: Mapping[str, Recorded],
    moving: set[str],
) -> Divergence:
    """The node with what the model computes at its place: from the same inputs, as many numbers.

    Of operators that take such an input themselves, the one with the nearest values; else the first that follows from
    one, as the steps of a recurrent network do.
    """
    given = tuple(name for name in node.input if name in moving)
    value = values.get(output)
    sources = {id(matches[name]) for name in given if name in matches}
    places = {place for place, recorded in enumerate(tape) if id(recorded) in sources}
    if value is None:
        return Divergence(node.name, node.op_type, output, position, given, None)
    alike = [(place, each) for place, each in enumerate(tape) if each.value.size == value.size and place not in places]
    there = [each for _, each in alike if places & set(each.sources)]
    if not there:
        following = _following(tape, places)
        there = [each for place, each in alike if place in following][:1]
    if not there:
        return Divergence(node.name, node.op_type, output, position, given, None)
    closest = min(there, key=lambda each: _apart(value, each.value))
    expected = _in_layout(closest.value, value)
    error = distance([value], [expected]).relative
    return Divergence(node.name, node.op_type, output, position, given, error, closest.name, expected)


def _following(tape: Sequence[Recorded], places: set[int]) -> set[int]:
    """Places of what follows from some values."""
    found = set(places)
    for place, recorded in enumerate(tape):
        if found & set(recorded.sources):
            found.add(place)
    return found


def _apart(value: Array, recorded: Array) -> float:
    return distance([np.sort(value, axis=None)], [np.sort(recorded, axis=None)]).relative


def _in_layout(recorded: Array, value: Array) -> Array:
    """The recorded tensor with its axes in that order in which it is nearest to the value."""
    mine, other = value.squeeze(), recorded.squeeze()
    if mine.ndim != other.ndim or sorted(mine.shape) != sorted(other.shape) or mine.ndim > MOST_AXES:
        return recorded.reshape(value.shape)
    orders = itertools.permutations(range(mine.ndim))
    fitting = [turned for axes in orders if (turned := other.transpose(axes)).shape == mine.shape]
    return min(fitting, key=lambda turned: distance([mine], [turned]).relative).reshape(value.shape)
