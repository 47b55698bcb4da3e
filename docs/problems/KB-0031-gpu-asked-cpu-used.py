"""KB-0031: asks ONNX Runtime for a GPU where none can be used, and looks where the session ended up."""

import sys

try:
    import onnxruntime
    from onnx import TensorProto, helper
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "graph", values[:1], values[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CUDAExecutionProvider"])
used = session.get_providers()
if used[0] == "CUDAExecutionProvider":
    print("cannot be tried here: the GPU is there and is used")
    sys.exit(77)
sys.exit(f"asked for CUDAExecutionProvider, got {used}, and no exception")
