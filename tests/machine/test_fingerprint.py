"""The fingerprint: the same machine keeps its id, another one gets another, and no host name is in it."""

import dataclasses
import platform
import socket
import sys
from typing import Any

import pytest

from kb.machine.cpu import Cpu
from kb.machine.fingerprint import fingerprint, machine_id
from kb.records.run import Accelerator, Machine
from tests.machine import samples
from tests.machine.conftest import Tree

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's files")

CPU = Cpu("AMD EPYC 7763 64-Core Processor", ("avx2", "fma"), 2, 4)
L4 = Accelerator(kind="cuda", name="NVIDIA L4")


def an_id(**changes: Any) -> str:
    given: dict[str, Any] = {"cpu": CPU, "architecture": "x86_64", "ram_gib": 15.6, "accelerators": [L4]}
    return machine_id(**{**given, **changes})


def test_the_id_never_changes_between_releases_of_kb() -> None:
    """It names the series of a machine: if this fails, every machine's history starts anew."""
    assert an_id() == "0f5f7c3e"


@pytest.mark.parametrize(
    "changes",
    [
        {"cpu": dataclasses.replace(CPU, model="AMD EPYC 9V74 80-Core Processor")},
        {"cpu": dataclasses.replace(CPU, flags=("avx2", "fma", "avx512f"))},
        {"cpu": dataclasses.replace(CPU, physical_cores=4)},
        {"cpu": dataclasses.replace(CPU, logical_cores=2)},
        {"architecture": "aarch64"},
        {"ram_gib": 31.3},
        {"accelerators": []},
        {"accelerators": [L4, L4]},
        {"accelerators": [Accelerator(kind="cuda", name="NVIDIA H200")]},
    ],
)
def test_other_hardware_is_another_machine(changes: dict[str, Any]) -> None:
    assert an_id(**changes) != an_id()


@pytest.mark.parametrize(
    "changes",
    [
        {"ram_gib": 15.4},  # another kernel keeps a little more for itself
        {"cpu": dataclasses.replace(CPU, flags=("fma", "avx2"))},
        {"accelerators": [L4.model_copy(update={"driver": "570.86.10", "memory_gib": 22.5})]},
    ],
)
def test_software_and_order_do_not_make_another_machine(changes: dict[str, Any]) -> None:
    assert an_id(**changes) == an_id()


@pytest.mark.parametrize("nominal", [1, 2, 4, 7, 8, 12, 14, 16, 24, 28, 32, 48, 56, 64, 96, 128, 192, 256, 512, 768])
def test_the_kernels_share_of_common_sizes_of_memory_does_not_change_the_id(nominal: int) -> None:
    assert an_id(ram_gib=nominal * 0.985) == an_id(ram_gib=nominal * 0.96)


@linux
def test_a_whole_machine_from_its_files(tree: Tree) -> None:
    files = {
        "proc/cpuinfo": samples.x86([(0, 0, 0), (1, 0, 1), (2, 0, 0), (3, 0, 1)], "Intel(R) Xeon(R) Processor", 143),
        "proc/meminfo": "MemTotal:       16374184 kB\nMemFree:  24028008 kB\n",
        "etc/os-release": 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n',
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        "sys/fs/cgroup/cpu.max": "100000 100000\n",
        "sys/fs/cgroup/memory.max": f"{4 * 2**30}\n",
    }
    machine = fingerprint(tree(files), allowed=frozenset(range(4)))
    assert machine == Machine(
        id=machine.id,
        cpu_model="Intel(R) Xeon(R) Processor (family 6, model 143, stepping 8)",
        cpu_flags=machine.cpu_flags,
        architecture=machine.architecture,
        physical_cores=2,
        logical_cores=4,
        usable_cores=1,
        ram_gib=15.62,
        memory_limit_gib=4.0,
        accelerators=(),
        os="Ubuntu 24.04.1 LTS",
        kernel=platform.release(),
        virtual=True,
    )


@linux
def test_limits_are_not_hardware(tree: Tree) -> None:
    files = {
        "proc/cpuinfo": samples.x86([(0, 0, 0), (1, 0, 1)], "Intel(R) Xeon(R) Processor", 143),
        "proc/meminfo": "MemTotal:       16374184 kB\n",
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    }
    free = fingerprint(tree(files), allowed=frozenset({0, 1}))
    bound = fingerprint(tree({"sys/fs/cgroup/cpu.max": "100000 100000\n"}), allowed=frozenset({0}))
    assert (free.usable_cores, bound.usable_cores) == (2, 1)
    assert free.id == bound.id


@linux
@pytest.mark.parametrize(
    ("files", "virtual"),
    [
        ({"sys/class/dmi/id/sys_vendor": "Amazon EC2", "sys/class/dmi/id/product_name": "c7g.large"}, True),
        ({"sys/class/dmi/id/sys_vendor": "Amazon EC2", "sys/class/dmi/id/product_name": "c7g.metal"}, False),
        ({"sys/class/dmi/id/sys_vendor": "Ampere", "sys/class/dmi/id/product_name": "Mt. Jade"}, False),
        (
            {
                "sys/class/dmi/id/sys_vendor": "Microsoft Corporation",
                "sys/class/dmi/id/product_name": "Virtual Machine",
            },
            True,
        ),
        ({"sys/hypervisor/type": "xen"}, True),
        ({}, None),
    ],
)
def test_arm_is_virtual_by_what_the_firmware_says(tree: Tree, files: dict[str, str], virtual: bool | None) -> None:
    root = tree({"proc/cpuinfo": samples.arm(["0xd40"]), "proc/meminfo": "MemTotal: 8000000 kB\n", **files})
    assert fingerprint(root).virtual is virtual


def test_this_machine() -> None:
    machine = fingerprint()
    assert 1 <= machine.usable_cores <= machine.physical_cores <= machine.logical_cores
    assert machine.ram_gib > 0
    assert machine.cpu_model not in ("", "unknown")
    assert machine == fingerprint()
    assert Machine.model_validate_json(machine.model_dump_json()) == machine
    host = socket.gethostname()
    if len(host) > 5:  # a shorter one may be part of a word
        assert host not in machine.model_dump_json()
