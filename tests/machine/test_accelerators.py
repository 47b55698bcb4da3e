"""Accelerators as drivers and kernel show them. NVML itself needs a GPU; here it is a stand-in with its interface."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from kb.machine.accelerators import drm_accelerators, neural_accelerators, nvml_accelerators, proc_nvidia
from kb.records.run import Accelerator
from tests.machine.conftest import Tree


def nvml(**answers: Any) -> ModuleType:
    module = ModuleType("pynvml")
    module.NVMLError = type("NVMLError", (Exception,), {})  # type: ignore[attr-defined]
    functions: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetCudaDriverVersion": lambda: 12080,
        "nvmlSystemGetDriverVersion": lambda: "570.86.10",
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda handle: f"NVIDIA L4 no. {handle}",
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(total=24 * 2**30),
    }
    for name, function in {**functions, **answers}.items():
        setattr(module, name, function)
    return module


def fail(module: ModuleType) -> Any:
    def raising(*_: Any) -> None:
        raise module.NVMLError("Driver Not Loaded")

    return raising


def test_nvml_names_every_gpu_with_memory_and_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml())
    found = nvml_accelerators()
    assert [gpu.name for gpu in found] == ["NVIDIA L4 no. 0", "NVIDIA L4 no. 1"]
    assert found[0] == Accelerator(kind="cuda", name="NVIDIA L4 no. 0", memory_gib=24.0, driver="570.86.10 (CUDA 12.8)")


@pytest.mark.parametrize("function", ["nvmlInit", "nvmlDeviceGetCount"])
def test_an_nvml_that_fails_finds_nothing(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    module = nvml()
    setattr(module, function, fail(module))
    monkeypatch.setitem(sys.modules, "pynvml", module)
    assert nvml_accelerators() == ()


def test_without_nvml_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # makes the import fail
    assert nvml_accelerators() == ()


def test_nvidia_by_proc(tree: Tree) -> None:
    version = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.10  Release Build\nGCC version:  12.2\n"
    root = tree(
        {
            "proc/driver/nvidia/version": version,
            "proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA H200\nIRQ:   \t\t 16\n",
        }
    )
    assert proc_nvidia(root) == (Accelerator(kind="cuda", name="NVIDIA H200", driver="570.86.10"),)


def test_nvidia_by_proc_of_the_older_driver(tree: Tree) -> None:
    version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\n"
    root = tree(
        {"proc/driver/nvidia/version": version, "proc/driver/nvidia/gpus/a/information": "Model: \t\t Tesla T4\n"}
    )
    assert proc_nvidia(root)[0].driver == "535.183.01"


def pci(root: Path, name: str, vendor: str, device: str, driver: str) -> None:
    """A device of the kernel's drm or accel class, with its connectors."""
    folder = root / "sys/class" / name / "device"
    folder.mkdir(parents=True)
    (folder / "vendor").write_text(vendor + "\n")
    (folder / "device").write_text(device + "\n")
    module = root / "sys/bus/pci/drivers" / driver
    module.mkdir(parents=True, exist_ok=True)
    (folder / "driver").symlink_to(module)


def test_amd_counts_only_with_its_compute_driver(tree: Tree) -> None:
    root = tree({})
    pci(root, "drm/card0", "0x1002", "0x740f", "amdgpu")
    (root / "sys/class/drm/card0/device/mem_info_vram_total").write_text(f"{64 * 2**30}\n")
    assert drm_accelerators(root) == ()
    tree({"sys/class/kfd/kfd/topology/generation_id": "1"})
    assert drm_accelerators(root) == (
        Accelerator(kind="rocm", name="AMD GPU 0x740f", memory_gib=64.0, driver="amdgpu"),
    )


def test_intel_gpu_once_and_no_display_adapter_of_a_virtual_machine(tree: Tree) -> None:
    root = tree({})
    pci(root, "drm/card0", "0x1234", "0x1111", "bochs-drm")
    pci(root, "drm/card1", "0x8086", "0x56c0", "xe")
    (root / "sys/class/drm/card1-HDMI-A-1/device").mkdir(parents=True)
    assert drm_accelerators(root) == (Accelerator(kind="xpu", name="Intel GPU 0x56c0", driver="xe"),)


def test_npu(tree: Tree) -> None:
    root = tree({})
    pci(root, "accel/accel0", "0x8086", "0x7d1d", "intel_vpu")
    assert neural_accelerators(root) == (Accelerator(kind="npu", name="NPU 0x8086:0x7d1d", driver="intel_vpu"),)
