"""Names of places and arms on a page: what a place has in common with most is said once, in the caption."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import mode
from typing import Any

from kb.analysis.findings import Arm, Place
from kb.analysis.speed import BASE_ENVIRONMENT, BASE_PRECISION
from kb.records.run import Machine
from kb.site.text import clean, counted

#: What makes a setting, in the order in which it is said.
FIELDS = ("batch", "threads", "device")

#: Longest name of a model, runtime or environment in a chart; the table beside it has the whole.
MAX_LABEL = 40


def arm_label(arm: Arm) -> str:
    """``onnxruntime``, ``onnxruntime int8``, ``torch-eager (torch==2.12.0)``."""
    precision = "" if arm.precision == BASE_PRECISION else f" {arm.precision}"
    environment = "" if arm.environment == BASE_ENVIRONMENT else f" ({arm.environment})"
    return clean(f"{arm.runtime}{precision}{environment}", MAX_LABEL)


def place_labels(places: Iterable[Place]) -> Mapping[Place, tuple[str, str]]:
    """Model, and what tells the place from most: ``batch 8, 2 threads``; empty where nothing does."""
    every = sorted(set(places))
    usual = {name: _usual(every, name) for name in FIELDS} if every else {}
    return {
        place: (
            clean(place.model, MAX_LABEL),
            ", ".join(_part(place, name) for name in FIELDS if getattr(place, name) != usual[name]),
        )
        for place in every
    }


def left_unsaid(places: Iterable[Place]) -> str:
    """What `place_labels` leaves out, for the caption: ``batch 1, 1 thread, cpu where a label says nothing else``."""
    every = sorted(set(places))
    if not every:
        return ""
    usual = setting(replace(every[0], **{name: _usual(every, name) for name in FIELDS}))
    some_differ = any(said for _, said in place_labels(every).values())
    return f"{usual} where a label says nothing else" if some_differ else usual


def _usual(places: Sequence[Place], name: str) -> Any:
    """What most places have; of values that are as frequent, the smallest."""
    return mode(sorted(getattr(place, name) for place in places))


def setting(place: Place) -> str:
    """``batch 8, 1 thread, cpu``."""
    return ", ".join(_part(place, name) for name in FIELDS)


def machine_label(machine: Machine) -> str:
    """``AMD EPYC 7B13, 2 cores + NVIDIA L4``."""
    accelerators = "".join(f" + {accelerator.name}" for accelerator in machine.accelerators)
    return clean(f"{machine.cpu_model}, {counted(machine.usable_cores, 'core')}{accelerators}", 90)


def _part(place: Place, name: str) -> str:
    if name == "batch":
        return f"batch {place.batch}"
    if name == "threads":
        return counted(place.threads, "thread")
    return clean(place.device, MAX_LABEL)
