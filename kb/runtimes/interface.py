"""What a way to execute a model must offer: the stages of an inference's life, each timed by the protocol."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from kb.models.interface import Array, Model, Source
from kb.records.case import Case


class DeviceTimer(Protocol):
    """A stop-watch of the accelerator itself: it times what the device does, without the host's waiting."""

    def start(self) -> None:
        """Mark the beginning, behind all work given to the device so far."""
        ...

    def stop(self) -> None:
        """Mark the end, behind all work given to the device so far."""
        ...

    def elapsed_s(self) -> float:
        """Seconds between the marks. Only to be asked once the device has finished."""
        ...


class Session(Protocol):
    """A model ready to be called on inputs that are already in place."""

    def call(self) -> Any:
        """One inference. May return before the device has finished."""
        ...

    def wait(self) -> None:
        """Return when the device has finished. Nothing to do on a CPU."""
        ...

    def outputs(self) -> list[Array]:
        """The outputs of one call, as NumPy arrays."""
        ...

    def compiles(self) -> int:
        """Graphs compiled or traced in this process so far."""
        ...

    def threads(self) -> int | None:
        """Threads the framework says it uses; None where it cannot tell."""
        ...

    def peak_device_mib(self) -> float | None:
        """Peak memory allocated on the accelerator, MiB; None on a CPU."""
        ...

    def device_timer(self) -> DeviceTimer | None:
        """A stop-watch of the accelerator; None on a CPU, and where the framework offers none."""
        ...


class Runtime(Protocol):
    """One way to execute. Constructing it is cheap and imports no framework.

    A worker process calls, in this order and timing each: `start`, `build`, `load`, then the session. Where
    `convert` makes an artefact (an export or an ahead-of-time compilation), it runs once per run in a process of its
    own, `build` is skipped in the measuring process and `load` gets the artefact.
    """

    name: str
    packages: tuple[str, ...]  #: distributions whose versions the figures depend on, the framework first
    sources: tuple[Source, ...]  #: forms of a model that it takes, the preferred one first

    def refuse(self, model: Model, case: Case) -> str | None:
        """Why this case cannot work (status `unsupported`), or None. Imports no framework."""
        ...

    def converts(self, model: Model) -> bool:
        """Whether `convert` must run before `load`."""
        ...

    def convert(self, model: Model, inputs: Mapping[str, Array], case: Case, folder: Path) -> Path:
        """Write the artefact into `folder` and return its path. Only called where `converts`."""
        ...

    def start(self, case: Case) -> None:
        """Import the framework and set its threads."""
        ...

    def build(self, model: Model, case: Case) -> Any:
        """The framework's own model object with its weights, set up for the case's precision."""
        ...

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> Session:
        """From the built model or the artefact's path to something callable: compile, trace, create the session."""
        ...
