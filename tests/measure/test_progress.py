"""What a person or a log sees of a run."""

import contextlib
import io
import os
import pty
import subprocess
import sys

from kb.measure.progress import PlainProgress, TimeLeft, describe_row, duration, progress_for
from kb.records.case import Case, Job, Kind

FAST, SLOW = Case("m", "onnxruntime"), Case("m", "torch-compile")
JOBS = [Job(case, Kind.LATENCY, number) for number in range(3) for case in (FAST, SLOW)]


def row(status: str = "ok", **values: object) -> dict[str, object]:
    return {"status": status, "kind": "latency", "reason": "", "latency_p50_ms": 1.23456, **values}


def test_the_time_left_follows_what_each_runtime_took():
    left = TimeLeft(JOBS)
    left.finished(JOBS[0], 2.0)
    left.finished(JOBS[1], 20.0)
    assert left.seconds() == 2 * 2.0 + 2 * 20.0


def test_a_runtime_not_seen_yet_is_taken_for_the_average():
    left = TimeLeft(JOBS)
    left.finished(JOBS[0], 4.0)
    assert left.seconds() == 2 * 4.0 + 3 * 4.0


def test_a_log_has_one_line_per_row_with_count_and_time_left():
    stream = io.StringIO()
    progress = PlainProgress(stream)
    progress.preparing("m: model")
    progress.begin(JOBS, done=4)
    progress.running(JOBS[0])
    progress.finished(JOBS[0], row(), 3.0)
    progress.end()
    assert stream.getvalue().splitlines() == [
        "preparing m: model",
        "[5/10] m/onnxruntime/cpu/fp32/b1/t1/current latency 1.235 ms (15 s left)",
    ]


def test_a_failure_is_shown_with_its_reason():
    assert describe_row(row("timeout", reason="no answer within 8 s")) == "timeout: no answer within 8 s"
    assert describe_row(row(kind="memory", peak_rss_mib=311.6, latency_p50_ms=None)) == "312 MiB"


def test_durations_read_well():
    assert duration(59.4) == "59 s"
    assert duration(185) == "3 min 05 s"


def test_what_is_not_a_terminal_gets_plain_lines():
    assert isinstance(progress_for(io.StringIO()), PlainProgress)


def test_a_terminal_gets_a_live_display_with_case_count_and_time_left(project):
    reader, terminal = pty.openpty()
    command = [sys.executable, "-m", "kb.cli", "-C", str(project), "bench", "--profile", "tiny", "numpy"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=terminal, env=environment)
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):  # Linux says so when the other end is closed
        while data := os.read(reader, 65536):
            seen += data
    os.close(reader)
    assert process.wait() == 0
    assert b"affine/numpy/cpu/fp32/b1/t1/current" in seen
    assert b"5/5" in seen
    assert b" left" in seen
    assert b"\x1b[" in seen, "it moves the cursor instead of scrolling"
