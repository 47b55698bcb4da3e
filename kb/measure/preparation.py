"""What is made once per run, before the clock matters: hashes, references, exports, memory baselines."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from kb.measure.crew import Crew
from kb.measure.replicate import EXPECTED, INPUTS
from kb.models.catalogue import ModelSpec, spec_of
from kb.records.case import Case
from kb.records.statuses import Status
from kb.workers.process import Failure, Outcome

#: What an exception means, by the stage in which it was raised.
STATUS_OF_STAGE = {
    "import": Status.ENVIRONMENT_FAILED,
    "convert": Status.EXPORT_FAILED,
    "first call": Status.RUN_FAILED,
    "measure": Status.RUN_FAILED,
    "check": Status.CHECK_FAILED,
    "reference": Status.CHECK_FAILED,
}

#: Modules that are there only with an extra: without them their cases are unsupported, not broken.
OPTIONAL_PARTS = frozenset({"torch", "tensorflow", "keras", "onnx", "onnxscript", "onnxruntime", "tf2onnx"})
_ABSENT = re.compile(r"ModuleNotFoundError: No module named '(\w+)'")


@dataclass(frozen=True)
class Mishap:
    """Why a case has no figures: the three columns of its row."""

    status: Status
    stage: str
    reason: str


@dataclass(frozen=True)
class Prepared:
    """What the workers of one case are handed, or why there is nothing to hand them."""

    inputs: str = ""  #: file
    expected: str = ""  #: file of the reference outputs
    artefact: str | None = None
    mishap: Mishap | None = None
    columns: dict[str, Any] = field(default_factory=dict)  #: of every row of the case


def mishap(failure: Failure) -> Mishap:
    """Read a worker's failure: its own status, or what an exception means in its stage.

    A framework that is not installed is no failure: the case is unsupported here.
    """
    absent = _ABSENT.fullmatch(failure.reason)
    if failure.status is None and absent and absent[1] in OPTIONAL_PARTS:
        return Mishap(Status.UNSUPPORTED, failure.stage, f"{absent[1]} is not installed")
    status = failure.status or STATUS_OF_STAGE.get(failure.stage, Status.LOAD_FAILED)
    return Mishap(status, failure.stage, failure.reason)


@dataclass(frozen=True)
class Preparation:
    """Prepares the cases of one run. Everything is kept by the hash of what it was made from, for `--resume`."""

    crew: Crew
    models: Mapping[str, ModelSpec]
    runtimes: Mapping[str, str]  #: name -> module:Class
    seed: int
    folder: Path
    announce: Callable[[str], None]
    memory: bool = True  #: whether peak memory is measured, which needs a baseline
    at_once: int = 1  #: models whose references are made at the same time: nobody's time is taken meanwhile

    def prepare(self, cases: Iterable[Case]) -> dict[Case, Prepared]:
        """Every case with what its workers need; a case that cannot work has its mishap instead."""
        groups = {name: list(group) for name, group in groupby(sorted(cases), key=lambda case: case.model)}
        with ThreadPoolExecutor(self.at_once) as pool:
            begun = pool.map(lambda item: self._begin_model(*item), groups.items())
            started = {case: done for part in begun for case, done in part.items()}
        return {case: self._finish_case(case, *done) for case, done in started.items()}

    def _begin_model(self, name: str, cases: list[Case]) -> dict[Case, tuple[Prepared, bool]]:
        """The cases of a model with their reference outputs, and whether an export is still to be made."""
        self.announce(f"{name}: model and reference")
        runtimes = {case.runtime: self.runtimes[case.runtime] for case in cases}
        payload = {
            "model": spec_of(self.models, name).as_dict(),
            "runtimes": runtimes,
            "cases": [c.as_dict() for c in cases],
        }
        facts = self.crew.run("describe", payload, timed=False)
        if facts.failure:
            return dict.fromkeys(cases, (Prepared(mishap=mishap(facts.failure)), False))
        begun = {}
        for case in cases:
            prepared = self._start(case, facts.result)
            if prepared.mishap is None:
                prepared = self._with_reference(case, prepared)
            begun[case] = (prepared, case.id in facts.result["converts"])
        return begun

    def _finish_case(self, case: Case, prepared: Prepared, exports: bool) -> Prepared:
        """What is timed, or measured for memory: one after the other. The first step that fails is the last."""
        if prepared.mishap is None and exports:
            prepared = self._with_artefact(case, prepared)
        if prepared.mishap is None and self.memory:
            prepared = self._with_baseline(case, prepared)
        return prepared

    def _start(self, case: Case, facts: Mapping[str, Any]) -> Prepared:
        """The hashes of the case, or why it is not to be tried."""
        columns = {"model_hash": facts["model_hash"], "weights_hash": facts["weights_hash"]}
        if reason := facts["broken"].get(case.runtime):
            return Prepared(mishap=Mishap(Status.ENVIRONMENT_FAILED, "runtime", reason), columns=columns)
        columns["protocol_hash"] = facts["protocol_hash"][case.runtime]
        if reason := facts["refusals"].get(case.id):
            return Prepared(mishap=Mishap(Status.UNSUPPORTED, "plan", reason), columns=columns)
        return Prepared(columns=columns)

    def _with_reference(self, case: Case, done: Prepared) -> Prepared:
        """Inputs and expected outputs: once per model and batch size."""
        columns = done.columns
        key = _key("reference", case.model, columns["model_hash"], columns["weights_hash"], case.batch, self.seed)
        payload = {"model": spec_of(self.models, case.model).as_dict(), "batch": case.batch, "seed": self.seed}
        result = self._once(key, "reference", payload)
        if result.failure:
            return replace(done, mishap=mishap(result.failure))
        inputs, expected = (str(self.folder / key / name) for name in (INPUTS, EXPECTED))
        return replace(done, inputs=inputs, expected=expected, columns={**columns, **result.result})

    def _with_artefact(self, case: Case, done: Prepared) -> Prepared:
        """The export of the case."""
        key = _key("export", case.id, *(str(value) for value in done.columns.values()))
        payload = {
            "model": spec_of(self.models, case.model).as_dict(),
            "runtime": self.runtimes[case.runtime],
            "case": case.as_dict(),
            "inputs": done.inputs,
        }
        result = self._once(key, "convert", payload, case, what=f"{case.id}: export")
        if result.failure:
            return replace(done, mishap=mishap(result.failure))
        columns = {**done.columns, "convert_s": result.result["convert_s"]}
        return replace(done, artefact=result.result["artefact"], columns=columns)

    def _with_baseline(self, case: Case, done: Prepared) -> Prepared:
        """Peak memory of the bare import: once per runtime, device and number of threads."""
        key = _key("baseline", case.runtime, case.device, case.threads)
        payload = {"runtime": self.runtimes[case.runtime], "case": case.as_dict()}
        what = f"{case.runtime}: memory of the bare import"
        result = self._once(key, "baseline", payload, case, what=what, needs_folder=False)
        if result.failure:
            return replace(done, mishap=mishap(result.failure))
        return replace(done, columns={**done.columns, **result.result})

    def _once(
        self,
        key: str,
        task: str,
        payload: Mapping[str, Any],
        case: Case | None = None,
        *,
        what: str = "",
        needs_folder: bool = True,
    ) -> Outcome:
        """The outcome of a task, from the last time if it succeeded or failed with the same key."""
        folder = self.folder / key
        answer = folder / "answer.json"
        if answer.exists():
            return _outcome_from(json.loads(answer.read_text()))
        if what:
            self.announce(what)
        folder.mkdir(parents=True, exist_ok=True)
        extra = {"folder": str(folder)} if needs_folder else {}
        threads, device = (case.threads, case.device) if case else (1, "cpu")
        outcome = self.crew.run(task, {**payload, **extra}, threads=threads, device=device, timed=case is not None)
        scratch = answer.with_suffix(".tmp")
        scratch.write_text(json.dumps(asdict(outcome)))
        scratch.replace(answer)
        return outcome


def _outcome_from(kept: dict[str, Any]) -> Outcome:
    failure = kept.pop("failure")
    if failure and failure["status"]:
        failure["status"] = Status(failure["status"])
    return Outcome(failure=Failure(**failure) if failure else None, **kept)


def _key(kind: str, *parts: object) -> str:
    text = "\0".join(str(part) for part in parts)
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def hopeless(prepared: Mapping[Case, Prepared]) -> frozenset[Case]:
    """Cases that get one row with their mishap, and no worker."""
    return frozenset(case for case, done in prepared.items() if done.mishap is not None)
