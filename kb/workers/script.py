"""Running somebody else's Python script so that nothing that it does outlives it, and nothing of ours is in its reach.

`run_script` starts a worker, which watches the script from a process of its own: the script's processes are children
of that worker, also those that left their session, and are gone when it answers.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kb.records.statuses import Status
from kb.workers.oom import oom_kills
from kb.workers.process import MARKER, MEMORY_SHARE, Limits, run

if TYPE_CHECKING:
    import psutil

#: How often the script is looked at, and how often what it has written is counted.
TICK_S, DISK_TICK_S = 0.1, 0.5
#: Kept of what a script prints. An error stands at the end, and what it was about at the beginning.
HEAD_BYTES, TAIL_BYTES = 64 * 1024, 256 * 1024
#: Files of a script: an exported model of a few hundred MiB, twice.
DISK_MIB = 2048
#: A data loader starts one per core; more is a script that forks without end.
PROCESSES = 256
#: For the worker around the script: to start, to stop what is left, and to clear away.
MARGIN_S = 30.0
#: How often what is left is killed: a process may have forked while the others were.
ROUNDS = 50
#: A file system counts a file by its blocks.
BLOCK = 4096

#: All that a script sees of this process's variables: where programs, libraries and devices are.
PASSED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "SYSTEMROOT", "TZ")
#: Alone: no PYTHON* variables, no packages of the user's, nothing from the working folder; every line at once; and
#: where a crash happened.
FLAGS = ("-I", "-B", "-u", "-X", "faulthandler", "-X", "utf8")

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Bounds:
    """What a script and all its processes may use together."""

    timeout_s: float
    memory_mib: int | None = None  #: resident memory; None: `MEMORY_SHARE` of what is available
    disk_mib: int = DISK_MIB
    processes: int = PROCESSES


@dataclass(frozen=True)
class Ending:
    """How a script ended."""

    code: int | None  #: exit code, or the number of a signal below zero; None where it was stopped
    stopped: Status | None  #: why it was stopped
    reason: str  #: the same in one line
    output: str  #: beginning and end of what it printed
    seconds: float  #: wall clock


def run_script(script: Path, python: Path, bounds: Bounds) -> Ending:
    """Run a copy of a script in an empty folder, which is thrown away.

    Never raises for what the script does.

    Raises:
        OSError: the script cannot be read.
    """
    payload = {
        "name": script.name,
        "source": script.read_bytes().decode("latin-1"),  # its bytes, as JSON can hold them
        "python": str(python),
        "bounds": asdict(bounds),
    }
    started = time.perf_counter()
    outcome = run("kb.workers.script:execute", payload, Limits(bounds.timeout_s + MARGIN_S))
    if outcome.failure is None:
        found = outcome.result
        stopped = Status(found["stopped"]) if found["stopped"] else None
        return Ending(found["code"], stopped, found["reason"], found["output"], found["seconds"])
    failure = outcome.failure
    status = failure.status or Status.CRASHED
    return Ending(None, status, failure.reason, failure.detail, time.perf_counter() - started)


def execute(name: str, source: str, python: str, bounds: dict[str, Any]) -> dict[str, Any]:
    """The worker's side of `run_script`: start the script, watch it, stop all of it, clear away."""
    _adopt_orphans()
    folder = Path(tempfile.mkdtemp(prefix="script-"))
    script = folder / "script" / name
    for each in ("script", "work", "home", "tmp"):
        (folder / each).mkdir()
    script.write_bytes(source.encode("latin-1"))
    limits = Bounds(**bounds)
    _bound_files(limits.disk_mib)
    before, started = oom_kills(), time.perf_counter()
    try:
        with _started([python, *FLAGS, str(script)], folder) as process:
            assert process.stdout is not None
            kept = _Kept(process.stdout)
            stopped, reason = _watch(process, folder, limits, started)
            seconds = time.perf_counter() - started
            code = process.wait() if stopped is None else None
            _kill_children()
            output = kept.text()
    finally:
        _kill_children()
        _remove(folder)
    if code == -signal.SIGKILL and oom_kills() > before:
        code, stopped, reason = None, Status.OUT_OF_MEMORY, "killed by the system for memory"
    output = output.replace(str(folder / "script") + os.sep, "").replace(str(folder), "<scratch>")
    return {"code": code, "stopped": stopped, "reason": reason, "output": output, "seconds": seconds}


class _Kept:
    """Drains a stream so that its writer never blocks; keeps its beginning and its end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._head, self._tail = bytearray(), bytearray()
        self._dropped = 0
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while data := os.read(self._stream.fileno(), 65536):
            room = HEAD_BYTES - len(self._head)
            self._head += data[:room] if room > 0 else b""
            self._tail += data[max(room, 0) :]
            self._dropped += max(0, len(self._tail) - TAIL_BYTES)
            del self._tail[:-TAIL_BYTES]

    def text(self) -> str:
        self._thread.join(timeout=2.0)
        gap = f"\n[... {self._dropped} bytes left out ...]\n".encode() if self._dropped else b""
        return bytes(self._head + gap + self._tail).decode("utf-8", "replace")


@contextlib.contextmanager
def _started(command: list[str], folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    variables = {name: os.environ[name] for name in (*PASSED, MARKER) if name in os.environ}
    variables |= {
        "PATH": os.pathsep.join(filter(None, (str(Path(command[0]).parent), variables.get("PATH", os.defpath)))),
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
    }
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        cwd=folder / "work",
        env=variables,
    )
    try:
        yield process
    finally:
        _kill_children()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _watch(
    process: "subprocess.Popen[bytes]", folder: Path, bounds: Bounds, started: float
) -> tuple[Status | None, str]:
    """Follow the script until it has ended or broken a bound: which one, and in words."""
    import psutil

    allowed = bounds.memory_mib or int(MEMORY_SHARE * psutil.virtual_memory().available / 2**20)
    counted = started
    while process.poll() is None:
        now = time.perf_counter()
        if now - started > bounds.timeout_s:
            return Status.TIMEOUT, f"did not end within {bounds.timeout_s:g} s"
        children = _alive(process.pid)
        if (resident := sum(map(_resident_mib, children))) > allowed:
            return Status.OUT_OF_MEMORY, f"used {resident:.0f} MiB of the {allowed} MiB allowed"
        if len(children) > bounds.processes:
            return Status.RUN_FAILED, f"started more than {bounds.processes} processes"
        if now - counted > DISK_TICK_S:
            if (written := _written_mib(folder)) > bounds.disk_mib:
                return Status.RUN_FAILED, f"wrote {written:.0f} MiB of the {bounds.disk_mib} MiB allowed"
            counted = time.perf_counter()
        time.sleep(TICK_S)
    return None, ""


def _adopt_orphans() -> None:
    """Become the parent of what the script's processes leave behind, so that it is found and stopped."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _bound_files(disk_mib: int) -> None:
    """No single file grows beyond the bound between two looks, and no crash leaves a core. Children inherit it."""
    import resource

    for kind, limit in ((resource.RLIMIT_FSIZE, disk_mib * 2**20), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _children() -> "list[psutil.Process]":
    import psutil

    return psutil.Process().children(recursive=True)


def _alive(script: int) -> "list[psutil.Process]":
    """The script and its processes; those that have ended and that nobody else waits for are let go."""
    import psutil

    alive = []
    for child in _children():
        with contextlib.suppress(psutil.Error):
            if child.status() != psutil.STATUS_ZOMBIE:
                alive.append(child)
            elif child.pid != script and child.ppid() == os.getpid():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child.pid, os.WNOHANG)
    return alive


def _kill_children() -> None:
    """Stop every process below this one, then kill it; again, since some may have forked meanwhile."""
    import psutil

    for _ in range(ROUNDS):
        alive = []
        for child in _children():
            with contextlib.suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE:
                    alive.append(child)
        if not alive:
            return
        for sign in (signal.SIGSTOP, signal.SIGKILL):
            for child in alive:
                with contextlib.suppress(psutil.Error):
                    child.send_signal(sign)
        psutil.wait_procs(alive, timeout=0.2)


def _resident_mib(child: "psutil.Process") -> float:
    import psutil

    try:
        return float(child.memory_info().rss) / 2**20
    except psutil.Error:
        return 0.0


def _written_mib(folder: Path) -> float:
    """What lies in a folder, files counted by whole blocks. What vanishes meanwhile is not counted."""
    total, waiting = 0, [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                facts = entry.stat(follow_symlinks=False)
                total += max(getattr(facts, "st_blocks", 0) * 512, BLOCK)
    return total / 2**20


def _remove(folder: Path) -> None:
    """Remove a folder, also where its owner took his own rights to it away."""
    for parent, names, _ in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            with contextlib.suppress(OSError):
                if not path.is_symlink():
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
