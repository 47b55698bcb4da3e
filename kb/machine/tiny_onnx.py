"""A one-node ONNX model as bytes, written without the onnx package: ONNX Runtime is also installed without it.

The format is protobuf's wire format (https://protobuf.dev/programming-guides/encoding/) with the field numbers of
onnx.proto, given at each line.
"""

import numpy as np
from numpy.typing import NDArray

#: Old enough for every ONNX Runtime that kb supports.
IR_VERSION = 8
OPSET = 13
FLOAT = 1  #: TensorProto.DataType


def matmul_model(factor: NDArray[np.float32]) -> bytes:
    """The ModelProto of ``Y = MatMul(X, factor)`` with X of the factor's shape, float32, square.

    The factor is an initializer, because several execution providers (CoreML, XNNPACK) take no other MatMul.
    """
    side = factor.shape[0]
    node = _text(1, "X") + _text(1, "B") + _text(2, "Y") + _text(4, "MatMul")  # input, input, output, op_type
    tensor = _integer(1, side) + _integer(1, side) + _integer(2, FLOAT) + _text(8, "B")  # dims, dims, data_type, name
    tensor += _bytes(9, factor.astype("<f4").tobytes())  # raw_data
    graph = _bytes(1, node) + _text(2, "matmul") + _bytes(5, tensor)  # node, name, initializer
    graph += _bytes(11, _value("X", side)) + _bytes(12, _value("Y", side))  # input, output
    opset = _text(1, "") + _integer(2, OPSET)  # domain, version
    return _integer(1, IR_VERSION) + _bytes(7, graph) + _bytes(8, opset)  # ir_version, graph, opset_import


def _value(name: str, side: int) -> bytes:
    """ValueInfoProto of a square float32 matrix."""
    dimension = _bytes(1, _integer(1, side))  # TensorShapeProto.dim, Dimension.dim_value
    tensor_type = _integer(1, FLOAT) + _bytes(2, dimension + dimension)  # elem_type, shape
    return _text(1, name) + _bytes(2, _bytes(1, tensor_type))  # name, type; TypeProto.tensor_type


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, payload: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(payload)) + payload


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
