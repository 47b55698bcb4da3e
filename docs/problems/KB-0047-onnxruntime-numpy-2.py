"""KB-0047: runs one node with the installed ONNX Runtime and the installed NumPy."""

import sys
from importlib.metadata import version

try:
    import numpy as np
    import onnx  # noqa: F401
    from onnx import TensorProto, helper
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

print(f"numpy {np.__version__}", flush=True)
try:
    import onnxruntime
except ModuleNotFoundError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "graph", values[:1], values[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
session.run(None, {"x": np.ones(1, np.float32)})
print(f"gone: onnxruntime {onnxruntime.__version__} works with numpy {version('numpy')}")
