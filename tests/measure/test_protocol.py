"""The timing protocol on a session with a known clock: how many calls, which median, when there are percentiles."""

import gc
from typing import Any

import pytest

from kb.measure import protocol
from kb.measure.protocol import measure_steady


class Clock:
    """Time that passes only when a session is called."""

    def __init__(self) -> None:
        self.now_ns = 0

    def perf_counter_ns(self) -> int:
        return self.now_ns

    def perf_counter(self) -> float:
        return self.now_ns / 1e9


class Session:
    """Every call takes as long as the next of the durations, the last one for ever."""

    def __init__(self, clock: Clock, *durations_s: float, compiles: tuple[int, ...] = (1,)) -> None:
        self.clock, self.durations = clock, list(durations_s)
        self.calls = 0
        self.pending_ns = 0
        self.compiled = list(compiles)
        self.collected_while_timed = False

    def call(self) -> Any:
        duration = self.durations.pop(0) if len(self.durations) > 1 else self.durations[0]
        self.pending_ns += round(duration * 1e9)
        self.calls += 1

    def wait(self) -> None:
        self.clock.now_ns += self.pending_ns
        self.pending_ns = 0
        self.collected_while_timed |= self.calls > 1000 and gc.isenabled()

    def compiles(self) -> int:
        return self.compiled.pop(0) if len(self.compiled) > 1 else self.compiled[0]

    def device_timer(self) -> "Timer | None":
        return None


class Timer:
    """A device that does a quarter of what the host sees."""

    def __init__(self, session: "OnDevice") -> None:
        self.session = session
        self.marks: list[int] = []

    def start(self) -> None:
        self.marks = [self.session.calls]

    def stop(self) -> None:
        self.marks.append(self.session.calls)

    def elapsed_s(self) -> float:
        assert self.session.pending_ns == 0, "asked before the device had finished"
        return (self.marks[1] - self.marks[0]) * self.session.durations[0] / 4


class OnDevice(Session):
    """A session on an accelerator with a clock of its own."""

    def device_timer(self) -> "Timer | None":
        return Timer(self)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(protocol, "time", clock)
    return clock


def test_a_device_with_a_clock_is_timed_by_it_beside_the_host(clock):
    steady = measure_steady(OnDevice(clock, 1e-3))
    assert steady.latency_p50_ms == pytest.approx(1.0)
    assert steady.device_p50_ms == pytest.approx(0.25)


def test_without_a_clock_of_the_device_there_is_no_such_figure(clock):
    assert measure_steady(Session(clock, 1e-3)).device_p50_ms is None


def test_pages_that_calls_touch_for_the_first_time_are_counted(clock, monkeypatch):
    faults = iter(range(0, 10_000_000, 70))
    monkeypatch.setattr(protocol, "_page_faults", lambda: next(faults))
    steady = measure_steady(Session(clock, 1e-2))
    assert steady.page_faults_per_call == pytest.approx(70 * steady.blocks / steady.calls)


def test_a_fast_model_is_timed_in_blocks_long_enough_for_the_clock(clock):
    steady = measure_steady(Session(clock, 1e-4))
    assert steady.latency_p50_ms == pytest.approx(0.1)
    assert steady.latency_iqr_ms == pytest.approx(0.0, abs=1e-9)
    assert steady.calls / steady.blocks * 1e-4 >= protocol.BLOCK_S * 0.999
    assert steady.calls * 1e-4 >= protocol.MEASURE_S * 0.999
    assert steady.warmup_calls * 1e-4 >= protocol.WARMUP_S * 0.999


def test_a_slow_model_still_has_a_median_and_a_warm_up(clock):
    steady = measure_steady(Session(clock, 7.0))
    assert steady.latency_p50_ms == pytest.approx(7000)
    assert steady.blocks == protocol.MIN_BLOCKS
    assert steady.warmup_calls == protocol.WARMUP_CALLS


def test_slow_first_calls_do_not_count(clock):
    steady = measure_steady(Session(clock, *[0.3] * 4, 0.01))
    assert steady.latency_p50_ms == pytest.approx(10)


def test_one_disturbed_block_does_not_move_the_median(clock):
    session = Session(clock, *[0.05] * 12, 3.0, 0.05)
    assert measure_steady(session).latency_p50_ms == pytest.approx(50)


@pytest.mark.parametrize(
    ("call_s", "p90", "p99"),
    [(0.1, False, False), (1 / 70, True, False), (1 / 700, True, True)],
)
def test_percentiles_need_enough_single_calls(clock, call_s, p90, p99):
    steady = measure_steady(Session(clock, call_s))
    assert (steady.latency_p90_ms is not None) is p90
    assert (steady.latency_p99_ms is not None) is p99
    assert steady.single_calls <= protocol.MAX_SINGLE_CALLS


def test_without_percentiles_no_single_call_is_timed(clock):
    steady = measure_steady(Session(clock, 1 / 700), percentiles=False)
    assert (steady.latency_p90_ms, steady.latency_p99_ms, steady.single_calls) == (None, None, 0)
    assert steady.latency_p50_ms == pytest.approx(1e3 / 700)


def test_compiles_after_the_warm_up_are_counted(clock):
    assert measure_steady(Session(clock, 0.01, compiles=(1, 4))).recompiles == 3


def test_the_garbage_collector_is_off_while_time_is_taken_and_on_again_afterwards(clock):
    session = Session(clock, 1e-4)
    measure_steady(session)
    assert gc.isenabled()


def test_the_real_clock_gives_what_a_sleep_takes():
    import time

    class Sleeper:
        def call(self) -> None:
            time.sleep(0.02)

        def wait(self) -> None:
            pass

        def compiles(self) -> int:
            return 0

        def device_timer(self) -> None:
            return None

    assert 20 <= measure_steady(Sleeper()).latency_p50_ms < 40
