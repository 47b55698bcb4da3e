"""A run on real worker processes: every planned job has its row, whatever the workers do."""

import io

import pytest

from kb.caches import cache_folder
from kb.config import Settings
from kb.machine.fingerprint import fingerprint
from kb.measure.bench import GIVE_UP_AFTER, Bench
from kb.measure.plan import plan
from kb.measure.progress import PlainProgress
from kb.measure.runs import ResumeError, find_run, new_run, refuse_another_series, resume_run
from kb.records.case import Case
from kb.records.folder import RunFinished, RunFolder
from kb.records.reading import read_results
from kb.records.run import Validity
from kb.records.schema import BENCHMARKS
from kb.records.statuses import Status


def started(settings: Settings, profile_name: str, *select: str) -> RunFolder:
    profile = settings.profile(profile_name)
    planned = plan(
        profile_name, profile, profile, settings.model_names(), settings.runtime_targets(), 2, select
    )  # fmt: skip
    return new_run(settings, profile_name, profile, planned, fingerprint(), command="bench", commit=None)


def executed(settings: Settings, profile_name: str, *select: str) -> tuple[RunFolder, str]:
    said = io.StringIO()
    with started(settings, profile_name, *select) as folder:
        Bench.from_settings(settings, PlainProgress(said)).execute(folder)
        return folder, said.getvalue()


def test_a_run_measures_every_case_and_says_how_far_it_can_be_trusted(settings: Settings):
    folder, said = executed(settings, "tiny")
    rows = folder.rows(BENCHMARKS)
    assert {(row["runtime"], row["kind"], row["replicate"]) for row in rows} == {
        *((name, "latency", number) for name in ("numpy", "converting") for number in (0, 1)),
        *((name, "memory", 0) for name in ("numpy", "converting")),
        *(("converting", "aa", number) for number in (0, 1)),
    }
    for row in rows:
        assert (row["status"], row["reason"]) == ("ok", None)
        assert row["baseline_rss_mib"] > 1
        assert (row["convert_s"] is not None) is (row["runtime"] == "converting")
        if row["kind"] == "memory":
            assert row["peak_rss_mib"] >= row["baseline_rss_mib"] * 0.5
            assert row["latency_p50_ms"] is None
        else:
            assert row["latency_p50_ms"] > 0
            assert row["error_relative"] < row["tolerance_relative"]
            assert row["reference"] == "float64"
            assert row["quality"] in {"good", "noisy", "untrusted"}
    info = folder.info
    assert info.validity in (Validity.VALID, Validity.INVALID)
    assert info.noise is not None
    assert info.noise.n == 2
    assert info.noise.case.startswith("affine/converting")
    assert "[8/8]" in said
    assert not cache_folder("runs", info.run).exists()
    assert len(read_results(settings.results).benchmarks) == 8


def test_a_profile_can_do_without_percentiles(settings: Settings):
    profile = settings.profile("tiny").model_copy(update={"replicates": 1, "memory": False, "percentiles": False})
    folder, _ = executed(settings.model_copy(update={"profiles": {"p": profile}}), "p", "numpy")
    rows = folder.rows(BENCHMARKS)
    assert {(row["single_calls"], row["latency_p90_ms"]) for row in rows} == {(0, None)}
    assert all(row["latency_p50_ms"] > 0 for row in rows)


@pytest.mark.slow
def test_every_way_to_fail_is_one_row_with_its_status_and_the_run_goes_on(settings: Settings):
    folder, _ = executed(settings, "bad")
    rows = {row["model"]: row for row in folder.rows(BENCHMARKS) if row["kind"] == "latency"}
    assert len(rows) == sum(row["kind"] == "latency" for row in folder.rows(BENCHMARKS))
    assert {model: row["status"] for model, row in rows.items()} == {
        "hangs": "timeout",
        "segfaults": "crashed",
        "fills_memory": "out_of_memory",
        "prints_garbage": "crashed",
        "floods_stderr": "ok",
        "leaves_a_child": "ok",
        "raises": "load_failed",
        "wrong": "wrong_output",
        "not_finite": "not_finite",
        "no_reference": "check_failed",
        "foreign": "unsupported",
    }
    assert rows["hangs"]["stage"] == "build"
    assert "SIGSEGV" in rows["segfaults"]["reason"]
    assert "600 MiB" in rows["fills_memory"]["reason"]
    assert rows["raises"]["reason"] == "RuntimeError: Could not find an implementation for Gemm(13)"
    assert "foreign is a Keras model; numpy takes a torch module" in rows["foreign"]["reason"]
    for model, row in rows.items():
        measured = model in {"floods_stderr", "leaves_a_child"}
        assert (row["latency_p50_ms"] is not None) is measured, "no speed without right answers"
        assert (row["reason"] is None) is measured
    assert len(read_results(settings.results).benchmarks) == len(folder.rows(BENCHMARKS))


def test_a_case_that_keeps_failing_is_given_up_with_a_row_for_each_replicate(settings: Settings):
    profile = settings.profile("tiny").model_copy(
        update={"models": ("raises",), "runtimes": ("numpy",), "replicates": 4}
    )
    folder, _ = executed(settings.model_copy(update={"profiles": {"p": profile}}), "p")
    statuses = [row["status"] for row in folder.rows(BENCHMARKS)]
    assert statuses == [Status.LOAD_FAILED] * GIVE_UP_AFTER + [Status.NOT_RUN] * (len(statuses) - GIVE_UP_AFTER)
    assert len(statuses) == 4 + 4 + 1
    assert folder.info.validity is Validity.INVALID
    assert folder.info.reasons[0] == "no case was measured"


def test_an_export_that_fails_is_one_row(settings: Settings):
    profile = settings.profile("tiny").model_copy(update={"models": ("segfaults",), "runtimes": ("converting",)})
    folder, _ = executed(settings.model_copy(update={"profiles": {"p": profile}}), "p")
    [row] = folder.rows(BENCHMARKS)
    assert (row["status"], row["stage"]) == ("crashed", "convert")


def test_a_framework_that_is_not_installed_is_told_from_one_that_is_broken(settings: Settings):
    profile = settings.profile("tiny").model_copy(
        update={"runtimes": ("absent", "broken", "nowhere", "numpy"), "replicates": 1}
    )
    folder, _ = executed(settings.model_copy(update={"profiles": {"p": profile}}), "p")
    rows = {row["runtime"]: row for row in folder.rows(BENCHMARKS) if row["kind"] == "latency"}
    assert (rows["absent"]["status"], rows["absent"]["reason"]) == ("unsupported", "tensorflow is not installed")
    assert (rows["broken"]["status"], rows["broken"]["stage"]) == ("environment_failed", "import")
    assert (rows["nowhere"]["status"], rows["nowhere"]["stage"]) == ("environment_failed", "runtime")
    assert "no attribute 'Nowhere'" in rows["nowhere"]["reason"]
    assert rows["numpy"]["status"] == "ok"
    assert [row["runtime"] for row in folder.rows(BENCHMARKS) if row["kind"] == "aa"] == ["numpy"]


def test_a_finished_run_is_not_resumed(settings: Settings):
    folder, _ = executed(settings, "tiny", "numpy")
    with pytest.raises(RunFinished):
        resume_run(folder.path, fingerprint(), settings)


def test_a_run_is_resumed_only_where_it_was_begun(settings: Settings):
    folder = started(settings, "tiny", "numpy")
    folder.release()
    other = fingerprint().model_copy(update={"id": "00000000"})
    with pytest.raises(ResumeError, match="begun on machine"):
        resume_run(folder.path, other, settings)
    without = settings.model_copy(update={"runtimes": {}})
    with pytest.raises(ResumeError, match="no runtime 'numpy' any more"):
        resume_run(folder.path, fingerprint(), without)


def test_a_run_is_not_resumed_with_another_protocol(settings: Settings):
    rows = [{**Case("affine", "numpy").as_dict(), "model_hash": "a", "weights_hash": None, "protocol_hash": "old"}]
    identity = Case("affine", "numpy").id
    refuse_another_series(rows, {identity: {"model_hash": "a", "weights_hash": "b", "protocol_hash": "old"}})
    with pytest.raises(ResumeError, match="rows of protocol_hash old, now it is new; start a new run"):
        refuse_another_series(rows, {identity: {"model_hash": "a", "weights_hash": None, "protocol_hash": "new"}})


def test_a_run_is_found_by_the_end_of_its_name(settings: Settings):
    folder = started(settings, "tiny", "numpy")
    folder.release()
    assert find_run(settings.results, folder.info.run[-4:]) == folder.path
    assert find_run(settings.results, str(folder.path)) == folder.path
    with pytest.raises(ResumeError, match="no run 'nothing'"):
        find_run(settings.results, "nothing")
