"""From an ONNX file in float32 to one in fewer bits: float16 and 8-bit integers, by ONNX Runtime's own tools."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.models.interface import Array

FULL = "fp32"
#: ONNX's element types of weights that are no float32, by the bits whose noise they have.
WEIGHT_BITS = {"FLOAT16": "fp16", "BFLOAT16": "fp16", "INT8": "int8", "UINT8": "int8"}

#: Inputs of one calibration batch, in the model's names and layout.
Batches = Sequence[Mapping[str, Array]]


@dataclass(frozen=True)
class Precision:
    """One way to fewer bits."""

    name: str
    words: str  #: for the pages
    bits: str  #: what weights are rounded to, of `kb.convert.noise`
    calibrated: bool  #: needs to see real inputs
    apply: Callable[[Path, Path, Batches], None]  #: source, target, calibration data


def _half(source: Path, target: Path, batches: Batches) -> None:
    """The converter puts its casts at the end of the graph, where ONNX wants nodes in the order of their use."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    half = OnnxModel(convert_float_to_float16(onnx.load(str(source)), keep_io_types=True))
    half.topological_sort()
    onnx.save(half.model, str(target))


def _dynamic(source: Path, target: Path, batches: Batches) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(str(source), str(target), weight_type=QuantType.QInt8)


def _static(per_channel: bool) -> Callable[[Path, Path, Batches], None]:
    """Quantise-dequantise pairs with 8-bit signed weights and activations: the kind that does not saturate on CPUs
    without VNNI instructions."""

    def apply(source: Path, target: Path, batches: Batches) -> None:
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

        quantize_static(
            str(source),
            str(target),
            _reader(source, batches),
            quant_format=QuantFormat.QDQ,
            per_channel=per_channel,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )

    return apply


PRECISIONS: dict[str, Precision] = {
    precision.name: precision
    for precision in (
        Precision("fp16", "float16, inputs and outputs in float32", "fp16", False, _half),
        Precision("int8-dynamic", "weights in 8 bits, activations quantised as they come", "int8", False, _dynamic),
        Precision(
            "int8-static",
            "8 bits, one scale per tensor, from calibration",
            "int8",
            True,
            _static(False),
        ),
        Precision(
            "int8-static-channel",
            "8 bits, weights with a scale per channel, from calibration",
            "int8",
            True,
            _static(True),
        ),
    )
}


def reduce(name: str, source: Path, target: Path, batches: Batches) -> Path:
    """Write the file in fewer bits. What the source's metadata says of its inputs is kept.

    Raises:
        KeyError: there is no such precision.
        Exception: whatever the tool raises.
    """
    import onnx

    PRECISIONS[name].apply(source, target, batches)
    written = onnx.load(str(target))
    told = {entry.key: entry.value for entry in onnx.load(str(source), load_external_data=False).metadata_props}
    onnx.helper.set_model_props(written, told)
    onnx.save(written, str(target))
    return target


def bits_of(path: Path) -> str:
    """What the weights of an ONNX file are kept in: `int8` if any, `fp16` if most are; else `fp32`.

    Quantisers leave what they do not know in float32; a single weight in float16 is a mistake.

    Raises:
        Exception: whatever onnx raises for a file that it cannot read.
    """
    import onnx

    counts: Counter[str] = Counter()
    for tensor in onnx.load(str(path), load_external_data=False).graph.initializer:
        if len(tensor.dims) > 1:  # vectors stay as they are in every precision
            name = onnx.TensorProto.DataType.Name(tensor.data_type)
            counts[WEIGHT_BITS.get(name, FULL)] += math.prod(tensor.dims)
    return "int8" if counts["int8"] else max(counts, key=lambda bits: counts[bits], default=FULL)


def _reader(path: Path, batches: Batches) -> Any:
    """The calibration batches as ONNX Runtime's quantiser wants them."""
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader

    from kb.runtimes.onnxruntime import feed

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feeds = [feed(session, batch) for batch in batches]

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left: Iterator[dict[str, Array]] = iter(feeds)

        def get_next(self) -> dict[str, Array] | None:
            return next(self.left, None)

        def rewind(self) -> None:
            self.left = iter(feeds)

    return Reader()
