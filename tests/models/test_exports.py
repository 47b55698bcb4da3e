"""Every way out of the two frameworks that kb takes works on the reference models, at a batch it was not made with."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.models.interface import Array
from tests.models.conftest import Pair, run_torch

TOLERANCE = 1e-5
MADE_WITH, RUN_WITH = 2, 5  # samples


@pytest.fixture
def example(pair: Pair) -> tuple[Any, ...]:
    torch = pytest.importorskip("torch")
    return tuple(torch.from_numpy(array) for array in pair.model.inputs(MADE_WITH, 0).values())


@pytest.fixture
def inputs(pair: Pair) -> dict[str, Array]:
    return pair.model.inputs(RUN_WITH, 1)


def batch_of(example: tuple[Any, ...], batch: object) -> tuple[dict[int, object], ...]:
    return tuple({0: batch} for _ in example)


def run_onnx(path: Path, inputs: dict[str, Array]) -> Array:
    onnxruntime = pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (output,) = session.run(None, inputs)
    return output


def test_torch_jit_trace(pair: Pair, example: tuple[Any, ...], inputs: dict[str, Array]) -> None:
    import torch

    traced = torch.jit.trace(pair.module, example)
    np.testing.assert_allclose(run_torch(traced, inputs), pair.torch_output(inputs), rtol=0, atol=TOLERANCE)


def test_torch_export(pair: Pair, example: tuple[Any, ...], inputs: dict[str, Array]) -> None:
    import torch

    batch = torch.export.Dim("batch")
    program = torch.export.export(pair.module, example, dynamic_shapes=batch_of(example, batch), strict=True)
    np.testing.assert_allclose(run_torch(program.module(), inputs), pair.torch_output(inputs), rtol=0, atol=TOLERANCE)


def test_torch_compile_finds_one_whole_graph(pair: Pair, inputs: dict[str, Array]) -> None:
    import torch

    torch._dynamo.reset()
    compiled = torch.compile(pair.module, backend="eager", fullgraph=True)  # raises at the first graph break
    np.testing.assert_allclose(run_torch(compiled, inputs), pair.torch_output(inputs), rtol=0, atol=TOLERANCE)


@pytest.mark.slow
def test_torch_onnx_export(pair: Pair, example: tuple[Any, ...], inputs: dict[str, Array], tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    path = tmp_path / "model.onnx"
    torch.onnx.export(
        pair.module,
        example,
        str(path),
        dynamo=True,
        input_names=list(inputs),
        dynamic_shapes=batch_of(example, "batch"),
        verbose=False,
    )
    np.testing.assert_allclose(run_onnx(path, inputs), pair.torch_output(inputs), rtol=0, atol=TOLERANCE)


@pytest.mark.slow
def test_keras_onnx_export(pair: Pair, inputs: dict[str, Array], tmp_path: Path) -> None:
    """encoder_mini would fail here with Keras' own GELU: tf2onnx writes an operator that ONNX does not have."""
    pytest.importorskip("tf2onnx")
    path = tmp_path / "model.onnx"
    expected = pair.keras_output(inputs)  # Keras exports no model that was never called
    pair.keras.export(str(path), format="onnx", verbose=False)
    output = run_onnx(path, pair.model.keras_inputs(inputs))
    np.testing.assert_allclose(output, expected, rtol=0, atol=TOLERANCE)
