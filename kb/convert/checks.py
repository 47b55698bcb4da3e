"""The checks that an export must pass, in their order; the first that fails gives the conversion its status."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from kb.convert.compare import Distance, distance, not_finite
from kb.convert.conversion import NO_OPSET
from kb.convert.execution import LEVELS, Execute, open_export
from kb.convert.interface import Form
from kb.convert.probes import Kind, Probe
from kb.records.statuses import Status
from kb.workers.stages import enter


@dataclass
class Subject:
    """One export under examination, with what is needed to judge it."""

    path: Path
    form: Form
    opset: int  #: that was asked for
    probes: Sequence[Probe]
    tolerance: float  #: of the relative error
    dtypes: Sequence[str] = ()  #: of the model's own outputs, NumPy's names; empty where they may change
    errors: dict[str, Distance] = field(default_factory=dict)  #: probe -> distance, as far as it was asked

    @cached_property
    def execute(self) -> Execute:
        """The export, loaded as its users load it."""
        return open_export(self.path, self.form)

    @property
    def exported(self) -> Probe:
        """What it was exported with."""
        return next(probe for probe in self.probes if probe.kind is Kind.EXPORTED)


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    check: str
    status: Status = Status.OK
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status is Status.OK


class Check(Protocol):
    """One question to an export."""

    @property
    def name(self) -> str:
        """The stage in which a conversion stopped."""
        ...

    @property
    def forms(self) -> frozenset[Form]:
        """Those that can be asked it."""
        ...

    def look(self, subject: Subject) -> Finding:
        """The answer; whatever a runtime raises becomes a finding."""
        ...


ALL_FORMS = frozenset(Form)
ONNX_ONLY = frozenset({Form.ONNX})


class Checker:
    """Does ONNX's own checker accept the file, its types and shapes included?"""

    name = "checker"
    forms = ONNX_ONLY

    def look(self, subject: Subject) -> Finding:
        import onnx

        try:
            onnx.checker.check_model(str(subject.path), full_check=True)
        except Exception as error:  # noqa: BLE001 - it raises ValidationError, InferenceError, TypeError, DecodeError
            return Finding(self.name, Status.CHECK_FAILED, f"onnx.checker refuses the file: {one_line(error)}")
        return Finding(self.name)


class Opset:
    """Is the file of the opset that was asked for?"""

    name = "opset"
    forms = ONNX_ONLY

    def look(self, subject: Subject) -> Finding:
        got = file_facts(subject.path, subject.form)["opset_got"]
        if subject.opset in (NO_OPSET, got):
            return Finding(self.name, evidence={"opset": got})
        return Finding(self.name, Status.CHECK_FAILED, f"asked for opset {subject.opset}, the file is of opset {got}")


class Loads:
    """Does its runtime load it?"""

    name = "load"
    forms = ALL_FORMS

    def look(self, subject: Subject) -> Finding:
        try:
            _ = subject.execute
        except Exception as error:  # noqa: BLE001 - runtimes raise types of their own; the text is the report
            return Finding(self.name, Status.LOAD_FAILED, one_line(error))
        return Finding(self.name)


@dataclass(frozen=True)
class Answers:
    """Are its outputs finite, and those of the model in double precision, on every probe of one kind?"""

    kind: Kind
    name: str
    forms: frozenset[Form] = ALL_FORMS

    def look(self, subject: Subject) -> Finding:
        for probe in subject.probes:
            if probe.kind is self.kind:
                finding = self._ask(subject, probe)
                if not finding.ok:
                    return finding
        return Finding(self.name)

    def _ask(self, subject: Subject, probe: Probe) -> Finding:
        where = "" if self.kind is Kind.EXPORTED else f"right as exported, but at {probe.name} "
        try:
            got = subject.execute(probe.inputs)
        except Exception as error:  # noqa: BLE001 - runtimes raise types of their own; the text is the report
            said = f"{where}it fails: {one_line(error)}" if where else one_line(error)
            return self._failed(probe, Status.RUN_FAILED, said)
        if bad := not_finite(got, probe.expected):
            return self._failed(probe, Status.NOT_FINITE, f"{where}{bad}")
        if self.kind is Kind.EXPORTED and (narrowed := _narrowed(got, subject.dtypes)):
            return self._failed(probe, Status.WRONG_OUTPUT, narrowed)
        try:
            subject.errors[probe.name] = found = distance(got, probe.expected)
        except ValueError as error:
            return self._failed(probe, Status.WRONG_OUTPUT, f"{where}{error}")
        if found.relative > subject.tolerance:
            apart = f"differs from the model by {found.relative:.2g} of its largest value"
            allowed = f"{subject.tolerance:.2g} is its noise allowance{_without_optimisation(subject, probe)}"
            return self._failed(probe, Status.WRONG_OUTPUT, f"{where}{apart}; {allowed}")
        return Finding(self.name)

    def _failed(self, probe: Probe, status: Status, reason: str) -> Finding:
        """At another shape, whatever fails is a failure of the shape."""
        said = Status.SHAPE_FAILED if self.kind is Kind.SHAPE else status
        return Finding(self.name, said, reason, {"probe": probe.name})


def _without_optimisation(subject: Subject, probe: Probe) -> str:
    """What there is to say where the file is right and only the graph that its runtime makes of it is not."""
    if subject.form is not Form.ONNX:
        return ""
    try:
        plain = distance(open_export(subject.path, subject.form, LEVELS[0])(probe.inputs), probe.expected)
    except Exception as error:  # noqa: BLE001 - runtimes raise types of their own; the text is the report
        return f"; at {LEVELS[0]} it fails: {one_line(error)}"
    return f"; at {LEVELS[0]} it is right" if plain.relative <= subject.tolerance else ""


class Levels:
    """Does it answer alike at every level of graph optimisation?"""

    name = "graph optimisation"
    forms = ONNX_ONLY

    def look(self, subject: Subject) -> Finding:
        probe = subject.exported
        for level in LEVELS[:-1]:  # the last is how everything else was asked
            try:
                found = distance(open_export(subject.path, subject.form, level)(probe.inputs), probe.expected)
            except Exception as error:  # noqa: BLE001 - runtimes raise types of their own; the text is the report
                return Finding(self.name, Status.RUN_FAILED, f"right by default, but at {level}: {one_line(error)}")
            if found.relative > subject.tolerance:
                reason = f"right by default, but at {level} it differs by {found.relative:.2g} of its largest value"
                return Finding(self.name, Status.WRONG_OUTPUT, reason)
        return Finding(self.name)


#: In this order; what stands before has passed.
CHECKS: tuple[Check, ...] = (
    Checker(),
    Opset(),
    Loads(),
    Answers(Kind.EXPORTED, "parity"),
    Answers(Kind.VALUES, "other values"),
    Answers(Kind.SHAPE, "other shapes"),
    Levels(),
)


def examine(subject: Subject, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """The findings up to the first failure."""
    return list(_until_it_fails(subject, checks))


def _until_it_fails(subject: Subject, checks: Sequence[Check]) -> Iterator[Finding]:
    for check in checks:
        if subject.form not in check.forms:
            continue
        enter(check.name)
        finding = check.look(subject)
        yield finding
        if not finding.ok:
            return


def file_facts(path: Path, form: Form) -> dict[str, Any]:
    """Size and contents of an export: bytes, files, nodes, opset, IR version. Reads no weights."""
    facts: dict[str, Any] = {"file_bytes": path.stat().st_size, "files": 1}
    if form is not Form.ONNX:
        return facts
    import onnx
    from onnx.external_data_helper import ExternalDataInfo, uses_external_data

    proto = onnx.load(str(path), load_external_data=False)
    beside = {ExternalDataInfo(tensor).location for tensor in proto.graph.initializer if uses_external_data(tensor)}
    present = [path.parent / name for name in sorted(beside) if (path.parent / name).is_file()]
    opsets = {entry.domain: entry.version for entry in proto.opset_import}
    return {
        "file_bytes": facts["file_bytes"] + sum(each.stat().st_size for each in present),
        "files": 1 + len(beside),
        "nodes": len(proto.graph.node),
        "opset_got": opsets.get("", opsets.get("ai.onnx")),
        "ir_version": proto.ir_version,
    }


def _narrowed(got: Sequence[Any], dtypes: Sequence[str]) -> str | None:
    """An output of another element type than the model's, in words."""
    for index, (array, wanted) in enumerate(zip(got, dtypes, strict=False)):
        if array.dtype.name != wanted:
            return f"output {index} is {array.dtype.name} where the model gives {wanted}"
    return None


def one_line(error: Exception, limit: int = 400) -> str:
    """The first lines of what a framework says, on one line."""
    text = " ".join(str(error).split())
    return text[:limit] or type(error).__name__
