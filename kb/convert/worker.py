"""What a worker process does for a conversion: one function a task, its arguments and answer such as JSON can hold."""

import json
import math
import resource
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.convert import accuracy, divergence, minimal, noise, precisions
from kb.convert.catalogue import BadRoute, load_route
from kb.convert.checks import Finding, Subject, examine, file_facts
from kb.convert.compare import distance
from kb.convert.execution import ARRANGEMENT_SUFFIX, LEVELS, Execute, open_export
from kb.convert.interface import Form, Route
from kb.convert.original import keras_original, run_keras, run_torch, torch_original
from kb.convert.probes import Probe, examples_of, fixed_batch, probes_of
from kb.convert.probes import read as read_probes
from kb.convert.probes import save as save_probes
from kb.convert.tape import record
from kb.discovery import UnknownPart
from kb.measure.protocol import timed
from kb.measure.provenance import model_hash
from kb.measure.replicate import peak_rss_mib
from kb.models.catalogue import ModelSpec
from kb.models.interface import Array, Model
from kb.models.trained.interface import Labelled, Split
from kb.records.fingerprints import weights_hash
from kb.runtimes.onnx_export import arrangement
from kb.workers.stages import enter

#: Files that `prepare` writes.
PROBES, LABELS = "probes.npz", "labels.npz"
#: Samples that are answered at a time when accuracy is measured, and that calibration sees at a time.
ANSWER_BATCH, CALIBRATION_BATCH = 240, 32
#: Batches that calibration sees.
CALIBRATION_BATCHES = 8


def describe(model: dict[str, Any], routes: dict[str, str], opsets: list[int]) -> dict[str, Any]:
    """What must be known before anything is converted. Imports no framework.

    Returns:
        `model_hash`, `weights_hash`; `broken`: route -> reason; `refusals`: route -> opset (as text) -> reason;
        `forms`: route -> form.
    """
    enter("model")
    loaded = ModelSpec.from_dict(model).load()
    weights = loaded.weights()
    enter("route")
    parts: dict[str, Route] = {}
    broken: dict[str, str] = {}
    for name, target in routes.items():
        try:
            parts[name] = load_route(target)
        except (UnknownPart, ImportError, BadRoute) as error:  # one bad route must not cost the others their rows
            broken[name] = f"{type(error).__name__}: {error}"
    return {
        "model_hash": model_hash(loaded),
        "weights_hash": weights_hash(weights) if weights else None,
        "broken": broken,
        "forms": {name: str(part.form) for name, part in parts.items()},
        "refusals": {
            name: {str(opset): reason for opset in opsets if (reason := part.refuse(loaded, opset)) is not None}
            for name, part in parts.items()
        },
    }


def prepare(model: dict[str, Any], seed: int, cores: int, folder: str) -> dict[str, Any]:
    """Write the probes with their answers and, where the model has labelled data, its own answers to that.

    Returns:
        `reference`, `dtypes`, `noise`: bits -> relative error, `variants`, `labelled`.
    """
    enter("model")
    loaded = ModelSpec.from_dict(model).load()
    enter("reference")
    probes, origin = probes_of(loaded, seed)
    save_probes(probes, Path(folder) / PROBES)
    enter("noise")
    floor = noise.floor_of(loaded, probes, cores)
    labelled = isinstance(loaded, Labelled)
    if isinstance(loaded, Labelled):
        enter("labels")
        samples, labels = loaded.labelled(Split.TEST)
        before = classes(own_execution(loaded), samples)
        with (Path(folder) / LABELS).open("wb") as file:
            np.savez(file, labels=labels, before=before)
    return {
        "reference": origin,
        "dtypes": _dtypes(loaded, probes[0].inputs),
        "noise": dict(floor.relative),
        "variants": dict(floor.variants),
        "labelled": labelled,
    }


def convert(model: dict[str, Any], route: str, opset: int, seed: int, folder: str) -> dict[str, Any]:
    """Convert in float32.

    Returns:
        `path`, `convert_s`, `peak_rss_mib`, `converter`, `bits`: what the weights are kept in.
    """
    enter("model")
    loaded = ModelSpec.from_dict(model).load()
    enter("route")
    part = load_route(route)
    enter("import")
    part.start()
    enter("export")
    examples = examples_of(loaded, seed)
    path, seconds = timed(lambda: part.convert(loaded, examples, opset, Path(folder)))
    if part.form is Form.TFLITE:
        told = json.dumps(arrangement(examples, loaded.keras_inputs(examples)))
        path.with_name(path.name + ARRANGEMENT_SUFFIX).write_text(told)
    return {
        "path": str(path),
        "convert_s": seconds,
        "peak_rss_mib": _peak_mib(),
        "converter": _version(part.packages),
        "bits": _bits(path, part.form),
    }


def reduce(model: dict[str, Any], source: str, precision: str, seed: int, folder: str) -> dict[str, Any]:
    """From the file in float32 to fewer bits.

    Returns:
        The same as `convert`.
    """
    enter("model")
    loaded = ModelSpec.from_dict(model).load()
    enter("import")
    batches = list(_calibration(loaded, seed)) if precisions.PRECISIONS[precision].calibrated else []
    import onnxruntime.quantization

    del onnxruntime
    enter("export")
    target = Path(folder) / "model.onnx"
    path, seconds = timed(lambda: precisions.reduce(precision, Path(source), target, batches))
    return {
        "path": str(path),
        "convert_s": seconds,
        "peak_rss_mib": _peak_mib(),
        "converter": _version(("onnxruntime", "onnxruntime-gpu")),
        "bits": precisions.PRECISIONS[precision].bits,
    }


def judge(
    model: dict[str, Any] | None,
    path: str,
    form: str,
    opset: int,
    prepared: str,
    tolerance: float,
    dtypes: list[str],
    gate: dict[str, Any] | None,
) -> dict[str, Any]:
    """Put an export through its checks, and measure its accuracy if it passed and there is a gate.

    Returns:
        `findings`, `facts`, `error_max_abs`, `error_relative`, and `accuracy` where it was measured.
    """
    enter("import")
    subject = Subject(Path(path), Form(form), opset, read_probes(Path(prepared) / PROBES), tolerance, tuple(dtypes))
    findings = examine(subject)
    answer: dict[str, Any] = {"findings": [asdict(finding) for finding in findings], "facts": _facts(subject)}
    if subject.errors:
        answer["error_max_abs"] = _finite(max(each.max_abs for each in subject.errors.values()))
        answer["error_relative"] = _finite(max(each.relative for each in subject.errors.values()))
    if all(finding.ok for finding in findings) and gate is not None and model is not None:
        enter("accuracy")
        finding, paired = _accuracy(model, subject.execute, Path(prepared), accuracy.Gate(**gate))
        answer["findings"].append(asdict(finding))
        answer["accuracy"] = asdict(paired)
    return answer


def locate(
    model: dict[str, Any],
    path: str,
    parent: str | None,
    prepared: str,
    probe: str,
    tolerance: float,
    about: dict[str, str],
    keep: str | None,
) -> dict[str, Any]:
    """Find the first node of an ONNX file that is wrong on a probe, and keep it by itself.

    Args:
        parent: the file in float32 that one in fewer bits was made from.
        keep: folder for the minimal file; None: it is not kept.

    Returns:
        `diverges_at`, None where it cannot be told; `files`, what was kept; `why_not`, where nothing was.
    """
    enter("import")
    asked = next(each for each in read_probes(Path(prepared) / PROBES) if each.name == probe)
    inputs = asked.inputs
    enter("locate")
    if parent is None:
        loaded = ModelSpec.from_dict(model).load()
        found = divergence.locate(Path(path), inputs, record(loaded, inputs), tolerance)
    else:
        found = divergence.locate_reduced(Path(path), Path(parent), inputs, tolerance)
    if found is None:
        return {"diverges_at": None, "files": [], "why_not": _nowhere(Path(path), asked, tolerance)}
    enter("shrink")
    case, why_not = minimal.shrink(Path(path), found, inputs, tolerance)
    files: list[Path] = []
    if case is not None and keep is not None:
        files = minimal.write(case, Path(keep), about, found, tolerance)
        why_not = "" if files else f"it is larger than {minimal.MOST_BYTES:,} bytes"
    return {"diverges_at": str(found), "files": [each.name for each in files], "why_not": why_not}


def _nowhere(path: Path, probe: Probe, tolerance: float) -> str:
    """Why no node is the first to be wrong."""
    plain = distance(open_export(path, Form.ONNX, LEVELS[0])(probe.inputs), probe.expected)
    if plain.relative <= tolerance:
        return "every node is right by itself: what ONNX Runtime makes of several of them is not"
    return "no single node could be told to be the first"


def _accuracy(
    model: dict[str, Any], execute: Execute, prepared: Path, gate: accuracy.Gate
) -> tuple[Finding, accuracy.Paired]:
    loaded = ModelSpec.from_dict(model).load()
    if not isinstance(loaded, Labelled):
        raise ValueError(f"{loaded.name} has no labelled data")
    samples, _ = loaded.labelled(Split.TEST)
    with np.load(prepared / LABELS, allow_pickle=False) as kept:
        paired = accuracy.compare(kept["labels"], kept["before"], classes(execute, samples))
    status, reason = gate.judge(paired)
    return Finding("accuracy", status, reason), paired


def classes(execute: Execute, samples: Mapping[str, Array]) -> NDArray[np.int64]:
    """The class that is answered to each sample: the largest of the first output's logits."""
    count = len(next(iter(samples.values())))
    found = [
        np.argmax(execute({name: array[start : start + ANSWER_BATCH] for name, array in samples.items()})[0], axis=-1)
        for start in range(0, count, ANSWER_BATCH)
    ]
    return np.concatenate(found).astype(np.int64)


def own_execution(model: Model) -> Execute:
    """The model itself in float32, in the framework that it comes in; of a file, whatever its reference gives."""
    if (module := torch_original(model)) is not None:
        return lambda inputs: run_torch(module, inputs)
    if (built := keras_original(model)) is not None:
        return lambda inputs: run_keras(model, built, inputs)
    return lambda inputs: model.reference(inputs)[0]


def _dtypes(model: Model, inputs: Mapping[str, Array]) -> list[str]:
    """Element types of the model's own outputs; where only its reference is there, they are not known."""
    if torch_original(model) is None and keras_original(model) is None:
        return []
    return [array.dtype.name for array in own_execution(model)(inputs)]


def _calibration(model: Model, seed: int) -> Iterator[dict[str, Array]]:
    """Real inputs, none of those that accuracy is measured on."""
    if not isinstance(model, Labelled):
        batch = fixed_batch(model) or CALIBRATION_BATCH
        yield from (model.inputs(batch, seed + number) for number in range(CALIBRATION_BATCHES))
        return
    samples, labels = model.labelled(Split.TRAIN)
    random = np.random.default_rng(seed)
    for rows in np.split(
        random.permutation(len(labels))[: CALIBRATION_BATCH * CALIBRATION_BATCHES], CALIBRATION_BATCHES
    ):
        yield {name: array[rows] for name, array in samples.items()}


def _bits(path: Path, form: Form) -> str:
    """As the file has it; what cannot be read will be told by the checker."""
    from google.protobuf.message import DecodeError

    try:
        return precisions.bits_of(path) if form is Form.ONNX else precisions.FULL
    except DecodeError:
        return precisions.FULL


def _facts(subject: Subject) -> dict[str, Any]:
    """What can be told of the file, even where it is damaged."""
    from google.protobuf.message import DecodeError

    try:
        return file_facts(subject.path, subject.form)
    except DecodeError:  # the checker's finding says so
        return {"file_bytes": subject.path.stat().st_size}


def _peak_mib() -> float:
    """Of this process, or of a child that it waited for, if that took more."""
    return max(peak_rss_mib(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10)


def _version(packages: tuple[str, ...]) -> str | None:
    """The first of the packages that is installed, with its version."""
    for name in packages:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
