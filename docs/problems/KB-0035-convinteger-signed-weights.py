"""KB-0035: loads a ConvInteger node with signed weights on the CPU."""

import sys

try:
    import numpy as np
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

graph = helper.make_graph(
    [helper.make_node("ConvInteger", ["x", "w"], ["y"], name="convolution")],
    "graph",
    [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 1, 4, 4])],
    [helper.make_tensor_value_info("y", TensorProto.INT32, None)],
    [numpy_helper.from_array(np.ones((1, 1, 2, 2), np.int8), "w")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
total = int(session.run(None, {"x": np.ones((1, 1, 4, 4), np.uint8)})[0].sum())
print(f"gone: onnxruntime {onnxruntime.__version__} has a kernel for signed weights; sum {total}, as it must be 36")
