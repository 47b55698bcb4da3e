"""Integer products are those that ONNX defines: its own evaluator gives the same."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kb.convert import integers
from tests.convert import files

pytest.importorskip("onnx")
RANDOM = np.random.default_rng(0)


def unsigned(*shape: int) -> NDArray[np.uint8]:
    return RANDOM.integers(0, 256, shape).astype(np.uint8)


def signed(*shape: int) -> NDArray[np.int8]:
    return RANDOM.integers(-128, 128, shape).astype(np.int8)


def evaluated(node: Any, *arrays: Any) -> Any:
    """By ONNX's evaluator in NumPy."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    value = onnx.helper.make_tensor_value_info
    given = [
        value(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in zip(node.input, arrays, strict=True)
    ]
    graph = onnx.helper.make_graph([node], "one", given, [value("y", onnx.TensorProto.INT32, None)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    return ReferenceEvaluator(model).run(None, dict(zip(node.input, arrays, strict=True)))[0]


@pytest.mark.parametrize("zeros", [(), (np.uint8(7), np.int8(-3)), (np.uint8(7), signed(5))])
def test_matmul(zeros: tuple[Any, ...]) -> None:
    arrays = [unsigned(2, 3, 4), signed(4, 5), *(np.asarray(zero) for zero in zeros)]
    node = files.node("MatMulInteger", ["x", "w", "a", "b"][: len(arrays)], "y")
    assert np.array_equal(integers.matmul(node, *arrays), evaluated(node, *arrays))


@pytest.mark.parametrize(
    ("attributes", "kernel"),
    [
        ({}, (4, 6, 3, 3)),
        ({"pads": [1, 0, 2, 1], "strides": [2, 1]}, (4, 6, 3, 3)),
        ({"dilations": [2, 2]}, (4, 6, 2, 2)),
        ({"group": 3}, (3, 2, 3, 3)),
    ],
)
def test_convolution(attributes: dict[str, Any], kernel: tuple[int, ...]) -> None:
    pytest.importorskip("torch")
    arrays = [unsigned(2, 6, 8, 7), signed(*kernel), np.asarray(np.uint8(9))]
    node = files.node("ConvInteger", ["x", "w", "z"], "y", **attributes)
    found = integers.convolution(node, *arrays)
    assert found is not None
    assert np.array_equal(found, evaluated(node, *arrays))


def test_padding_that_is_left_to_the_runtime_is_not_guessed() -> None:
    node = files.node("ConvInteger", ["x", "w"], "y", auto_pad="SAME_UPPER")
    assert integers.convolution(node, unsigned(1, 1, 4, 4), signed(1, 1, 3, 3)) is None
