"""Running a function in a fresh process with limits, and telling apart the ways in which it can fail."""

import contextlib
import json
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from kb.records.statuses import Status
from kb.workers.oom import oom_kills

#: How often the parent looks at its worker. Rare enough to leave the measured core alone.
TICK_S = 0.1
#: Kept of what a worker prints: enough for a traceback, whatever it floods.
TAIL_BYTES = 16 * 1024
#: An answer is a few kilobytes; more is not an answer.
ANSWER_BYTES = 8 * 1024 * 1024
#: After the answer a worker has this long to leave.
GRACE_S = 5.0
#: Share of the memory that is available at the start which a worker may fill when no limit is set.
MEMORY_SHARE = 0.9
#: Names each process of one worker, also those that leave its process group.
MARKER = "KB_WORKER"
#: Temporary folders of workers begin with this and the parent's process id.
SCRATCH = "kb-worker-"


@dataclass(frozen=True)
class Limits:
    """What one worker may use."""

    timeout_s: float
    memory_mib: int | None = None  #: resident memory; None: `MEMORY_SHARE` of what is available
    cores: tuple[int, ...] = ()  #: pinned to these; empty: not pinned


@dataclass(frozen=True)
class Failure:
    """Why there is no result."""

    status: Status | None  #: None: the function raised, and its caller knows what that means in this stage
    stage: str  #: last stage announced
    reason: str  #: one line
    detail: str = ""  #: traceback, or the end of what the worker printed


@dataclass(frozen=True)
class Outcome:
    """What became of one worker."""

    result: Any
    failure: Failure | None
    seconds: float  #: wall clock
    cpu_s: float  #: user + system time of the worker and of the children it waited for


@dataclass
class _Answer:
    """What has arrived on the reply pipe so far."""

    stage: str = "start"
    result: Any = None
    error: dict[str, Any] | None = None
    complete: bool = False
    garbage: str | None = None
    pending: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        self.pending += data
        if len(self.pending) > ANSWER_BYTES:
            self.garbage = f"its answer is longer than {ANSWER_BYTES} bytes"
        while not self.garbage and (end := self.pending.find(b"\n")) >= 0:
            line = bytes(self.pending[:end])
            del self.pending[: end + 1]
            self._read(line)

    def _read(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        match message:
            case {"stage": str(stage)}:
                self.stage = stage
            case {"result": result}:
                self.result, self.complete = result, True
            case {"error": {"type": str(), "message": str(), "traceback": str()} as error}:
                self.error, self.complete = error, True
            case _:
                self.garbage = f"it answered with something that is not an answer: {line[:80]!r}"


class _Tail:
    """Drains a stream so that its writer never blocks, and keeps the end of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while data := os.read(self._stream.fileno(), 65536):
            self._kept += data
            del self._kept[:-TAIL_BYTES]

    def text(self) -> str:
        """What is there once the stream has ended; a process that keeps it open is not waited for."""
        self._thread.join(timeout=1.0)
        return bytes(self._kept).decode("utf-8", "replace").strip()


def run(
    target: str,
    payload: Mapping[str, Any],
    limits: Limits,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Outcome:
    """Call ``module:function`` with `payload` as keyword arguments in a fresh Python process.

    Args:
        target: the function; it must return something that JSON can hold.
        payload: its keyword arguments, JSON too.
        limits: wall clock, memory and cores.
        environment: variables set on top of this process's own.
        folder: working directory, from which a user's own modules are found; default: the current one.

    Never raises for what the worker does: that is in the `Outcome`. When this returns, no process of the worker
    is left, and its temporary folder is gone.
    """
    scratch = tempfile.mkdtemp(prefix=f"{SCRATCH}{os.getpid()}-")
    marker = secrets.token_hex(8)
    variables = {**os.environ, "TMPDIR": scratch, **(environment or {}), MARKER: marker}
    read_fd, write_fd = os.pipe()
    started = time.perf_counter()
    oom_before = oom_kills()
    process = subprocess.Popen(
        [sys.executable, "-m", "kb.workers.child", str(write_fd)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(write_fd,),
        start_new_session=True,
        cwd=folder,
        env=variables,
    )
    os.close(write_fd)
    assert process.stdin is not None
    assert process.stdout is not None
    tail = _Tail(process.stdout)
    answer, stopped = _Answer(), None
    try:
        _hand_over(
            process.stdin,
            {"target": target, "payload": dict(payload), "cores": list(limits.cores), "parent": os.getpid()},
        )
        stopped = _watch(process, read_fd, answer, limits, started)
    finally:
        _kill_all(process, marker)
        returncode, cpu_s = _reap(process)
        os.close(read_fd)
        shutil.rmtree(scratch, ignore_errors=True)
    printed = tail.text()
    process.stdin.close()
    process.stdout.close()
    oom_killed = returncode == -signal.SIGKILL and stopped is None and oom_kills() > oom_before
    failure = stopped or _failure(answer, returncode, oom_killed, printed)
    if failure is not None and not failure.detail:
        failure = Failure(failure.status, failure.stage, failure.reason, printed)
    result = None if failure else answer.result
    return Outcome(result, failure, time.perf_counter() - started, cpu_s)


def sweep() -> None:
    """Remove the temporary folders of workers whose parent was killed before it could."""
    import psutil

    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*-*"):
        owner = folder.name.removeprefix(SCRATCH).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _hand_over(stdin: IO[bytes], task: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # it died before it read its task: the exit code tells
        stdin.write(json.dumps(task).encode() + b"\n")
        stdin.flush()


def _watch(
    process: "subprocess.Popen[bytes]", fd: int, answer: _Answer, limits: Limits, started: float
) -> Failure | None:
    """Follow the worker until it has answered, ended, or broken a limit; the last is returned."""
    allowed = limits.memory_mib or int(MEMORY_SHARE * _available_mib())
    answered: float | None = None
    selector = selectors.DefaultSelector()
    selector.register(fd, selectors.EVENT_READ)
    with selector:
        while True:
            for _ in selector.select(TICK_S):
                data = os.read(fd, 65536)
                if not data:
                    selector.unregister(fd)
                answer.feed(data)
            now = time.perf_counter()
            if answer.garbage:
                return Failure(Status.CRASHED, answer.stage, f"{answer.garbage}, during {answer.stage}")
            if answer.complete:
                answered = answered or now
            if _ended(process.pid) or (answered and now - answered > GRACE_S):
                answer.feed(_rest(fd))
                return None
            if now - started > limits.timeout_s and not answered:
                reason = f"no answer within {limits.timeout_s:g} s; stopped during {answer.stage}"
                return Failure(Status.TIMEOUT, answer.stage, reason)
            if (resident := _resident_mib(process.pid)) > allowed and not answered:
                reason = f"used {resident:.0f} MiB of the {allowed} MiB allowed, during {answer.stage}"
                return Failure(Status.OUT_OF_MEMORY, answer.stage, reason)
            if not selector.get_map():
                time.sleep(TICK_S)


def _ended(pid: int) -> bool:
    """Whether the worker has ended, without collecting it (its processor time is wanted later)."""
    import psutil

    return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def _rest(fd: int) -> bytes:
    """What is still in the pipe of a worker that has ended; a child that keeps it open is not waited for."""
    os.set_blocking(fd, False)
    rest = bytearray()
    with contextlib.suppress(BlockingIOError):
        while data := os.read(fd, 65536):
            rest += data
    return bytes(rest)


def _kill_all(process: "subprocess.Popen[bytes]", marker: str) -> None:
    """Kill the worker's process group, and its descendants that left the group."""
    import psutil

    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the second of a group of zombies
        os.killpg(process.pid, signal.SIGKILL)
    for other in psutil.process_iter():
        try:
            if other.environ().get(MARKER) == marker:
                other.kill()
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or another user's


def _reap(process: "subprocess.Popen[bytes]") -> tuple[int, float]:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def _available_mib() -> float:
    import psutil

    return float(psutil.virtual_memory().available) / 2**20


def _resident_mib(pid: int) -> float:
    import psutil

    try:
        return float(psutil.Process(pid).memory_info().rss) / 2**20
    except psutil.Error:
        return 0.0


#: How the frameworks word an allocation that failed on the host or the device.
_OOM_TYPES = ("MemoryError", "OutOfMemoryError", "ResourceExhaustedError")
_OOM_TEXTS = ("bad_alloc", "can't allocate memory", "failed to allocate memory", "out of memory")


def _failure(answer: _Answer, returncode: int, oom_killed: bool, printed: str) -> Failure | None:
    """Read the end of a worker that broke no limit."""
    if answer.error is not None:
        return _raised(answer.stage, answer.error)
    if answer.complete:
        return None
    if oom_killed:
        return Failure(Status.OUT_OF_MEMORY, answer.stage, f"killed by the system for memory, during {answer.stage}")
    if returncode < 0:
        how = f"killed by {_signal_name(-returncode)}"
    else:
        how = f"left with exit code {returncode} and no answer"
    last = printed.splitlines()[-1][:200] if printed else ""
    return Failure(Status.CRASHED, answer.stage, f"{how}, during {answer.stage}" + (f": {last}" if last else ""))


def _raised(stage: str, error: dict[str, Any]) -> Failure:
    name = error["type"].removeprefix("builtins.")
    text = error["message"]
    lines = text.strip().splitlines()
    # What kb raises itself, and what brings its status along, has been worded for a reader.
    worded = name.startswith("kb.") or error.get("status") in set(Status)
    reason = name if not lines else lines[0] if worded else f"{name}: {lines[0]}"
    status: Status | None = None
    if error.get("status") in set(Status):
        status = Status(error["status"])
    elif name.rsplit(".", 1)[-1] in _OOM_TYPES or any(words in text.lower() for words in _OOM_TEXTS):
        status = Status.OUT_OF_MEMORY
    return Failure(status, stage, reason[:500], error["traceback"])


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
