"""How code inside a worker says which stage it has reached, so that a crash can be placed."""

import json
import os

_reply_fd: int | None = None


def connect(fd: int) -> None:
    """Called once by the worker's main: stages are announced on this pipe from now on."""
    global _reply_fd
    _reply_fd = fd


def enter(stage: str) -> None:
    """Announce the stage that begins now. Outside a worker it does nothing."""
    if _reply_fd is not None:
        send({"stage": stage})


def send(message: dict[str, object]) -> None:
    """Write one message as a line of JSON. NaN and infinity are refused: they are not JSON.

    Raises:
        ValueError: the message holds a number that is not finite.
        RuntimeError: not inside a worker.
    """
    if _reply_fd is None:
        raise RuntimeError("not inside a worker: there is nobody to answer to")
    line = json.dumps(message, allow_nan=False).encode() + b"\n"
    while line:
        line = line[os.write(_reply_fd, line) :]
