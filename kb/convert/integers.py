"""Products of 8-bit integers as arithmetic has them: some CPUs add pairs of them in 16 bits, where they overflow."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.models.interface import Array

Integers = NDArray[np.int64]


def matmul(
    node: Any, left: Array, right: Array, left_zero: Array | None = None, right_zero: Array | None = None
) -> Array:
    """What ONNX's MatMulInteger is defined to give, int32.

    Args:
        left: 8-bit integers (..., M, K).
        right: 8-bit integers (..., K, N).
        left_zero: zero point, a scalar or (M,); None: 0.
        right_zero: zero point, a scalar or (N,); None: 0.
    """
    rows = _less(left, left_zero, (-1, 1))
    columns = _less(right, right_zero, (1, -1))
    return np.asarray(np.matmul(rows, columns), np.int32)


def convolution(
    node: Any, image: Array, kernel: Array, image_zero: Array | None = None, kernel_zero: Array | None = None
) -> Array | None:
    """What ONNX's ConvInteger is defined to give, int32; None where its padding is left to the runtime, or torch is not
    installed.

    Args:
        node: for its attributes.
        image: 8-bit integers (batch, channels, ...).
        kernel: 8-bit integers (channels out, channels in by groups, ...).
        image_zero: zero point, a scalar; None: 0.
        kernel_zero: zero point, a scalar or (channels out,); None: 0.
    """
    try:
        import torch
    except ImportError:
        return None
    axes = image.ndim - 2
    attributes = {entry.name: entry for entry in node.attribute}
    given = {name: list(entry.ints) for name, entry in attributes.items()}
    pads = given.get("pads", [0] * 2 * axes)
    if attributes.get("auto_pad") is not None and attributes["auto_pad"].s not in (b"", b"NOTSET"):
        return None
    moved = _less(image, image_zero, ())
    around = [(0, 0), (0, 0), *zip(pads[:axes], pads[axes:], strict=True)]
    weights = _less(kernel, kernel_zero, (-1, *([1] * (kernel.ndim - 1))))
    convolve = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d, 3: torch.nn.functional.conv3d}[axes]
    exact = convolve(  # sums of so few and so small integers are exact in double precision
        torch.from_numpy(np.pad(moved, around).astype(np.float64)),
        torch.from_numpy(weights.astype(np.float64)),
        stride=given.get("strides", [1] * axes),
        dilation=given.get("dilations", [1] * axes),
        groups=attributes["group"].i if "group" in attributes else 1,
    )
    return np.asarray(exact.numpy(), np.int32)


def _less(array: Array, zero: Array | None, along: tuple[int, ...]) -> Integers:
    """An array less its zero point; one per row or channel lies along the axes of `along`."""
    if zero is None:
        return _wide(array)
    return _wide(array) - _wide(zero.reshape(along) if zero.size > 1 else zero.reshape(()))


def _wide(array: Array) -> Integers:
    return array.astype(np.int64)


#: Operators whose results are checked, each with what gives the right one from the node and its inputs.
PRODUCTS: dict[str, Callable[..., Array | None]] = {"MatMulInteger": matmul, "ConvInteger": convolution}
