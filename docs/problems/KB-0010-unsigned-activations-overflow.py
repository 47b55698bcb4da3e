"""KB-0010: multiplies the largest 8-bit integers, unsigned by signed, and compares with what arithmetic gives."""

import sys
from pathlib import Path

try:
    import numpy as np
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

cpuinfo = Path("/proc/cpuinfo")
flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
if "avx2" not in flags or flags & {"avx512_vnni", "avx_vnni"}:
    print("cannot be tried here: this takes an x86 CPU with AVX2 and without VNNI")
    sys.exit(77)

TERMS = 64


def product(weight_type: type) -> int:
    weights = np.full((TERMS, 1), 127, weight_type)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, TERMS])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [1, 1])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return int(session.run(None, {"x": np.full((1, TERMS), 255, np.uint8)})[0][0, 0])


true, signed, unsigned = TERMS * 255 * 127, product(np.int8), product(np.uint8)
print(f"unsigned weights: {unsigned}, the true sum is {true}")
if signed != true:
    sys.exit(f"MatMulInteger with signed weights: {signed}, the true sum is {true}")
print("gone: MatMulInteger gives the true sum")
