"""What fits together here: opsets and IR versions of onnx and its runtime, and 8-bit products on this CPU."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kb.convert.execution import refusals
from kb.models.interface import Array

#: An opset and an IR version that every ONNX Runtime of the last years reads; one is held while the other is tried.
SAFE_OPSET, SAFE_IR = 13, 7
#: Products that are added up when it is tried whether 8-bit integers overflow.
TERMS = 64


def compatibility() -> dict[str, Any]:
    """Newest versions, found by asking ONNX Runtime to load a graph of one node; not beyond what onnx itself knows.

    Returns:
        `onnx_opset`, `onnx_ir`: what onnx writes by default; `runtime_opset`, `runtime_ir`: what ONNX Runtime loads;
        `exact_dynamic`, `exact_static`: 1 where its products of 8-bit integers are what arithmetic gives, else 0.

    Raises:
        ImportError: onnx or ONNX Runtime is not installed.
    """
    import onnx

    opset, ir = int(onnx.defs.onnx_opset_version()), int(onnx.IR_VERSION)
    return {
        "onnx_opset": opset,
        "onnx_ir": ir,
        "runtime_opset": next(number for number in range(opset, 0, -1) if _loads(number, SAFE_IR)),
        "runtime_ir": next(number for number in range(ir, 0, -1) if _loads(SAFE_OPSET, number)),
        "exact_dynamic": int(_exact_dynamic()),
        "exact_static": int(_exact_static()),
    }


def _exact_dynamic() -> bool:
    """Whether the largest unsigned activations times the largest signed weights give their true sum.

    Without VNNI instructions, CPUs add pairs of such products in 16 bits.
    """
    import onnx

    left, right = np.full((1, TERMS), 255, np.uint8), np.full((TERMS, 1), 127, np.int8)
    node = onnx.helper.make_node("MatMulInteger", ["x", "w"], ["y"])
    return int(_answer([node], left, {"w": right})[0, 0]) == TERMS * 255 * 127


def _exact_static() -> bool:
    """The same of quantise-dequantise pairs with signed activations, as ONNX Runtime optimises them for this CPU."""
    import onnx

    constants = {
        "w": np.full((TERMS, 1), 127, np.int8), "one": np.float32(1), "zero": np.int8(0),
        "scale": np.float32(TERMS * 127),  # so that the true sum is 127 steps
    }  # fmt: skip
    node = onnx.helper.make_node
    nodes = [
        node("QuantizeLinear", ["x", "one", "zero"], ["xq"]),
        node("DequantizeLinear", ["xq", "one", "zero"], ["xd"]),
        node("DequantizeLinear", ["w", "one", "zero"], ["wd"]),
        node("MatMul", ["xd", "wd"], ["m"]),
        node("QuantizeLinear", ["m", "scale", "zero"], ["mq"]),
        node("DequantizeLinear", ["mq", "scale", "zero"], ["y"]),
    ]
    return float(_answer(nodes, np.full((1, TERMS), 127, np.float32), constants)[0, 0]) == TERMS * 127 * 127


def _answer(nodes: Sequence[Any], x: Array, constants: Mapping[str, Any]) -> Array:
    """What ONNX Runtime makes of a small graph from `x` to `y`."""
    import onnx
    import onnxruntime

    given = onnx.helper.make_tensor_value_info("x", onnx.helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
    kept = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = onnx.helper.make_graph(nodes, "products", [given], [onnx.ValueInfoProto(name="y")], kept)
    opsets = [onnx.helper.make_opsetid("", SAFE_OPSET)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=SAFE_IR)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


def _loads(opset: int, ir_version: int) -> bool:
    import onnx
    import onnxruntime

    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "one node",
        [value("x", onnx.TensorProto.FLOAT, [1])],
        [value("y", onnx.TensorProto.FLOAT, [1])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=ir_version)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except refusals():
        return False
    return True
