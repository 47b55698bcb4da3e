"""One cell of the grid, and what is to be measured on it: the words every floor shares."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Kind(StrEnum):
    """What one worker process measures."""

    LATENCY = "latency"  #: cold stages, steady latency, correctness
    AA = "aa"  #: the second arm of the run's A/A check: the same case, measured as if it were another
    MEMORY = "memory"  #: peak resident memory, in a process of its own


@dataclass(frozen=True, order=True)
class Case:
    """One cell: model x runtime x device x precision x batch x threads x environment."""

    model: str
    runtime: str
    device: str = "cpu"
    precision: str = "fp32"
    batch: int = 1
    threads: int = 1
    environment: str = "current"

    @property
    def id(self) -> str:
        """Readable and unique, e.g. ``mlp8/onnxruntime/cpu/fp32/b1/t1/current``."""
        return (
            f"{self.model}/{self.runtime}/{self.device}/{self.precision}"
            f"/b{self.batch}/t{self.threads}/{self.environment}"
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        return cls(**values)


@dataclass(frozen=True, order=True)
class Job:
    """One row to be: one fresh worker process for one case."""

    case: Case
    kind: Kind
    replicate: int  #: from 0; for latency and A/A it is also the round of the schedule
