"""What the kernel files of known machines look like, shortened to what is read."""

from collections.abc import Iterable

from kb.records.run import Machine

XEON_FLAGS = (
    "fpu sse4_2 avx f16c hypervisor avx2 fma avx512f avx512bw avx512vl avx512_vnni avx512_bf16 amx_tile amx_int8"
)
NEOVERSE_FEATURES = "fp asimd evtstrm aes atomics fphp asimdhp cpuid asimdrdm asimddp sve bf16 i8mm"


def x86(cpus: Iterable[tuple[int, int, int]], name: str, model: int, flags: str = XEON_FLAGS) -> str:
    """/proc/cpuinfo of an x86 machine; one (number, package, core) per logical CPU."""
    return "\n".join(
        f"processor\t: {number}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: {model}\n"
        f"model name\t: {name}\nstepping\t: 8\nphysical id\t: {package}\ncore id\t\t: {core}\nflags\t\t: {flags}\n"
        for number, package, core in cpus
    )


def arm(parts: Iterable[str], features: str = NEOVERSE_FEATURES) -> str:
    """/proc/cpuinfo of an Arm machine; one `CPU part` per core."""
    return "\n".join(
        f"processor\t: {number}\nBogoMIPS\t: 2000.00\nFeatures\t: {features}\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: {part}\nCPU revision\t: 1\n"
        for number, part in enumerate(parts)
    )


def topology(number: int, siblings: str) -> dict[str, str]:
    """/sys files of one logical CPU."""
    return {f"sys/devices/system/cpu/cpu{number}/topology/core_cpus_list": siblings + "\n"}


#: What `sysctl hw machdep.cpu kern.hv_vmm_present` prints on an Apple M1.
APPLE_M1 = """\
hw.ncpu: 8
hw.physicalcpu: 8
hw.logicalcpu: 8
hw.memsize: 17179869184
hw.optional.neon: 1
hw.optional.AdvSIMD: 1
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_FP16: 1
hw.optional.arm.FEAT_BF16: 0
hw.optional.arm.FEAT_I8MM: 0
machdep.cpu.brand_string: Apple M1
kern.hv_vmm_present: 0
"""

#: What it prints on a virtual Intel Mac.
INTEL_MAC = """\
hw.physicalcpu: 3
hw.logicalcpu: 3
hw.optional.sse4_2: 1
hw.optional.avx1_0: 1
hw.optional.avx2_0: 1
hw.optional.fma: 1
hw.optional.avx512f: 0
machdep.cpu.brand_string: Intel(R) Core(TM) i7-8700B CPU @ 3.20GHz
kern.hv_vmm_present: 1
"""

MACHINE = Machine(
    id="0123abcd",
    cpu_model="AMD EPYC 7763 64-Core Processor",
    cpu_flags=("avx2", "fma"),
    architecture="x86_64",
    physical_cores=4,
    logical_cores=8,
    usable_cores=4,
    ram_gib=15.6,
    os="Debian GNU/Linux 12 (bookworm)",
    kernel="6.1.0",
    virtual=True,
)
