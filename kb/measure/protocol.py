"""The timing protocol inside one process: warm-up, blocks, single calls. The method page prints its constants."""

import gc
import math
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from kb.runtimes.interface import DeviceTimer, Session

#: Warm-up lasts at least this long: caches fill, allocators settle, lazy compilation happens.
WARMUP_S = 0.5
#: Warm-up makes at least this many calls: some runtimes recompile on the second or third one.
WARMUP_CALLS = 5
#: A timed block lasts at least this long, so that the clock and its reading do not count.
BLOCK_S = 0.1
#: Blocks are timed for at least this long: ten blocks or more of a fast model.
MEASURE_S = 1.0
#: And there are at least this many, so that a slow model has a median and a spread as well.
MIN_BLOCKS = 3
#: Single calls are timed for at most this long; only the percentiles need them.
SINGLE_S = 1.0
#: And no more than this many: 662 suffice for the 99th percentile.
MAX_SINGLE_CALLS = 2000
#: The 90th percentile of single calls is given from this many on (one slow sample discarded, 99 % confidence).
P90_CALLS = 64
#: The 99th percentile likewise.
P99_CALLS = 662


@dataclass(frozen=True)
class Steady:
    """Steady-state latency of one process. Times are in milliseconds per call."""

    latency_p50_ms: float  #: median over the blocks of the mean time of a call
    latency_iqr_ms: float  #: interquartile range over the blocks
    latency_p90_ms: float | None  #: of single calls
    latency_p99_ms: float | None
    blocks: int
    calls: int
    single_calls: int
    warmup_calls: int
    recompiles: int  #: graphs compiled or traced after the warm-up
    device_p50_ms: float | None  #: median over the blocks by the accelerator's own clock; None where it has none
    page_faults_per_call: float  #: pages that the process had to be given while the blocks were timed


@dataclass(frozen=True)
class _Blocks:
    """What the timed blocks gave."""

    host_s: list[float]  #: mean seconds per call of each block
    device_s: list[float]  #: the same by the accelerator's clock; empty without one
    calls: int
    page_faults: int


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """The result of a function and the seconds it took."""
    start = time.perf_counter_ns()
    result = function()
    return result, (time.perf_counter_ns() - start) / 1e9


def finished_call(session: Session) -> Any:
    """One call, waited for."""
    result = session.call()
    session.wait()
    return result


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect now, and not while time is taken."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def measure_steady(session: Session, *, percentiles: bool = True) -> Steady:
    """Warm up, time blocks of calls, then single calls (design, how a number is obtained).

    Args:
        percentiles: whether single calls are timed at all; nothing but the percentiles comes from them.
    """
    warmup_calls, per_call_s = _warm_up(session)
    compiled = session.compiles()
    with no_garbage_collection():
        per_block = max(1, math.ceil(BLOCK_S / per_call_s))
        blocks = _time_blocks(session, per_block)
        singles = _time_singles(session, per_call_s) if percentiles else []
    low, middle, high = np.percentile(blocks.host_s, [25, 50, 75])
    return Steady(
        latency_p50_ms=float(middle) * 1e3,
        latency_iqr_ms=float(high - low) * 1e3,
        latency_p90_ms=_percentile_ms(singles, 90, P90_CALLS),
        latency_p99_ms=_percentile_ms(singles, 99, P99_CALLS),
        blocks=len(blocks.host_s),
        calls=blocks.calls,
        single_calls=len(singles),
        warmup_calls=warmup_calls,
        recompiles=session.compiles() - compiled,
        device_p50_ms=float(np.median(blocks.device_s)) * 1e3 if blocks.device_s else None,
        page_faults_per_call=blocks.page_faults / blocks.calls,
    )


def _warm_up(session: Session) -> tuple[int, float]:
    """Calls made, and the time of a call in its second half, seconds."""
    times: list[float] = []
    total = 0.0
    while len(times) < WARMUP_CALLS or total < WARMUP_S:
        times.append(timed(lambda: finished_call(session))[1])
        total += times[-1]
    return len(times), float(np.median(times[len(times) // 2 :]))


def _time_blocks(session: Session, per_block: int) -> _Blocks:
    """Time blocks of calls until there are enough. A block that is too short grows and is not kept."""
    host: list[float] = []
    device: list[float] = []
    total, calls, faults = 0.0, 0, 0
    timer = session.device_timer()
    while total < MEASURE_S or len(host) < MIN_BLOCKS:
        before = _page_faults()
        elapsed, on_device = _time_block(session, per_block, timer)
        if elapsed < BLOCK_S:
            per_block = max(per_block + 1, math.ceil(per_block * 1.1 * BLOCK_S / elapsed))
            continue
        faults += _page_faults() - before
        host.append(elapsed / per_block)
        device += [] if on_device is None else [on_device / per_block]
        total += elapsed
        calls += per_block
    return _Blocks(host, device, calls, faults)


def _time_block(session: Session, calls: int, timer: DeviceTimer | None) -> tuple[float, float | None]:
    """Seconds of one block by the host's clock, with the wait at its end, and by the device's."""
    call, wait = session.call, session.wait
    start = time.perf_counter_ns()
    if timer:
        timer.start()
    for _ in range(calls):
        call()
    if timer:
        timer.stop()
    wait()
    elapsed = (time.perf_counter_ns() - start) / 1e9
    return elapsed, timer.elapsed_s() if timer else None


def _page_faults() -> int:
    """Pages that this process has been given so far without reading a disk."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _time_singles(session: Session, per_call_s: float) -> list[float]:
    """Seconds of single calls, each waited for; none where too few would fit in for any percentile."""
    if per_call_s * P90_CALLS > SINGLE_S:
        return []
    times: list[float] = []
    end = time.perf_counter() + SINGLE_S
    while len(times) < MAX_SINGLE_CALLS and time.perf_counter() < end:
        times.append(timed(lambda: finished_call(session))[1])
    return times


def _percentile_ms(times_s: list[float], percent: float, needed: int) -> float | None:
    if len(times_s) < needed:
        return None
    return float(np.percentile(times_s, percent)) * 1e3
