"""How quiet the machine was while a worker ran: two readings of the system's counters, no thread in between."""

import os
import platform
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kb.machine.files import text


@dataclass(frozen=True)
class Conditions:
    """What a row says of its surroundings. None: this system does not tell."""

    load_1m: float | None  #: load average over one minute, at the end
    foreign_cpu_cores: float | None  #: CPUs that neither the worker nor this process kept busy, on average
    steal_pct: float | None  #: share of all CPUs' time that the hypervisor gave to others, in percent
    throttle_events: int | None  #: times a core or a package began to slow down for heat


@dataclass(frozen=True)
class Reading:
    """The counters at one moment, in seconds since some fixed moment."""

    wall_s: float
    own_s: float  #: CPU time of this process
    busy_s: float | None  #: CPU time of everything on this machine
    total_s: float | None  #: the same with idle and stolen time
    steal_s: float | None
    load_1m: float | None
    throttles: int | None


@dataclass(frozen=True)
class Watch:
    """Started before a worker, stopped after it."""

    before: Reading
    read: Callable[[], Reading]

    @classmethod
    def start(cls, root: Path = Path("/")) -> Self:
        """Take the first reading; `root` is where `proc` and `sys` are."""

        def read() -> Reading:
            return take_reading(root)

        return cls(read(), read)

    def stop(self, own_cpu_s: float) -> Conditions:
        """Take the second reading and compare.

        Args:
            own_cpu_s: user and system time of the worker and its children, seconds; it is not foreign.
        """
        return between(self.before, self.read(), own_cpu_s)


def between(before: Reading, after: Reading, own_cpu_s: float) -> Conditions:
    """What happened from one reading to the other.

    Busy time is counted in ticks (1/100 s) and a worker's own to the microsecond, so over a short while the
    difference may come out below zero; it is then none.
    """
    wall = after.wall_s - before.wall_s
    busy, total, steal = (
        _difference(getattr(before, name), getattr(after, name)) for name in ("busy_s", "total_s", "steal_s")
    )
    foreign = None
    if busy is not None and wall > 0:
        foreign = max(0.0, busy - own_cpu_s - (after.own_s - before.own_s)) / wall
    throttles = _difference(before.throttles, after.throttles)
    return Conditions(
        load_1m=after.load_1m,
        foreign_cpu_cores=foreign,
        steal_pct=100 * max(0.0, steal) / total if steal is not None and total else None,
        throttle_events=None if throttles is None else max(0, int(throttles)),
    )


def take_reading(root: Path = Path("/")) -> Reading:
    """Read all counters, in a few milliseconds."""
    busy, total, steal = _cpu_times(root)
    return Reading(
        wall_s=time.perf_counter(),
        own_s=time.process_time(),
        busy_s=busy,
        total_s=total,
        steal_s=steal,
        load_1m=_load(root),
        throttles=_throttles(root),
    )


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _load(root: Path) -> float | None:
    first = text(root / "proc/loadavg").partition(" ")[0]
    if first:
        return float(first)
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows has none; elsewhere the system may not know
        return None


def _cpu_times(root: Path) -> tuple[float | None, float | None, float | None]:
    """Busy, total and stolen time of all CPUs together, seconds."""
    if platform.system() != "Linux":
        return _cpu_times_by_psutil()
    line = re.search(r"^cpu +(.+)$", text(root / "proc/stat"), re.MULTILINE)
    if line is None:
        return None, None, None
    ticks = [int(word) / os.sysconf("SC_CLK_TCK") for word in line[1].split()]
    # user nice system idle iowait irq softirq steal (guest guest_nice, which are in user and nice already)
    user, nice, system, idle, iowait, irq, softirq, steal = (ticks + [0.0] * 8)[:8]
    busy = user + nice + system + irq + softirq
    return busy, busy + idle + iowait + steal, steal if len(ticks) >= 8 else None


def _cpu_times_by_psutil() -> tuple[float, float, None]:
    import psutil

    times = psutil.cpu_times()  # Windows counts interrupts in `system`, macOS has none
    busy = times.user + times.system + getattr(times, "nice", 0.0)
    return busy, busy + times.idle, None


def _throttles(root: Path) -> int | None:
    """Sum of the kernel's counters: each CPU shows its core's and its package's, and each is counted once."""
    counts: dict[tuple[str, str, str], int] = {}
    for folder in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle"):
        topology = folder.parent / "topology"
        package = text(topology / "physical_package_id") or folder.parent.name
        core = text(topology / "core_id") or folder.parent.name
        for key in (("core", package, core), ("package", package, "")):
            count = text(folder / f"{key[0]}_throttle_count")
            if count.isdigit():
                counts[key] = max(counts.get(key, 0), int(count))
    return sum(counts.values()) if counts else None
