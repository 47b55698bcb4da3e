"""The node that is named is the one that the fault was planted in, and by itself it still shows the fault."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kb.convert import divergence, minimal
from kb.convert.checks import Finding, Subject, examine
from kb.convert.divergence import Divergence, locate, locate_reduced
from kb.convert.interface import Form
from kb.convert.noise import floor_of
from kb.convert.precisions import reduce
from kb.convert.probes import Probe, probes_of
from kb.convert.tape import Tape, record
from kb.models.artefact import Artefact, ArtefactSpec
from kb.models.interface import Array, Source
from kb.models.paired import PairedModel
from kb.records.statuses import Status
from tests.convert import files, originals

if TYPE_CHECKING:
    import onnx
    import torch

torch_module = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

TOLERANCE = 1e-5


class Layers(PairedModel):
    """A convolution, a BatchNorm with statistics of its own, an LSTM over the rows, a product."""

    name = "layers"
    sources = frozenset({Source.TORCH})

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        return {"image": np.random.default_rng(seed).standard_normal((batch, 3, 6, 6)).astype(np.float32)}

    def torch_network(self) -> "torch.nn.Module":
        return originals.layers()


MODEL = Layers()
INPUTS = MODEL.inputs(2, 0)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With BatchNorm left as a node of its own."""
    import torch

    path = tmp_path_factory.mktemp("export") / "m.onnx"
    torch.onnx.export(
        MODEL.torch_module(), (torch.from_numpy(INPUTS["image"]),), str(path), dynamo=False, opset_version=17,
        input_names=["image"], dynamic_axes={"image": {0: "batch"}}, do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def tape() -> Tape:
    return record(MODEL, INPUTS)


Edit = Callable[["onnx.ModelProto"], str]


def node_of(proto: "onnx.ModelProto", kind: str) -> Any:
    return next(node for node in proto.graph.node if node.op_type == kind)


def change(proto: "onnx.ModelProto", name: str, edit: Callable[[Array], Array]) -> None:
    import onnx

    tensor = next(each for each in proto.graph.initializer if each.name == name)
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(edit(onnx.numpy_helper.to_array(tensor))), name))


def insert_after(proto: "onnx.ModelProto", kind: str, *steps: tuple[str, dict[str, Any]]) -> str:
    """Put nodes behind the first one of a kind; returns the output of the first that was put in."""
    import onnx

    nodes = list(proto.graph.node)
    place = next(index for index, node in enumerate(nodes) if node.op_type == kind)
    old = nodes[place].output[0]
    names = [f"planted_{index}" for index in range(len(steps))]
    added = [
        onnx.helper.make_node(what, [before], [after], **attributes)
        for (what, attributes), before, after in zip(steps, [old, *names], names, strict=False)
    ]
    for node in nodes[place + 1 :]:
        node.input[:] = [names[-1] if name == old else name for name in node.input]
    del proto.graph.node[:]
    proto.graph.node.extend([*nodes[: place + 1], *added, *nodes[place + 1 :]])
    return names[0]


def transposed_kernel(proto: "onnx.ModelProto") -> str:
    node = node_of(proto, "Conv")
    change(proto, node.input[1], lambda weight: weight.swapaxes(2, 3))
    return str(node.output[0])


def other_epsilon(proto: "onnx.ModelProto") -> str:
    node = node_of(proto, "BatchNormalization")
    next(entry for entry in node.attribute if entry.name == "epsilon").f = 1e-3
    return str(node.output[0])


def swapped_gates(proto: "onnx.ModelProto") -> str:
    """Input and output gate, in the weights of the LSTM, its state and its bias."""
    node = node_of(proto, "LSTM")

    def swapped(array: Array) -> Array:
        parts = np.split(array, array.shape[1] // originals.HIDDEN, axis=1)
        order = [1, 0, 2, 3, 5, 4, 6, 7][: len(parts)] if len(parts) == 8 else [1, 0, 2, 3]
        return np.concatenate([parts[index] for index in order], axis=1)

    constants = {tensor.name for tensor in proto.graph.initializer}
    for name in node.input[1:4]:
        if name in constants:
            change(proto, name, swapped)
        else:
            _swap_made(proto, name, swapped)
    return str(node.output[0])


def _swap_made(proto: "onnx.ModelProto", name: str, edit: Callable[[Array], Array]) -> None:
    """A weight that the graph puts together: replaced by what it would be."""
    import onnx
    import onnxruntime

    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    copy.graph.output.append(onnx.ValueInfoProto(name=name))
    session = onnxruntime.InferenceSession(copy.SerializeToString(), providers=["CPUExecutionProvider"])
    made = session.run([name], INPUTS)[0]
    kept = [node for node in proto.graph.node if name not in node.output]
    del proto.graph.node[:]
    proto.graph.node.extend(kept)
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(edit(made)), name))


def narrowed(proto: "onnx.ModelProto") -> str:
    return insert_after(proto, "Relu", ("Cast", {"to": 10}), ("Cast", {"to": 1}))


def not_a_number(proto: "onnx.ModelProto") -> str:
    """The square root of what has both signs."""
    return insert_after(proto, "Conv", ("Sqrt", {}))


FAULTS: tuple[tuple[Edit, str], ...] = (
    (transposed_kernel, "Conv"),
    (other_epsilon, "BatchNormalization"),
    (swapped_gates, "LSTM"),
    (narrowed, "Cast"),
    (not_a_number, "Sqrt"),
)


def planted(exported: Path, edit: Edit, path: Path) -> tuple[Path, str]:
    import onnx

    proto = onnx.load(str(exported))
    output = edit(proto)
    onnx.save(proto, str(path))
    return path, output


def test_a_sound_export_diverges_nowhere(exported: Path, tape: Tape) -> None:
    assert locate(exported, INPUTS, tape, TOLERANCE) is None


@pytest.fixture(scope="module")
def asked() -> tuple[list[Probe], float]:
    """The probes of the model, and its own tolerance."""
    probes, _ = probes_of(MODEL, 0)
    return probes, floor_of(MODEL, probes, 1).tolerance("fp32")


@pytest.mark.parametrize(("edit", "kind"), FAULTS, ids=[edit.__name__ for edit, _ in FAULTS])
def test_each_fault_is_far_outside_the_noise_of_the_model(
    edit: Edit, kind: str, exported: Path, asked: tuple[list[Probe], float], tmp_path: Path
) -> None:
    def judged(path: Path) -> Finding:
        return examine(Subject(path, Form.ONNX, 17, *asked, dtypes=("float32",)))[-1]

    assert judged(exported).ok
    path, _ = planted(exported, edit, tmp_path / "m.onnx")
    # NaN too: ONNX Runtime's LSTM loses it, so that only the values tell.
    assert (judged(path).check, judged(path).status) == ("parity", Status.WRONG_OUTPUT)


@pytest.mark.parametrize(("edit", "kind"), FAULTS, ids=[edit.__name__ for edit, _ in FAULTS])
def test_the_named_node_is_the_planted_one(edit: Edit, kind: str, exported: Path, tape: Tape, tmp_path: Path) -> None:
    path, output = planted(exported, edit, tmp_path / "m.onnx")
    found = locate(path, INPUTS, tape, TOLERANCE)
    assert found is not None
    assert (found.op_type, found.output) == (kind, output)


@pytest.mark.parametrize(("edit", "kind"), FAULTS, ids=[edit.__name__ for edit, _ in FAULTS])
def test_the_node_by_itself_still_fails_and_is_small(
    edit: Edit, kind: str, exported: Path, tape: Tape, tmp_path: Path
) -> None:
    path, _ = planted(exported, edit, tmp_path / "m.onnx")
    found = locate(path, INPUTS, tape, TOLERANCE)
    assert found is not None
    case, why_not = minimal.shrink(path, found, INPUTS, TOLERANCE)
    if kind == "Cast":  # rounding to float16 is what this node does when it is asked
        assert why_not == "what the node should compute is not known" or case is not None
        return
    assert case is not None, why_not
    assert case.fails(TOLERANCE)
    about = {
        "conversion": "layers/x/fp32/o17",
        "status": "wrong_output",
        "reason": "r",
        "versions": "v",
        "converter": "torch 2.13.0",
    }
    files = minimal.write(case, tmp_path / "kept", about, found, TOLERANCE)
    assert {file.name for file in files} >= {"model.onnx", "inputs.npz", "README.md", "note.md"}
    assert sum(file.stat().st_size for file in files) < minimal.MOST_BYTES


def test_a_convolution_is_cut_to_one_sample_and_one_channel(exported: Path, tape: Tape, tmp_path: Path) -> None:
    path, _ = planted(exported, transposed_kernel, tmp_path / "m.onnx")
    found = locate(path, INPUTS, tape, TOLERANCE)
    assert found is not None
    assert found.model_computes.startswith("aten.convolution")
    case, _ = minimal.shrink(path, found, INPUTS, TOLERANCE)
    assert case is not None
    assert case.expected is not None
    assert case.expected.shape == (1, 1, 6, 6)
    assert case.constants[case.node.input[1]].shape == (1, 3, 3, 3)


def test_the_readme_is_a_program_that_shows_the_fault(exported: Path, tape: Tape, tmp_path: Path) -> None:
    import contextlib
    import io
    import os
    import re

    path, _ = planted(exported, transposed_kernel, tmp_path / "m.onnx")
    found = locate(path, INPUTS, tape, TOLERANCE)
    assert found is not None
    case, _ = minimal.shrink(path, found, INPUTS, TOLERANCE)
    assert case is not None
    about = dict.fromkeys(("conversion", "status", "reason", "versions", "converter"), "x")
    minimal.write(case, tmp_path / "kept", about, found, TOLERANCE)
    program = re.search(r"```python\n(.*?)```", (tmp_path / "kept/README.md").read_text(), re.DOTALL)
    assert program is not None
    before, said = Path.cwd(), io.StringIO()
    os.chdir(tmp_path / "kept")
    try:
        with contextlib.redirect_stdout(said):
            exec(program[1], {})
    finally:
        os.chdir(before)
    assert float(said.getvalue()) > TOLERANCE


def test_scales_that_are_off_by_two_are_found_by_the_names_of_the_float32_file(exported: Path, tmp_path: Path) -> None:
    import onnx

    reduced = reduce("int8-static", exported, tmp_path / "q.onnx", [MODEL.inputs(8, seed) for seed in range(4)])
    assert locate_reduced(reduced, exported, INPUTS, 0.5) is None
    proto = onnx.load(str(reduced))
    conv = node_of(proto, "Conv")
    dequantise = next(node for node in proto.graph.node if conv.input[1] in node.output)
    change(proto, dequantise.input[1], lambda scale: np.asarray(scale * 2, scale.dtype))
    onnx.save(proto, str(tmp_path / "wrong.onnx"))
    found = locate_reduced(tmp_path / "wrong.onnx", exported, INPUTS, 0.5)
    assert found is not None
    assert (found.op_type, found.output) == ("DequantizeLinear", dequantise.output[0])


def test_a_tensor_in_another_layout_is_the_same_tensor() -> None:
    value = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    for other in (value.transpose(0, 2, 3, 1), value.reshape(6, 20)):
        assert divergence.aligned(value, other, 1e-9) is not None
    assert divergence.aligned(value, value + 0.1, 1e-3) is None
    square = value[:, :, :3, :3]
    assert divergence.aligned(square, square[::-1], 1e-9) is None  # samples are not to change places


def test_without_a_tape_only_what_is_not_finite_is_found(exported: Path, tmp_path: Path) -> None:
    path, _ = planted(exported, transposed_kernel, tmp_path / "m.onnx")
    assert locate(path, INPUTS, Tape(), TOLERANCE) is None
    path, output = planted(exported, not_a_number, tmp_path / "n.onnx")
    found = locate(path, INPUTS, Tape(), TOLERANCE)
    assert isinstance(found, Divergence)
    assert found.output == output


def test_a_keras_model_tells_the_node_too(tmp_path: Path) -> None:
    """The kernel of the second product is transposed."""
    pytest.importorskip("tensorflow")
    x = np.random.default_rng(0).standard_normal((2, 6)).astype(np.float32)
    model = Artefact(ArtefactSpec("m", str(dense_file(tmp_path / "m.onnx")), target="tests.convert.originals:dense"))
    tape = record(model, {"x": x})
    assert locate(tmp_path / "m.onnx", {"x": x}, tape, TOLERANCE) is None
    wrong = dense_file(tmp_path / "w.onnx", originals.SECOND.T)
    found = locate(wrong, {"x": x}, tape, TOLERANCE)
    assert found is not None
    assert (found.op_type, found.output, found.model_computes) == ("MatMul", "y", "MatMul")


def dense_file(path: Path, second: Array = originals.SECOND) -> Path:
    import onnx

    nodes = [files.node("MatMul", ["x", "a"], "h"), files.node("Tanh", ["h"], "t"), files.node("MatMul", "tb", "y")]
    value = onnx.helper.make_tensor_value_info
    ends = [[value(name, onnx.TensorProto.FLOAT, ["batch", 6])] for name in "xy"]
    constants = [files.tensor("a", originals.FIRST), files.tensor("b", np.ascontiguousarray(second))]
    graph = onnx.helper.make_graph(nodes, "dense", *ends, constants)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9), str(path))
    return path


def test_of_a_quantised_file_without_its_parent_the_weight_with_the_wrong_scale_is_named(
    exported: Path, tape: Tape, tmp_path: Path
) -> None:
    import onnx

    reduced = reduce("int8-static", exported, tmp_path / "q.onnx", [MODEL.inputs(8, seed) for seed in range(4)])
    proto = onnx.load(str(reduced))
    conv = node_of(proto, "Conv")
    dequantise = next(node for node in proto.graph.node if conv.input[1] in node.output)
    change(proto, dequantise.input[1], lambda scale: np.asarray(scale * 2, scale.dtype))
    onnx.save(proto, str(tmp_path / "wrong.onnx"))
    found = locate(tmp_path / "wrong.onnx", INPUTS, tape, 0.1)
    assert found is not None
    assert (found.op_type, found.output) == ("DequantizeLinear", dequantise.output[0])
    assert found.model_computes == "parameter conv.weight"


def test_integers_that_overflow_are_found_by_arithmetic() -> None:
    """What a CPU that adds pairs of products in 16 bits makes of it."""
    node = files.node("MatMulInteger", "xw", "y")
    left, right = np.full((1, 4), 255, np.uint8), np.full((4, 2), 127, np.int8)
    exact = np.full((1, 2), 4 * 255 * 127, np.int32)
    values = {"x": left, "w": right, "y": exact}
    assert divergence._overflowed(node, 3, values) is None
    found = divergence._overflowed(node, 3, {**values, "y": np.full((1, 2), 2 * 32767, np.int32)})
    assert found is not None
    assert (found.op_type, found.position) == ("MatMulInteger", 3)
    assert found.expected is not None
    assert np.array_equal(found.expected, exact)
