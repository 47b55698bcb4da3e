"""torch-dynamo and torch-torchscript: the two exporters behind `torch.onnx.export`."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb.convert.base import BaseRoute, written
from kb.models.interface import Array, Model, Source
from kb.runtimes.onnx_export import INLINE_BYTES
from kb.runtimes.torch_base import tensors

if TYPE_CHECKING:
    import torch

#: The name of the axis that may have any length.
BATCH = "batch"
#: Longest batch that the dynamo exporter is told of: it wants a range, and proves the graph for all of it.
LONGEST_BATCH = 4096


class TorchDynamo(BaseRoute):
    """``torch.onnx.export(module, args, path, dynamo=True, dynamic_shapes=...)``: by way of torch.export."""

    name = "torch-dynamo"
    packages = ("torch", "onnxscript", "onnx")
    sources = (Source.TORCH, Source.TORCH_EXPORT)

    def start(self) -> None:
        """Import torch and the exporter."""
        import onnxscript
        import torch

        del onnxscript, torch

    def convert(self, model: Model, examples: Mapping[str, Array], opset: int, folder: Path) -> Path:
        """Export. Weights stay in the file unless they are too large for one."""
        import torch

        exported: Any
        shapes: Any = None
        if self.source(model) is Source.TORCH_EXPORT:
            exported = torch.export.load(model.path)  # which axes are free was settled when it was exported
        else:
            exported = model.torch_module()
            axis = {0: torch.export.Dim(BATCH, min=1, max=LONGEST_BATCH)}
            shapes = tuple(axis for _ in examples)
        path = folder / "model.onnx"
        torch.onnx.export(
            exported,
            tensors(examples, torch.device("cpu")),
            str(path),
            dynamo=True,
            dynamic_shapes=shapes,
            external_data=_weight_bytes(exported) > INLINE_BYTES,
            opset_version=opset,
            input_names=list(examples),
            verbose=False,
        )
        return written(path, self.name)


class TorchTorchscript(BaseRoute):
    """``torch.onnx.export(module, args, path, dynamo=False, dynamic_axes=...)``: by tracing, as before torch 2.9."""

    name = "torch-torchscript"
    packages = ("torch", "onnx")
    sources = (Source.TORCH, Source.TORCHSCRIPT)

    def start(self) -> None:
        """Import torch."""
        import torch

        del torch

    def convert(self, model: Model, examples: Mapping[str, Array], opset: int, folder: Path) -> Path:
        """Trace and export."""
        import torch

        exported: Any = (
            torch.jit.load(model.path, map_location="cpu").eval()
            if self.source(model) is Source.TORCHSCRIPT
            else model.torch_module()
        )
        arguments = tensors(examples, torch.device("cpu"))
        with torch.no_grad():
            answers = exported(*arguments)
        names = [f"output_{index}" for index in range(len(answers) if isinstance(answers, list | tuple) else 1)]
        path = folder / "model.onnx"
        torch.onnx.export(
            exported,
            arguments,
            str(path),
            dynamo=False,
            opset_version=opset,
            input_names=list(examples),
            output_names=names,
            dynamic_axes={name: {0: BATCH} for name in (*examples, *names)},
        )
        return written(path, self.name)


def _weight_bytes(exported: "torch.nn.Module | torch.export.ExportedProgram") -> int:
    held = itertools.chain(exported.parameters(), exported.buffers())
    return sum(tensor.numel() * tensor.element_size() for tensor in held)
