"""A worker may do whatever it likes: the parent gets one outcome with the right status, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from kb.records.statuses import Status
from kb.workers.process import SCRATCH, TAIL_BYTES, Failure, Limits, Outcome, run, sweep

LIMITS = Limits(timeout_s=60)
SHORT = Limits(timeout_s=2)
#: Inherited by every process that these tests start, so that other people's workers are not counted.
OWNER = "KB_TEST_OWNER"


def call(name: str, limits: Limits = LIMITS, **payload: object) -> Outcome:
    return run(f"tests.workers.tasks:{name}", payload, limits)


def failure(name: str, limits: Limits = LIMITS, **payload: object) -> Failure:
    outcome = call(name, limits, **payload)
    assert outcome.failure is not None
    assert outcome.result is None
    return outcome.failure


def survivors() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(OWNER) == str(os.getpid()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch):
    monkeypatch.setenv(OWNER, str(os.getpid()))
    yield
    deadline = time.monotonic() + 5
    while survivors() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert survivors() == []


def test_a_result_comes_back_whatever_is_printed():
    outcome = run("tests.workers.tasks:double", {"number": 21}, LIMITS, environment={"OMP_NUM_THREADS": "1"})
    assert outcome.failure is None
    assert outcome.result["number"] == 42
    assert outcome.result["threads"] == "1"
    assert 0 < outcome.cpu_s <= outcome.seconds * (os.cpu_count() or 1) + 1


def test_its_temporary_folder_is_gone_afterwards():
    assert not Path(call("double", number=1).result["tmp"]).exists()


def test_the_folder_of_a_worker_whose_parent_was_killed_is_swept_up(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    stale, alive = tmp_path / f"{SCRATCH}{gone.pid}-x", tmp_path / f"{SCRATCH}{os.getpid()}-y"
    stale.mkdir()
    alive.mkdir()
    sweep()
    assert not stale.exists()
    assert alive.exists()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot pin processes")
def test_it_runs_on_the_cores_it_is_given():
    core = max(os.sched_getaffinity(0))
    assert call("cores", Limits(60, cores=(core,))).result == [core]


def test_an_exception_is_placed_in_its_stage_and_left_to_the_caller():
    found = failure("fail", text="no kernel for Gemm\nsecond line")
    assert found.status is None
    assert found.stage == "load"
    assert found.reason == "ValueError: no kernel for Gemm"
    assert "tasks.py" in found.detail


def test_an_exception_may_bring_its_own_status():
    assert failure("refuse").status is Status.UNSUPPORTED


def test_a_function_that_is_not_there_is_named():
    assert "no attribute 'nothing'" in failure("nothing").reason


@pytest.mark.parametrize("name", ["hang", "hang_with_children"])
def test_a_hang_is_a_timeout_and_takes_its_children_along(name):
    found = failure(name, SHORT)
    assert found.status is Status.TIMEOUT
    assert "2 s" in found.reason


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_signal_is_a_crash(number):
    found = failure("crash", number=int(number))
    assert found.status is Status.CRASHED
    assert f"killed by {number.name}, during load" in found.reason


def test_leaving_without_an_answer_is_a_crash_even_with_exit_code_0():
    found = failure("leave", code=0)
    assert found.status is Status.CRASHED
    assert "exit code 0 and no answer" in found.reason
    assert "last words" in found.reason


def test_filling_the_memory_is_told_from_a_crash():
    found = failure("fill_memory", Limits(60, memory_mib=300))
    assert found.status is Status.OUT_OF_MEMORY
    assert "300 MiB allowed" in found.reason
    assert found.stage == "build"


def test_an_allocation_that_fails_is_out_of_memory():
    assert failure("allocate_too_much").status is Status.OUT_OF_MEMORY


@pytest.mark.parametrize("name", ["garbage", "endless_answer"])
def test_garbage_for_an_answer_is_a_crash(name):
    found = failure(name)
    assert found.status is Status.CRASHED
    assert "answer" in found.reason


def test_a_number_that_is_not_finite_is_no_answer():
    assert "ValueError" in failure("not_json").reason


def test_a_flood_on_stderr_neither_blocks_nor_fails_it():
    assert call("flood", mib=50).result == {"flooded": 50}


def test_only_the_end_of_a_flood_is_kept():
    found = failure("flood_and_fail")
    assert found.status is Status.CRASHED
    assert found.detail.endswith("the last line")
    assert len(found.detail) <= TAIL_BYTES


def test_children_that_outlive_it_are_ended_and_not_waited_for():
    outcome = call("outlived")
    assert outcome.failure is None
    assert outcome.seconds < 30


def test_an_answer_counts_even_if_leaving_takes_for_ever():
    assert call("answer_and_hang").result == "answered"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the worker notices by the end of its input")
def test_a_worker_dies_with_its_parent():
    code = """
        from kb.workers.process import Limits, run
        run("tests.workers.tasks:hang", {}, Limits(600))
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    deadline = time.monotonic() + 30
    while not survivors() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert survivors()
    time.sleep(0.5)  # let it arm
    parent.kill()
    parent.wait()
