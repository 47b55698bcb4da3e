"""The tiny computation that every device has to get right: the same for all frameworks, judged here."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Side of the two matrices: large enough for a device to use its matrix units, small enough to cost nothing.
SIDE = 64
SEED = 20_260_101
#: Largest error, relative to the largest value of the product, of a device that computes float32 as it should:
#: 64 roundings of 2^-24 each stay below 4e-6.
FULL_PRECISION = 1e-5
#: The same of a device that was built to round the factors first: TF32 (2^-11) or bfloat16 (2^-9) with half of each
#: rounding to spare. A wrong kernel is off by about 1.
REDUCED_PRECISION = 5e-3
#: An error from outside is cut to this many characters in one line.
LINE_CHARS = 300

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Device:
    """What became of the computation on one device, as one framework sees it."""

    name: str  #: the framework's own: `cpu`, `cuda:0`, `GPU:0`, `CUDAExecutionProvider`
    description: str = ""  #: the hardware, where the framework tells
    memory_gib: float | None = None
    found: bool = True  #: False: the framework was built for it and sees none
    works: bool | None = None  #: the computation ended without an error; None: nothing was run
    correct: bool | None = None  #: within REDUCED_PRECISION of NumPy's float64 product
    error_relative: float | None = None  #: largest absolute error over the largest value; None where not finite
    time_ms: float | None = None  #: a second call, until its result is in the host's memory
    error: str | None = None  #: one line
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def operands() -> tuple[Matrix, Matrix]:
    """The two factors, float32, SIDE x SIDE, from a fixed seed."""
    left, right = np.random.default_rng(SEED).standard_normal((2, SIDE, SIDE), dtype=np.float32)
    return left, right


def check(
    device: Device, prepare: Callable[[Matrix, Matrix], Callable[[], Any]], describe: Callable[[], Device] | None = None
) -> Device:
    """Multiply on `device` and compare with NumPy.

    Args:
        device: its name, and what is known of it so far.
        prepare: puts the factors on the device and returns the call that multiplies them there and returns the
            product as an array of the host.
        describe: returns the device with what the framework knows of its hardware.

    Whatever the framework raises becomes the device's error. A crash cannot be caught: the name is printed on stderr
    first, so that the last line of a dead process says which device it was.
    """
    sys.stderr.write(f"checking {device.name}\n")
    sys.stderr.flush()
    left, right = operands()
    try:
        device = describe() if describe else device
        call = prepare(left, right)
        call()
        start = time.perf_counter_ns()
        product = np.asarray(call())
        elapsed_ms = (time.perf_counter_ns() - start) / 1e6
    except Exception as error:  # noqa: BLE001 - frameworks raise types of their own; the line is the report
        return replace(device, works=False, error=error_line(error))
    return replace(judge(device, product, left, right), time_ms=elapsed_ms)


def judge(device: Device, product: NDArray[Any], left: Matrix, right: Matrix) -> Device:
    """Compare `product` with the float64 product of the factors."""
    reference = left.astype(np.float64) @ right.astype(np.float64)
    if product.shape != reference.shape:
        return replace(device, works=True, correct=False, error=f"the result has shape {product.shape}")
    if not np.isfinite(product).all():
        return replace(device, works=True, correct=False, error="the result holds NaN or infinity")
    error = float(np.abs(product - reference).max() / np.abs(reference).max())
    if error > REDUCED_PRECISION:
        words = f"the result is wrong by {error:.2g} of the largest value"
        return replace(device, works=True, correct=False, error_relative=error, error=words)
    note = "multiplies float32 at reduced precision (TF32 or bfloat16)" if error > FULL_PRECISION else None
    return replace(device, works=True, correct=True, error_relative=error, note=device.note or note)


def error_line(error: BaseException) -> str:
    """Type and first line of an exception."""
    lines = str(error).strip().splitlines()
    return one_line(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def one_line(text: str) -> str:
    """Text from outside, without line breaks and control characters, of bounded length."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= LINE_CHARS else plain[: LINE_CHARS - 1] + "…"
