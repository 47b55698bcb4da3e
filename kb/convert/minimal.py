"""The smallest ONNX file that still shows what went wrong: one node, its constants, the values that went into it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.convert.compare import distance
from kb.convert.divergence import Divergence
from kb.convert.execution import refusals
from kb.convert.tape import initializers, record_onnx
from kb.models.interface import Array

if TYPE_CHECKING:
    import onnx

#: More is not kept with the results.
MOST_BYTES = 100_000
MODEL, INPUTS, EXPECTED, README, NOTE = "model.onnx", "inputs.npz", "expected.npz", "README.md", "note.md"
#: Operators whose second input is a weight, with the axis of the weight that makes the output's channels.
CHANNEL_AXIS = {"Conv": 0, "ConvInteger": 0, "Gemm": None, "MatMul": -1, "MatMulInteger": -1}


@dataclass(frozen=True)
class Case:
    """One node by itself, with what goes into it and what should come out."""

    node: "onnx.NodeProto"
    constants: Mapping[str, Array]
    inputs: Mapping[str, Array]
    expected: Array | None  #: None: the output is not finite, whatever it should be
    opset: int
    ir_version: int

    def proto(self) -> "onnx.ModelProto":
        """The graph of one node, for inputs of exactly these shapes."""
        import onnx

        helper = onnx.helper
        given = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in self.inputs.items()
        ]
        constants = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in self.constants.items()]
        outputs = [onnx.ValueInfoProto(name=name) for name in self.node.output if name]
        graph = helper.make_graph([self.node], "one node", given, outputs, constants)
        opsets = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=self.ir_version)

    def output(self) -> Array:
        """What ONNX Runtime makes of it."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(
            self.proto().SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return np.asarray(session.run([next(name for name in self.node.output if name)], dict(self.inputs))[0])

    def fails(self, tolerance: float) -> bool:
        """Whether it still shows the fault."""
        got = self.output()
        if self.expected is not None and self.expected.dtype.kind == "i":
            return not np.array_equal(got, self.expected)  # integers have no rounding
        if self.expected is None:
            return not np.isfinite(got).all()
        return distance([got], [self.expected]).relative > tolerance

    @property
    def bytes(self) -> int:
        """Of all arrays."""
        kept = [*self.constants.values(), *self.inputs.values()]
        return sum(array.nbytes for array in kept) + (0 if self.expected is None else self.expected.nbytes)


def shrink(
    path: Path, divergence: Divergence, inputs: Mapping[str, Array], tolerance: float
) -> tuple[Case | None, str]:
    """The node of a divergence by itself, made smaller as long as it fails.

    Returns:
        The case, or None with the reason: what it should compute is not known, or it is right by itself.

    Raises:
        Exception: whatever ONNX Runtime raises.
    """
    case = _alone(path, divergence, inputs)
    if case.expected is None and not divergence.not_finite:
        return None, "what the node should compute is not known"
    if not case.fails(tolerance):
        return None, "the node is right when it is alone"
    for step in (_one_sample, _one_channel):
        case = _smaller(case, step, tolerance)
    return case, ""


def _alone(path: Path, divergence: Divergence, inputs: Mapping[str, Array]) -> Case:
    import onnx

    proto = onnx.load(str(path))
    node = proto.graph.node[divergence.position]
    values, held = record_onnx(path, inputs), initializers(proto)
    constants = {name: held[name] for name in node.input if name in held}
    given = {name: values[name] for name in node.input if name and name not in held}
    expected = divergence.expected
    opset = next(entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx"))
    return Case(node, constants, given, None if expected is None else np.asarray(expected), opset, proto.ir_version)


def _smaller(case: Case, step: Callable[[Case], Iterator[Case]], tolerance: float) -> Case:
    """The first of the smaller cases that can be run and still fails; else the case itself."""
    for candidate in step(case):
        try:
            if candidate.fails(tolerance):
                return candidate
        except refusals():  # a cut that does not fit is none
            continue
    return case


def _one_sample(case: Case) -> Iterator[Case]:
    """One sample instead of all, for each of them."""
    sizes = {array.shape[0] for array in case.inputs.values() if array.ndim}
    if len(sizes) != 1 or (batch := sizes.pop()) < 2 or (case.expected is not None and len(case.expected) != batch):
        return
    for row in range(batch):
        given = {name: array[row : row + 1] if array.ndim else array for name, array in case.inputs.items()}
        yield _with(case, inputs=given, expected=None if case.expected is None else case.expected[row : row + 1])


def _one_channel(case: Case) -> Iterator[Case]:
    """One output channel of a product or a convolution without groups, the worst one first."""
    kind = case.node.op_type
    if kind not in CHANNEL_AXIS or case.expected is None or len(case.node.input) < 2:
        return
    weight = case.constants.get(case.node.input[1])
    attributes = {entry.name: entry.i for entry in case.node.attribute}
    if weight is None or weight.ndim < 2 or attributes.get("group", 1) != 1:
        return
    axis = CHANNEL_AXIS[kind]
    axis = (0 if attributes.get("transB") else 1) if axis is None else axis
    output_axis = 1 if kind.startswith("Conv") else -1
    apart = np.abs(np.subtract(case.output(), case.expected))
    moved = np.moveaxis(apart, output_axis, 0).reshape(weight.shape[axis], -1).max(axis=1)
    for channel in np.argsort(-moved):
        constants = {
            name: array
            if array.size == 1
            else np.take(array, [channel], axis=axis if name == case.node.input[1] else 0)
            for name, array in case.constants.items()
        }
        yield _with(case, constants=constants, expected=np.take(case.expected, [channel], axis=output_axis))


def _with(case: Case, **changed: Any) -> Case:
    from dataclasses import replace

    return replace(case, **changed)


def write(case: Case, folder: Path, about: Mapping[str, str], divergence: Divergence, tolerance: float) -> list[Path]:
    """Write the file with its inputs, a README that says how to run it, and a draft of a problem note.

    Args:
        about: `conversion`, `status`, `reason`, `versions` and `converter`, for the texts.

    Returns:
        The files; none where they would be larger than `MOST_BYTES` together.
    """
    import onnx

    texts = {README: _readme(case, about, divergence, tolerance), NOTE: _note(case, about, divergence)}
    proto = case.proto().SerializeToString()
    if len(proto) + case.bytes + sum(len(text) for text in texts.values()) > MOST_BYTES:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save_model(onnx.load_model_from_string(proto), str(folder / MODEL))
    np.savez_compressed(folder / INPUTS, **case.inputs)  # type: ignore[arg-type]  # its stubs know no mapping
    if case.expected is not None:
        np.savez_compressed(folder / EXPECTED, expected=case.expected)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(folder.iterdir())


def _readme(case: Case, about: Mapping[str, str], divergence: Divergence, tolerance: float) -> str:
    compare = (
        'print(abs(got - np.load("expected.npz")["expected"]).max())' if case.expected is not None
        else "print(np.isfinite(got).all())"
    )  # fmt: skip
    wrong = (
        f"It differs by {divergence.error:.2g} of the largest value; {tolerance:.2g} is allowed."
        if divergence.error is not None
        else "It prints False: the output holds NaN or infinity, the inputs do not."
    )
    return f"""# {about["conversion"]}: {divergence.op_type}

The first node of the export whose output is wrong, by itself: {divergence}.
Status of the conversion: {about["status"]}. {about["reason"]}
Made with {about["versions"]}.

```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
got = session.run(None, dict(np.load("inputs.npz")))[0]
{compare}
```

{wrong}
"""


def _note(case: Case, about: Mapping[str, str], divergence: Divergence) -> str:
    name, _, version = about["converter"].partition(" ")
    return f"""---
id: KB-0000
title: "{about["conversion"]}: {divergence.op_type} computes something else than the model"
kind: conversion
status: open
severity: major
affected:
  - all:
      - package: {name}
        last_affected: "{version}"
operators: [{divergence.op_type}]
signatures: []
---

## Symptom

{about["status"]}: {about["reason"]}

## Cause

{divergence}.

## Workaround

None is known yet.
"""
