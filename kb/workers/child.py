"""The worker's side: read one task from stdin, do it, answer on a pipe of its own (frameworks write to stdout)."""

import ctypes
import json
import os
import signal
import sys
import threading
import traceback
from typing import Any

from kb.discovery import load
from kb.workers import stages

_PR_SET_PDEATHSIG = 1
#: Longest traceback that is sent back.
_TRACEBACK_CHARS = 20_000


def _die_with_parent(parent: int) -> None:
    """Never outlive the run: an orphan would disturb every later measurement."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)
    else:
        threading.Thread(target=_exit_at_end_of_input, daemon=True).start()


def _exit_at_end_of_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def _pin(cores: list[int]) -> None:
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def _describe(error: BaseException) -> dict[str, Any]:
    """What the parent needs to know of an exception: type, text, its own idea of a status, traceback."""
    kind = type(error)
    trace = "".join(traceback.format_exception(error))
    return {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "message": str(error)[:_TRACEBACK_CHARS],
        "status": getattr(error, "status", None),
        "traceback": trace[-_TRACEBACK_CHARS:],
    }


def main() -> None:
    """``python -m kb.workers.child FD``: one task, one answer."""
    stages.connect(int(sys.argv[1]))
    task = json.loads(sys.stdin.buffer.readline())
    _die_with_parent(task["parent"])
    _pin(task["cores"])
    try:
        result = load(task["target"])(**task["payload"])
        stages.send({"result": result})
    except BaseException as error:  # noqa: BLE001 - also SystemExit: all of them are reported, then the process ends
        stages.send({"error": _describe(error)})
    # Some frameworks hang or crash while they are torn down; the answer is out, nothing is lost.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
