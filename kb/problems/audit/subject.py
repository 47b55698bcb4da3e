"""What is audited: the packages of this environment or of a file, the machine, and a model."""

import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import InvalidVersion, Version

from kb.packages.families import family_of, normalised
from kb.problems.affects import Environment
from kb.problems.audit.pins import Pins, read_pins
from kb.problems.conditions import Facts
from kb.problems.errors import MissingPart, ProblemError
from kb.problems.surroundings import installed
from kb.records.damage import printable
from kb.workers.process import Limits, run

#: Reading a model of the largest size takes some 20 s, importing ONNX Runtime on a busy machine nearly as long.
TIMEOUT_S = 120.0
#: What a message of protobuf can hold; a larger model has its weights in other files.
MAX_MODEL_BYTES = 2**31 - 1
SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
#: What devices are called beside the name of their kind: PyTorch gives AMD's the name of NVIDIA's.
ALSO = {"rocm": ("cuda",)}


@dataclass(frozen=True)
class ModelFacts:
    """What an ONNX file says of itself."""

    path: Path
    ir_version: int
    opsets: Mapping[str, int]  #: domain -> version; the default domain is empty
    operators: frozenset[tuple[str, str]]  #: (domain, type), also of subgraphs and functions
    producer: str = ""
    producer_version: str = ""

    @property
    def names(self) -> frozenset[str]:
        """What a note may call the operators: `Resize`, `com.microsoft::BiasGelu`."""
        return frozenset(name for domain, kind in self.operators for name in (kind, f"{domain or 'ai.onnx'}::{kind}"))

    @property
    def custom_domains(self) -> tuple[str, ...]:
        """Domains of its operators beside the default one."""
        return tuple(sorted({domain for domain, _ in self.operators if domain}))

    @property
    def sentence(self) -> str:
        by = f", by {self.producer} {self.producer_version}".rstrip() if self.producer else ""
        domains = ", ".join(f"{domain} {self.opsets.get(domain, '?')}" for domain in self.custom_domains)
        opset = self.opsets.get("", "none")
        return printable(
            f"{self.path.name}: opset {opset}, IR version {self.ir_version}{by}; {len(self.operators)} kinds of "
            f"operators; {f'custom domains: {domains}' if domains else 'no custom domain'}"
        )


@dataclass(frozen=True)
class Subject:
    """What notes are compared with."""

    sentence: str
    environment: Environment
    model: ModelFacts | None = None
    file: Path | None = None  #: what was named on the command line
    lines: Mapping[str, int] = field(default_factory=dict)  #: package -> its line in `file`
    remarks: tuple[str, ...] = ()


def subject_of(requirements: Path | None, model: Path | None, *, asks: frozenset[str]) -> Subject:
    """What is to be audited.

    Args:
        requirements: a list or lock of packages; None: what is installed here, and this machine.
        model: an ONNX file.
        asks: the conditions that any note has; the others are not looked up.

    Raises:
        ProblemError: a file cannot be read.
        MissingPart: a model is given, and onnx is not installed.
    """
    pins = read_pins(requirements) if requirements else Pins(here(), whole=True)
    facts = {} if requirements else machine_facts(asks, "onnxruntime" in map(family_of, pins.versions))
    known = read_model(model) if model else None
    packages = dict(pins.versions)
    if known is not None:
        facts = {**facts, "opset": (str(known.opsets[""]),) if "" in known.opsets else ()}
        packages = _made_by(known, packages)
    where = requirements.name if requirements else f"this environment (Python {_python()}, {sys.platform})"
    sentence = printable(f"{where}: {len(pins.versions)} packages")
    if pins.loose:
        sentence += f", and {len(pins.loose)} without one version"
    return Subject(
        sentence=sentence,
        environment=Environment(packages, facts, pins.whole, pins.loose),
        model=known,
        file=requirements or model,
        lines=pins.lines if requirements else {},
        remarks=pins.remarks,
    )


def machine_facts(asks: frozenset[str], has_runtime: bool) -> Facts:
    """What holds on this machine. What cannot be found out is left out."""
    from kb.machine.fingerprint import fingerprint

    machine = fingerprint()
    kinds = [name for each in machine.accelerators for name in (each.kind, *ALSO.get(each.kind, ()))]
    look_up: dict[str, Callable[[], tuple[str, ...] | None]] = {
        "device": lambda: ("cpu", *dict.fromkeys(kinds)),
        "os": lambda: (SYSTEMS.get(sys.platform, sys.platform),),
        "cpu_flag": lambda: machine.cpu_flags,
        "python": lambda: (_python(),),
        "provider": lambda: _providers() if has_runtime else (),
    }
    found = {name: look() for name, look in look_up.items() if name in asks}
    return {name: values for name, values in found.items() if values is not None}


def read_model(path: Path) -> ModelFacts:
    """Read an ONNX file in a process of its own.

    Raises:
        ProblemError: it is missing, too large, damaged, or no ONNX file.
        MissingPart: onnx is not installed.
    """
    if not path.is_file():
        raise ProblemError(f"{path}: no such file: name an .onnx file")
    if (size := path.stat().st_size) > MAX_MODEL_BYTES:
        raise ProblemError(
            f"{path}: {size / 2**30:.1f} GiB, and an ONNX file has less than 2: its weights lie beside it"
        )
    if "onnx" not in map(family_of, installed()):
        raise MissingPart('onnx is needed to read a model, and is not installed: pip install "framework-kb[onnx]"')
    outcome = run("kb.problems.audit.worker:describe", {"path": str(path.resolve())}, Limits(TIMEOUT_S))
    if outcome.failure is not None:
        reason = outcome.failure.reason.removeprefix("ValueError: ")
        raise ProblemError(f"{path}: cannot be audited: {printable(reason)}")
    found = outcome.result
    return ModelFacts(
        path=path,
        ir_version=found["ir_version"],
        opsets=found["opsets"],
        operators=frozenset((domain, kind) for domain, kind in found["operators"]),
        producer=found["producer"],
        producer_version=found["producer_version"],
    )


def _made_by(model: ModelFacts, packages: dict[str, Version]) -> dict[str, Version]:
    """The packages with the exporter that made the model in place of the one that is here."""
    try:
        version = Version(model.producer_version)
    except InvalidVersion:
        return packages
    family = family_of(model.producer) if model.producer else ""
    if not family or " " in family:
        return packages
    return {name: one for name, one in packages.items() if family_of(name) != family} | {family: version}


def here() -> dict[str, Version]:
    """What is installed here. A version that is none by PEP 440 cannot be compared with any."""
    found = {}
    for name, version in installed().items():
        try:
            found[normalised(name)] = Version(version)
        except InvalidVersion:
            continue
    return found


def _providers() -> tuple[str, ...] | None:
    outcome = run("kb.problems.audit.worker:providers", {}, Limits(TIMEOUT_S))
    return None if outcome.failure else tuple(outcome.result)


def _python() -> str:
    return platform.python_version()
