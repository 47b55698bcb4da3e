"""How much of the machine this process may use: affinity and control groups, version 1 and 2, nested or not."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from kb.machine.cpu import Cpu
from kb.machine.files import text

#: Version 1 writes "no limit" as the largest multiple of the page size; no machine has this much memory.
NO_LIMIT_BYTES = 2**60


def allowed_cpus() -> frozenset[int] | None:
    """Logical CPUs that this process may run on (a cpuset is already in it); None where the system has no such mask."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    return frozenset(os.sched_getaffinity(0))


def usable_cores(cpu: Cpu, allowed: frozenset[int] | None, quota: float | None) -> int:
    """Physical cores on which threads can run at full speed: at least 1.

    A quota is rounded down: one thread more than it pays for is stopped for a part of every period.
    """
    cores = cpu.physical_cores
    if allowed is not None and cpu.cores:
        cores = sum(1 for core in cpu.cores if core & allowed)
    return max(1, cores if quota is None else min(cores, int(quota)))


def cpu_quota(root: Path = Path("/")) -> float | None:
    """CPUs' worth of time that the control groups grant, the tightest of the nested ones; None without a limit."""
    quotas = []
    for folder in _folders("cpu", root):
        words = text(folder / "cpu.max").split()
        quota, period = (_integer(words[0]), _integer(words[1])) if len(words) == 2 else (None, None)
        if quota is None:
            quota, period = (_integer(text(folder / f"cpu.cfs_{name}_us")) for name in ("quota", "period"))
        if quota is not None and period and quota > 0:  # version 1 writes -1 for "no limit"
            quotas.append(quota / period)
    return min(quotas, default=None)


def memory_limit(root: Path = Path("/")) -> int | None:
    """Bytes that the control groups grant, the tightest of the nested ones; None without a limit."""
    limits = []
    for folder in _folders("memory", root):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _integer(text(folder / name))
            if limit is not None and limit < NO_LIMIT_BYTES:
                limits.append(limit)
    return min(limits, default=None)


def _folders(controller: str, root: Path) -> Iterator[Path]:
    """Folders of the control groups this process is in, from its own up to the mount point, of both versions."""
    groups = dict(_groups(root))
    for line in text(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2":
            group = groups.get("")
        elif kind[0] == "cgroup" and controller in kind[2].split(","):
            group = groups.get(controller)
        else:
            continue
        mount = root / _unescaped(fields[4]).lstrip("/")
        folder = mount / _below(group or "/", _unescaped(fields[3]))
        if not folder.is_dir():  # of a parent's namespace, not visible here
            folder = mount
        yield from (at for at in (folder, *folder.parents) if at == mount or mount in at.parents)


def _groups(root: Path) -> Iterator[tuple[str, str]]:
    """Controller -> path of the group; the empty name stands for version 2."""
    for line in text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        for controller in controllers.split(","):
            yield controller, path


def _below(group: str, mounted: str) -> PurePosixPath:
    """Path of a group relative to the group that the mount shows; the mount itself where it lies outside."""
    path = PurePosixPath(group)
    if ".." in path.parts or not path.is_relative_to(mounted):
        return PurePosixPath()
    return path.relative_to(mounted)


def _unescaped(field: str) -> str:
    r"""A field of mountinfo, where a blank is written ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _integer(word: str) -> int | None:
    return int(word) if re.fullmatch(r"-?\d+", word) else None
