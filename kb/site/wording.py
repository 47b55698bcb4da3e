"""How a finding is said in a cell of a table: the figure, its interval beneath it, and a tone."""

from kb.analysis.cells import Cell as Measured
from kb.analysis.cells import Figure, Outcome
from kb.analysis.digits import Defended, defend, defended
from kb.analysis.speed import BreakEven, Entry, Payback, Speed
from kb.measure.arms import Verdict
from kb.records.case import Kind
from kb.records.run import Noise, RunInfo, Validity
from kb.records.statuses import EXPECTED, Status
from kb.site.table import EMPTY, Cell
from kb.site.text import counted

VERDICT_TONES = {Verdict.FASTER: "fast", Verdict.SLOWER: "slow", Verdict.SAME: "", Verdict.INCONCLUSIVE: "muted"}
VALIDITY_TONES = {Validity.VALID: "good", Validity.INVALID: "bad", Validity.UNFINISHED: "warn"}


def figure_cell(figure: Figure | None, *, spread: bool = True) -> Cell:
    """The median in the digits that its interval defends; under it the interval and the number of processes."""
    if figure is None:
        return EMPTY
    shown = defend_figure(figure)
    parts = [part for part in (shown.bounds, f"n {figure.n}") if part]
    return Cell(shown.value, figure.median, note=", ".join(parts) if spread else "")


def defend_figure(figure: Figure) -> Defended:
    """The median as text. It may lie just outside an interval of the mean; its digits are then no better for it."""
    if figure.interval is None:
        return defend(figure.median)
    return defend(figure.median, *figure.interval)


def speed_cell(speed: Speed | None) -> Cell:
    """Speed over the baseline, with its interval."""
    if speed is None or speed.ratio is None:
        return EMPTY
    shown = defend(speed.ratio, speed.low, speed.high)
    rounds = f"n {speed.n}" if speed.n == speed.of else f"n {speed.n} of {speed.of}"
    note = f"{shown.bounds}, {rounds}" if shown.bounds else rounds
    tone = VERDICT_TONES[speed.verdict] if speed.verdict else "hollow"
    return Cell(f"{shown.value}×", speed.ratio, note=note, tone=tone)


def verdict_cell(speed: Speed | None) -> Cell:
    """The verdict, and where it is open what would have been seen."""
    if speed is None or speed.ratio is None:
        return EMPTY
    if speed.verdict is None:
        return Cell("none", note="the run is not VALID", tone="hollow")
    seen = f"would have seen {percent(speed.detectable)}" if speed.detectable is not None else "one round only"
    open_note = seen if speed.verdict in (Verdict.SAME, Verdict.INCONCLUSIVE) else ""
    return Cell(str(speed.verdict), note=open_note, tone=VERDICT_TONES[speed.verdict])


def break_even_cell(result: BreakEven) -> Cell:
    """The number of calls, `at once`, `never` or `not shown`."""
    if result.payback is not Payback.CALLS or result.calls is None:
        return Cell(str(result.payback), tone="muted" if result.payback is Payback.NOT_SHOWN else "")
    shown = defend(result.calls, result.low, result.high)
    return Cell(f"{shown.value} calls", round(result.calls), note=shown.bounds)


def memory_cell(cell: Measured) -> Cell:
    """Net peak memory in MiB; beneath it the peak itself."""
    if cell.memory is None:
        return EMPTY
    peak = f"peak {cell.memory.peak.median:,.0f}"
    if cell.memory.net is None:
        return Cell("", cell.memory.peak.median, note=peak)
    return Cell(f"{cell.memory.net.median:,.0f}", cell.memory.net.median, note=peak)


def error_cell(cell: Measured) -> Cell:
    """The largest relative error of any replicate, and the bound it was judged by."""
    error, bound = cell.figures.get("error_relative"), cell.facts["tolerance_relative"]
    if error is None:
        return EMPTY
    beyond = bound is not None and error.high > bound
    allowed = "" if bound is None else f"{bound:.0e} allowed"
    return Cell(f"{error.high:.1e}", error.high, note=allowed, tone="bad" if beyond else "")


def status_cell(cell: Measured) -> Cell:
    """The status, and what takes trust away: failed, noisy or untrusted replicates, compiles while timing."""
    if cell.status is not Status.OK:
        return Cell(str(cell.status), tone=status_tone(cell.status))
    doubts = [f"{cell.failed} failed"] if cell.failed else []
    doubts += [f"{cell.quality[name]} {name}" for name in ("noisy", "untrusted") if cell.quality.get(name)]
    text = [", ".join(doubts) + f" of {cell.planned}"] if doubts else []
    recompiles = cell.figures.get("recompiles")
    if recompiles is not None and recompiles.high:
        text.append(counted(round(recompiles.high), "recompile"))
    return Cell("ok", note="; ".join(text), tone="warn" if text else "")


def status_tone(status: Status) -> str:
    return "muted" if status in EXPECTED else "bad"


def processes_cell(outcome: Outcome) -> Cell:
    """How many processes ended so."""
    note = "for memory" if outcome.kind is Kind.MEMORY else ""
    return Cell(str(outcome.replicates), outcome.replicates, note=note)


def run_cell(run: RunInfo | None, name: str, valid: bool) -> Cell:
    """The run that a figure comes from."""
    note = "" if valid or run is None else str(run.validity)
    return Cell(name, note=note, tone="" if valid else "hollow")


def noise_text(noise: Noise | None) -> str:
    """What the A/A check of a run found: ``1.004 (0.98 to 1.02) over 8 rounds: same; would have seen 3.1 %``."""
    if noise is None:
        return "not made"
    if noise.ratio is None:
        return "no round in which both arms succeeded"
    shown = defend(noise.ratio, noise.low, noise.high)
    bounds = f" ({shown.bounds})" if shown.bounds else ""
    seen = f"; would have seen {percent(noise.detectable)}" if noise.detectable is not None else ""
    return f"{shown.value}{bounds} over {counted(noise.n, 'round')}: {noise.verdict}{seen}"


def percent(share: float | None) -> str:
    """``3.8 %``, two significant digits."""
    return "" if share is None else f"{defended(100 * share)} %"


def saving_cell(entry: Entry) -> Cell:
    """Milliseconds that a call saves against the common baseline."""
    speed = entry.speed
    if speed is None or speed.ratio is None or speed.baseline.latency is None:
        return EMPTY
    base = speed.baseline.latency.median
    bounds = [base * (1 - 1 / bound) for bound in (speed.low, speed.high) if bound]
    low, high = (bounds[0], bounds[1]) if len(bounds) == 2 else (None, None)
    saved = base * (1 - 1 / speed.ratio)
    return Cell(defended(saved, low, high), saved)
