"""The run of the conversions: each export in a process of its own, judged in another, its row on disk at once."""

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol, Self

from kb.caches import cache_folder
from kb.config import GateSettings, Settings
from kb.convert.accuracy import Gate
from kb.convert.catalogue import load_route
from kb.convert.conversion import Conversion
from kb.convert.given import AsGiven
from kb.convert.noise import Floor
from kb.convert.plan import Planned
from kb.convert.precisions import FULL
from kb.discovery import targets
from kb.measure.crew import Crew
from kb.measure.preparation import Mishap, mishap
from kb.measure.provenance import sources_of
from kb.measure.runs import ResumeError, begin, installed_versions
from kb.models.catalogue import ModelSpec, catalogue, spec_of
from kb.records.fingerprints import source_hash
from kb.records.folder import MINIMAL_FOLDER, RunFolder
from kb.records.run import LeftOut, Machine, RunInfo, Validity
from kb.records.schema import CONVERSIONS
from kb.records.statuses import Status
from kb.workers.process import Outcome, sweep

WORKER = "kb.convert.worker"
#: Seed of the inputs that a conversion is asked; the same in all runs, so that a verdict changes only with what it
#: judges.
SEED = 4
#: Modules whose code decides what is a right conversion, besides the route's own.
JUDGES = ("kb.convert.checks", "kb.convert.noise", "kb.convert.accuracy", "kb.convert.worker")

#: Why an export in fewer bits cannot be judged, where its model cannot be rounded to them.
NO_FLOOR = (
    "its weights are kept in {bits}, and how far that may move its outputs is measured by rounding those of its "
    "original: it needs a torch module or a Keras model as reference"
)
#: Statuses of which the first wrong node is looked for.
LOCATED = frozenset({Status.WRONG_OUTPUT, Status.NOT_FINITE})

Row = dict[str, Any]


class Progress(Protocol):
    """What the run reports."""

    def preparing(self, model: str) -> None:
        """The reference and the noise of a model are measured."""
        ...

    def finished(self, conversion: Conversion, row: Row, number: int, of: int, seconds: float) -> None:
        """Its row is on disk; `number` counts from 1."""
        ...


@dataclass(frozen=True)
class Prepared:
    """What the conversions of one model have in common, or why there are none."""

    folder: Path
    facts: Mapping[str, Any] = field(default_factory=dict)  #: of `worker.describe`
    found: Mapping[str, Any] = field(default_factory=dict)  #: of `worker.prepare`
    trouble: Mishap | None = None

    @property
    def columns(self) -> Row:
        return {
            "model_hash": self.facts.get("model_hash"),
            "weights_hash": self.facts.get("weights_hash"),
            "reference": self.found.get("reference"),
        }

    @property
    def floor(self) -> Floor:
        return Floor(self.found["noise"], self.found["variants"])


@dataclass(frozen=True)
class Exported:
    """A file, with what making it took; or why there is none."""

    path: str = ""
    bits: str = FULL  #: what its weights are kept in
    columns: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    trouble: Mishap | None = None


@dataclass
class Converting:
    """One run on one machine: what it works with."""

    crew: Crew
    models: Mapping[str, ModelSpec]
    targets: Mapping[str, str]  #: route -> module:Class
    gates: Sequence[GateSettings]
    cores: int
    progress: Progress
    keep: Path | None = None  #: where minimal files go; None: they are not kept
    exports: dict[Conversion, Exported] = field(default_factory=dict)  #: in float32, of the model at hand

    @classmethod
    def from_settings(cls, settings: Settings, cores: int, progress: Progress) -> Self:
        crew = Crew(settings.root, settings.timeout_s, settings.memory_limit_mib, settings.pin)
        return cls(crew, convertible_models(settings), settings.route_targets(), settings.gates, cores, progress)

    def execute(self, run: RunFolder) -> RunInfo:
        """Do what is missing of a run, and finish it."""
        sweep()
        self.keep = run.path / MINIMAL_FOLDER
        planned = [Conversion.from_dict(values) for values in run.info.conversions]
        done = {_of_row(row) for row in run.rows(CONVERSIONS)}
        places = {conversion: place for place, conversion in enumerate(planned)}
        scratch = cache_folder("runs", run.info.run)
        for model, group in groupby(planned, key=lambda each: each.model):
            left = [each for each in group if each not in done]
            if not left:
                continue
            for conversion, row in self.rows_of(model, left, scratch):
                row = {**row, "position": places[conversion]}
                run.append(CONVERSIONS, row)
                self.progress.finished(conversion, row, places[conversion] + 1, len(planned), row["process_s"] or 0.0)
        shutil.rmtree(scratch, ignore_errors=True)
        return run.finish(**conclude(run.rows(CONVERSIONS)))

    def rows_of(self, model: str, conversions: Sequence[Conversion], scratch: Path) -> Iterator[tuple[Conversion, Row]]:
        """The rows of one model. Its files go when it is done."""
        folder = scratch / hashlib.sha256(model.encode()).hexdigest()[:12]
        folder.mkdir(parents=True, exist_ok=True)
        self.exports.clear()
        prepared = self._prepare(model, conversions, folder)
        for conversion in conversions:
            started = datetime.now(UTC).isoformat(timespec="seconds")
            row = self._row(conversion, prepared)
            empty = dict.fromkeys(CONVERSIONS.names[1:-1])
            yield conversion, {**empty, **conversion.as_dict(), "started": started, "position": 0, **row}
        shutil.rmtree(folder, ignore_errors=True)

    def _prepare(self, model: str, conversions: Sequence[Conversion], folder: Path) -> Prepared:
        self.progress.preparing(model)
        spec = spec_of(self.models, model).as_dict()
        routes = {each.route: self.targets[each.route] for each in conversions}
        opsets = sorted({each.opset for each in conversions})
        described = self._run("describe", {"model": spec, "routes": routes, "opsets": opsets})
        if described.failure:
            return Prepared(folder, trouble=mishap(described.failure))
        facts = described.result
        if all(_refused(each, facts) for each in conversions):
            return Prepared(folder, facts)
        payload = {"model": spec, "seed": SEED, "cores": self.cores, "folder": str(folder)}
        outcome = self._run("prepare", payload)
        if outcome.failure:
            return Prepared(folder, facts, trouble=mishap(outcome.failure))
        return Prepared(folder, facts, outcome.result)

    def _row(self, conversion: Conversion, prepared: Prepared) -> Row:
        """The columns of one conversion."""
        columns = dict(prepared.columns)
        trouble = prepared.trouble or _refused(conversion, prepared.facts)
        if trouble:
            return {**columns, **asdict(trouble)}
        columns["route_hash"] = route_hash(self.targets[conversion.route])
        exported = (
            self._reduced(conversion, prepared) if conversion.precision != FULL else self._full(conversion, prepared)
        )
        columns |= {**exported.columns, "process_s": exported.seconds}
        if conversion.route == AsGiven.name and conversion.precision == FULL:
            columns["precision"] = exported.bits  # a file is in the precision that it is in
        if exported.trouble:
            return {**columns, **asdict(exported.trouble)}
        return {**columns, **self._judged(conversion, prepared, exported)}

    def _full(self, conversion: Conversion, prepared: Prepared) -> Exported:
        """The export in float32; the same one for all precisions that follow from it."""
        if conversion not in self.exports:
            folder = _new_folder(prepared.folder, conversion)
            payload = {
                "model": spec_of(self.models, conversion.model).as_dict(),
                "route": self.targets[conversion.route],
                "opset": conversion.opset,
                "seed": SEED,
                "folder": str(folder),
            }
            self.exports[conversion] = _exported(self._run("convert", payload, timed=True))
        return self.exports[conversion]

    def _reduced(self, conversion: Conversion, prepared: Prepared) -> Exported:
        base = self._full(Conversion(conversion.model, conversion.route, FULL, conversion.opset), prepared)
        if base.trouble:
            status = base.trouble.status
            if status is Status.UNSUPPORTED:
                return Exported(trouble=base.trouble)
            return Exported(
                trouble=Mishap(Status.NOT_RUN, "export", f"the float32 export failed: {base.trouble.reason}")
            )
        payload = {
            "model": spec_of(self.models, conversion.model).as_dict(),
            "source": base.path,
            "precision": conversion.precision,
            "seed": SEED,
            "folder": str(_new_folder(prepared.folder, conversion)),
        }
        return _exported(self._run("reduce", payload, timed=True))

    def _judged(self, conversion: Conversion, prepared: Prepared, exported: Exported) -> Row:
        """What the checks found."""
        bits = exported.bits
        if bits not in prepared.floor.relative:
            return asdict(Mishap(Status.UNSUPPORTED, "noise", NO_FLOOR.format(bits=bits)))
        noise, tolerance = prepared.floor.relative[bits], prepared.floor.tolerance(bits)
        gate = gate_of(self.gates, conversion)
        payload = {
            "model": spec_of(self.models, conversion.model).as_dict(),
            "path": exported.path,
            "form": prepared.facts["forms"][conversion.route],
            "opset": conversion.opset,
            "prepared": str(prepared.folder),
            "tolerance": tolerance,
            "dtypes": prepared.found["dtypes"] if conversion.precision != FULL or bits == FULL else [],
            "gate": asdict(gate) if prepared.found["labelled"] else None,
        }
        outcome = self._run("judge", payload)
        columns = {
            "process_s": exported.seconds + outcome.seconds,
            "noise_relative": noise,
            "tolerance_relative": tolerance,
        }
        if outcome.failure:
            return {**columns, **asdict(_trouble_of(outcome))}
        columns |= _judged_columns(outcome.result, gate)
        return {**columns, **self._located(conversion, prepared, exported, tolerance, outcome.result, columns)}

    def _located(
        self,
        conversion: Conversion,
        prepared: Prepared,
        exported: Exported,
        tolerance: float,
        answer: Mapping[str, Any],
        columns: Row,
    ) -> Row:
        """Where an ONNX file with a wrong answer leaves its model, and the node by itself beside the rows."""
        last = answer["findings"][-1]
        probe = last["evidence"].get("probe")
        if last["status"] not in LOCATED or probe is None or prepared.facts["forms"][conversion.route] != "onnx":
            return {}
        base = replace(conversion, precision=FULL)
        packages = ("torch", "onnx", "onnxruntime", "tf2onnx", "keras")
        versions = installed_versions()
        payload = {
            "model": spec_of(self.models, conversion.model).as_dict(),
            "path": exported.path,
            "parent": None if conversion.precision == FULL else self.exports[base].path,
            "prepared": str(prepared.folder),
            "probe": probe,
            "tolerance": tolerance,
            "about": {
                "conversion": conversion.id,
                "status": str(last["status"]),
                "reason": last["reason"],
                "converter": str(exported.columns.get("converter") or ""),
                "versions": ", ".join(f"{name} {versions[name]}" for name in packages if name in versions),
            },
            "keep": None if self.keep is None else str(self.keep / minimal_name(conversion)),
        }
        outcome = self._run("locate", payload)
        seconds = columns["process_s"] + outcome.seconds
        if outcome.failure:
            return {"process_s": seconds, "not_isolated": f"it could not be looked for: {outcome.failure.reason}"}
        found = outcome.result
        return {"process_s": seconds, "diverges_at": found["diverges_at"], "not_isolated": found["why_not"] or None}

    def _run(self, task: str, payload: Mapping[str, Any], *, timed: bool = False) -> Outcome:
        return self.crew.run(f"{WORKER}:{task}", payload, timed=timed)


def new_run(
    settings: Settings,
    profile: str,
    planned: Planned,
    machine: Machine,
    *,
    command: str,
    commit: str | None,
) -> RunFolder:
    """Make the folder of a new run of conversions."""
    return begin(
        settings, machine, command=command, commit=commit, profile=profile, replicates=1,
        conversions=tuple(each.as_dict() for each in planned.conversions),
        left_out=tuple(LeftOut(case=each.id, reason=reason) for each, reason in planned.left_out),
        compatibility=planned.compatibility,
    )  # fmt: skip


def convertible_models(settings: Settings) -> dict[str, ModelSpec]:
    """Where every model that can be converted is found."""
    trained = {name: ModelSpec(name, target) for name, target in targets("kb.trained").items()}
    return {**catalogue(settings.models, settings.artefacts, settings.root), **trained}


def minimal_name(conversion: Conversion) -> str:
    """The folder of a conversion's minimal file: its id as a name that every file system takes."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", conversion.id)[:80]
    return f"{readable}-{hashlib.sha256(conversion.id.encode()).hexdigest()[:8]}"


def conclude(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What run.json says at the end. Right and wrong do not depend on how quiet the machine was."""
    tried = [row for row in rows if row["status"] not in (Status.UNSUPPORTED, Status.NOT_RUN)]
    if tried:
        return {"validity": Validity.VALID}
    return {"validity": Validity.INVALID, "reasons": ("nothing was converted",)}


def gate_of(gates: Sequence[GateSettings], conversion: Conversion) -> Gate:
    """The gate of a conversion: the last one in the settings that speaks of it, or the default."""
    found = [each for each in gates if each.covers(conversion.model, conversion.precision)]
    return Gate(**found[-1].limits()) if found else Gate()


def route_hash(target: str) -> str:
    """Hash of the route's source, of its siblings that it imports, and of what judges its exports."""
    module = type(load_route(target)).__module__
    paths = {path for name in (module, *JUDGES) if name in sys.modules for path in sources_of(name)}
    return source_hash(*sorted(paths))


def refuse_another_series(rows: Sequence[Mapping[str, Any]], targets: Mapping[str, str]) -> None:
    """Refuse to go on with a run whose routes or checks are not those of the rows that are there.

    Raises:
        ResumeError: they differ.
    """
    for row in rows:
        now = route_hash(targets[str(row["route"])])
        if row["route_hash"] not in (None, now):
            raise ResumeError(f"{row['route']} has rows of {row['route_hash']}, now it is {now}; start a new run")


def _refused(conversion: Conversion, facts: Mapping[str, Any]) -> Mishap | None:
    if reason := facts["broken"].get(conversion.route):
        return Mishap(Status.ENVIRONMENT_FAILED, "route", reason)
    if reason := facts["refusals"][conversion.route].get(str(conversion.opset)):
        return Mishap(Status.UNSUPPORTED, "plan", reason)
    if conversion.precision != FULL and facts["forms"][conversion.route] != "onnx":
        return Mishap(Status.UNSUPPORTED, "plan", f"{conversion.precision} is made from ONNX files")
    return None


def _exported(outcome: Outcome) -> Exported:
    if outcome.failure:
        return Exported(seconds=outcome.seconds, trouble=_trouble_of(outcome))
    columns = {name: outcome.result[name] for name in ("convert_s", "peak_rss_mib", "converter")}
    return Exported(outcome.result["path"], outcome.result["bits"], columns, outcome.seconds)


def _trouble_of(outcome: Outcome) -> Mishap:
    """A failure of a worker; one that raises while it exports has failed to export."""
    if outcome.failure is None:
        raise ValueError("nothing failed")
    found = mishap(outcome.failure)
    if outcome.failure.status is None and outcome.failure.stage == "export" and found.status is not Status.UNSUPPORTED:
        return Mishap(Status.EXPORT_FAILED, "export", found.reason)
    return found


def _judged_columns(answer: Mapping[str, Any], gate: Gate) -> Row:
    """The columns of what `worker.judge` found."""
    findings = answer["findings"]
    last = findings[-1]
    ok = last["status"] == Status.OK
    columns: Row = {
        "status": last["status"],
        "stage": None if ok else last["check"],
        "reason": None if ok else last["reason"],
        "checks_passed": sum(finding["status"] == Status.OK for finding in findings),
        "error_max_abs": answer.get("error_max_abs"),
        "error_relative": answer.get("error_relative"),
        **answer["facts"],
    }
    if (paired := answer.get("accuracy")) is not None:
        columns |= {
            "samples": paired["n"],
            "accuracy_before_pct": paired["before_pct"],
            "accuracy_loss_pp": paired["loss_pp"],
            "loss_upper_pp": paired["upper_pp"],
            "flips": paired["flips"],
            "mcnemar_p": paired["p"],
            "gate_pp": gate.loss_pp,
        }
    return columns


def _new_folder(parent: Path, conversion: Conversion) -> Path:
    """An empty folder for one export."""
    folder = parent / hashlib.sha256(json.dumps(conversion.as_dict()).encode()).hexdigest()[:12]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _of_row(row: Mapping[str, Any]) -> Conversion:
    return Conversion(str(row["model"]), str(row["route"]), str(row["precision"]), int(row["opset"]))
