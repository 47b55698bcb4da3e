"""Affinity and control groups, as Linux lays them out: version 1, version 2, both, nested, with and without limits."""

import os
import sys

import pytest

from kb.machine.cpu import Cpu
from kb.machine.limits import allowed_cpus, cpu_quota, memory_limit, usable_cores
from tests.machine.conftest import Tree

GIB = 2**30
V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNTS = (
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
)


def v2(group: str, mount: str = V2_MOUNT) -> dict[str, str]:
    return {"proc/self/cgroup": f"0::{group}\n", "proc/self/mountinfo": mount}


def v1(cpu: str, memory: str, mounts: str = V1_MOUNTS) -> dict[str, str]:
    return {"proc/self/cgroup": f"4:memory:{memory}\n3:cpu,cpuacct:{cpu}\n0::/\n", "proc/self/mountinfo": mounts}


def test_version_2(tree: Tree) -> None:
    root = tree(
        {**v2("/job"), "sys/fs/cgroup/job/cpu.max": "150000 100000\n", "sys/fs/cgroup/job/memory.max": f"{2 * GIB}\n"}
    )
    assert cpu_quota(root) == 1.5
    assert memory_limit(root) == 2 * GIB


def test_version_2_max_is_no_limit(tree: Tree) -> None:
    root = tree({**v2("/"), "sys/fs/cgroup/cpu.max": "max 100000\n", "sys/fs/cgroup/memory.max": "max\n"})
    assert cpu_quota(root) is None
    assert memory_limit(root) is None


def test_the_tightest_of_nested_groups_holds(tree: Tree) -> None:
    root = tree(
        {
            **v2("/pod/container/job"),
            "sys/fs/cgroup/pod/cpu.max": "200000 100000\n",
            "sys/fs/cgroup/pod/container/cpu.max": "400000 100000\n",
            "sys/fs/cgroup/pod/container/job/cpu.max": "max 100000\n",
            "sys/fs/cgroup/pod/memory.max": f"{8 * GIB}\n",
            "sys/fs/cgroup/pod/container/memory.max": f"{4 * GIB}\n",
            "sys/fs/cgroup/pod/container/job/memory.max": "max\n",
            "sys/fs/cgroup/other/cpu.max": "1000 100000\n",  # not ours
        }
    )
    assert cpu_quota(root) == 2.0
    assert memory_limit(root) == 4 * GIB


def test_version_1(tree: Tree) -> None:
    cpu, memory = "sys/fs/cgroup/cpu,cpuacct/slice", "sys/fs/cgroup/memory/slice/job"
    root = tree(
        {
            **v1("/slice", "/slice/job"),
            f"{cpu}/cpu.cfs_quota_us": "50000\n",
            f"{cpu}/cpu.cfs_period_us": "100000\n",
            f"{memory}/memory.limit_in_bytes": f"{GIB}\n",
            "sys/fs/cgroup/memory/slice/memory.limit_in_bytes": "9223372036854771712\n",
        }
    )
    assert cpu_quota(root) == 0.5
    assert memory_limit(root) == GIB


def test_version_1_without_limits(tree: Tree) -> None:
    root = tree(
        {
            **v1("/", "/"),
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        }
    )
    assert cpu_quota(root) is None
    assert memory_limit(root) is None


def test_a_container_that_mounts_its_own_group_of_the_hosts_tree(tree: Tree) -> None:
    mounts = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    root = tree(
        {
            **v1("/docker/abc", "/docker/abc/job", mounts),
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": f"{3 * GIB}\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{5 * GIB}\n",
        }
    )
    assert memory_limit(root) == 3 * GIB


@pytest.mark.parametrize("group", ["/kubepods/pod1/abc", "/../../other"])
def test_a_group_outside_of_what_is_mounted_is_looked_for_at_the_mount(tree: Tree, group: str) -> None:
    root = tree({**v2(group), "sys/fs/cgroup/memory.max": f"{GIB}\n", "sys/fs/cgroup/cpu.max": "300000 100000\n"})
    assert memory_limit(root) == GIB
    assert cpu_quota(root) == 3.0


def test_both_versions_at_once(tree: Tree) -> None:
    mounts = V1_MOUNTS + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    root = tree({**v1("/", "/", mounts), "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{6 * GIB}\n"})
    assert memory_limit(root) == 6 * GIB


def test_a_mount_point_with_a_blank(tree: Tree) -> None:
    mount = V2_MOUNT.replace("/sys/fs/cgroup", r"/mnt/control\040groups")
    root = tree({**v2("/", mount), "mnt/control groups/memory.max": f"{GIB}\n"})
    assert memory_limit(root) == GIB


def test_no_control_groups_at_all(tree: Tree) -> None:
    root = tree({})
    assert cpu_quota(root) is None
    assert memory_limit(root) is None


SMT = Cpu("x", (), 4, 8, tuple(frozenset({n, n + 4}) for n in range(4)))


@pytest.mark.parametrize(
    ("allowed", "quota", "usable"),
    [
        (frozenset(range(8)), None, 4),
        (frozenset({0, 4}), None, 1),  # two threads of one core
        (frozenset({0, 1}), None, 2),
        (frozenset(range(8)), 2.5, 2),  # a third thread would be stopped half of the time
        (frozenset(range(8)), 0.5, 1),
        (frozenset(range(8)), 16.0, 4),
        (None, 3.0, 3),  # a system without affinity
        (None, None, 4),
    ],
)
def test_usable_cores(allowed: frozenset[int] | None, quota: float | None, usable: int) -> None:
    assert usable_cores(SMT, allowed, quota) == usable


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux's")
def test_affinity_is_that_of_this_process() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert allowed_cpus() == {min(before)}
    finally:
        os.sched_setaffinity(0, before)
