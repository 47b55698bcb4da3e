"""What the torch runtimes share: threads and device, building the module, and the session around a callable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.models.arrays import flat
from kb.models.interface import Array, Model, Source
from kb.records.case import Case
from kb.runtimes.base import FULL, MIXED, Direct, common_source
from kb.runtimes.errors import DeviceMissing
from kb.runtimes.interface import DeviceTimer

if TYPE_CHECKING:
    import torch

#: Kinds of device whose events carry a time that torch documents; the others are timed by the host alone.
TIMED_DEVICES = frozenset({"cuda", "xpu"})


#: The type that each precision computes in.
_TYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


def start_torch(threads: int, device_name: str) -> "torch.device":
    """Import torch, set its threads, and make the device the current one, where float32 has all its bits.

    Raises:
        DeviceMissing: torch sees no such device here.
    """
    import torch

    set_threads(threads)
    device = find_device(device_name)
    if device.index:
        torch.accelerator.set_device_index(device.index)  # events and streams are made on the current device
    allow_tf32(False)
    return device


def allow_tf32(allowed: bool) -> None:
    """Whether an NVIDIA GPU may round the factors of float32 products to TF32.

    By default torch lets convolutions do so and matrix products not; here it is both or none.
    """
    import torch

    torch.set_float32_matmul_precision("high" if allowed else "highest")
    torch.backends.cudnn.allow_tf32 = allowed


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


def type_of(precision: str) -> "torch.dtype":
    """torch's type for ``fp32``, ``bf16`` or ``fp16``."""
    import torch

    found: torch.dtype = getattr(torch, _TYPES[precision])
    return found


def synchronize(device: "torch.device") -> None:
    """Return when the device has finished. Nothing to do on a CPU."""
    import torch

    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def peak_device_mib(device: "torch.device") -> float | None:
    """Peak of torch's allocator on the device since the process began, MiB; None where its backend keeps none."""
    import torch

    if device.type == "cpu":
        return None
    peak = getattr(torch.get_device_module(device), "max_memory_allocated", None)
    return None if peak is None else float(peak(device)) / 2**20


def mixed(module: "torch.nn.Module", precision: str, device: "torch.device") -> "torch.nn.Module":
    """The module under autocast to bf16 or fp16, as teams write it around their call; for fp32 the module itself.

    A wrapping module rather than a mode of the thread: what compiles or traces the model sees autocast as well.
    """
    import torch

    if precision == FULL:
        return module
    dtype = type_of(precision)

    class Autocast(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, *inputs: "torch.Tensor") -> Any:
            # The cache of casts serves training, and a trace must not depend on it.
            with torch.autocast(device.type, dtype=dtype, cache_enabled=False):
                return self.inner(*inputs)

    return Autocast().eval()


@dataclass(frozen=True)
class TorchEvents:
    """A pair of events on the device's current stream."""

    first: "torch.Event"
    second: "torch.Event"

    @classmethod
    def on(cls, device: "torch.device") -> "TorchEvents":
        import torch

        return cls(torch.Event(device, enable_timing=True), torch.Event(device, enable_timing=True))

    def start(self) -> None:
        """See `DeviceTimer.start`."""
        self.first.record()

    def stop(self) -> None:
        """See `DeviceTimer.stop`."""
        self.second.record()

    def elapsed_s(self) -> float:
        """See `DeviceTimer.elapsed_s`."""
        return float(self.first.elapsed_time(self.second)) / 1e3


def on_host(tensor: "torch.Tensor") -> Array:
    """The tensor as an array; 16-bit floating-point types, one of which NumPy lacks, in float32."""
    import torch

    held = tensor.detach().cpu()
    return np.asarray((held.float() if held.dtype in (torch.bfloat16, torch.float16) else held).numpy())


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
        synchronize(self.device)

    def outputs(self) -> list[Array]:
        """Outputs of one call, on the host."""
        return [on_host(tensor) for tensor in flat(self.call())]

    def threads(self) -> int | None:
        """Intra-op threads."""
        import torch

        return int(torch.get_num_threads())

    def peak_device_mib(self) -> float | None:
        """Peak of torch's allocator on the device."""
        return peak_device_mib(self.device)

    def device_timer(self) -> DeviceTimer | None:
        """Events of the device, where torch times with them."""
        return TorchEvents.on(self.device) if self.device.type in TIMED_DEVICES else None


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
    precisions: tuple[str, ...] = (FULL, *MIXED)

    def start(self, case: Case) -> None:
        """Import torch, set its threads, look for the device."""
        start_torch(case.threads, case.device)

    def build(self, model: Model, case: Case) -> Any:
        """The module on the device, under autocast where the case asks for it."""
        import torch

        device = find_device(case.device)
        if common_source(self.sources, model) is Source.TORCH_EXPORT:
            return torch.export.load(model.path).module().to(device)
        return mixed(model.torch_module().to(device), case.precision, device)
