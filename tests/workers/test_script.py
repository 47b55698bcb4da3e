"""A script of somebody else: whatever it does ends with it, and stays in its folder."""

import os
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from kb.records.statuses import Status
from kb.workers import script as module
from kb.workers.script import Bounds, Ending, run_script

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="orphans can be adopted on Linux only")


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made, so that what is left can be seen."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def ending(tmp_path: Path, code: str, **bounds: float) -> Ending:
    path = tmp_path / "repro.py"
    path.write_text(code)
    return run_script(path, Path(sys.executable), Bounds(**{"timeout_s": 60.0, **bounds}))  # type: ignore[arg-type]


def alive(marker: str) -> list[int]:
    """Processes whose command has this word."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = " ".join(process.info["cmdline"] or ())
        if marker in words and process.info["status"] != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
            found.append(process.pid)
    return found


def test_the_exit_code_and_what_was_printed_come_back(tmp_path: Path, scratch: Path) -> None:
    end = ending(tmp_path, "import sys\nprint('to out')\nprint('to err', file=sys.stderr)\nsys.exit(3)")
    assert (end.code, end.stopped, end.output) == (3, None, "to out\nto err\n")
    assert list(scratch.iterdir()) == []


def test_it_runs_in_an_empty_folder_with_a_home_of_its_own_and_few_variables(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "secret")
    end = ending(
        tmp_path,
        "import os, pathlib, tempfile\nprint(os.listdir(), 'MY_TOKEN' in os.environ, 'PYTHONPATH' in os.environ)\n"
        "print(pathlib.Path.home(), tempfile.gettempdir(), __file__)",
    )
    assert end.output == "[] False False\n<scratch>/home <scratch>/tmp repro.py\n"


def test_a_signal_is_told_with_where_it_happened(tmp_path: Path, scratch: Path) -> None:
    end = ending(tmp_path, "import ctypes\nctypes.string_at(0)")
    assert (end.code, end.stopped) == (-11, None)
    assert 'File "repro.py", line 2' in end.output


def test_one_that_hangs_is_stopped_and_what_it_printed_is_kept(tmp_path: Path, scratch: Path) -> None:
    end = ending(
        tmp_path,
        "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('here')\ntime.sleep(600)",
        timeout_s=2.0,
    )
    assert (end.code, end.stopped, end.reason) == (None, Status.TIMEOUT, "did not end within 2 s")
    assert end.output == "here\n"
    assert end.seconds < 30


def test_one_that_deletes_its_folder_and_its_own_file_is_survived(tmp_path: Path, scratch: Path) -> None:
    end = ending(
        tmp_path,
        "import os, pathlib, shutil\nshutil.rmtree(pathlib.Path(__file__).resolve().parents[1])\nprint('gone')\n",
    )
    assert (end.code, end.output) == (0, "gone\n")
    assert (tmp_path / "repro.py").exists()
    assert list(scratch.iterdir()) == []


def test_a_folder_that_it_closed_is_cleared_away(tmp_path: Path, scratch: Path) -> None:
    end = ending(
        tmp_path, "import os\nos.makedirs('a/b')\nopen('a/b/c', 'w').close()\nos.chmod('a/b', 0)\nos.chmod('a', 0)"
    )
    assert end.code == 0
    assert list(scratch.iterdir()) == []


@LINUX
def test_children_that_left_their_session_and_their_variables_are_gone_too(tmp_path: Path, scratch: Path) -> None:
    marker = f"orphan-{os.getpid()}-{time.time_ns()}"
    code = (
        "import os, subprocess, sys\n"
        f"child = [sys.executable, '-c', 'import time; time.sleep(600)', {marker!r}]\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        subprocess.Popen(child, env={}, start_new_session=True)\n"
        "        os._exit(0)\n"
        "import time; time.sleep(1); print('left')\n"
    )
    end = ending(tmp_path, code)
    assert (end.code, end.output) == (0, "left\n")
    assert alive(marker) == []


@LINUX
def test_one_that_forks_without_end_is_stopped(tmp_path: Path, scratch: Path) -> None:
    fork = "    if os.fork() == 0: time.sleep(600)\n    time.sleep(0.01)\n"
    code = f"import os, time\nfor _ in range(200):\n{fork}time.sleep(600)"
    end = ending(tmp_path, code, processes=20)
    assert (end.stopped, end.reason) == (Status.RUN_FAILED, "started more than 20 processes")


def test_one_that_prints_a_hundred_megabytes_is_survived(tmp_path: Path, scratch: Path) -> None:
    end = ending(tmp_path, "print('first')\nfor _ in range(100): print('x' * 1_000_000)\nprint('last')")
    assert end.code == 0
    assert end.output.startswith("first\nxxx")
    assert end.output.endswith("xxx\nlast\n")
    assert len(end.output) < module.HEAD_BYTES + module.TAIL_BYTES + 100


def test_one_that_fills_the_disk_is_stopped_at_the_bound(tmp_path: Path, scratch: Path) -> None:
    code = "import time\nfor i in range(1000):\n    open(str(i), 'wb').write(bytes(2**20))\n    time.sleep(0.02)\n"
    end = ending(tmp_path, code, disk_mib=20)
    assert end.stopped is Status.RUN_FAILED
    assert end.reason.endswith("of the 20 MiB allowed")
    assert list(scratch.iterdir()) == []


def test_no_single_file_grows_beyond_the_bound(tmp_path: Path, scratch: Path) -> None:
    end = ending(
        tmp_path, "with open('x', 'wb') as file:\n    for _ in range(100): file.write(bytes(2**20))", disk_mib=20
    )
    assert end.code == 1
    assert "File too large" in end.output


def test_one_that_takes_more_memory_than_it_may_is_stopped(tmp_path: Path, scratch: Path) -> None:
    code = "import time\nkept = []\nwhile True:\n    kept.append(b'x' * 10_000_000)\n    time.sleep(0.02)"
    end = ending(tmp_path, code, memory_mib=150)
    assert end.stopped is Status.OUT_OF_MEMORY
    assert end.reason.endswith("of the 150 MiB allowed")


def test_one_that_kills_what_watches_it_is_told_as_a_crash(tmp_path: Path, scratch: Path) -> None:
    end = ending(tmp_path, "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(600)")
    assert end.stopped is Status.CRASHED
    assert list(scratch.iterdir()) == []


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path, scratch: Path) -> None:
    path = tmp_path / "repro.py"
    path.write_text("")
    end = run_script(path, tmp_path / "no-python", Bounds(10.0))
    assert end.stopped is Status.CRASHED
    assert "No such file" in end.reason
