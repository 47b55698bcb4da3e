"""The model written by hand is what the onnx package would write, by its own judgement."""

import numpy as np
import pytest

from kb.machine.checks import operands
from kb.machine.tiny_onnx import IR_VERSION, OPSET, matmul_model


def test_the_onnx_package_reads_and_accepts_it() -> None:
    onnx = pytest.importorskip("onnx")
    factor = operands()[1]
    model = onnx.load_from_string(matmul_model(factor))
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, model.opset_import[0].version) == (IR_VERSION, OPSET)
    assert [node.op_type for node in model.graph.node] == ["MatMul"]
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(model.graph.initializer[0]), factor)


def test_it_is_the_same_bytes_as_the_packages_own() -> None:
    onnx = pytest.importorskip("onnx")
    data = matmul_model(operands()[1])
    assert onnx.load_from_string(data).SerializeToString(deterministic=True) == data
