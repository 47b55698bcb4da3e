"""Latency of one model in one setting: a dot per runtime at the median, a line over the range of its processes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kb.analysis.cells import Cell as Measured
from kb.analysis.findings import arm_of
from kb.analysis.speed import Entry
from kb.measure.arms import Verdict
from kb.site.charts.style import INK, NARROW, WIDE, Datasets, Size, finished, row_axis
from kb.site.figures import Chart, Key
from kb.site.labels import arm_label
from kb.site.table import Table
from kb.site.wording import defend_figure

#: Largest over smallest latency from which the axis is logarithmic: below, a linear one shows small differences better.
LOGARITHMIC_FROM = 4.0

#: Width of the column of numbers at the right edge, pixels; no mark and no line runs through them.
NUMBERS = 84

#: Ticks of a logarithmic axis within each decade, the fullest choice that fits first.
TICKS = ((1, 2, 3, 5), (1, 2, 5), (1, 3), (1,))
MOST_TICKS = {WIDE: 9, NARROW: 5}

#: How an entry is drawn by its verdict: colour of the palette and words of the legend.
TONES = {
    Verdict.FASTER: ("fast", "faster than eager"),
    Verdict.SLOWER: ("slow", "slower than eager"),
    Verdict.SAME: ("mark", "the same, or no verdict"),
    Verdict.INCONCLUSIVE: ("mark", "the same, or no verdict"),
}
BASELINE = ("fg", "eager, the baseline")
HOLLOW = Key("mark", "newer run, not VALID", "circle")


def latency_chart(id: str, title: str, entries: Sequence[Entry], table: Table) -> Chart | None:
    """A chart of the entries that have a latency, the fastest on top; None where there are fewer than two."""
    timed = sorted((e for e in entries if e.cell.latency is not None), key=lambda e: _median(e.cell))
    if len(timed) < 2:
        return None
    counting = {arm_of(entry.cell.case) for entry in timed if entry.cell.valid}
    rows = [_row(entry, arm_of(entry.cell.case) not in counting) for entry in timed]
    n = sorted({entry.cell.latency.n for entry in timed if entry.cell.latency})
    processes = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
    return Chart(
        id=id,
        title=title,
        caption=(
            f"Median milliseconds of a call; the line runs from the fastest to the slowest of {processes} processes."
            f"{' Logarithmic axis.' if _logarithmic(rows) else ''}"
        ),
        legend=_legend(rows),
        wide=_plot(rows, WIDE),
        narrow=_plot(rows, NARROW),
        table=table,
    )


def _median(cell: Measured) -> float:
    return cell.latency.median if cell.latency else math.inf


def _row(entry: Entry, alone: bool) -> dict[str, Any]:
    """One mark; `alone` where the row has no mark of a VALID run, whose number would stand there."""
    latency = entry.cell.latency
    assert latency is not None
    verdict = entry.speed.verdict if entry.speed else None
    tone, word = BASELINE if entry.is_baseline else TONES[verdict or Verdict.INCONCLUSIVE]
    valid = entry.cell.valid
    return {
        "row": arm_label(arm_of(entry.cell.case)),
        "ms": latency.median,
        "low": latency.low,
        "high": latency.high,
        "text": f"{defend_figure(latency).value} ms" if valid or alone else "",
        "tone": tone if valid else HOLLOW.colour,
        "word": word if valid else "none: the run is not VALID",
        "valid": valid,
        "baseline": entry.is_baseline and valid,
        "processes": latency.n,
        "run": entry.cell.run,
    }


def _legend(rows: Sequence[Mapping[str, Any]]) -> tuple[Key, ...]:
    words = dict.fromkeys((row["tone"], row["word"]) for row in rows if row["valid"])
    hollow = (HOLLOW,) if not all(row["valid"] for row in rows) else ()
    return (*(Key(tone, word, "dot") for tone, word in words), *hollow)


def _logarithmic(rows: Sequence[Mapping[str, Any]]) -> bool:
    return float(max(row["high"] for row in rows)) >= LOGARITHMIC_FROM * float(min(row["low"] for row in rows))


def _scale(rows: Sequence[Mapping[str, Any]], size: Size) -> Any:
    """The axis from just under the smallest to just over the largest value, left of the column of numbers."""
    import altair as alt

    low, high = float(min(row["low"] for row in rows)), float(max(row["high"] for row in rows))
    margin = (high / low) ** 0.05
    logarithmic = _logarithmic(rows)
    return alt.Scale(
        type="log" if logarithmic else "linear",
        domain=[low / margin, high * margin] if logarithmic else [0.0, high * 1.05],
        range=[0, size.width - size.labels - NUMBERS],
        nice=False,
    )


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values between low and high for a logarithmic axis, at most so many if that can be."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for steps in TICKS:
        found = [float(f"{step}e{d}") for d in decades for step in steps if low <= float(f"{step}e{d}") <= high]
        if len(found) <= most:
            break
    return found


def _plot(rows: Sequence[Mapping[str, Any]], size: Size) -> dict[str, Any]:
    import altair as alt

    data = Datasets()
    scale = _scale(rows, size)
    order = [row["row"] for row in rows if row["text"]]
    # On a linear axis "g" would have as many digits as tell the ticks apart, and 100 would be 1e+2.
    axis: dict[str, Any] = {"tickCount": 4 if size is NARROW else 7, "format": ",~f"}
    if _logarithmic(rows):
        axis = {"values": ticks(scale.domain[0], scale.domain[1], MOST_TICKS[size]), "format": "~g"}

    def x(field: str) -> Any:
        return alt.X(f"{field}:Q", scale=scale, title="ms per call", axis=alt.Axis(grid=True, **axis))

    base = alt.Chart(data.add(rows)).encode(y=row_axis(size, order), x=x("ms"), tooltip=_tooltip())
    tones = ["fast", "slow", "mark", "fg"]
    colour = alt.Color("tone:N", scale=alt.Scale(domain=tones, range=[INK[tone] for tone in tones]), legend=None)
    span = base.mark_rule(strokeWidth=3, opacity=0.55, strokeCap="round").encode(x=x("low"), x2="high:Q", color=colour)
    guide = alt.Chart(data.add([row for row in rows if row["baseline"]])).mark_rule(
        strokeDash=[4, 4], color=INK["mark"]
    )
    dot = base.transform_filter("datum.valid").mark_circle(size=110, opacity=1).encode(color=colour)
    ring = base.transform_filter("!datum.valid").mark_point(
        size=190, opacity=1, strokeWidth=2, fill=INK["card"], color=INK["mark"]
    )
    number = base.mark_text(align="right", fontSize=size.letters, color=INK["fg"]).encode(
        x=alt.value(size.width - size.labels), text="text:N"
    )
    layers = alt.layer(guide.encode(x=x("ms")), span, ring, dot, number)
    return finished(layers.properties(width=size.width - size.labels, height=size.row * len(order)), size, data)


def _tooltip() -> list[Any]:
    import altair as alt

    figures = [alt.Tooltip(f"{name}:Q", format=".4g") for name in ("ms", "low", "high")]
    return [
        alt.Tooltip("row:N", title="runtime"),
        *figures,
        alt.Tooltip("processes:Q"),
        alt.Tooltip("word:N", title="verdict"),
        alt.Tooltip("run:N"),
    ]
