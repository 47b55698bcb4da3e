"""torch-export-aoti: exported by torch.export and compiled ahead of time by AOTInductor into a `.pt2` package."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kb.models.interface import Array, Model, Source
from kb.records.case import Case
from kb.runtimes.base import common_source, device_kind
from kb.runtimes.interface import Session
from kb.runtimes.torch_base import TorchRuntime, find_device, open_session, start_torch, tensors


class TorchExportAoti(TorchRuntime):
    """``torch._inductor.aoti_load_package(path)(*inputs)``.

    The package is made for the shapes, the device and the number of threads of its case: AOTInductor writes the
    threads into the loops that it generates.

    With an empty Inductor cache torch 2.13 compiles small test programs when it loads a package, to compare this
    processor's vector instructions with those that the package was made for. That takes most of `load` and needs a
    C++ compiler. It is what a fresh container does, so it stays in the figure.
    """

    name = "torch-export-aoti"

    def refuse(self, model: Model, case: Case) -> str | None:
        """See `Runtime.refuse`."""
        if common_source(self.sources, model) is Source.TORCH_EXPORT and device_kind(case.device) != "cpu":
            return f"{model.name} is a .pt2 file of torch.export, which stays on the device that it was exported for"
        return super().refuse(model, case)

    def converts(self, model: Model) -> bool:
        """Always."""
        return True

    def convert(self, model: Model, inputs: Mapping[str, Array], case: Case, folder: Path) -> Path:
        """Export the module, unless it is an exported program already, and compile it."""
        import torch

        device = start_torch(case.threads, case.device)
        with torch.no_grad():
            if common_source(self.sources, model) is Source.TORCH_EXPORT:
                program = torch.export.load(model.path)
            else:
                program = torch.export.export(self.build(model, case), tensors(inputs, device))
            package = torch._inductor.aoti_compile_and_package(program, package_path=str(folder / "model.pt2"))
        return Path(package)

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> Session:
        """Unpack the package and load its library."""
        import torch

        device = find_device(case.device)
        index = -1 if device.index is None else device.index  # -1: the device that the package was made for
        return open_session(torch._inductor.aoti_load_package(str(built), device_index=index), inputs, device)
