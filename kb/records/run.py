"""What run.json holds: one execution on one machine, with all that is needed to read its rows years later."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from secrets import token_hex
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from kb.records.schema import SCHEMA_VERSION

#: Names of run folders: start in UTC, id of the machine, and four random digits, so that two runs of one machine that
#: start in one second (two checkouts, two containers) do not meet.
RUN_NAME = re.compile(r"([0-9]{4})[0-9]{4}T[0-9]{6}Z-([0-9a-f]{8})-[0-9a-f]{4}")


def new_run_name(started: datetime, machine_id: str) -> str:
    """Name of a run's folder, e.g. ``20261122T031500Z-1a2b3c4d-5e6f``; the last four digits are random."""
    return f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{machine_id}-{token_hex(2)}"


class _Record(BaseModel):
    """Frozen, and strict about unknown keys: a file from elsewhere is not guessed at."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants", use_attribute_docstrings=True
    )


class Accelerator(_Record):
    """One accelerator of the machine."""

    kind: str
    """`cuda`, `mps`, `xpu`, ..."""
    name: str
    """Product name as the driver gives it."""
    memory_gib: float | None = None
    """Memory of its own."""
    driver: str | None = None
    """Version of the driver."""


class Machine(_Record):
    """Fingerprint of the hardware a run was made on; never the host name."""

    id: str
    """8 hexadecimal digits of the hash of the hardware fields below (not of kernel or affinity)."""
    cpu_model: str
    """Model of the CPU as it names itself."""
    cpu_flags: tuple[str, ...]
    """Of the flags that change results or speed: avx2, avx512f, avx512_vnni, ..."""
    architecture: str
    """Instruction set, e.g. `x86_64`."""
    physical_cores: int
    """Cores of the machine."""
    logical_cores: int
    """Hardware threads of the machine."""
    usable_cores: int
    """Physical cores left by affinity and cgroup limits."""
    ram_gib: float
    """Memory of the machine."""
    memory_limit_gib: float | None = None
    """Limit of the cgroup, where there is one."""
    accelerators: tuple[Accelerator, ...] = ()
    """Accelerators of the machine."""
    os: str
    """Operating system and its version."""
    kernel: str
    """Version of the kernel."""
    virtual: bool | None = None
    """Runs under a hypervisor; null where that cannot be told."""


class Validity(StrEnum):
    """Whether verdicts may be drawn from a run."""

    VALID = "VALID"
    INVALID = "INVALID"
    UNFINISHED = "UNFINISHED"  #: killed or still running


class Noise(_Record):
    """The run's A/A check: one case measured against itself."""

    case: str
    """Id of the case."""
    ratio: float | None
    """Second arm over first, geometric mean over the rounds."""
    low: float | None
    """Lower bound of the interval of the ratio."""
    high: float | None
    """Upper bound of the interval of the ratio."""
    confidence: float
    """Level of the interval."""
    n: int
    """Rounds in which both arms succeeded."""
    verdict: str
    """faster, slower, same, inconclusive."""
    detectable: float | None
    """Smallest relative change that would have been seen with 90 % power."""


class LeftOut(_Record):
    """A cell of the grid that this profile does not measure."""

    case: str
    """Id of the case."""
    reason: str
    """Why the profile leaves it out."""


class RunInfo(_Record):
    """run.json. Written when the run starts and, once, when it ends; never edited afterwards."""

    schema_version: int = SCHEMA_VERSION
    """Version of run.json and of the tables together. A newer one than kb knows is refused, an older one upgraded."""
    run: str
    """Name of the folder."""
    kb_version: str
    """Version of kb."""
    kb_commit: str | None
    """Commit of the knowledge base when the run started; null outside a repository."""
    command: str
    """`bench`, `refresh`, `practices`, `convert`, `verify`."""
    profile: str
    """Name of the profile, which sets grid and replicates."""
    started: AwareDatetime
    """Start of the run, UTC."""
    ended: AwareDatetime | None = None
    """End of the run, UTC; null while it is unfinished."""
    python: str
    """Version of Python."""
    machine: Machine
    """The machine it ran on."""
    environments: dict[str, dict[str, str]]
    """Environment -> distribution -> version."""
    disk_mib: dict[str, float] = Field(default_factory=dict)
    """Runtime -> MiB on disk of its framework's package and all that it requires; runtimes that were planned."""
    settings: dict[str, Any]
    """The settings that shaped the plan."""
    seed: int
    """Seed of the schedule's shuffling."""
    replicates: int
    """Replicates planned of each case."""
    cases: tuple[dict[str, Any], ...]
    """Every cell planned, in plan order."""
    arms: tuple[dict[str, Any], ...] = ()
    """Every arm of a practice planned, in plan order."""
    conversions: tuple[dict[str, Any], ...] = ()
    """Every conversion planned, in plan order."""
    compatibility: dict[str, int] = Field(default_factory=dict)
    """Of a run of conversions: the newest opset and IR version that onnx writes and ONNX Runtime reads, and whether
    (1 or 0) its products of 8-bit integers are exact on this CPU."""
    left_out: tuple[LeftOut, ...] = ()
    """Cells of the grid that the profile does not measure."""
    rows: dict[str, int] = Field(default_factory=dict)
    """Table -> number of rows; set at the end."""
    counts: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Table -> status -> rows; set at the end."""
    noise: Noise | None = None
    """The A/A check; null where it could not be made."""
    conditions: dict[str, float | None] = Field(default_factory=dict)
    """Medians of load, foreign CPU, steal and throttling over the run."""
    validity: Validity = Validity.UNFINISHED
    """Whether verdicts may be drawn from the run."""
    reasons: tuple[str, ...] = ()
    """Why the run is INVALID."""
    ci_url: str | None = None
    """The CI job that made the run."""

    @property
    def finished(self) -> bool:
        return self.ended is not None

    @model_validator(mode="after")
    def _ends_with_a_validity(self) -> Self:
        if self.finished is (self.validity is Validity.UNFINISHED):
            raise ValueError("a run is UNFINISHED if and only if `ended` is null")
        if (self.validity is Validity.INVALID) is not bool(self.reasons):
            raise ValueError("a run that is INVALID has reasons, and no other run has")
        return self
