"""KB-0041: lets onnxscript's rules fold a BatchNormalization into a Gemm whose beta is not 1."""

import sys

try:
    import numpy as np
    import onnx
    import onnxruntime
    import onnxscript
    from onnx import TensorProto, helper, numpy_helper
    from onnxscript import rewriter
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

draw = np.random.default_rng(0)
constants = {
    "w": draw.standard_normal((4, 3)),
    "b": 1 + draw.random(3),
    "gamma": 1 + draw.random(3),
    "beta": draw.standard_normal(3),
    "mean": draw.standard_normal(3),
    "variance": 1 + draw.random(3),
}
graph = helper.make_graph(
    [
        helper.make_node("Gemm", ["x", "w", "b"], ["g"], beta=0.5),
        helper.make_node("BatchNormalization", ["g", "gamma", "beta", "mean", "variance"], ["y"]),
    ],
    "graph",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 4])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
    [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
x = draw.standard_normal((2, 4)).astype(np.float32)


def answer(proto: onnx.ModelProto) -> np.ndarray:
    return onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"]).run(
        None, {"x": x}
    )[0]


rewritten = rewriter.rewrite(model)
difference = float(abs(answer(rewritten) - answer(model)).max())
kinds = [node.op_type for node in rewritten.graph.node]
print(f"onnxscript {onnxscript.__version__}: {kinds}")
if difference > 1e-4:
    sys.exit(f"after the rewrite: max abs diff {difference:.4f}")
print(f"gone: max abs diff {difference:.1e}")
