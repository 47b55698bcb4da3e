"""torch-eager: the module called as it is, operator by operator. The runtime that others are compared with."""

from collections.abc import Mapping
from typing import Any

from kb.models.interface import Array
from kb.records.case import Case
from kb.runtimes.interface import Session
from kb.runtimes.torch_base import TorchRuntime, find_device, open_session


class TorchEager(TorchRuntime):
    """``module(*inputs)``."""

    name = "torch-eager"

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> Session:
        """Put the inputs in place."""
        return open_session(built, inputs, find_device(case.device))
