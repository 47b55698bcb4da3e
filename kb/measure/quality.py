"""How far a row and a run can be trusted: flags for rows, VALID or INVALID with reasons for runs."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from kb.measure.arms import Verdict
from kb.records.run import Noise, Validity

#: Interquartile range over median of a row's blocks above which it is noisy: its median may be off by a few per cent.
NOISY_IQR = 0.10
#: And above which it is untrusted: something else ran, and no verdict is drawn from it.
UNTRUSTED_IQR = 0.25
#: Share of CPU time taken by the hypervisor above which a row is noisy, per cent.
NOISY_STEAL_PCT = 5.0
#: Share of the cores that the run leaves free which others may keep busy before the machine counts as busy.
BUSY_SHARE = 0.5
#: Cores that others may always keep busy: the system itself is never quite idle.
BUSY_CORES = 0.25

Row = Mapping[str, str | int | float | None]


def row_quality(iqr_over_median: float, recompiles: int, steal_pct: float | None, throttle_events: int | None) -> str:
    """`good`, `noisy` (also when a graph was compiled while time was taken) or `untrusted`."""
    if iqr_over_median > UNTRUSTED_IQR:
        return "untrusted"
    stolen = steal_pct is not None and steal_pct > NOISY_STEAL_PCT
    if iqr_over_median > NOISY_IQR or recompiles or stolen or throttle_events:
        return "noisy"
    return "good"


def median_conditions(rows: Sequence[Row]) -> dict[str, float | None]:
    """Medians over the rows of load, foreign CPU and steal, and the sum of the throttling events."""
    medians = {name: _median(_numbers(rows, name)) for name in ("load_1m", "foreign_cpu_cores", "steal_pct")}
    events = _numbers(rows, "throttle_events")
    return {**medians, "throttle_events": sum(events) if events else None}


def busy_limit_cores(usable_cores: int, threads: int) -> float:
    """Cores that other processes may keep busy, as a median over the run, before it is INVALID."""
    return max(BUSY_CORES, BUSY_SHARE * (usable_cores - threads))


def judge_run(
    noise: Noise | None, conditions: Mapping[str, float | None], usable_cores: int, threads: int, ok_rows: int
) -> tuple[Validity, tuple[str, ...]]:
    """Whether verdicts may be drawn from a run, and why not."""
    reasons: list[str] = []
    if ok_rows == 0:
        reasons.append("no case was measured")
    elif noise is None or noise.ratio is None or noise.low is None or noise.high is None:
        reasons.append("the A/A check has fewer than two rounds: the noise of this run is not known")
    elif noise.verdict in (Verdict.FASTER, Verdict.SLOWER):
        reasons.append(
            f"the A/A check calls a case different from itself: ratio {noise.ratio:.3f}, "
            f"{noise.confidence:.0%} interval {noise.low:.3f} to {noise.high:.3f}"
        )
    foreign, limit = conditions.get("foreign_cpu_cores"), busy_limit_cores(usable_cores, threads)
    if foreign is not None and foreign > limit:
        reasons.append(f"the machine was busy: others used {foreign:.2f} cores, {limit:.2f} are allowed")
    steal = conditions.get("steal_pct")
    if steal is not None and steal > NOISY_STEAL_PCT:
        reasons.append(f"the hypervisor took {steal:.1f} % of the CPU time, {NOISY_STEAL_PCT:g} % are allowed")
    return (Validity.INVALID if reasons else Validity.VALID), tuple(reasons)


def _numbers(rows: Iterable[Row], name: str) -> list[float]:
    return [float(value) for row in rows if (value := row.get(name)) is not None]


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
