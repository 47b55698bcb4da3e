"""Practices without any framework, well-behaved and not: real workers run them."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from kb.practices.interface import ALL_CORES, Arm, Measure, Reading
from kb.records.statuses import Status
from kb.runtimes.errors import DeviceMissing


class Sleeping:
    """Naps of known length, with a figure that fails beside them."""

    name = "sleeping"
    title = "Sleeping"
    advice = "Sleep less."
    replicates = 3
    measures = (
        Measure("nap_ms", "Nap", "ms", better="lower"),
        Measure("woke", "Woke", yes_no=True),
        Measure("dreams", "Dreams"),
    )
    naps_ms = MappingProxyType({"long nap": 20.0, "short nap": 10.0})

    def arms(self) -> Sequence[Arm]:
        return [
            *(Arm("bed", name) for name in self.naps_ms),
            Arm("bed", "short nap", "cuda"),
            Arm("sofa", "short nap", threads=ALL_CORES),
        ]

    def baseline(self, arm: Arm) -> Arm | None:
        return Arm("bed", "long nap") if arm.name == "short nap" and arm.subject == "bed" else None

    def refuse(self, arm: Arm) -> str | None:
        return "there is no such bed" if arm.device == "cuda" else None

    def run(self, arm: Arm, folder: Path) -> Sequence[Reading]:
        assert not list(folder.iterdir())
        (folder / "pillow").write_text("soft")
        start = time.perf_counter()
        time.sleep(self.naps_ms[arm.name] / 1e3)
        slept = (time.perf_counter() - start) * 1e3
        return [
            Reading("nap_ms", slept),
            Reading("woke", 1.0),
            Reading("dreams", None, Status.UNSUPPORTED, "naps are too short for dreams"),
        ]


class Crashing(Sleeping):
    """Its second arm dies; the first gives nothing at all."""

    name = "crashing"

    def run(self, arm: Arm, folder: Path) -> Sequence[Reading]:
        if arm.name == "short nap":
            os.kill(os.getpid(), signal.SIGSEGV)
        return []


class Homeless(Sleeping):
    """Its arms find out in their process that there is no place for them."""

    name = "homeless"

    def run(self, arm: Arm, folder: Path) -> Sequence[Reading]:
        raise DeviceMissing("there is no bed here")


class Unfinished:
    """Lacks most of what a practice has."""

    name = "unfinished"
