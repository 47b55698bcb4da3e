"""Each planted fault is found by the check that is there for it, with the status that says what is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kb.convert.checks import CHECKS, Finding, Subject, examine, file_facts
from kb.convert.interface import Form
from kb.records.statuses import Status
from tests.convert import files

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

#: About eight times what float32 costs a graph as small as these.
TOLERANCE = 2e-6


def subject(path: Path, opset: int = files.OPSET) -> Subject:
    return Subject(path, Form.ONNX, opset, files.probes(), TOLERANCE, ("float32",))


def last(path: Path, opset: int = files.OPSET) -> Finding:
    return examine(subject(path, opset))[-1]


def test_a_sound_export_passes_every_check_in_their_order(tmp_path: Path) -> None:
    asked = subject(files.sound(tmp_path / "m.onnx"))
    findings = examine(asked)
    assert [finding.check for finding in findings] == [check.name for check in CHECKS]
    assert all(finding.ok for finding in findings)
    assert set(asked.errors) == {probe.name for probe in files.probes()}
    assert all(0 < error.relative < TOLERANCE for error in asked.errors.values())


@pytest.mark.parametrize(
    ("plant", "check", "status", "words"),
    [
        (files.nan, "parity", Status.NOT_FINITE, "values that are not finite"),
        (files.transposed_kernel, "parity", Status.WRONG_OUTPUT, "differs from the model by"),
        (files.narrowed, "parity", Status.WRONG_OUTPUT, "differs from the model by"),
        (files.narrowed_output, "parity", Status.WRONG_OUTPUT, "output 0 is float16 where the model gives float32"),
        (files.baked_branch, "other values", Status.WRONG_OUTPUT, "right as exported, but at"),
        (files.baked_batch, "other shapes", Status.SHAPE_FAILED, "right as exported, but at batch 1 it fails"),
        (files.wrong_elsewhere, "other shapes", Status.SHAPE_FAILED, "right as exported, but at batch 1 differs"),
    ],
)
def test_a_planted_fault_is_caught(
    plant: Callable[[Path], Path], check: str, status: Status, words: str, tmp_path: Path
) -> None:
    finding = last(plant(tmp_path / "m.onnx"))
    assert (finding.check, finding.status) == (check, status)
    assert words in finding.reason


def test_an_opset_that_was_silently_kept_is_no_answer_to_the_one_asked_for(tmp_path: Path) -> None:
    finding = last(files.sound(tmp_path / "m.onnx", opset=18), opset=16)
    assert (finding.check, finding.status) == ("opset", Status.CHECK_FAILED)
    assert finding.reason == "asked for opset 16, the file is of opset 18"


def test_an_operator_that_onnx_does_not_have_is_refused_by_the_checker(tmp_path: Path) -> None:
    path = files.save(tmp_path / "m.onnx", [files.node("Erfc", "x", "y")], [])
    finding = last(path)
    assert (finding.check, finding.status) == ("checker", Status.CHECK_FAILED)
    assert "Erfc" in finding.reason


@pytest.mark.parametrize("content", [b"", b"not an onnx file at all", b"\x08\x09\x3a\xff"])
def test_a_damaged_file_is_refused_by_the_checker(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    finding = last(path)
    assert finding.status is Status.CHECK_FAILED
    assert "\n" not in finding.reason


def test_a_file_that_is_right_only_without_optimisation_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An optimiser that breaks a graph is not to be had on demand: one level is given another file here."""
    from kb.convert import checks

    right, wrong = files.sound(tmp_path / "m.onnx"), files.transposed_kernel(tmp_path / "w.onnx")
    real = checks.open_export

    def opened(path: Path, form: Form, level: str = "ORT_ENABLE_ALL"):  # type: ignore[no-untyped-def]
        return real(wrong if level == "ORT_ENABLE_BASIC" else path, form, level)

    monkeypatch.setattr(checks, "open_export", opened)
    finding = last(right)
    assert (finding.check, finding.status) == ("graph optimisation", Status.WRONG_OUTPUT)
    assert "at ORT_ENABLE_BASIC it differs" in finding.reason


def test_size_nodes_opset_and_ir_version_are_read_from_the_file(tmp_path: Path) -> None:
    path = files.sound(tmp_path / "m.onnx")
    assert file_facts(path, Form.ONNX) == {
        "file_bytes": path.stat().st_size,
        "files": 1,
        "nodes": 2,
        "opset_got": 18,
        "ir_version": 9,
    }


def test_files_beside_the_export_count(tmp_path: Path) -> None:
    import onnx

    path = files.sound(tmp_path / "m.onnx")
    proto = onnx.load(str(path))
    onnx.save(proto, str(path), save_as_external_data=True, location="m.data", size_threshold=0)
    facts = file_facts(path, Form.ONNX)
    assert facts["files"] == 2
    assert facts["file_bytes"] == path.stat().st_size + (tmp_path / "m.data").stat().st_size
