"""A run being written: every row that `append` returned from is there, whole, once, and in one process only."""

import subprocess
import sys
import textwrap
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.records.damage import DamagedFile, NewerSchema
from kb.records.folder import RunError, RunFinished, RunFolder, RunLocked
from kb.records.lines import InvalidRow, normal_row
from kb.records.reading import read_run
from kb.records.run import RUN_NAME, Validity, new_run_name
from kb.records.schema import BENCHMARKS, SCHEMA_VERSION
from kb.records.statuses import Status
from tests.records.conftest import CASES, ROWS, change_line, snapshot
from tests.records.synthetic import MACHINE, TROUBLED, make_info, make_rows

ROOT = Path(__file__).parents[2]
INFO = make_info(1, CASES, 2)


def sound_rows(**changes: Any) -> list[dict[str, Any]]:
    return [row | changes for row in make_rows(1, CASES, 2)]


@pytest.fixture
def run(results: Path) -> Any:
    with RunFolder.create(results, INFO) as folder:
        yield folder


class TestName:
    def test_has_start_in_utc_machine_and_random_digits(self) -> None:
        local = datetime(2026, 11, 22, 4, 15, tzinfo=timezone(timedelta(hours=1)))
        name = new_run_name(local, MACHINE.id)
        assert name.startswith(f"20261122T031500Z-{MACHINE.id}-")
        assert RUN_NAME.fullmatch(name)
        assert len({new_run_name(local, MACHINE.id) for _ in range(20)}) > 10


class TestCreate:
    def test_makes_the_folder_with_its_run_json(self, results: Path, run: RunFolder) -> None:
        assert run.path == results / "runs" / "2026" / INFO.run
        assert read_run(run.path).runs[0].info == INFO
        assert sorted(path.relative_to(results).as_posix() for path in results.rglob("*")) == [
            "runs",
            "runs/2026",
            f"runs/2026/{INFO.run}",
            f"runs/2026/{INFO.run}/run.json",
        ]

    def test_never_touches_a_run_that_is_there(self, results: Path, run: RunFolder) -> None:
        run.append(BENCHMARKS, sound_rows()[0])
        before = snapshot(results)
        with pytest.raises(FileExistsError, match=INFO.run):
            RunFolder.create(results, INFO)
        assert snapshot(results) == before

    @pytest.mark.parametrize(
        "name", ["../../../elsewhere", "20261122T031500Z-00000000-0001", "run", f"20261122-{MACHINE.id}-0001", ""]
    )
    def test_refuses_other_names(self, results: Path, name: str) -> None:
        with pytest.raises(ValueError, match="not the name of a run"):
            RunFolder.create(results, INFO.model_copy(update={"run": name}))
        assert not results.exists()

    def test_refuses_what_json_cannot_hold(self, results: Path) -> None:
        with pytest.raises(ValueError, match="JSON"):
            RunFolder.create(results, make_info(1, CASES, 2, settings={"limit": float("inf")}))
        assert not results.exists()


class TestAppend:
    def test_row_comes_back_typed(self, run: RunFolder) -> None:
        rows = list(make_rows(3, CASES, 4, mix=TROUBLED))
        for row in rows:
            run.append(BENCHMARKS, row)
        assert run.rows(BENCHMARKS) == [normal_row(BENCHMARKS, row) for row in rows]

    def test_is_on_disk_when_it_returns(self, run: RunFolder) -> None:
        for count, row in enumerate(sound_rows(), start=1):
            run.append(BENCHMARKS, row)
            assert len(read_run(run.path).benchmarks) == count

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
    @given(reason=st.text(alphabet=st.characters(), min_size=1), seconds=st.floats(0, 1e300))
    def test_any_text_and_number_comes_back(self, run: RunFolder, reason: str, seconds: float) -> None:
        row = sound_rows(status="crashed", stage="load", reason=reason, import_s=seconds)[0]
        row |= {"replicate": len(run.rows(BENCHMARKS)), "latency_p50_ms": None, "latency_iqr_ms": None}
        row |= {"latency_p90_ms": None, "latency_p99_ms": None, "peak_rss_mib": None}
        run.append(BENCHMARKS, row)
        kept = normal_row(BENCHMARKS, row)
        assert run.rows(BENCHMARKS)[-1] == kept
        read = read_run(run.path).benchmarks.iloc[-1]
        assert (read.reason, read.import_s) == (kept["reason"], kept["import_s"])

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"laten_p50": 1.0}, "unknown column 'laten_p50'"),
            ({"batch": 0}, "`batch`: expected at least 1, found 0"),
            ({"batch": "1"}, "`batch`: expected an integer, found '1'"),
            ({"status": "okay"}, "`status`: expected one of ok, .*, found 'okay'"),
            ({"model": None}, "`model`: expected a value.*, found nothing"),
            ({"import_s": float("nan")}, "`import_s`: expected a finite number, found nan"),
            ({"latency_p50_ms": 0.0}, "`latency_p50_ms`: expected more than 0, found 0.0"),
            ({"latency_p50_ms": None}, "`latency_p50_ms`: A timed row that is ok has a latency"),
            ({"status": "timeout", "reason": "slow"}, "A row that is not ok carries no speed"),
            ({"reason": "but why"}, "A row that is ok has no failed stage and no reason"),
        ],
    )
    def test_refuses_what_the_schema_does_not_allow(self, run: RunFolder, change: Any, complaint: str) -> None:
        row = next(row for row in sound_rows() if row["kind"] == "latency")
        with pytest.raises(InvalidRow, match=complaint):
            run.append(BENCHMARKS, row | change)
        assert run.rows(BENCHMARKS) == []

    def test_refuses_a_missing_column(self, run: RunFolder) -> None:
        row = sound_rows()[0]
        del row["stage"]
        with pytest.raises(InvalidRow, match="column `stage` is missing"):
            run.append(BENCHMARKS, row)

    def test_refuses_a_failure_without_a_reason(self, run: RunFolder) -> None:
        row = next(iter(make_rows(1, CASES, 1, unsupported=CASES)))
        with pytest.raises(InvalidRow, match="says why"):
            run.append(BENCHMARKS, row | {"reason": None})

    def test_refuses_the_same_key_twice_also_after_reopening(self, results: Path, run: RunFolder) -> None:
        row = sound_rows()[0]
        run.append(BENCHMARKS, row)
        with pytest.raises(InvalidRow, match=f"there is a row of model={row['model']}.* already"):
            run.append(BENCHMARKS, row)
        run.release()
        with RunFolder.reopen(run.path) as again, pytest.raises(InvalidRow, match="already"):
            again.append(BENCHMARKS, row)
        assert len(read_run(run.path).benchmarks) == 1

    def test_row_that_does_not_fit_on_the_disk_leaves_nothing_behind(self, results: Path) -> None:
        # A limit on the size of files makes the kernel write a part of the line, as a full disk does.
        child = run_child(
            """
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, resource.RLIM_INFINITY))
            run = RunFolder.create(results, make_info(1, CASES, 20))
            try:
                for row in make_rows(1, CASES, 20):
                    run.append(BENCHMARKS, row)
            except OSError as error:
                print(len(run.rows(BENCHMARKS)), error)
            """,
            results,
        )
        count, _, message = child.partition(" ")
        [path] = results.glob("runs/*/*")
        assert "bytes could be written" in message
        assert len(read_run(path).benchmarks) == int(count) > 5
        assert (path / BENCHMARKS.file_name).read_bytes().endswith(b"\n")


class TestFinish:
    def test_writes_end_rows_and_counts(self, run: RunFolder) -> None:
        rows = list(make_rows(3, CASES, 8, mix=TROUBLED))
        for row in rows:
            run.append(BENCHMARKS, row)
        info = run.finish(validity=Validity.VALID, conditions={"load_1m": 1.5})
        assert info == read_run(run.path).runs[0].info
        assert info.finished
        assert info.rows == {"benchmarks": len(rows)}
        statuses = [str(row["status"]) for row in rows]
        assert info.counts == {"benchmarks": {status: statuses.count(status) for status in set(statuses)}}
        assert info.conditions == {"load_1m": 1.5}

    def test_is_the_end(self, run: RunFolder) -> None:
        run.append(BENCHMARKS, sound_rows()[0])
        run.finish(validity=Validity.VALID)
        before = snapshot(run.path)
        with pytest.raises(RunFinished, match="start a new one"):
            run.append(BENCHMARKS, sound_rows()[1])
        with pytest.raises(RunFinished):
            run.finish(validity=Validity.VALID)
        run.release()
        with pytest.raises(RunFinished):
            RunFolder.reopen(run.path)
        assert snapshot(run.path) == before

    def test_of_a_run_without_rows(self, run: RunFolder) -> None:
        info = run.finish(validity=Validity.INVALID, reasons=("nothing was measured",))
        assert (info.rows, info.counts) == ({}, {})
        assert read_run(run.path).runs[0].info.reasons == ("nothing was measured",)

    @pytest.mark.parametrize(
        ("fields", "complaint"),
        [
            ({"validity": Validity.VALID, "rows": {"benchmarks": 5}}, "rows is not set when a run ends"),
            ({"validity": Validity.VALID, "machine": MACHINE}, "machine is not set"),
            ({"validity": Validity.VALID, "nois": None}, "nois"),
            ({"validity": Validity.VALID, "reasons": ("busy",)}, "INVALID has reasons"),
            ({"validity": Validity.INVALID}, "INVALID has reasons"),
            ({"validity": Validity.UNFINISHED}, "UNFINISHED if and only if"),
            ({"validity": Validity.VALID, "conditions": {"load_1m": float("nan")}}, "finite"),
        ],
    )
    def test_refuses_what_does_not_belong_to_an_end(self, run: RunFolder, fields: Any, complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            run.finish(**fields)
        assert read_run(run.path).runs[0].info == INFO


class TestReopen:
    def test_goes_on_where_it_stopped(self, unfinished: Path) -> None:
        extra = sound_rows(replicate=7)[0]
        with RunFolder.reopen(unfinished) as run:
            assert len(run.rows(BENCHMARKS)) == ROWS
            run.append(BENCHMARKS, extra)
            info = run.finish(validity=Validity.VALID)
        assert info.rows == {"benchmarks": ROWS + 1}
        assert list(read_run(unfinished).benchmarks.replicate)[-1] == 7

    def test_of_a_run_without_rows(self, run: RunFolder) -> None:
        run.release()
        with RunFolder.reopen(run.path) as again:
            again.append(BENCHMARKS, sound_rows()[0])
        assert len(read_run(run.path).benchmarks) == 1

    def test_cuts_off_a_torn_last_line_wherever_it_was_torn(self, unfinished: Path) -> None:
        path = unfinished / BENCHMARKS.file_name
        whole = path.read_bytes()
        last = whole.rindex(b"\n", 0, -1) + 1
        for length in range(last, len(whole)):
            path.write_bytes(whole[:length])
            with RunFolder.reopen(unfinished) as run:
                assert len(run.rows(BENCHMARKS)) == ROWS - 1
            assert path.read_bytes() == whole[:last]

    def test_cuts_off_a_last_line_that_a_power_cut_left_as_zeros(self, unfinished: Path) -> None:
        path = unfinished / BENCHMARKS.file_name
        change_line(path, ROWS + 1, lambda line: bytes(len(line)))
        with RunFolder.reopen(unfinished) as run:
            assert len(run.rows(BENCHMARKS)) == ROWS - 1

    def test_refuses_any_other_damage_and_keeps_it_as_evidence(self, unfinished: Path) -> None:
        path = unfinished / BENCHMARKS.file_name
        change_line(path, 3, lambda line: line.replace(b"mlp8", b"mlp9"))
        before = snapshot(unfinished)
        with pytest.raises(DamagedFile, match=r"benchmarks.csv:3: column `check`"):
            RunFolder.reopen(unfinished)
        assert snapshot(unfinished) == before

    def test_removes_what_a_kill_left_half_written(self, unfinished: Path) -> None:
        leftover = unfinished / ".unfinished-run.json-0badcafe"
        leftover.write_bytes(b"{")
        RunFolder.reopen(unfinished).release()
        assert not leftover.exists()

    def test_refuses_a_newer_schema(self, unfinished: Path) -> None:
        path = unfinished / "run.json"
        key = '"schema_version": '
        path.write_text(path.read_text().replace(f"{key}{SCHEMA_VERSION}", f"{key}{SCHEMA_VERSION + 1}"))
        with pytest.raises(NewerSchema, match="update kb"):
            RunFolder.reopen(unfinished)

    def test_of_no_folder(self, results: Path) -> None:
        with pytest.raises(FileNotFoundError):
            RunFolder.reopen(results / "runs" / "2026" / INFO.run)


class TestLock:
    def test_two_processes_cannot_write_one_run(self, results: Path) -> None:
        script = "run = RunFolder.create(results, make_info(1, CASES, 2)); print(run.path, flush=True); input()"
        with start_child(script, results) as child:
            assert child.stdout is not None
            path = Path(child.stdout.readline().strip())
            with pytest.raises(RunLocked, match="another process is writing"):
                RunFolder.reopen(path)
            child.kill()
            child.wait()
            RunFolder.reopen(path).release()

    def test_nor_can_one_process_twice(self, run: RunFolder) -> None:
        with pytest.raises(RunLocked):
            RunFolder.reopen(run.path)

    def test_leaves_no_file_behind(self, run: RunFolder) -> None:
        assert [path.name for path in run.path.iterdir()] == ["run.json"]

    def test_released_run_is_not_written(self, run: RunFolder) -> None:
        run.release()
        run.release()
        with pytest.raises(RunError, match="reopen it"):
            run.append(BENCHMARKS, sound_rows()[0])

    def test_is_given_up_when_reopening_fails(self, finished: Path) -> None:
        for _ in range(2):
            with pytest.raises(RunFinished):
                RunFolder.reopen(finished)


def test_writing_needs_no_pandas(results: Path) -> None:
    heavy = run_child("print(sorted({'pandas', 'pyarrow', 'numpy'} & set(sys.modules)))", results)
    assert heavy == "[]"


def test_a_status_is_text_in_the_row(run: RunFolder) -> None:
    run.append(BENCHMARKS, sound_rows()[0])
    assert type(run.rows(BENCHMARKS)[0]["status"]) is str
    assert run.rows(BENCHMARKS)[0]["status"] == Status.OK


_PROLOGUE = """
import sys
from pathlib import Path
from kb.records.folder import RunFolder
from kb.records.schema import BENCHMARKS
from tests.records.synthetic import make_info, make_rows
from kb.records.case import Case
CASES = (Case("mlp8", "torch-eager"), Case("mlp8", "onnxruntime"))
results = Path(sys.argv[1])
"""


def start_child(script: str, results: Path) -> "subprocess.Popen[str]":
    """A Python process that runs the script, for what one process cannot show alone."""
    code = _PROLOGUE + textwrap.dedent(script)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(results)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_child(script: str, results: Path) -> str:
    with start_child(script, results) as child:
        output, _ = child.communicate()
    assert child.returncode == 0
    return output.strip()
