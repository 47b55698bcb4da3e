"""torch-compile: `torch.compile` with its defaults (TorchDynamo and Inductor).

An honest compile time needs an empty Inductor cache: whoever starts the process points TORCHINDUCTOR_CACHE_DIR at an
empty folder, otherwise `load` reads what an earlier process compiled.
"""

from collections.abc import Mapping
from typing import Any

from kb.models.interface import Array
from kb.records.case import Case
from kb.runtimes.interface import Session
from kb.runtimes.torch_base import TorchRuntime, find_device, open_session


def graphs_compiled() -> int:
    """Graphs that Dynamo has compiled in this process: one per graph of the model, and one more per recompilation."""
    from torch._dynamo.utils import counters

    return int(counters["stats"]["unique_graphs"])


class TorchCompile(TorchRuntime):
    """``torch.compile(module)(*inputs)``."""

    name = "torch-compile"

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> Session:
        """Compile. `torch.compile` only wraps the module and compiles at its first call: that call is made here."""
        import torch

        device = find_device(case.device)
        session = open_session(torch.compile(built), inputs, device, graphs_compiled)
        session.call()
        session.wait()
        return session
