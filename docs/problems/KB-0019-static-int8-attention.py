"""KB-0019: quantises attention over 512 keys statically, with and without its softmax."""

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

KEYS, WIDTH = 512, 16
draw = np.random.default_rng(0)
keys = draw.standard_normal((WIDTH, KEYS)).astype(np.float32)
values = (1 + 0.1 * draw.standard_normal((KEYS, WIDTH))).astype(np.float32)
queries = (0.05 * draw.standard_normal((8, WIDTH))).astype(np.float32)  # these look at all keys alike
queries[0] = 4 * keys[:, 0]  # this one at a single key
nodes = [
    helper.make_node("MatMul", ["x", "keys"], ["scores"], name="scores"),
    helper.make_node("Softmax", ["scores"], ["weights"], name="softmax"),
    helper.make_node("MatMul", ["weights", "values"], ["y"], name="weighted"),
]
graph = helper.make_graph(
    nodes,
    "attention",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["query", WIDTH])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["query", WIDTH])],
    [numpy_helper.from_array(keys, "keys"), numpy_helper.from_array(values, "values")],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "float.onnx")


class Reader(CalibrationDataReader):
    def __init__(self) -> None:
        self.left = iter([{"x": queries}])

    def get_next(self) -> dict | None:
        return next(self.left, None)


def quantised(path: str, exclude: list[str]) -> None:
    quantize_static(
        "float.onnx",
        path,
        Reader(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=exclude,
    )


def answer(path: str) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = Level.ORT_DISABLE_ALL  # as written, so that no kernel's own fault is seen
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, {"x": queries})[0]


truth = answer("float.onnx")
quantised("all.onnx", [])
quantised("part.onnx", ["softmax", "weighted"])
largest = float(abs(truth).max())
everything = float(abs(answer("all.onnx") - truth).max())
part = float(abs(answer("part.onnx") - truth).max())
print(f"without the softmax and the product after it: max abs diff {part:.4f}")
if everything > 0.1 * largest:
    sys.exit(f"int8 attention: max abs diff {everything:.4f}, largest output {largest:.4f}")
print("gone: attention survives being quantised")
