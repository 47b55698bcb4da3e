"""Timing inside a practice's worker, by the same protocol as the grid: warm-up, blocks, median."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kb.measure.protocol import Steady, measure_steady
from kb.models.interface import Array
from kb.runtimes.interface import DeviceTimer


def _nothing() -> None:
    """A CPU has finished when the call returns."""


@dataclass(frozen=True)
class _Timed:
    """What `measure_steady` asks of a session, around a plain function."""

    call: Callable[[], Any]
    wait: Callable[[], None]

    def outputs(self) -> list[Array]:
        """None are looked at: a practice checks its own."""
        return []

    def compiles(self) -> int:
        """Not counted here."""
        return 0

    def threads(self) -> int | None:
        """Not asked here."""
        return None

    def peak_device_mib(self) -> float | None:
        """Not asked here."""
        return None

    def device_timer(self) -> DeviceTimer | None:
        """The host's clock is enough here."""
        return None


def steady(call: Callable[[], Any], wait: Callable[[], None] = _nothing) -> Steady:
    """Steady-state time of a call, milliseconds; `wait` returns when the device has finished."""
    return measure_steady(_Timed(call, wait), percentiles=False)
