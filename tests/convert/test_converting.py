"""A run of conversions: one row each whatever the converter does, resumed where it stopped, and read back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kb.config import GateSettings, Settings, load_settings
from kb.convert.conversion import Conversion
from kb.convert.converting import Converting, new_run, refuse_another_series
from kb.convert.opsets import compatibility
from kb.convert.plan import Planned
from kb.machine.fingerprint import fingerprint
from kb.measure.crew import Crew
from kb.measure.runs import ResumeError
from kb.models.catalogue import ModelSpec
from kb.records.folder import RunFolder
from kb.records.reading import read_results
from kb.records.run import Validity
from kb.records.statuses import Status

pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

ROOT = Path(__file__).parents[2]
MODELS = {name: ModelSpec(name, f"tests.convert.small:{kind}") for name, kind in (
    ("small", "Small"), ("small_labelled", "SmallLabelled"),
)}  # fmt: skip
BAD = "tests.convert.bad_routes"
ROUTES = {
    "torch-torchscript": "kb.convert.torch_routes:TorchTorchscript",
    "torch-dynamo": "kb.convert.torch_routes:TorchDynamo",
    "keras-export": "kb.convert.keras_routes:KerasExport",
    "hangs": f"{BAD}:Hangs",
    "segfaults": f"{BAD}:Segfaults",
    "writes-nothing": f"{BAD}:WritesNothing",
    "exits": f"{BAD}:ExitsWithoutAFile",
    "raises": f"{BAD}:Raises",
    "garbage": f"{BAD}:WritesGarbage",
    "keeps-18": f"{BAD}:SilentlyKeepsItsOpset",
    "broken": f"{BAD}:WritesOnly",
}


class Silent:
    """Says nothing."""

    def preparing(self, model: str) -> None: ...

    def finished(self, conversion: Conversion, row: dict[str, Any], number: int, of: int, seconds: float) -> None: ...


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "pyproject.toml").write_text("[tool.kb]\n")
    return load_settings(tmp_path)


def begun(settings: Settings, conversions: Sequence[Conversion]) -> RunFolder:
    planned = Planned(tuple(conversions), (), {"runtime_opset": 21})
    return new_run(settings, "quick", planned, fingerprint(), command="convert", commit=None)


def converting(timeout_s: float = 120.0, gates: Sequence[GateSettings] = ()) -> Converting:
    crew = Crew(ROOT, timeout_s, None, pin=False)
    return Converting(crew, MODELS, ROUTES, gates, 2, Silent())


def rows_of(settings: Settings, conversions: Sequence[Conversion], **options: Any) -> dict[str, dict[str, Any]]:
    with begun(settings, conversions) as run:
        info = converting(**options).execute(run)
    assert info.finished
    results = read_results(settings.results)
    rows = results.conversions.astype(object).where(results.conversions.notna(), None).to_dict("records")
    return {f"{row['route']}/{row['precision']}": row for row in rows}


@pytest.mark.slow
def test_every_conversion_has_a_row_and_a_bad_converter_costs_only_its_own(settings: Settings) -> None:
    good = Conversion("small", "torch-torchscript")
    bad = [Conversion("small", route) for route in ROUTES if route not in ("torch-dynamo", "torch-torchscript")]
    rows = rows_of(settings, [good, *bad], timeout_s=12.0)
    assert {key.partition("/")[0]: (row["status"], row["stage"]) for key, row in rows.items()} == {
        "torch-torchscript": (Status.OK, None),
        "keras-export": (Status.UNSUPPORTED, "plan"),
        "hangs": (Status.TIMEOUT, "export"),
        "segfaults": (Status.CRASHED, "export"),
        "writes-nothing": (Status.EXPORT_FAILED, "export"),
        "exits": (Status.EXPORT_FAILED, "export"),
        "raises": (Status.EXPORT_FAILED, "export"),
        "garbage": (Status.CHECK_FAILED, "checker"),
        "keeps-18": (Status.OK, None),
        "broken": (Status.ENVIRONMENT_FAILED, "route"),
    }
    assert all(row["reason"] and "\n" not in row["reason"] for row in rows.values() if row["status"] != Status.OK)


@pytest.mark.slow
def test_an_opset_silently_kept_is_caught(settings: Settings) -> None:
    row = rows_of(settings, [Conversion("small", "keeps-18", opset=16)])["keeps-18/fp32"]
    assert (row["status"], row["stage"]) == (Status.CHECK_FAILED, "opset")
    assert row["opset_got"] == 18


@pytest.mark.slow
def test_a_row_says_what_the_conversion_took_and_how_it_was_judged(settings: Settings) -> None:
    row = rows_of(settings, [Conversion("small_labelled", "torch-torchscript")])["torch-torchscript/fp32"]
    assert row["status"] == Status.OK, row["reason"]
    assert row["checks_passed"] == 8  # accuracy among them
    assert row["peak_rss_mib"] > 100
    assert row["convert_s"] > 0
    assert row["nodes"] == 2
    assert 0 < row["error_relative"] < row["tolerance_relative"] < 1e-4
    assert row["noise_relative"] > 0
    assert row["reference"] == "float64"
    assert (row["samples"], row["flips"], row["mcnemar_p"]) == (3200, 0, 1.0)
    assert 80 < row["accuracy_before_pct"] < 92
    assert row["loss_upper_pp"] <= 0.1
    assert row["converter"].startswith("torch ")


@pytest.mark.slow
def test_fewer_bits_follow_from_one_export_in_float32(settings: Settings) -> None:
    precisions = ("fp32", "fp16", "int8-dynamic", "int8-static", "int8-static-channel")
    planned = [Conversion("small_labelled", "torch-torchscript", precision) for precision in precisions]
    rows = rows_of(settings, planned, gates=(GateSettings(loss_pp=5.0),))
    exact = compatibility()
    certain = [
        precision
        for precision in precisions
        if not precision.startswith("int8") or exact["exact_dynamic" if precision == "int8-dynamic" else "exact_static"]
    ]  # where a CPU's 8-bit products overflow, they are wrong, and found so
    judged = [rows[f"torch-torchscript/{precision}"] for precision in certain]
    assert {row["status"] for row in judged} == {Status.OK}, [row["reason"] for row in judged]
    assert {row["gate_pp"] for row in judged} == {5.0}
    errors = [rows[f"torch-torchscript/{precision}"]["error_relative"] for precision in ("fp32", "fp16", "int8-static")]
    assert errors[0] < errors[1] < errors[2]


@pytest.mark.slow
def test_the_gate_of_the_settings_decides(settings: Settings) -> None:
    tight = GateSettings(models=("small_*",), precisions=("fp32",), loss_pp=0.01)
    row = rows_of(settings, [Conversion("small_labelled", "torch-torchscript")], gates=(tight,))
    found = row["torch-torchscript/fp32"]
    assert (found["status"], found["stage"], found["gate_pp"]) == (Status.ACCURACY_FAILED, "accuracy", 0.01)


@pytest.mark.slow
def test_a_run_that_was_interrupted_does_only_what_is_missing(settings: Settings) -> None:
    planned = [Conversion("small", "torch-torchscript"), Conversion("small", "raises")]

    class Interrupted(Silent):
        def finished(self, conversion: Conversion, row: dict[str, Any], number: int, of: int, seconds: float) -> None:
            raise KeyboardInterrupt

    with begun(settings, planned) as run:
        stopped = converting()
        stopped.progress = Interrupted()
        with pytest.raises(KeyboardInterrupt):
            stopped.execute(run)
        path = run.path
    with RunFolder.reopen(path) as run:
        info = converting().execute(run)
    assert info.counts["conversions"] == {"export_failed": 1, "ok": 1}
    assert info.validity is Validity.VALID


def test_a_run_of_other_checks_is_not_continued() -> None:
    row = {"route": "torch-torchscript", "route_hash": "0" * 12}
    with pytest.raises(ResumeError, match="start a new run"):
        refuse_another_series([row], ROUTES)


def test_a_run_in_which_nothing_was_converted_is_invalid(settings: Settings) -> None:
    with begun(settings, [Conversion("small", "keras-export")]) as run:
        info = converting().execute(run)
    assert (info.validity, info.reasons) == (Validity.INVALID, ("nothing was converted",))
