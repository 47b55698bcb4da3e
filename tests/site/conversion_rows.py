"""A run of conversions for the tests of the site: every status, a sweep of opsets, accuracy, hostile text."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from kb.convert.conversion import NO_OPSET, Conversion
from kb.convert.converting import minimal_name
from kb.records.folder import MINIMAL_FOLDER, RunFolder
from kb.records.run import Machine, Validity
from kb.records.schema import CONVERSIONS
from kb.records.statuses import Status
from tests.records.synthetic import ending, make_info

USUAL, SWEPT = 18, (16, 17, 19)
LABELLED, PLAIN = "digits_cnn", "mlp8"

#: Statuses of conversions that end before there is a file to judge, with the stage.
WITHOUT_FILE = {
    Status.UNSUPPORTED: "plan",
    Status.NOT_RUN: "export",
    Status.EXPORT_FAILED: "export",
    Status.TIMEOUT: "export",
    Status.OUT_OF_MEMORY: "export",
    Status.CRASHED: "export",
    Status.ENVIRONMENT_FAILED: "route",
}
STAGES = WITHOUT_FILE | {
    Status.CHECK_FAILED: "checker",
    Status.LOAD_FAILED: "load",
    Status.RUN_FAILED: "parity",
    Status.NOT_FINITE: "parity",
    Status.WRONG_OUTPUT: "parity",
    Status.SHAPE_FAILED: "other shapes",
    Status.ACCURACY_FAILED: "accuracy",
}
JUDGED = (Status.OK, Status.WRONG_OUTPUT, Status.SHAPE_FAILED, Status.ACCURACY_FAILED)
BITS = {"fp32": 2e-7, "fp16": 3e-4}

#: Those that are not ok.
ENDINGS: dict[Conversion, Status] = {
    Conversion(LABELLED, "litert", "fp16", NO_OPSET): Status.UNSUPPORTED,
    Conversion(LABELLED, "litert", "int8-static", NO_OPSET): Status.UNSUPPORTED,
    Conversion(LABELLED, "torch-dynamo", "int8-static"): Status.ACCURACY_FAILED,
    Conversion(LABELLED, "keras-export", "int8-static"): Status.WRONG_OUTPUT,
    Conversion(PLAIN, "torch-dynamo", "int8-static"): Status.CRASHED,
    Conversion(PLAIN, "litert", "fp32", NO_OPSET): Status.EXPORT_FAILED,
    Conversion(PLAIN, "litert", "fp16", NO_OPSET): Status.NOT_RUN,
    Conversion(PLAIN, "keras-export", "fp32", 17): Status.EXPORT_FAILED,
    Conversion(PLAIN, "keras-export", "fp32", 19): Status.EXPORT_FAILED,
    Conversion(PLAIN, "torch-dynamo", "fp32", 16): Status.CHECK_FAILED,
    Conversion("unet_block", "torch-dynamo"): Status.TIMEOUT,
    Conversion("unet_block", "keras-export"): Status.OUT_OF_MEMORY,
    Conversion("lstm2", "torch-dynamo"): Status.SHAPE_FAILED,
    Conversion("lstm2", "keras-export"): Status.NOT_FINITE,
    Conversion("pointnet", "torch-dynamo"): Status.RUN_FAILED,
    Conversion("pointnet", "keras-export"): Status.LOAD_FAILED,
    Conversion("pointnet", "litert", "fp32", NO_OPSET): Status.ENVIRONMENT_FAILED,
}
#: Asked for opset 16, gave 18.
CHANGED = Conversion(PLAIN, "torch-dynamo", "fp32", 16)
#: Has a minimal file.
SHRUNK = Conversion(LABELLED, "keras-export", "int8-static")


def planned(hostile: str) -> tuple[Conversion, ...]:
    """Two models in three precisions by three routes, one of them at other opsets too; failures; a hostile one."""
    routes = (("torch-dynamo", USUAL), ("keras-export", USUAL), ("litert", NO_OPSET))
    found = {
        Conversion(model, route, precision, opset)
        for model in (LABELLED, PLAIN)
        for route, opset in routes
        for precision in ("fp32", "fp16", "int8-static")
    }
    found |= {Conversion(PLAIN, route, "fp32", opset) for route, _ in routes[:2] for opset in SWEPT}
    return tuple(sorted({*found, *ENDINGS, Conversion(hostile, hostile)}))


def make_conversions_run(root: Path, seed: int, machine: Machine, started: datetime, hostile: str) -> Path:
    """One run, with a minimal file beside its rows."""
    every = planned(hostile)
    info = make_info(seed, [], 1, machine=machine, started=started).model_copy(
        update={
            "command": "convert",
            "profile": "full",
            "conversions": tuple(each.as_dict() for each in every),
            "compatibility": {
                "onnx_opset": 28,
                "onnx_ir": 14,
                "runtime_opset": 27,
                "runtime_ir": 13,
                "exact_dynamic": 0,
                "exact_static": 1,
            },
        }
    )
    rows = [_planned_row(each, hostile) | {"position": place} for place, each in enumerate(every)]
    with RunFolder.create(root, info) as run:
        run.extend(CONVERSIONS, rows)
        folder = run.path / MINIMAL_FOLDER / minimal_name(SHRUNK)
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(b"one node")
        (folder / "README.md").write_text("How to run it.")
        run.finish(**ending(info, rows, Validity.VALID, ()) | {"noise": None})
        return run.path


def _planned_row(each: Conversion, hostile: str) -> dict[str, Any]:
    if each.model == hostile:
        return conversion_row(each, Status.WRONG_OUTPUT, reason=hostile, diverges_at=hostile, not_isolated=hostile)
    if each == CHANGED:
        return conversion_row(each, ENDINGS[each], stage="opset", opset_got=18)
    return conversion_row(each, ENDINGS.get(each, Status.OK))


def conversion_row(each: Conversion, status: Status = Status.OK, **columns: Any) -> dict[str, Any]:
    """A row as a run writes it: of a labelled model with accuracy, of a failure with what it got to."""
    row = dict.fromkeys(CONVERSIONS.names[1:-1]) | each.as_dict()
    row |= {"status": status, "position": 0, "started": "2026-11-20T03:15:00Z", "weights_hash": "0123456789ab"}
    if status is not Status.OK:
        row |= {"stage": STAGES[status], "reason": f"made to be {status}"}
    if status not in WITHOUT_FILE:
        row |= _file(each)
    if status in JUDGED:
        row |= _errors(each, status)
    if each.model == LABELLED and status in (Status.OK, Status.ACCURACY_FAILED):
        row |= _accuracy(each, status)
    return row | columns


def _file(each: Conversion) -> Mapping[str, Any]:
    whole = each.precision == "fp32"
    return {
        "converter": "torch 2.13.0" if whole else "onnxruntime 1.32.0",
        "convert_s": {"torch-dynamo": 4.0, "keras-export": 2.0}.get(each.route, 1.0) if whole else 0.1,
        "peak_rss_mib": 600.0 if whole else 80.0,
        "file_bytes": {"fp32": 400_000, "fp16": 200_000}.get(each.precision, 120_000),
        "files": 1,
        "nodes": 24,
        "opset_got": each.opset or None,
        "ir_version": 10,
    }


def _errors(each: Conversion, status: Status) -> Mapping[str, Any]:
    noise = BITS.get(each.precision, 1e-2)
    error = 0.9 if status in (Status.WRONG_OUTPUT, Status.SHAPE_FAILED) else 2 * noise
    return {
        "checks_passed": 7,
        "error_max_abs": 3 * error,
        "error_relative": error,
        "noise_relative": noise,
        "tolerance_relative": 8 * noise,
        "reference": "float64",
    }


def _accuracy(each: Conversion, status: Status) -> Mapping[str, Any]:
    failed = status is Status.ACCURACY_FAILED
    return {
        "samples": 3600,
        "accuracy_before_pct": 88.53,
        "accuracy_loss_pp": 0.6 if failed else 0.0,
        "loss_upper_pp": 0.9 if failed else 0.075 if each.precision == "fp32" else 0.2,
        "flips": 60 if failed else 0,
        "mcnemar_p": 0.001 if failed else 1.0,
        "gate_pp": 0.5,
    }
