"""KB-0011: runs a quantise-dequantise graph with signed activations, with and without graph optimisations."""

import sys
from pathlib import Path

try:
    import numpy as np
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime import GraphOptimizationLevel as Level
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

cpuinfo = Path("/proc/cpuinfo")
flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
if "avx2" not in flags or flags & {"avx512_vnni", "avx_vnni"}:
    print("cannot be tried here: this takes an x86 CPU with AVX2 and without VNNI")
    sys.exit(77)

TERMS = 64
TRUE = TERMS * 127 * 127
constants = {
    "w": np.full((TERMS, 1), 127, np.int8),
    "one": np.float32(1),
    "zero": np.int8(0),
    "scale": np.float32(TERMS * 127),
}
nodes = [
    helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["xq"]),
    helper.make_node("DequantizeLinear", ["xq", "one", "zero"], ["xd"]),
    helper.make_node("DequantizeLinear", ["w", "one", "zero"], ["wd"]),
    helper.make_node("MatMul", ["xd", "wd"], ["m"]),
    helper.make_node("QuantizeLinear", ["m", "scale", "zero"], ["mq"]),
    helper.make_node("DequantizeLinear", ["mq", "scale", "zero"], ["y"]),
]
graph = helper.make_graph(
    nodes,
    "graph",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, TERMS])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])],
    [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


def answer(level: Level) -> int:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return int(session.run(None, {"x": np.full((1, TERMS), 127, np.float32)})[0][0, 0])


plain, optimised = answer(Level.ORT_DISABLE_ALL), answer(Level.ORT_ENABLE_ALL)
if optimised != TRUE:
    sys.exit(f"QDQ MatMul: ORT_DISABLE_ALL {plain}, ORT_ENABLE_ALL {optimised}, the true sum is {TRUE}")
print("gone: the optimised graph gives the true sum")
