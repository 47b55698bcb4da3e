"""KB-0012: turns a small graph into float16 with float32 inputs and outputs, and asks onnx whether it is valid."""

import sys

try:
    import onnx
    from onnx import TensorProto, helper
    from onnxruntime.transformers.float16 import convert_float_to_float16
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y")]
nodes = [helper.make_node("Relu", ["x"], ["r"], name="relu"), helper.make_node("Sigmoid", ["r"], ["y"], name="sigmoid")]
graph = helper.make_graph(nodes, "graph", values[:1], values[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
half = convert_float_to_float16(model, keep_io_types=True)
print("nodes, in the order of the file:", *(node.op_type for node in half.graph.node))
onnx.checker.check_model(half)
print("gone: the nodes are in order")
