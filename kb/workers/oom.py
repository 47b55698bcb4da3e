"""Telling a process that the kernel killed for memory from one that somebody else killed."""

from pathlib import Path


def oom_kills(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Processes that the kernel has killed for memory since it started; 0 where it does not count them."""
    return _counter(proc / "vmstat") + _counter(cgroup / "memory.events")


def _counter(file: Path) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
