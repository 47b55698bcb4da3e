"""KB-0050: quantises masked attention statically, with a mask of minus infinity and with a mask of -100."""

import sys

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime import GraphOptimizationLevel as Level
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

KEYS, WIDTH = 8, 16
draw = np.random.default_rng(0)
queries = draw.standard_normal((4, WIDTH)).astype(np.float32)
constants = {
    "keys": draw.standard_normal((WIDTH, KEYS)).astype(np.float32),
    "values": draw.standard_normal((KEYS, WIDTH)).astype(np.float32),
    "zero": np.float32(0),
}
nodes = [
    helper.make_node("Where", ["seen", "zero", "low"], ["mask"], name="where"),
    helper.make_node("MatMul", ["x", "keys"], ["products"], name="products"),
    helper.make_node("Add", ["products", "mask"], ["scores"], name="masked"),
    helper.make_node("Softmax", ["scores"], ["weights"], name="softmax"),
    helper.make_node("MatMul", ["weights", "values"], ["y"], name="weighted"),
]
given = {"x": queries, "seen": np.arange(KEYS) < KEYS - 3}


class Reader(CalibrationDataReader):
    def __init__(self) -> None:
        self.left = iter([given])

    def get_next(self) -> dict | None:
        return next(self.left, None)


def answer(path: str) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = Level.ORT_DISABLE_ALL  # as written, so that no kernel's own fault is seen
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, given)[0]


def worst(low: float) -> tuple[float, float]:
    """The largest error and the scale of the masked scores."""
    graph = helper.make_graph(
        nodes,
        "attention",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, WIDTH]),
            helper.make_tensor_value_info("seen", TensorProto.BOOL, [KEYS]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, WIDTH])],
        [
            numpy_helper.from_array(np.asarray(value), name)
            for name, value in (constants | {"low": np.float32(low)}).items()
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "float.onnx")
    quantize_static(
        "float.onnx",
        "int8.onnx",
        Reader(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
    )
    scales = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load("int8.onnx").graph.initializer}
    return float(abs(answer("int8.onnx") - answer("float.onnx")).max()), float(scales["scores_scale"])


finite, scale = worst(-100)
print(f"mask of -100: scale of the scores {scale:.4f}, max abs diff {finite:.4f}")
infinite, scale = worst(-np.inf)
if not np.isfinite(scale) or not infinite < 4 * finite + 0.1:
    sys.exit(f"mask of -inf: scale of the scores {scale}, max abs diff {infinite:.4f}")
print(f"gone: mask of -inf: scale of the scores {scale:.4f}, max abs diff {infinite:.4f}")
