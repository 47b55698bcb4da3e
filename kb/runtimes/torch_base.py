"""What the torch runtimes share: threads and device, building the module, and the session around a callable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.models.arrays import flat
from kb.models.interface import Array, Model, Source
from kb.records.case import Case
from kb.runtimes.base import Direct, common_source
from kb.runtimes.errors import DeviceMissing

if TYPE_CHECKING:
    import torch


def set_threads(threads: int) -> None:
    """Threads inside an operator; operators themselves run one after the other.

    Raises:
        RuntimeError: torch already started its inter-op pool with another number.
    """
    import torch

    torch.set_num_threads(threads)
    if torch.get_num_interop_threads() != 1:
        torch.set_num_interop_threads(1)


def find_device(name: str) -> "torch.device":
    """The torch device called `name` (``cpu``, ``cuda``, ``cuda:1``, ``mps``, ``xpu``).

    Raises:
        DeviceMissing: torch sees no such device here.
    """
    import torch

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceMissing(f"torch {torch.__version__} knows no device {name!r}") from error
    if device.type == "cpu":
        return device
    seen = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    count = torch.accelerator.device_count() if seen is not None and seen.type == device.type else 0
    if (device.index or 0) >= count:
        raise DeviceMissing(f"torch {torch.__version__} sees no {name} on this machine ({count} of that kind)")
    return device


def tensors(inputs: Mapping[str, Array], device: "torch.device") -> "tuple[torch.Tensor, ...]":
    """Copies of the inputs on the device, in their order: the module's positional arguments."""
    import torch

    return tuple(torch.tensor(array, device=device) for array in inputs.values())


def _none_compiled() -> int:
    return 0


@dataclass(frozen=True)
class TorchSession:
    """A callable with its arguments in place, under inference mode."""

    call: Callable[[], Any]
    device: "torch.device"
    mode: "torch.inference_mode"  #: kept, since inference mode ends with it
    compiles: Callable[[], int] = _none_compiled

    def wait(self) -> None:
        """Return when the device has finished."""
        import torch

        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)

    def outputs(self) -> list[Array]:
        """Outputs of one call, on the host."""
        return [np.asarray(tensor.detach().cpu().numpy()) for tensor in flat(self.call())]

    def threads(self) -> int | None:
        """Intra-op threads."""
        import torch

        return int(torch.get_num_threads())

    def peak_device_mib(self) -> float | None:
        """Peak of torch's allocator on the device since the process began; None where its backend keeps none."""
        import torch

        if self.device.type == "cpu":
            return None
        peak = getattr(torch.get_device_module(self.device), "max_memory_allocated", None)
        return None if peak is None else peak(self.device) / 2**20


def open_session(
    function: Callable[..., Any],
    inputs: Mapping[str, Array],
    device: "torch.device",
    compiles: Callable[[], int] = _none_compiled,
) -> TorchSession:
    """A session that calls `function` on the inputs.

    The calling thread is in inference mode from here on, as it is around a user's own loop: entering it in every call
    would be timed with the call. The process belongs to this session.
    """
    import torch

    mode = torch.inference_mode()
    mode.__enter__()
    arguments = tensors(inputs, device)

    def call() -> Any:
        return function(*arguments)

    return TorchSession(call, device, mode, compiles)


class TorchRuntime(Direct):
    """Base of the torch runtimes: from a module, or from a program that torch.export saved."""

    packages: tuple[str, ...] = ("torch",)
    sources: tuple[Source, ...] = (Source.TORCH, Source.TORCH_EXPORT)

    def start(self, case: Case) -> None:
        """Import torch, set its threads, look for the device."""
        set_threads(case.threads)
        find_device(case.device)

    def build(self, model: Model) -> Any:
        """The module, on the CPU."""
        import torch

        if common_source(self.sources, model) is Source.TORCH_EXPORT:
            return torch.export.load(model.path).module()
        return model.torch_module()
