"""What run.json holds: one execution on one machine, with all that is needed to read its rows years later."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from kb.records.schema import SCHEMA_VERSION


class _Record(BaseModel):
    """Frozen, and strict about unknown keys: a file from elsewhere is not guessed at."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Accelerator(_Record):
    """One accelerator of the machine."""

    kind: str  #: `cuda`, `mps`, `xpu`, ...
    name: str
    memory_gib: float | None = None
    driver: str | None = None


class Machine(_Record):
    """Fingerprint of the hardware a run was made on; never the host name."""

    id: str  #: 8 hexadecimal digits of the hash of the hardware fields below (not of kernel or affinity)
    cpu_model: str
    cpu_flags: tuple[str, ...]  #: of the flags that change results or speed: avx2, avx512f, avx512_vnni, ...
    architecture: str
    physical_cores: int
    logical_cores: int
    usable_cores: int  #: after affinity and cgroup limits
    ram_gib: float
    memory_limit_gib: float | None = None  #: of the cgroup, where there is one
    accelerators: tuple[Accelerator, ...] = ()
    os: str
    kernel: str
    virtual: bool | None = None  #: runs under a hypervisor; None where that cannot be told


class Validity(StrEnum):
    """Whether verdicts may be drawn from a run."""

    VALID = "VALID"
    INVALID = "INVALID"
    UNFINISHED = "UNFINISHED"  #: killed or still running


class Noise(_Record):
    """The run's A/A check: one case measured against itself."""

    case: str  #: id of the case
    ratio: float | None  #: second arm over first, geometric mean over the rounds
    low: float | None
    high: float | None
    confidence: float
    n: int  #: rounds in which both arms succeeded
    verdict: str  #: faster, slower, same, inconclusive
    detectable: float | None  #: smallest relative change that would have been seen with 90 % power


class LeftOut(_Record):
    """A cell of the grid that this profile does not measure."""

    case: str
    reason: str


class RunInfo(_Record):
    """run.json. Written when the run starts and, once, when it ends; never edited afterwards."""

    schema_version: int = SCHEMA_VERSION
    run: str  #: name of the folder
    kb_version: str
    kb_commit: str | None  #: commit of the knowledge base when the run started; None outside a repository
    command: str  #: `bench`, `refresh`
    profile: str
    started: datetime
    ended: datetime | None = None
    python: str
    machine: Machine
    environments: dict[str, dict[str, str]]  #: environment -> distribution -> version
    settings: dict[str, Any]  #: the settings that shaped the plan
    seed: int
    replicates: int
    cases: tuple[dict[str, Any], ...]  #: `Case.as_dict()` of every cell planned, in plan order
    aa_case: dict[str, Any] | None = None  #: the case of the A/A check
    left_out: tuple[LeftOut, ...] = ()
    rows: dict[str, int] = Field(default_factory=dict)  #: table -> number of rows; set at the end
    counts: dict[str, dict[str, int]] = Field(default_factory=dict)  #: table -> status -> rows; set at the end
    noise: Noise | None = None
    conditions: dict[str, float | None] = Field(default_factory=dict)  #: load, foreign CPU, steal, throttling: medians
    validity: Validity = Validity.UNFINISHED
    reasons: tuple[str, ...] = ()  #: why the run is INVALID
    ci_url: str | None = None
