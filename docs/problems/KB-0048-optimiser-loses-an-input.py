"""KB-0048: loads a valid graph, the product of a reciprocal and a cast that changes nothing, with optimisations."""

import sys

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime import GraphOptimizationLevel as Level
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("a", "b", "y")]
nodes = [
    helper.make_node("Cast", ["a"], ["mid"], to=TensorProto.FLOAT),
    helper.make_node("Div", ["one", "b"], ["reciprocal"]),
    helper.make_node("Mul", ["reciprocal", "mid"], ["y"]),
]
graph = helper.make_graph(nodes, "graph", values[:2], values[2:], [numpy_helper.from_array(np.float32(1), "one")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
given = {"a": np.arange(4, dtype=np.float32), "b": np.full(4, 2, np.float32)}
for level in (Level.ORT_DISABLE_ALL, Level.ORT_ENABLE_ALL):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    print(level.name, *session.run(None, given)[0])
print("gone: the graph loads with all optimisations")
