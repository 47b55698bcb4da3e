"""What a worker process does for the bench: one function a task, its arguments and answer such as JSON can hold."""

import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from kb.discovery import UnknownPart
from kb.measure.correctness import judge
from kb.measure.protocol import finished_call, measure_steady, timed
from kb.measure.provenance import model_hash, protocol_hash
from kb.models.catalogue import ModelSpec
from kb.models.interface import Array, Model, Source
from kb.records.case import Case
from kb.records.fingerprints import weights_hash
from kb.records.statuses import Status
from kb.runtimes.catalogue import BadRuntime, load_runtime
from kb.runtimes.interface import Runtime, Session
from kb.workers.stages import enter

#: Files that `reference` writes.
INPUTS, EXPECTED = "inputs.npz", "expected.npz"
#: Calls before peak memory is read: allocators have then taken what a steady loop needs.
MEMORY_CALLS = 5


def describe(model: dict[str, Any], runtimes: dict[str, str], cases: list[dict[str, Any]]) -> dict[str, Any]:
    """What must be known of a model before its cases are scheduled. Imports no framework.

    Returns:
        `model_hash`, `weights_hash`; `protocol_hash` by runtime; `broken`: runtime -> reason; `refusals`: case id ->
        reason; `converts`: case ids.
    """
    enter("model")
    loaded = ModelSpec.from_dict(model).load()
    weights = loaded.weights()
    enter("runtime")
    parts: dict[str, Runtime] = {}
    broken: dict[str, str] = {}
    for name, target in runtimes.items():
        try:
            parts[name] = load_runtime(target)
        except (UnknownPart, ImportError, BadRuntime) as error:  # one bad runtime must not cost the others their rows
            broken[name] = f"{type(error).__name__}: {error}"
    wanted = [case for values in cases if (case := Case.from_dict(values)).runtime in parts]
    reasons = {case.id: parts[case.runtime].refuse(loaded, case) for case in wanted}
    refusals = {identity: reason for identity, reason in reasons.items() if reason is not None}
    return {
        "model_hash": model_hash(loaded),
        "weights_hash": weights_hash(weights) if weights else None,
        "protocol_hash": {name: protocol_hash(part) for name, part in parts.items()},
        "broken": broken,
        "refusals": refusals,
        "converts": [c.id for c in wanted if c.id not in refusals and parts[c.runtime].converts(loaded)],
    }


def reference(model: dict[str, Any], batch: int, seed: int, folder: str) -> dict[str, Any]:
    """Write the inputs of a batch size and the reference outputs, and say where the outputs come from."""
    enter("model")
    loaded = ModelSpec.from_dict(model).load()
    enter("reference")
    inputs = loaded.inputs(batch, seed)
    outputs, origin = loaded.reference(inputs)
    write_arrays(Path(folder) / INPUTS, inputs)
    write_arrays(Path(folder) / EXPECTED, {str(index): array for index, array in enumerate(outputs)})
    return {"reference": origin}


def convert(model: dict[str, Any], runtime: str, case: dict[str, Any], inputs: str, folder: str) -> dict[str, Any]:
    """Export or compile ahead of time, once per run. The framework is imported and the model built beforehand."""
    loaded, part, wanted = _open(model, runtime, case)
    enter("build")
    if Source.TORCH in loaded.sources:
        loaded.torch_module()
    elif Source.KERAS in loaded.sources:
        loaded.keras_model()
    enter("convert")
    path, seconds = timed(lambda: part.convert(loaded, read_arrays(Path(inputs)), wanted, Path(folder)))
    return {"artefact": str(path), "convert_s": seconds}


def baseline(runtime: str, case: dict[str, Any]) -> dict[str, Any]:
    """Peak memory of a process that only imports the framework."""
    part = load_runtime(runtime)
    enter("import")
    part.start(Case.from_dict(case))
    return {"baseline_rss_mib": peak_rss_mib()}


def latency(
    model: dict[str, Any],
    runtime: str,
    case: dict[str, Any],
    inputs: str,
    reference: str,
    artefact: str | None,
    percentiles: bool,
) -> dict[str, Any]:
    """Cold stages, correctness, and, if that is given, steady latency: the figures of one row, with its status."""
    session, figures = _cold(model, runtime, case, inputs, artefact)
    enter("check")
    agreement = judge(session.outputs(), list(read_arrays(Path(reference)).values()), case["precision"])
    figures |= {
        "status": agreement.status,
        "reason": agreement.reason,
        "error_max_abs": agreement.error_max_abs,
        "error_relative": agreement.error_relative,
        "tolerance_relative": agreement.tolerance_relative,
        "threads_reported": session.threads(),
    }
    if agreement.status is Status.OK:
        enter("measure")
        figures |= asdict(measure_steady(session, percentiles=percentiles))
        figures["peak_device_mib"] = session.peak_device_mib()
    return figures


def memory(
    model: dict[str, Any], runtime: str, case: dict[str, Any], inputs: str, artefact: str | None
) -> dict[str, Any]:
    """Peak resident memory of a process that loads the model and calls it a few times."""
    session, _ = _cold(model, runtime, case, inputs, artefact)
    for _ in range(MEMORY_CALLS):
        finished_call(session)
    return {"peak_rss_mib": peak_rss_mib(), "peak_device_mib": session.peak_device_mib()}


def _open(model: dict[str, Any], runtime: str, case: dict[str, Any]) -> tuple[Model, Runtime, Case]:
    enter("model")
    loaded = ModelSpec.from_dict(model).load()
    enter("runtime")
    return loaded, load_runtime(runtime), Case.from_dict(case)


def _cold(
    model: dict[str, Any], runtime: str, case: dict[str, Any], inputs: str, artefact: str | None
) -> tuple[Session, dict[str, Any]]:
    """Everything up to the end of the first call, each stage timed."""
    loaded, part, wanted = _open(model, runtime, case)
    arrays = read_arrays(Path(inputs))
    figures: dict[str, Any] = {}

    def stage(name: str, column: str, work: Callable[[], Any]) -> Any:
        enter(name)
        result, figures[column] = timed(work)
        return result

    stage("import", "import_s", lambda: part.start(wanted))
    built: Any = Path(artefact) if artefact else stage("build", "build_s", lambda: part.build(loaded, wanted))
    session: Session = stage("load", "load_s", lambda: part.load(built, arrays, wanted))
    stage("first call", "first_call_s", lambda: finished_call(session))
    return session, figures


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays to an ``.npz`` file, in their order. Names are kept apart: any is allowed, also `file`."""
    numbered = {f"array_{index}": array for index, array in enumerate(arrays.values())}
    np.savez(path, names=np.array(list(arrays), dtype=np.str_), allow_pickle=False, **numbered)


def read_arrays(path: Path) -> dict[str, Array]:
    """The arrays that `write_arrays` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return {str(name): file[f"array_{index}"] for index, name in enumerate(file["names"])}


def peak_rss_mib() -> float:
    """Peak resident memory of this process: VmHWM on Linux, `ru_maxrss` elsewhere."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
