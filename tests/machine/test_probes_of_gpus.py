"""The parts of the probes that need a GPU, on stand-ins with the frameworks' own names: they show our logic only."""

from types import SimpleNamespace
from typing import Any

import pytest

from kb.machine.checks import Device
from kb.machine.probes import _provider_hardware, _torch_accelerators, _torch_cuda_error, _torch_device


def backend(available: bool) -> SimpleNamespace:
    return SimpleNamespace(is_available=lambda: available)


def torch(accelerator: str | None = None, cuda: bool = False, mps: bool = False, **more: Any) -> SimpleNamespace:
    current = None if accelerator is None else SimpleNamespace(type=accelerator)
    return SimpleNamespace(
        accelerator=SimpleNamespace(is_available=lambda: current is not None, current_accelerator=lambda: current),
        cuda=backend(cuda),
        backends=SimpleNamespace(mps=backend(mps)),
        xpu=backend(False),
        **more,
    )


@pytest.mark.parametrize(
    ("framework", "kinds"),
    [
        (torch(), []),
        (torch("cuda", cuda=True), ["cuda"]),
        (torch("mps", mps=True), ["mps"]),
        (torch("npu"), ["npu"]),  # a vendor's own kind
    ],
)
def test_every_kind_of_accelerator_once(framework: Any, kinds: list[str]) -> None:
    assert _torch_accelerators(framework) == kinds


def test_why_a_cuda_build_sees_no_gpu() -> None:
    framework = torch(version=SimpleNamespace(cuda="13.0", hip=None))

    def init() -> None:
        raise RuntimeError("Found no NVIDIA driver on your system.\nPlease check")

    framework.cuda.init = init
    assert _torch_cuda_error(framework) == "RuntimeError: Found no NVIDIA driver on your system."
    assert _torch_cuda_error(torch(version=SimpleNamespace(cuda=None, hip=None))) is None
    assert _torch_cuda_error(torch(cuda=True, version=SimpleNamespace(cuda="13.0", hip=None))) is None


class Tensor:
    """As much of a tensor as the check needs; remembers where it is."""

    def __init__(self, array: Any, place: str = "cpu") -> None:
        self.array, self.place = array, place

    def to(self, place: str) -> "Tensor":
        return Tensor(self.array, place)

    def cpu(self) -> "Tensor":
        return self.to("cpu")

    def numpy(self) -> Any:
        assert self.place == "cpu", "numpy() of a tensor on the device"
        return self.array


def test_a_cuda_device_with_its_hardware() -> None:
    def mm(left: Tensor, right: Tensor) -> Tensor:
        assert (left.place, right.place) == ("cuda:1", "cuda:1")
        return Tensor(left.array @ right.array, left.place)

    properties = SimpleNamespace(name="NVIDIA L4", major=8, minor=9, total_memory=24 * 2**30)
    framework = torch(
        version=SimpleNamespace(cuda="13.0", hip=None),
        get_device_module=lambda kind: SimpleNamespace(get_device_properties=lambda index: properties),
        from_numpy=Tensor,
        mm=mm,
    )
    device = _torch_device(framework, "cuda", 1)
    assert (device.name, device.description) == ("cuda:1", "NVIDIA L4 (compute capability 8.9)")
    assert (device.memory_gib, device.works, device.correct) == (24.0, True, True)


def test_the_hardware_behind_a_provider() -> None:
    def entry(name: str, vendor: str, kind: str) -> SimpleNamespace:
        return SimpleNamespace(ep_name=name, device=SimpleNamespace(vendor=vendor, type=SimpleNamespace(name=kind)))

    entries = [entry("A", "Intel", "GPU"), entry("A", "Intel", "NPU"), entry("B", "AMD", "CPU")]
    framework = SimpleNamespace(get_ep_devices=lambda: entries)
    assert _provider_hardware(framework, Device("A")).description == "Intel GPU, Intel NPU"
    assert _provider_hardware(SimpleNamespace(), Device("A")).description == ""
