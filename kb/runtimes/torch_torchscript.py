"""torch-torchscript: the module traced and frozen into TorchScript, or a TorchScript file as it was saved."""

from collections.abc import Mapping
from typing import Any

from kb.models.interface import Array, Model, Source
from kb.records.case import Case
from kb.runtimes.base import common_source
from kb.runtimes.interface import Session
from kb.runtimes.torch_base import TorchRuntime, find_device, open_session, tensors


class TorchTorchscript(TorchRuntime):
    """``torch.jit.freeze(torch.jit.trace(module, inputs))(*inputs)``, or ``torch.jit.load(path)(*inputs)``.

    TorchScript specialises itself during its first calls and counts nothing; `compiles` therefore stays 0.
    """

    name = "torch-torchscript"
    sources = (Source.TORCH, Source.TORCHSCRIPT)

    def build(self, model: Model, case: Case) -> Any:
        """The module, or the program in the file, which is not frozen again: it is measured as its owner saved it."""
        import torch

        if common_source(self.sources, model) is Source.TORCHSCRIPT:
            return torch.jit.load(model.path, map_location=find_device(case.device))
        return super().build(model, case)

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> Session:
        """Trace the module on the inputs, compare the trace with it (torch's default), and inline its weights."""
        import torch

        device = find_device(case.device)
        if not isinstance(built, torch.jit.ScriptModule):
            built = torch.jit.freeze(torch.jit.trace(built, tensors(inputs, device)))
        return open_session(built, inputs, device)
