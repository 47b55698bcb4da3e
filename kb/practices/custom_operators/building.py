"""Compiling the C++ of the operator, and saying in one line why that cannot be done."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kb.machine.checks import one_line
from kb.records.statuses import Status

#: Compilers in the order in which they are looked for, where the variable CXX names none.
COMPILERS = ("c++", "g++", "clang++")
#: A build takes half a minute on a slow machine; one that takes this long hangs.
BUILD_LIMIT_S = 240.0


class ToolMissing(RuntimeError):
    """There is no C++ compiler, or no ninja: nothing is broken, C++ has no place on this machine."""

    status = Status.UNSUPPORTED


class BuildFailed(RuntimeError):
    """The compiler refuses the source. The message is its first error."""

    status = Status.LOAD_FAILED


def source(name: str) -> Path:
    """A C++ file that comes with the package."""
    return Path(__file__).with_name(name)


def find_compiler() -> str:
    """The C++ compiler: of the variable CXX, else the first one on the PATH.

    Raises:
        ToolMissing: there is none.
    """
    asked = os.environ.get("CXX")
    wanted = [asked] if asked else COMPILERS
    found = next((command for command in wanted if shutil.which(shlex.split(command)[0])), None)
    if found is None:
        raise ToolMissing(f"no C++ compiler was found ({', '.join(wanted)})")
    return found


@contextmanager
def torch_tools() -> Iterator[None]:
    """What torch builds with, in its environment: the compiler as CXX, and ninja on the PATH.

    pip puts ninja beside this Python, where an environment that is not activated has no PATH to.

    Raises:
        ToolMissing: one of the two is not there.
    """
    before = {name: os.environ.get(name) for name in ("PATH", "CXX")}
    compiler = find_compiler()
    os.environ["PATH"] = os.pathsep.join([before["PATH"] or os.defpath, str(Path(sys.executable).parent)])
    os.environ["CXX"] = compiler
    try:
        if shutil.which("ninja") is None:
            raise ToolMissing("ninja was not found; pip install ninja")
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def build(work: Callable[[], Any]) -> Any:
    """What `work` compiles.

    Raises:
        ToolMissing: as it raised it.
        BuildFailed: it raised anything else.
    """
    try:
        return work()
    except ToolMissing:
        raise
    except Exception as error:
        raise BuildFailed(first_error(str(error))) from error


def compile_library(command: Sequence[str]) -> None:
    """Run a compiler.

    Raises:
        RuntimeError: with what it printed.
        subprocess.TimeoutExpired: it hung.
    """
    ran = subprocess.run(list(command), capture_output=True, text=True, timeout=BUILD_LIMIT_S, check=False)
    if ran.returncode:
        raise RuntimeError(ran.stderr or f"{command[0]} left with exit code {ran.returncode}")


def first_error(text: str) -> str:
    """The line that says what is wrong among hundreds that a compiler prints; else the first line."""
    for line in text.splitlines():
        where, found, what = line.partition("error:")
        if found:
            return one_line(where.rpartition("/")[2] + found + what)
    return one_line(next(iter(text.strip().splitlines()), "no reason was given"))
