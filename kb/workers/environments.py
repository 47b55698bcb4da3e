"""Throw-away environments: packages in chosen versions, resolved once, kept in the cache by what they hold.

uv resolves and installs where it is there; pip and venv do otherwise, which takes longer. Where packages come from is
for their own settings and variables to say (`UV_FIND_LINKS`, `PIP_INDEX_URL`, ...).
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kb.records.atomic import write_whole

#: Downloading and unpacking a framework over a slow line.
TIMEOUT_S = 1800.0
#: An environment that was not used for so long is removed: one with a framework takes a GiB or more.
KEPT_DAYS = 60
#: Written last: an environment without it was cut off, and is built anew.
LOCK_FILE = "kb-lock.txt"
#: Digits of the hash that names an environment.
DIGITS = 16
#: Of what a resolver says; it names the packages that do not go together at its end.
MAX_WORDS = 1_000

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)", re.MULTILINE)


class CannotBuild(Exception):
    """There is no such environment. The message is what the resolver said, in one line."""


@dataclass(frozen=True)
class Environment:
    """An environment that is there."""

    folder: Path
    versions: Mapping[str, str]  #: distribution -> version

    @property
    def python(self) -> Path:
        return _python_of(self.folder)


class Tool(Protocol):
    """What resolves and installs."""

    def resolve(self, requirements: Sequence[str]) -> str:
        """A line `name==version` for every package that is needed, in their order.

        Raises:
            CannotBuild: they do not go together, or are nowhere to be had.
        """
        ...

    def install(self, folder: Path, lock: Path) -> None:
        """Make an environment of exactly these packages.

        Raises:
            CannotBuild: one of them cannot be installed.
        """
        ...


class Uv:
    """https://docs.astral.sh/uv/"""

    def __init__(self, program: str, python: str = sys.executable) -> None:
        self._program, self._python = program, python

    def resolve(self, requirements: Sequence[str]) -> str:
        words = ("--quiet", "--no-header", "--no-annotate", "--python", self._python, "-")
        return _told([self._program, "pip", "compile", *words], stdin="\n".join(requirements))

    def install(self, folder: Path, lock: Path) -> None:
        _told([self._program, "venv", "--quiet", "--python", self._python, str(folder)])
        words = ("--quiet", "--no-deps", "--python", str(_python_of(folder)), "-r", str(lock))
        _told([self._program, "pip", "install", *words])


class Pip:
    """pip and venv, as Python brings them."""

    def __init__(self, python: str = sys.executable) -> None:
        self._pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        self._python = python

    def resolve(self, requirements: Sequence[str]) -> str:
        words = ("install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-")
        report = json.loads(_told([*self._pip, *words, *requirements]))
        found = (each["metadata"] for each in report["install"])
        return "\n".join(sorted(f"{each['name'].lower()}=={each['version']}" for each in found)) + "\n"

    def install(self, folder: Path, lock: Path) -> None:
        _told([self._python, "-m", "venv", "--without-pip", str(folder)])
        words = ("--python", str(_python_of(folder)), "install", "--quiet", "--no-deps", "-r", str(lock))
        _told([*self._pip, *words])


def tool() -> Tool:
    """uv where it is installed, beside Python or in the path; else pip.

    Raises:
        CannotBuild: neither is there.
    """
    beside = Path(sys.executable).with_name("uv")
    if program := str(beside) if beside.is_file() else shutil.which("uv"):
        return Uv(program)
    if importlib.util.find_spec("pip"):
        return Pip()
    raise CannotBuild("neither uv nor pip is installed, and one of them is needed to make environments: pip install uv")


def environment_of(requirements: Sequence[str], by: Tool, cache: Path) -> Environment:
    """The environment that meets the requirements; one of the same packages and Python is used again.

    Raises:
        CannotBuild: there is none.
        OSError: the cache cannot be written.
    """
    lock = by.resolve(sorted(requirements))
    python = f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"
    key = hashlib.sha256(f"{python}\n{lock}".encode()).hexdigest()[:DIGITS]
    folder = cache / key
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f"{key}.lock"):
        if not (folder / LOCK_FILE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            wanted = cache / f"{key}.txt"
            write_whole(wanted, lock.encode())
            try:
                by.install(folder, wanted)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            finally:
                wanted.unlink()
            write_whole(folder / LOCK_FILE, lock.encode())
        os.utime(folder / LOCK_FILE)
    return Environment(folder, {name.lower().replace("_", "-"): version for name, version in _PIN.findall(lock)})


def prune(cache: Path, now: float | None = None) -> None:
    """Remove environments that were not used for `KEPT_DAYS`."""
    oldest = (time.time() if now is None else now) - KEPT_DAYS * 86400
    for lock in cache.glob(f"*/{LOCK_FILE}"):
        with contextlib.suppress(FileNotFoundError), _alone(cache / f"{lock.parent.name}.lock"):
            if lock.stat().st_mtime < oldest:
                shutil.rmtree(lock.parent, ignore_errors=True)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock, so that two processes do not build one environment at once."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _told(command: Sequence[str], stdin: str = "") -> str:
    """What a program prints.

    Raises:
        CannotBuild: it failed, or took too long.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        errors="replace", start_new_session=True,
    )  # fmt: skip
    try:
        printed, said = process.communicate(stdin, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise CannotBuild(f"{Path(command[0]).name} was not done within {TIMEOUT_S:g} s") from None
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise CannotBuild(_words(said or printed) or f"{Path(command[0]).name} ended with code {process.returncode}")
    return printed


def _words(said: str) -> str:
    """What a resolver complains of, in one line: pip marks it, and uv says nothing else."""
    lines = [line.strip() for line in said.splitlines()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return " ".join(" ".join(errors or lines).split())[-MAX_WORDS:]


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
