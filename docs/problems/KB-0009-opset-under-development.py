"""KB-0009: loads a model of the newest opset that the installed onnx knows."""

import sys

try:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

newest = onnx.defs.onnx_opset_version()
values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "graph", values[:1], values[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", newest)], ir_version=8)
onnx.save(model, "model.onnx")
print(f"onnx {onnx.__version__} knows opset {newest}; onnxruntime is {onnxruntime.__version__}")
onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
print("gone: the runtime takes it")
