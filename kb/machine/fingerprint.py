"""What this computer is, as it stands in run.json: hardware, the share of it we may use, system; never a host name."""

import hashlib
import json
import math
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from kb.machine.accelerators import GIB, read_accelerators
from kb.machine.cpu import Cpu, read_cpu
from kb.machine.files import text
from kb.machine.limits import allowed_cpus, cpu_quota, memory_limit, usable_cores
from kb.records.run import Accelerator, Machine

#: The RAM enters the id in steps of a quarter of a power of two (19 %). The kernel's own share of it differs from
#: release to release by a percent or so, which must not make a new machine, and 16 GiB are not to be taken for 24.
RAM_STEPS_PER_DOUBLING = 4

#: DMI vendors and products of virtual machines, for processors that do not say it themselves.
VIRTUAL_DMI = re.compile(
    r"QEMU|KVM|VMware|VirtualBox|innotek|Xen|Bochs|Parallels|OpenStack|Virtual Machine"
    r"|Google Compute Engine|Amazon EC2",
    re.IGNORECASE,
)
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}


def fingerprint(root: Path = Path("/"), allowed: frozenset[int] | None = None) -> Machine:
    """Describe this machine.

    Args:
        root: where `proc`, `sys` and `etc` are; anything but `/` describes a copy of another machine's files.
        allowed: logical CPUs to count as usable; default: the affinity of this process.
    """
    cpu = read_cpu(root)
    architecture = platform.machine().lower()
    architecture = ARCHITECTURES.get(architecture, architecture)
    ram_gib = round(_ram_bytes(root) / GIB, 2)
    limit = memory_limit(root)
    accelerators = read_accelerators(root, cpu.model)
    return Machine(
        id=machine_id(cpu, architecture, ram_gib, accelerators),
        cpu_model=cpu.model,
        cpu_flags=cpu.flags,
        architecture=architecture,
        physical_cores=cpu.physical_cores,
        logical_cores=cpu.logical_cores,
        usable_cores=usable_cores(cpu, allowed_cpus() if allowed is None else allowed, cpu_quota(root)),
        ram_gib=ram_gib,
        memory_limit_gib=None if limit is None else round(limit / GIB, 2),
        accelerators=accelerators,
        os=_operating_system(root),
        kernel=platform.release(),
        virtual=cpu.hypervisor if cpu.hypervisor is not None else _virtual_by_firmware(root),
    )


def machine_id(cpu: Cpu, architecture: str, ram_gib: float, accelerators: Sequence[Accelerator]) -> str:
    """8 hexadecimal digits of the SHA-256 of the hardware.

    Software that may change under a running series (kernel, drivers, limits, affinity) is left out, and so is the
    memory of an accelerator: it is known only where NVML is installed.
    """
    hardware = {
        "cpu_model": cpu.model,
        "cpu_flags": sorted(cpu.flags),
        "architecture": architecture,
        "physical_cores": cpu.physical_cores,
        "logical_cores": cpu.logical_cores,
        "ram_step": round(RAM_STEPS_PER_DOUBLING * math.log2(max(ram_gib, 0.01))),
        "accelerators": sorted((accelerator.kind, accelerator.name) for accelerator in accelerators),
    }
    return hashlib.sha256(json.dumps(hardware, sort_keys=True).encode()).hexdigest()[:8]


def _ram_bytes(root: Path) -> int:
    if platform.system() == "Linux":
        found = re.search(r"^MemTotal:\s*(\d+) kB", text(root / "proc/meminfo"), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    import psutil

    return int(psutil.virtual_memory().total)


def _operating_system(root: Path) -> str:
    system = platform.system()
    if system == "Linux":
        pretty = re.search(r'^PRETTY_NAME="?([^"\n]+)"?', text(root / "etc/os-release"), re.MULTILINE)
        return pretty[1].strip() if pretty else "Linux"
    if system == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return f"{system} {platform.release()}".strip()


def _virtual_by_firmware(root: Path) -> bool | None:
    """For processors without a hypervisor flag (Arm): what firmware and kernel tell; None if they tell nothing."""
    if (root / "sys/hypervisor/type").exists() or (root / "proc/device-tree/hypervisor").exists():
        return True
    dmi = " ".join(text(root / f"sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")).strip()
    if not dmi:
        return None
    return bool(VIRTUAL_DMI.search(dmi)) and not dmi.endswith(".metal")
