"""The meter of a worker's surroundings: what others used, what the hypervisor took, what the heat cost."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.machine.conditions import Reading, Watch, between, take_reading
from tests.machine.conftest import Tree

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's files")

BEFORE = Reading(wall_s=100, own_s=5, busy_s=1000, total_s=4000, steal_s=10, load_1m=0.5, throttles=7)


def after(**changes: float | None) -> Reading:
    return replace(BEFORE, wall_s=110, total_s=4040, **changes)  # type: ignore[arg-type]


def test_foreign_is_what_is_left_of_the_busy_time() -> None:
    # 14 s busy in 10 s: 9 were the worker's and 1 this process's; the 4 left over are 0.4 cores
    assert between(BEFORE, after(busy_s=1014, own_s=6), own_cpu_s=9).foreign_cpu_cores == pytest.approx(0.4)


@given(st.floats(0, 1e3), st.floats(0, 1e3), st.floats(0, 1e3))
def test_foreign_is_never_negative(busy: float, own: float, worker: float) -> None:
    foreign = between(BEFORE, after(busy_s=1000 + busy, own_s=5 + own), worker).foreign_cpu_cores
    assert foreign is not None
    assert foreign >= 0


def test_steal_is_a_share_of_all_cpus_time() -> None:
    assert between(BEFORE, after(steal_s=12), 0).steal_pct == pytest.approx(5)


def test_throttling_counts_new_events() -> None:
    assert between(BEFORE, after(throttles=10), 0).throttle_events == 3


def test_what_the_system_does_not_tell_is_none() -> None:
    silent = replace(BEFORE, busy_s=None, total_s=None, steal_s=None, load_1m=None, throttles=None)
    conditions = between(silent, replace(silent, wall_s=110), 0)
    assert (conditions.load_1m, conditions.foreign_cpu_cores) == (None, None)
    assert (conditions.steal_pct, conditions.throttle_events) == (None, None)


@linux
def test_stat_is_read_in_ticks_and_guests_are_not_counted_twice(tree: Tree) -> None:
    tick = os.sysconf("SC_CLK_TCK")
    # user nice system idle iowait irq softirq steal guest guest_nice
    values = [600, 20, 30, 5000, 7, 4, 6, 50, 500, 10]
    stat = f"cpu  {' '.join(str(value * tick) for value in values)}\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
    reading = take_reading(tree({"proc/stat": stat, "proc/loadavg": "0.75 0.5 0.25 1/100 4242\n"}))
    assert reading.busy_s == 660
    assert reading.total_s == 660 + 5007 + 50
    assert reading.steal_s == 50
    assert reading.load_1m == 0.75
    assert reading.throttles is None


@linux
def test_throttling_of_a_core_or_package_counts_once_for_all_its_cpus(tree: Tree) -> None:
    files = {}
    for cpu, core in enumerate([0, 1, 0, 1]):  # two cores of two threads each, in one package
        folder = f"sys/devices/system/cpu/cpu{cpu}"
        files[f"{folder}/topology/physical_package_id"] = "0\n"
        files[f"{folder}/topology/core_id"] = f"{core}\n"
        files[f"{folder}/thermal_throttle/core_throttle_count"] = f"{3 + core}\n"
        files[f"{folder}/thermal_throttle/package_throttle_count"] = "10\n"
        files[f"{folder}/thermal_throttle/core_throttle_total_time_ms"] = "99\n"
    assert take_reading(tree(files)).throttles == 3 + 4 + 10


@linux
def test_a_watch_compares_its_two_readings(tree: Tree) -> None:
    count = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
    root: Path = tree({"proc/stat": "cpu  100 0 0 100 0 0 0 0 0 0\n", count: "1\n"})
    watch = Watch.start(root)
    tree({"proc/stat": "cpu  100 0 0 175 0 0 0 25 0 0\n", count: "3\n"})
    conditions = watch.stop(own_cpu_s=0)
    assert conditions.steal_pct == 25
    assert conditions.throttle_events == 2
    assert conditions.foreign_cpu_cores == 0


@linux
def test_a_busy_neighbour_is_foreign_and_the_worker_is_not() -> None:
    busy = "import time\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass"
    watch = Watch.start()
    neighbour = subprocess.Popen([sys.executable, "-c", busy])
    _, _, usage = os.wait4(neighbour.pid, 0)
    neighbour.returncode = 0
    used = usage.ru_utime + usage.ru_stime
    after = take_reading()
    as_neighbour, as_worker = (between(watch.before, after, cpu_s).foreign_cpu_cores for cpu_s in (0, used))
    assert as_neighbour is not None
    assert as_worker is not None
    wall = after.wall_s - watch.before.wall_s
    # what is called the worker's disappears from the foreign time; ticks of 1/100 s leave a little
    assert as_neighbour >= used / wall - 0.1
    assert as_neighbour - as_worker <= used / wall + 0.01


@linux
def test_this_process_itself_is_not_foreign() -> None:
    watch = Watch.start()
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass
    after = take_reading()
    counted = between(watch.before, after, 0).foreign_cpu_cores
    uncounted = between(watch.before, replace(after, own_s=watch.before.own_s), 0).foreign_cpu_cores
    assert counted is not None
    assert uncounted is not None
    assert uncounted > counted
