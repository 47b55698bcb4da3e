"""From a framework's model to a checked ONNX file at fixed shapes, for the runtimes that execute ONNX."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.models.interface import Array, Model, Source
from kb.runtimes.errors import ExportInvalid
from kb.runtimes.tf_base import structured
from kb.runtimes.torch_base import tensors

if TYPE_CHECKING:
    import torch

#: What torch.onnx.export writes unless told otherwise, and what ONNX Runtime executes from 1.17 on. Asked for
#: explicitly, so that a new default of a later torch does not pass for a change of speed.
TORCH_OPSET = 20
#: The highest that tf2onnx 1.17, which Keras exports with, can write.
KERAS_OPSET = 18
#: Weights beyond this go into a second file: protobuf reads no message of 2 GiB or more. Leaves room for the graph.
INLINE_BYTES = 2**31 - 2**27
#: Key of the file's metadata that says how each graph input is made from the model's inputs (`arrangement`).
ARRANGEMENT_KEY = "kb.inputs"


def export(model: Model, source: Source, inputs: Mapping[str, Array], folder: Path) -> Path:
    """Write ``model.onnx`` into `folder`, with graph inputs of the shapes of `inputs`, and check it.

    Raises:
        ExportInvalid: `onnx.checker` refuses the file.
        Exception: whatever the exporter raises.
    """
    path = folder / "model.onnx"
    if source is Source.KERAS:
        _export_keras(model, inputs, path)
    else:
        _export_torch(model, source, inputs, path)
    check(path)
    return path


def check(path: Path) -> None:
    """Have the file judged by `onnx.checker`.

    Raises:
        ExportInvalid: with the checker's words.
    """
    import onnx

    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as error:
        raise ExportInvalid(f"onnx.checker refuses the export of {path.name}: {error}") from error


def _export_torch(model: Model, source: Source, inputs: Mapping[str, Array], path: Path) -> None:
    import torch

    exported: Any = torch.export.load(model.path) if source is Source.TORCH_EXPORT else model.torch_module()
    torch.onnx.export(
        exported,
        tensors(inputs, torch.device("cpu")),
        str(path),
        dynamo=True,
        external_data=_weight_bytes(exported) > INLINE_BYTES,
        opset_version=TORCH_OPSET,
        input_names=list(inputs),
        verbose=False,
    )


def _weight_bytes(exported: "torch.nn.Module | torch.export.ExportedProgram") -> int:
    tensors_held = itertools.chain(exported.parameters(), exported.buffers())
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors_held)


def _export_keras(model: Model, inputs: Mapping[str, Array], path: Path) -> None:
    import keras
    import onnx

    keras_model = model.keras_model()
    arranged = model.keras_inputs(inputs)
    specs = {
        name: keras.InputSpec(shape=array.shape, dtype=array.dtype.name, name=name) for name, array in arranged.items()
    }
    keras_model.export(
        str(path),
        format="onnx",
        input_signature=[structured(keras_model, specs)],
        opset_version=KERAS_OPSET,
        verbose=False,
    )
    proto = onnx.load(str(path))
    onnx.helper.set_model_props(proto, {ARRANGEMENT_KEY: json.dumps(arrangement(inputs, arranged))})
    onnx.save(proto, str(path))


def arrangement(inputs: Mapping[str, Array], arranged: Mapping[str, Array]) -> dict[str, tuple[str, list[int]]]:
    """How `Model.keras_inputs` made each of its arrays: from which input, with its axes in which order.

    The file is loaded in a process that has no model, and is fed with the model's inputs all the same.

    Raises:
        ValueError: an array is not a transposition of the input at its place.
    """
    if len(inputs) != len(arranged):
        raise ValueError(f"keras_inputs makes {len(arranged)} arrays of {len(inputs)} inputs")
    found = {}
    for (name, array), (keras_name, wanted) in zip(inputs.items(), arranged.items(), strict=True):
        for axes in itertools.permutations(range(array.ndim)):
            if np.array_equal(array.transpose(axes), wanted):
                found[keras_name] = (name, list(axes))
                break
        else:
            raise ValueError(f"an ONNX file cannot be fed with {keras_name!r}: it is no transposition of {name!r}")
    return found
