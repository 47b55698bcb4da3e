"""A run that is killed at any moment keeps every finished row, and is completed without measuring one twice."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from kb.config import Settings
from kb.records.folder import RunFolder
from kb.records.infofile import read_info
from kb.records.reading import read_results
from kb.records.schema import BENCHMARKS

KILLS = 20
#: Latest moment of a kill. A row takes more than half of it, so that 20 kills see fewer rows than the run has.
LATEST_S = 5.0


def kb(project: Path, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "kb.cli", "-C", str(project), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def begun(project: Path, settings: Settings) -> "tuple[subprocess.Popen[str], Path]":
    """A `kb bench` that has made the folder of its run."""
    process = kb(project, "bench", "--profile", "many")
    deadline = time.monotonic() + 60
    while not (found := list(settings.results.glob("runs/*/*/run.json"))):
        assert time.monotonic() < deadline, "no run was begun"
        time.sleep(0.02)
    return process, found[0].parent


def lines(run: Path) -> list[bytes]:
    file = run / "benchmarks.csv"
    return file.read_bytes().splitlines(keepends=True) if file.exists() else []


@pytest.mark.slow
def test_killed_twenty_times_at_random_moments(project: Path, settings: Settings):
    moment = random.Random(20)
    process, run = begun(project, settings)
    kept: list[bytes] = []
    for _ in range(KILLS):
        time.sleep(moment.uniform(0.1, LATEST_S))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        now = lines(run)
        assert now[: len(kept)] == kept, "a finished row is gone"
        kept = [line for line in now if line.endswith(b"\n")]
        read_results(settings.results)  # strict, and still content
        process = kb(project, "bench", "--resume", run.name)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    info = read_info(run).info
    assert info.finished
    assert lines(run)[: len(kept)] == kept
    frame = read_results(settings.results).benchmarks
    keys = Counter(frame[list(BENCHMARKS.key)].astype(str).agg("/".join, axis=1))
    assert max(keys.values()) == 1
    assert len(keys) == info.replicates + info.replicates + 1  # latency, A/A, memory


def test_two_processes_do_not_write_one_run(project: Path, settings: Settings):
    process, run = begun(project, settings)
    second = kb(project, "bench", "--resume", run.name)
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 2
    assert len(output.strip().splitlines()) == 1
    process.kill()
    process.communicate()
    with RunFolder.reopen(run):
        pass
