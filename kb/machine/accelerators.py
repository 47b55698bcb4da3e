"""Accelerators that the machine has, asked of drivers and kernel, not of a framework."""

import platform
import re
from collections.abc import Iterator
from pathlib import Path

from kb.machine.files import text
from kb.records.run import Accelerator

GIB = 2**30
AMD, INTEL = "0x1002", "0x8086"


def read_accelerators(root: Path, cpu_model: str) -> tuple[Accelerator, ...]:
    """All that is known of; `root` is where `proc` and `sys` are."""
    if platform.system() == "Darwin":
        # Apple's chips have one GPU that shares the memory; Intel Macs' GPUs have no supported framework any more.
        return (Accelerator(kind="mps", name=cpu_model),) if platform.machine() == "arm64" else ()
    nvidia = nvml_accelerators() if root == Path("/") else ()
    return (*(nvidia or proc_nvidia(root)), *drm_accelerators(root), *neural_accelerators(root))


def nvml_accelerators() -> tuple[Accelerator, ...]:
    """NVIDIA GPUs by NVML; none where nvidia-ml-py or the driver is not installed, or does not answer."""
    try:
        import pynvml
    except ImportError:
        return ()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        cuda = pynvml.nvmlSystemGetCudaDriverVersion()  # 12080 is 12.8
        driver = f"{pynvml.nvmlSystemGetDriverVersion()} (CUDA {cuda // 1000}.{cuda % 1000 // 10})"
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return tuple(
            Accelerator(
                kind="cuda",
                name=pynvml.nvmlDeviceGetName(handle),
                memory_gib=round(pynvml.nvmlDeviceGetMemoryInfo(handle).total / GIB, 2),
                driver=driver,
            )
            for handle in handles
        )
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()


def proc_nvidia(root: Path) -> tuple[Accelerator, ...]:
    """NVIDIA GPUs by /proc/driver/nvidia: without NVML, and in a container that was not given them."""
    folder = root / "proc/driver/nvidia"
    version = re.search(r"Kernel Module.*?\s(\d+(?:\.\d+)+)", text(folder / "version"))
    found = []
    for information in sorted(folder.glob("gpus/*/information")):
        name = re.search(r"^Model:\s*(.+)$", text(information), re.MULTILINE)
        driver = version[1] if version else None
        found.append(Accelerator(kind="cuda", name=name[1].strip() if name else "NVIDIA GPU", driver=driver))
    return tuple(found)


def drm_accelerators(root: Path) -> tuple[Accelerator, ...]:
    """AMD GPUs that have the compute driver, and Intel GPUs, by /sys/class/drm."""
    found = []
    for device, driver in _devices(root / "sys/class/drm", "card"):
        vendor, number = text(device / "vendor"), text(device / "device")
        name = text(device / "product_name")
        if vendor == AMD and (root / "sys/class/kfd").exists():
            vram = text(device / "mem_info_vram_total")
            memory = round(int(vram) / GIB, 2) if vram.isdigit() else None
            found.append(Accelerator(kind="rocm", name=name or f"AMD GPU {number}", memory_gib=memory, driver=driver))
        elif vendor == INTEL:
            found.append(Accelerator(kind="xpu", name=name or f"Intel GPU {number}", driver=driver))
    return tuple(found)


def neural_accelerators(root: Path) -> tuple[Accelerator, ...]:
    """NPUs whose driver is in the kernel's accel class (Intel, AMD, Habana, Qualcomm, ...)."""
    devices = _devices(root / "sys/class/accel", "accel")
    return tuple(
        Accelerator(kind="npu", name=f"NPU {text(device / 'vendor')}:{text(device / 'device')}", driver=driver)
        for device, driver in devices
    )


def _devices(folder: Path, prefix: str) -> Iterator[tuple[Path, str | None]]:
    """PCI folder and kernel driver of ``prefix0``, ``prefix1``, ... (and not of ``card0-HDMI-A-1``, a connector)."""
    for entry in sorted(folder.glob(f"{prefix}[0-9]*")):
        device = entry / "device"
        if re.fullmatch(rf"{prefix}\d+", entry.name) and device.is_dir():
            driver = device / "driver"
            yield device, driver.resolve().name if driver.exists() else None
