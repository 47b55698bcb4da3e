"""TorchScript files, as torch.jit.save writes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kb.models.errors import ModelError
from kb.models.formats.interface import reading
from kb.models.formats.torch_files import members, widest_outputs
from kb.models.interface import Array, Source
from kb.models.signature import TensorSpec


class TorchScript:
    """``*.pt``, ``*.ts``"""

    source = Source.TORCHSCRIPT
    words = "a TorchScript file of torch.jit.save"

    def check(self, path: Path) -> None:
        """It must be an archive with code in it: ``*.pt`` is what weights alone are called, too."""
        names = members(path, self.words)
        if not any(name.startswith("code/") for name in names):
            raise ModelError(f"{path}: holds no code, perhaps only weights (torch.save); expected {self.words}")

    def signature(self, path: Path) -> list[TensorSpec]:
        """The names of forward's arguments: a TorchScript file knows no shapes."""
        with reading(path, self.words):
            arguments = _load(path).forward.schema.arguments[1:]  # without self
            for argument in arguments:
                if str(argument.type) != "Tensor" and not argument.has_default_value():
                    raise ModelError(f"{path}: argument {argument.name!r} is {argument.type}; only tensors can be fed")
            return [TensorSpec(argument.name) for argument in arguments if str(argument.type) == "Tensor"]

    def reference(self, path: Path, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        """In double precision, if it can be."""
        with reading(path, self.words):
            return widest_outputs(lambda: _load(path), inputs, path)


def _load(path: Path) -> Any:
    import torch

    return torch.jit.load(str(path), map_location="cpu").eval()
