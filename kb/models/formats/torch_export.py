"""Programs of torch.export, as torch.export.save writes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb.models.errors import ModelError
from kb.models.formats.interface import reading
from kb.models.formats.torch_files import members, widest_outputs
from kb.models.interface import Array, Source
from kb.models.signature import TensorSpec

if TYPE_CHECKING:
    import torch

#: Where the program stands in the archive; the second is what torch before 2.8 wrote.
PROGRAMS = ("models/model.json", "serialized_exported_program.json")


class TorchExport:
    """``*.pt2``"""

    source = Source.TORCH_EXPORT
    words = "a .pt2 file of torch.export.save"

    def check(self, path: Path) -> None:
        """It must be an archive with a program in it: AOTInductor's compiled packages have the same suffix."""
        names = members(path, self.words)
        if any("aotinductor" in name for name in names):
            raise ModelError(f"{path}: is compiled by AOTInductor for one machine; expected {self.words}")
        if not any(name.endswith(PROGRAMS) for name in [*names, *(f"/{name}" for name in names)]):
            raise ModelError(f"{path}: holds no exported program; expected {self.words}")

    def signature(self, path: Path) -> list[TensorSpec]:
        """The program's inputs, with the lengths of its example where an axis may have any."""
        with reading(path, self.words):
            program = _load(path)
            values = {node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"}
            names = program.graph_signature.user_inputs
            _check_positional(path, program, len(names))
            examples = program.example_inputs[0] if program.example_inputs else [None] * len(names)
            return [_spec(path, name, values[name], example) for name, example in zip(names, examples, strict=True)]

    def reference(self, path: Path, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        """In double precision, if it can be."""
        with reading(path, self.words):
            return widest_outputs(lambda: _load(path).module(), inputs, path)


def _load(path: Path) -> "torch.export.ExportedProgram":
    import torch

    return torch.export.load(str(path))


def _check_positional(path: Path, program: "torch.export.ExportedProgram", count: int) -> None:
    """Raise ModelError where inputs are keywords, or nested in lists or dicts."""
    if program.example_inputs is None:
        return
    args, kwargs = program.example_inputs
    if kwargs or len(args) != count:
        raise ModelError(f"{path}: takes keywords or nested inputs; export it with tensors as positional arguments")


def _spec(path: Path, name: str, value: Any, example: Any) -> TensorSpec:
    import torch

    if not isinstance(value, torch.Tensor):
        raise ModelError(f"{path}: input {name!r} is {type(value).__name__}; only tensors can be fed")
    shape = tuple(int(axis) if isinstance(axis, int) else None for axis in value.shape)
    usual = () if example is None else tuple(example.shape)
    return TensorSpec(name, shape, str(value.dtype).removeprefix("torch."), usual)
