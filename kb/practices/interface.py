"""What a practice must offer to be measured: its arms, its measures, and what a worker process does for one arm."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from kb.records.statuses import Status

#: Threads of an arm that takes all usable cores; the plan replaces it by their number.
ALL_CORES = 0


@dataclass(frozen=True, order=True)
class Arm:
    """One way to do it: what a worker process measures, and what a row is about."""

    subject: str  #: what it is applied to: a model, an operator, a kind of data; arms of one subject are compared
    name: str  #: the way, in a few words, e.g. ``torch bf16 autocast``
    device: str = "cpu"
    threads: int = 1

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        return cls(**values)


@dataclass(frozen=True)
class Measure:
    """One figure that a practice yields: a column of its page."""

    key: str  #: with its unit at the end, as in the tables of `results/`: ``step_ms``, ``samples_per_s``
    header: str  #: over the column of the page
    unit: str = ""  #: under it
    better: Literal["lower", "higher", "neither"] = "neither"  #: which way a verdict points; "neither": a plain fact
    yes_no: bool = False  #: 1 is shown as yes, 0 as no


@dataclass(frozen=True)
class Reading:
    """One figure of one process, or why there is none. A figure that failed leaves the others as they are."""

    measure: str  #: a key of the practice's measures
    value: float | None = None
    status: Status = Status.OK
    reason: str = ""  #: one line; empty when ok


class Practice(Protocol):
    """One practice. Constructing it is cheap and imports no framework; the site does so to label its page."""

    name: str  #: of its page and in the rows, e.g. ``mixed-precision``
    title: str
    advice: str  #: what teams are told, in one sentence
    replicates: int  #: fresh processes per arm
    measures: tuple[Measure, ...]  #: the first one carries the verdict: it must be positive and not a yes or no

    def arms(self) -> Sequence[Arm]:
        """Every arm, those that this machine cannot run among them."""
        ...

    def baseline(self, arm: Arm) -> Arm | None:
        """The arm that this one is compared with (same subject), or None for a baseline itself."""
        ...

    def refuse(self, arm: Arm) -> str | None:
        """Why the arm can never work here (status `unsupported`), or None. Imports no framework."""
        ...

    def run(self, arm: Arm, folder: Path) -> Sequence[Reading]:
        """Measure one arm, in a process of its own with the threads already in the environment.

        Args:
            folder: empty, for what the arm has to write; removed afterwards.

        Raises:
            Exception: whatever a framework raises; it becomes a row with a status by the stage announced last
                (`kb.workers.stages.enter`: "import", "build", "convert", "load", "first call", "measure").
        """
        ...
