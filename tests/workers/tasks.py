"""Functions that misbehave in every way a worker can, called in real worker processes by the tests."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

from kb.workers import stages


def double(number: int) -> dict[str, Any]:
    stages.enter("work")
    sys.stdout.write("a framework that chats on stdout\n")
    return {"number": 2 * number, "threads": os.environ.get("OMP_NUM_THREADS"), "tmp": os.environ["TMPDIR"]}


def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def fail(text: str) -> None:
    stages.enter("load")
    raise ValueError(text)


class Refused(Exception):
    status = "unsupported"


def refuse() -> None:
    raise Refused("no such device")


def leave(code: int) -> None:
    os.write(2, b"last words\n")
    os._exit(code)


def hang() -> None:
    stages.enter("first call")
    time.sleep(600)


def hang_with_children() -> None:
    code = "import time; time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", code])
    subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    time.sleep(600)


def crash(number: int) -> None:
    stages.enter("load")
    os.kill(os.getpid(), number)


def fill_memory() -> None:
    stages.enter("build")
    kept = []
    while True:
        kept.append(bytearray(b"x" * (32 << 20)))
        time.sleep(0.02)


def allocate_too_much() -> None:
    raise MemoryError


def garbage() -> None:
    os.write(stages._reply_fd or -1, b"\xff\xfe not an answer\n")
    time.sleep(600)


def endless_answer() -> None:
    while True:
        os.write(stages._reply_fd or -1, b"x" * 65536)


def not_json() -> float:
    return float("nan")


def flood(mib: int) -> dict[str, Any]:
    for _ in range(mib):
        sys.stderr.write("flood " * (1 << 20 // 6))
    sys.stderr.write("\nthe end\n")
    return {"flooded": mib}


def flood_and_fail() -> None:
    sys.stderr.write("flood\n" * 1_000_000)
    sys.stderr.write("the last line\n")
    sys.stderr.flush()
    os._exit(3)


def outlived() -> int:
    """Fork a child in the group and one that leaves it; both keep every pipe open and would live for ten minutes."""
    for leave_group in (False, True):
        if os.fork() == 0:
            if leave_group:
                os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
            os._exit(0)
    return os.getpid()


def answer_and_hang() -> str:
    import atexit

    atexit.register(time.sleep, 600)
    return "answered"
