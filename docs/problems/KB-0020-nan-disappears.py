"""KB-0020：给 ONNX Runtime 的若干算子一个 NaN，看输出里还有没有。"""

import sys

try:
    import numpy as np
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

HIDDEN = 4


def keeps_nan(node: object, x: np.ndarray, **weights: np.ndarray) -> bool:
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return bool(np.isnan(session.run(["y"], {"x": x})[0]).any())


row = np.array([1, np.nan, 2, 3], np.float32).reshape(1, 1, 2, 2)
sequence = np.full((5, 1, 3), np.nan, np.float32)
draw = np.random.default_rng(0)
weights = {
    "w": draw.standard_normal((1, 4 * HIDDEN, 3)).astype(np.float32),
    "r": draw.standard_normal((1, 4 * HIDDEN, HIDDEN)).astype(np.float32),
    "b": draw.standard_normal((1, 8 * HIDDEN)).astype(np.float32),
}
kept = {
    "Relu": keeps_nan(helper.make_node("Relu", ["x"], ["y"]), row),
    "MaxPool": keeps_nan(helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2]), row),
    "GlobalMaxPool": keeps_nan(helper.make_node("GlobalMaxPool", ["x"], ["y"]), row),
    "ReduceMax": keeps_nan(helper.make_node("ReduceMax", ["x"], ["y"]), row),
    "ReduceMin": keeps_nan(helper.make_node("ReduceMin", ["x"], ["y"]), row),
    "LSTM": keeps_nan(helper.make_node("LSTM", ["x", "w", "r", "b"], ["y"], hidden_size=HIDDEN), sequence, **weights),
}
lost = [name for name, keeps in kept.items() if not keeps]
if lost:
    sys.exit(f"NaN goes in and finite numbers come out: {', '.join(lost)}")
print("gone: all of them keep NaN")
