"""What the doctor finds: the machine, and per framework its state and devices."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kb.machine.checks import Device
from kb.records.run import Machine


class State(StrEnum):
    """What became of a framework."""

    OK = "ok"  #: it imports and answers; its devices may still fail
    ABSENT = "absent"  #: not installed
    BROKEN = "broken"  #: installed, but importing or asking it raises
    CRASHED = "crashed"  #: its process died, hung or was stopped


@dataclass(frozen=True)
class FrameworkReport:
    """One framework on this machine."""

    name: str
    state: State
    version: str | None = None
    distributions: tuple[str, ...] = ()  #: under which it is installed
    error: str | None = None
    devices: tuple[Device, ...] = ()
    facts: Mapping[str, Any] | None = None  #: what else it says of itself
    notes: tuple[str, ...] = ()  #: what would help

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "state": self.state.value,
            "version": self.version,
            "distributions": list(self.distributions),
            "error": self.error,
            "devices": [device.as_dict() for device in self.devices],
            "facts": dict(self.facts or {}),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Diagnosis:
    """What `kb doctor` prints."""

    machine: Machine
    frameworks: tuple[FrameworkReport, ...]
    notes: tuple[str, ...]  #: on the machine itself

    @property
    def usable(self) -> bool:
        """Whether anything can be measured here: some device of some framework gives right results."""
        return any(device.correct for framework in self.frameworks for device in framework.devices)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: plain dicts, lists, text, numbers and null."""
        return {
            "machine": self.machine.model_dump(mode="json"),
            "usable": self.usable,
            "frameworks": [framework.as_dict() for framework in self.frameworks],
            "notes": list(self.notes),
        }
