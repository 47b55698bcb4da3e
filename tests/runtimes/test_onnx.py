"""Exports and sessions of ONNX: what the checker refuses, weights beyond 2 GiB, names and layouts of inputs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.models.interface import Array, Source
from kb.records.case import Case
from kb.records.statuses import Status
from kb.runtimes import onnx_export
from kb.runtimes.errors import ExportInvalid
from kb.runtimes.onnx_export import ARRANGEMENT_KEY, TORCH_OPSET, arrangement, check
from kb.runtimes.onnxruntime import OnnxRuntime, ProviderMissing
from tests.runtimes.tiny import TinyNet, TinyText

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

CASE = Case("tiny", "onnxruntime")
X: Array = np.array([[1.0, 2.0]], np.float32)
Y: Array = np.array([[10.0, 20.0]], np.float32)


def difference(path: Path, operator: str = "Sub", **metadata: str) -> Path:
    """An ONNX file that computes x - y."""
    shape = (onnx.TensorProto.FLOAT, [1, 2])
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(operator, ["x", "y"], ["z"])],
        "difference",
        [onnx.helper.make_tensor_value_info(name, *shape) for name in ("x", "y")],
        [onnx.helper.make_tensor_value_info("z", *shape)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, str(path))
    return path


def result(path: Path, inputs: dict[str, Array], case: Case = CASE) -> Array:
    return OnnxRuntime().load(path, inputs, case).outputs()[0]


def test_inputs_are_fed_by_name(tmp_path: Path) -> None:
    np.testing.assert_array_equal(result(difference(tmp_path / "m.onnx"), {"y": Y, "x": X}), X - Y)


def test_inputs_of_other_names_are_fed_in_their_order(tmp_path: Path) -> None:
    np.testing.assert_array_equal(result(difference(tmp_path / "m.onnx"), {"first": X, "second": Y}), X - Y)


def test_an_input_that_the_graph_lost_is_left_out(tmp_path: Path) -> None:
    np.testing.assert_array_equal(result(difference(tmp_path / "m.onnx"), {"mask": X, "y": Y, "x": X}), X - Y)


@pytest.mark.parametrize("inputs", [{"x": X}, {"x": X, "other": Y}])
def test_other_inputs_than_the_graph_takes_are_an_error(tmp_path: Path, inputs: dict[str, Array]) -> None:
    with pytest.raises(ValueError, match=f"the graph takes x, y, but the model's inputs are {', '.join(inputs)}"):
        result(difference(tmp_path / "m.onnx"), inputs)


def test_a_file_says_how_its_inputs_are_arranged(tmp_path: Path) -> None:
    told = json.dumps({"x": ["image", [1, 0]], "y": ["other", [0, 1]]})
    path = difference(tmp_path / "m.onnx", **{ARRANGEMENT_KEY: told})
    np.testing.assert_array_equal(result(path, {"image": np.ascontiguousarray(X.T), "other": Y}), X - Y)


def test_the_arrangement_is_read_off_the_arrays() -> None:
    image = np.random.default_rng(0).random((2, 3, 5, 5))
    ids = np.arange(12).reshape(2, 6)
    arranged = {"pixels": image.transpose(0, 2, 3, 1), "ids": ids.astype(np.int32)}
    assert arrangement({"image": image, "ids": ids}, arranged) == {
        "pixels": ("image", [0, 2, 3, 1]),
        "ids": ("ids", [0, 1]),
    }


@pytest.mark.parametrize("arranged", [{"x": X * 2}, {}])
def test_an_arrangement_that_is_more_than_a_transposition_is_an_error(arranged: dict[str, Array]) -> None:
    with pytest.raises(ValueError, match=r"transposition|makes 0 arrays"):
        arrangement({"x": X}, arranged)


def test_a_file_that_the_checker_refuses_is_said_to_have_failed_the_check(tmp_path: Path) -> None:
    """An operator that ONNX does not have: what tf2onnx writes for TensorFlow's Erfc, with a mere log line."""
    with pytest.raises(ExportInvalid, match="Erfc") as raised:
        check(difference(tmp_path / "m.onnx", operator="Erfc"))
    assert raised.value.status is Status.CHECK_FAILED


def test_falling_back_to_another_provider_is_an_error(tmp_path: Path) -> None:
    """ONNX Runtime only warns."""
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime may have what is asked for")
    with pytest.raises(ProviderMissing, match=r"asked for CUDAExecutionProvider, the session runs on CPU"):
        result(difference(tmp_path / "m.onnx"), {"x": X, "y": Y}, Case("tiny", "onnxruntime", device="cuda"))


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_those_of_the_case(tmp_path: Path, threads: int) -> None:
    path = difference(tmp_path / "m.onnx")
    session = OnnxRuntime().load(path, {"x": X, "y": Y}, Case("tiny", "onnxruntime", threads=threads))
    assert session.threads() == threads


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """TinyText exported from torch at batch 2."""
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    model = TinyText()
    path = OnnxRuntime().convert(model, model.inputs(2, seed=0), CASE, tmp_path_factory.mktemp("export"))
    return onnx.load(str(path))


def test_an_export_from_torch_has_the_models_names_types_and_fixed_shapes(exported: Any) -> None:
    inputs = [
        (node.name, node.type.tensor_type.elem_type, [axis.dim_value for axis in node.type.tensor_type.shape.dim])
        for node in exported.graph.input
    ]
    assert inputs == [("ids", onnx.TensorProto.INT64, [2, 6]), ("attention", onnx.TensorProto.FLOAT, [2, 6])]


def test_an_export_from_torch_has_the_opset_asked_for(exported: Any) -> None:
    assert {opset.domain: opset.version for opset in exported.opset_import}[""] == TORCH_OPSET


def test_weights_stay_in_the_file_unless_they_are_too_large_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    model = TinyNet().only(Source.TORCH)
    inputs = model.inputs(2, seed=0)
    for limit, files in ((onnx_export.INLINE_BYTES, ["model.onnx"]), (0, ["model.onnx", "model.onnx.data"])):
        monkeypatch.setattr(onnx_export, "INLINE_BYTES", limit)
        folder = tmp_path / str(limit)
        folder.mkdir()
        path = OnnxRuntime().convert(model, inputs, CASE, folder)
        assert sorted(file.name for file in folder.iterdir()) == files
        np.testing.assert_allclose(result(path, inputs), model.reference(inputs)[0][0], rtol=1e-5, atol=1e-5)
