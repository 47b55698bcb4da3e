"""ONNX files, with their weights inside or beside them."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kb.models.errors import ModelError
from kb.models.formats.interface import reading
from kb.models.interface import Array, Source
from kb.models.signature import TensorSpec

if TYPE_CHECKING:
    import onnx

_log = logging.getLogger(__name__)


class OnnxFile:
    """``*.onnx``"""

    source = Source.ONNX
    words = "an ONNX file"

    def check(self, path: Path) -> None:
        """Nothing can be told without reading the file: protobuf has no magic number."""

    def signature(self, path: Path) -> list[TensorSpec]:
        """The graph's inputs that are not initializers."""
        with reading(path, self.words):
            import onnx

            model = onnx.load(str(path), load_external_data=False)
            if not model.ir_version or not model.graph.node:
                raise ModelError(f"{path}: has no ONNX graph in it: cut off, or a file of another kind")
            _check_external_data(path, model)
            initializers = {tensor.name for tensor in model.graph.initializer}
            return [_spec(path, value) for value in model.graph.input if value.name not in initializers]

    def reference(self, path: Path, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        """From ONNX's own evaluator, plain NumPy; where that cannot run the file, from ONNX Runtime, unoptimised."""
        with reading(path, self.words):
            from onnx.reference import ReferenceEvaluator

            try:
                return list(ReferenceEvaluator(str(path)).run(None, dict(inputs))), "onnx-reference"
            except Exception as error:  # noqa: BLE001 - it raises a dozen kinds, from NotImplementedError to TypeError
                _log.warning(
                    "%s: ONNX's reference evaluator cannot run it, so it is its own reference: %s", path, error
                )
            return _run(path, inputs), "self"


def _run(path: Path, inputs: Mapping[str, Array]) -> list[Array]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return list(session.run(None, dict(inputs)))


def _spec(path: Path, value: "onnx.ValueInfoProto") -> TensorSpec:
    import onnx

    if not value.type.HasField("tensor_type"):
        kind = value.type.WhichOneof("value")
        raise ModelError(f"{path}: input {value.name!r} is a {kind}; only tensors can be fed")
    tensor = value.type.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    if not tensor.HasField("shape"):
        return TensorSpec(value.name, None, dtype)
    axes = [axis.dim_value if axis.HasField("dim_value") else None for axis in tensor.shape.dim]
    return TensorSpec(value.name, tuple(axes), dtype)


def _check_external_data(path: Path, model: "onnx.ModelProto") -> None:
    """Raise ModelError where a file with weights was left behind or cut off."""
    import onnx
    from onnx.external_data_helper import ExternalDataInfo

    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        info = ExternalDataInfo(tensor)
        beside = path.parent / info.location
        if not beside.is_file():
            raise ModelError(f"{path}: its weights are in {info.location}, which is not beside it: copy both files")
        needed = (info.offset or 0) + (info.length or 0)
        if beside.stat().st_size < needed:
            raise ModelError(f"{beside}: cut off: {beside.stat().st_size} bytes, {path.name} needs {needed}")
