"""Which processor this is: model, instruction sets, cores."""

import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

#: Instruction sets that change results or speed, by the name the kernel uses (x86) or by the feature behind it (Arm).
#: They enter the machine's id: adding one here gives the machines that have it a new id.
X86_FLAGS = (
    "sse4_2",
    "avx",
    "f16c",
    "fma",
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_tile",
    "amx_int8",
    "amx_bf16",
    "amx_fp16",
)
#: Linux's name -> ours.
ARM_FLAGS = {
    "neon": "neon",
    "asimd": "neon",
    "asimdhp": "fp16",
    "asimddp": "dotprod",
    "i8mm": "i8mm",
    "bf16": "bf16",
    "sve": "sve",
    "sve2": "sve2",
    "sme": "sme",
}
#: macOS's name, after `hw.optional.` and `arm.` -> ours.
MACOS_FLAGS = {
    "sse4_2": "sse4_2",
    "avx1_0": "avx",
    "f16c": "f16c",
    "fma": "fma",
    "avx2_0": "avx2",
    "avx512f": "avx512f",
    "avx512bw": "avx512bw",
    "avx512vl": "avx512vl",
    "neon": "neon",
    "advsimd": "neon",
    "feat_fp16": "fp16",
    "feat_dotprod": "dotprod",
    "feat_i8mm": "i8mm",
    "feat_bf16": "bf16",
    "feat_sme": "sme",
}
#: `CPU part` of Arm's own cores (implementer 0x41), from Linux, arch/arm64/include/asm/cputype.h.
ARM_PARTS = {
    "0xd03": "Cortex-A53",
    "0xd05": "Cortex-A55",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd49": "Neoverse-N2",
    "0xd4f": "Neoverse-V2",
    "0xd84": "Neoverse-V3",
    "0xd8e": "Neoverse-N3",
}


@dataclass(frozen=True)
class Cpu:
    """The processor, whatever part of it this process may use."""

    model: str
    flags: tuple[str, ...]
    physical_cores: int
    logical_cores: int
    cores: tuple[frozenset[int], ...] = ()  #: logical CPUs of each physical core; empty where the system hides it
    hypervisor: bool | None = None  #: the CPU itself says that it is virtual; None where it cannot say


def read_cpu(root: Path = Path("/")) -> Cpu:
    """The processor of this machine; `root` is where `proc` and `sys` are, on Linux."""
    system = platform.system()
    if system == "Linux":
        return linux_cpu(root)
    if system == "Darwin":
        names = ["hw", "machdep.cpu", "kern.hv_vmm_present"]
        asked = subprocess.run(["/usr/sbin/sysctl", *names], capture_output=True, text=True, timeout=10, check=False)
        return macos_cpu(asked.stdout)
    return _other_cpu()


def linux_cpu(root: Path = Path("/")) -> Cpu:
    """From /proc/cpuinfo and /sys/devices/system/cpu."""
    text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    blocks = [_pairs(block) for block in re.split(r"\n\s*\n", text)]
    processors = {int(block["processor"]): block for block in blocks if block.get("processor", "").isdigit()}
    cores = _cores(processors, root)
    return Cpu(
        model=_linux_model(list(processors.values())),
        flags=_linux_flags(processors.values()),
        physical_cores=len(cores),
        logical_cores=len(processors),
        cores=cores,
        hypervisor=_hypervisor_flag(processors.values()),
    )


def macos_cpu(sysctl: str) -> Cpu:
    """From what ``sysctl hw machdep.cpu kern.hv_vmm_present`` prints."""
    values = _pairs(sysctl)
    names = {
        key.removeprefix("hw.optional.").removeprefix("arm.").lower()
        for key, value in values.items()
        if key.startswith("hw.optional.") and value == "1"
    }
    present = values.get("kern.hv_vmm_present")
    return Cpu(
        model=values.get("machdep.cpu.brand_string") or platform.processor() or "unknown",
        flags=tuple(sorted({ours for theirs, ours in MACOS_FLAGS.items() if theirs in names})),
        physical_cores=int(values.get("hw.physicalcpu", 1)),
        logical_cores=int(values.get("hw.logicalcpu", 1)),
        hypervisor=None if present is None else present == "1",
    )


def _other_cpu() -> Cpu:
    import cpuinfo
    import psutil

    values = cpuinfo.get_cpu_info()
    known = {flag.replace("_", "") for flag in values.get("flags", ())}
    logical = psutil.cpu_count() or 1
    return Cpu(
        model=described(values.get("brand_raw", ""), values.get("family"), values.get("model"), values.get("stepping")),
        flags=tuple(sorted(flag for flag in X86_FLAGS if flag.replace("_", "") in known)),
        physical_cores=psutil.cpu_count(logical=False) or logical,
        logical_cores=logical,
    )


def described(name: str, family: object, model: object, stepping: object) -> str:
    """The model's name, with family, model and stepping unless the name has a model number of its own.

    Virtual machines call two generations alike "Intel(R) Xeon(R) Processor"; those numbers still tell them apart.
    """
    name = " ".join(name.split())
    bare = re.sub(r"@.*|\([^)]*\)|\b\d+-Core\b|\bversion \S+", " ", name, flags=re.IGNORECASE)
    if re.search(r"\b(?=\w*\d\w*\d)\w{3,}\b", bare) or family is None or model is None:
        return name or "unknown"
    numbers = f"family {family}, model {model}" + ("" if stepping is None else f", stepping {stepping}")
    return f"{name or 'unknown'} ({numbers})"


def cpu_list(text: str) -> frozenset[int]:
    """Numbers of a kernel list such as ``0-3,8``."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _pairs(text: str) -> dict[str, str]:
    """``key : value`` lines."""
    split = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, colon, value in split if colon}


def _linux_model(processors: list[dict[str, str]]) -> str:
    parts = dict.fromkeys(_arm_part(block) for block in processors if "CPU part" in block)
    if parts:  # several kinds of core on one chip are all named
        return " + ".join(parts)
    block = processors[0] if processors else {}
    keys = ("model name", "cpu model", "cpu", "uarch")  # x86, MIPS, POWER, RISC-V
    name = next((block[key] for key in keys if block.get(key)), "")
    return described(name or platform.processor(), block.get("cpu family"), block.get("model"), block.get("stepping"))


def _arm_part(block: Mapping[str, str]) -> str:
    part, implementer = block["CPU part"].lower(), block.get("CPU implementer", "?").lower()
    name = f"Arm {ARM_PARTS[part]}" if implementer == "0x41" and part in ARM_PARTS else "Arm core"
    variant, revision = block.get("CPU variant", "?"), block.get("CPU revision", "?")
    return f"{name} (implementer {implementer}, part {part}, variant {variant}, revision {revision})"


def _linux_flags(processors: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Those that every core has: a thread may land on any of them."""
    sets = [set((block.get("flags") or block.get("Features") or "").split()) for block in processors]
    common = set.intersection(*sets) if sets else set()
    return tuple(sorted(common.intersection(X86_FLAGS) | {ARM_FLAGS[flag] for flag in common if flag in ARM_FLAGS}))


def _hypervisor_flag(processors: Iterable[Mapping[str, str]]) -> bool | None:
    first = next(iter(processors), {})
    return "hypervisor" in first["flags"].split() if "flags" in first else None


def _cores(processors: Mapping[int, Mapping[str, str]], root: Path) -> tuple[frozenset[int], ...]:
    """Logical CPUs of each physical core: from /sys, else from /proc/cpuinfo, else each its own core."""
    online = frozenset(processors)
    by_core: dict[object, set[int]] = {}
    for number, block in processors.items():
        siblings = _siblings(root / f"sys/devices/system/cpu/cpu{number}/topology")
        package, core = block.get("physical id"), block.get("core id")
        place: object = number if package is None or core is None else (package, core)
        by_core.setdefault(siblings & online if siblings else place, set()).add(number)
    return tuple(frozenset(core) for core in by_core.values())


def _siblings(topology: Path) -> frozenset[int]:
    for name in ("core_cpus_list", "thread_siblings_list"):  # the second is its name before Linux 5.2
        try:
            return cpu_list((topology / name).read_text())
        except OSError:
            continue
    return frozenset()
