"""The processor is named so that two generations are told apart, with the flags that matter and its real cores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.machine.cpu import cpu_list, described, linux_cpu, macos_cpu
from tests.machine import samples
from tests.machine.conftest import Tree


@pytest.mark.parametrize(
    "name",
    [
        "Intel(R) Xeon(R) Processor",
        "Intel(R) Xeon(R) CPU @ 2.20GHz",
        "Intel Xeon Processor (Skylake, IBRS)",
        "AMD EPYC Processor",
        "AMD EPYC-Rome-v2 Processor",
        "QEMU Virtual CPU version 2.5+",
        "Common KVM processor",
    ],
)
def test_a_name_without_a_model_number_is_completed(name: str) -> None:
    assert described(name, 6, 207, 2) == f"{name} (family 6, model 207, stepping 2)"


@pytest.mark.parametrize(
    "name",
    [
        "Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz",
        "Intel(R) Xeon(R) w5-3435X",
        "Intel(R) Core(TM) Ultra 7 155H",
        "Intel(R) N100",
        "AMD EPYC 7763 64-Core Processor",
        "AMD EPYC 9V74 80-Core Processor",
        "AMD Ryzen 9 7950X3D 16-Core Processor",
    ],
)
def test_a_name_with_a_model_number_stays_as_it_is(name: str) -> None:
    assert described(name, 25, 1, 1) == name


def test_two_generations_of_one_generic_name_differ(tree: Tree) -> None:
    cpus = [(0, 0, 0)]
    sapphire = linux_cpu(tree({"proc/cpuinfo": samples.x86(cpus, "Intel(R) Xeon(R) Processor", 143)})).model
    emerald = linux_cpu(tree({"proc/cpuinfo": samples.x86(cpus, "Intel(R) Xeon(R) Processor", 207)})).model
    assert sapphire == "Intel(R) Xeon(R) Processor (family 6, model 143, stepping 8)"
    assert emerald != sapphire


def test_flags_of_interest_only(tree: Tree) -> None:
    cpu = linux_cpu(tree({"proc/cpuinfo": samples.x86([(0, 0, 0)], "x", 143)}))
    assert cpu.flags == (
        "amx_int8",
        "amx_tile",
        "avx",
        "avx2",
        "avx512_bf16",
        "avx512_vnni",
        "avx512bw",
        "avx512f",
        "avx512vl",
        "f16c",
        "fma",
        "sse4_2",
    )
    assert cpu.hypervisor is True


def test_a_flag_that_one_core_lacks_is_not_the_machines(tree: Tree) -> None:
    efficient = samples.x86([(1, 0, 1)], "x", 151, flags="avx2")
    both = samples.x86([(0, 0, 0)], "x", 151, flags="avx2 avx512f") + "\n" + efficient
    assert linux_cpu(tree({"proc/cpuinfo": both})).flags == ("avx2",)


def test_hyperthreads_share_a_core(tree: Tree) -> None:
    info = samples.x86([(0, 0, 0), (1, 0, 1), (2, 0, 0), (3, 0, 1)], "x", 143)
    by_cpuinfo = linux_cpu(tree({"proc/cpuinfo": info}))
    assert (by_cpuinfo.physical_cores, by_cpuinfo.logical_cores) == (2, 4)
    # /sys is asked first: here it says that 0 and 1 are one core, and 2 and 3
    files = {
        name: text for n, s in enumerate(["0-1", "0-1", "2-3", "2-3"]) for name, text in samples.topology(n, s).items()
    }
    assert set(linux_cpu(tree(files)).cores) == {frozenset({0, 1}), frozenset({2, 3})}


def test_equal_core_numbers_in_two_packages_are_two_cores(tree: Tree) -> None:
    assert linux_cpu(tree({"proc/cpuinfo": samples.x86([(0, 0, 0), (1, 1, 0)], "x", 143)})).physical_cores == 2


def test_without_any_topology_each_cpu_is_a_core(tree: Tree) -> None:
    cpu = linux_cpu(tree({"proc/cpuinfo": samples.arm(["0xd0c"] * 4)}))
    assert (cpu.physical_cores, cpu.logical_cores) == (4, 4)


def test_a_container_that_sees_half_the_cpus_counts_only_those(tree: Tree) -> None:
    files = {"proc/cpuinfo": samples.x86([(2, 0, 2), (3, 0, 3)], "x", 143)}
    for number in range(8):
        files |= samples.topology(number, f"{number % 4},{number % 4 + 4}")
    cpu = linux_cpu(tree(files))
    assert cpu.cores == (frozenset({2}), frozenset({3}))


def test_arm_cores_are_named_by_implementer_and_part(tree: Tree) -> None:
    cpu = linux_cpu(tree({"proc/cpuinfo": samples.arm(["0xd40", "0xd40"])}))
    assert cpu.model == "Arm Neoverse-V1 (implementer 0x41, part 0xd40, variant 0x1, revision 1)"
    assert cpu.flags == ("bf16", "dotprod", "fp16", "i8mm", "neon", "sve")
    assert cpu.hypervisor is None


def test_an_unknown_arm_part_keeps_its_number_and_two_kinds_are_both_named(tree: Tree) -> None:
    cpu = linux_cpu(tree({"proc/cpuinfo": samples.arm(["0xd0b", "0xfff"])}))
    assert cpu.model.startswith("Arm Cortex-A76 (")
    assert " + Arm core (implementer 0x41, part 0xfff" in cpu.model


def test_apple_silicon() -> None:
    cpu = macos_cpu(samples.APPLE_M1)
    assert (cpu.model, cpu.physical_cores, cpu.logical_cores, cpu.hypervisor) == ("Apple M1", 8, 8, False)
    assert cpu.flags == ("dotprod", "fp16", "neon")


def test_virtual_intel_mac() -> None:
    cpu = macos_cpu(samples.INTEL_MAC)
    assert cpu.model == "Intel(R) Core(TM) i7-8700B CPU @ 3.20GHz"
    assert cpu.flags == ("avx", "avx2", "fma", "sse4_2")
    assert cpu.hypervisor is True


@given(st.frozensets(st.integers(0, 300), max_size=40))
def test_a_cpu_list_reads_back(numbers: frozenset[int]) -> None:
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    text = ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    assert cpu_list(text + "\n") == numbers
