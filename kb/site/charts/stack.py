"""Stacked bars: where the time of a cold start goes, and what memory is the framework's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kb.analysis.cells import STAGES
from kb.analysis.digits import defended
from kb.analysis.findings import arm_of, speaking_first
from kb.analysis.speed import Entry
from kb.site.charts.style import INK, NARROW, WIDE, Datasets, Size, finished, row_axis
from kb.site.figures import Chart, Key
from kb.site.labels import arm_label
from kb.site.table import Table

#: Stage of a cold start (column) -> colour and words.
STAGE_KEYS = {
    "import_s": Key("import", "import"),
    "build_s": Key("build", "build the model"),
    "convert_s": Key("convert", "convert (once per run)"),
    "load_s": Key("load", "load or compile"),
    "first_call_s": Key("first", "first call"),
}

MEMORY_KEYS = {"baseline": Key("import", "import alone"), "net": Key("build", "model and calls")}

#: Share of the axis that the number right of the longest bar needs.
ROOM_FOR_TEXT = 0.12


@dataclass(frozen=True)
class Bar:
    """One stacked bar: parts in the order of the keys, and what stands at its end."""

    row: str
    parts: Mapping[str, float]
    text: str
    run: str

    @property
    def total(self) -> float:
        return sum(self.parts.values())


def start_chart(id: str, title: str, entries: Sequence[Entry], table: Table) -> Chart | None:
    """Seconds from the start of a process to its first answer, by stage, the quickest on top; None without any."""
    bars = [_start_bar(entry) for entry in speaking_first(entries).values() if entry.cell.start is not None]
    return _chart(
        id,
        title,
        "Median seconds of each stage, from an empty process to the first answer.",
        bars,
        STAGE_KEYS,
        "s",
        table,
    )


def memory_chart(id: str, title: str, entries: Sequence[Entry], table: Table) -> Chart | None:
    """Peak memory over what importing the framework takes, the smallest on top; None where it was not measured."""
    bars = [bar for entry in speaking_first(entries).values() if (bar := _memory_bar(entry)) is not None]
    caption = (
        "Peak resident memory of a process of its own; the number is the net of it, without the framework's import."
    )
    return _chart(id, title, caption, bars, MEMORY_KEYS, "MiB", table)


def _start_bar(entry: Entry) -> Bar:
    figures = {stage: entry.cell.figures[stage] for stage in STAGES if stage in entry.cell.figures}
    total = sum(figure.median for figure in figures.values())
    widths = [(figure.interval[1] - figure.interval[0]) / 2 for figure in figures.values() if figure.interval]
    text = defended(total, total - sum(widths), total + sum(widths)) if widths else defended(total)
    return Bar(
        row=_name(entry),
        parts={stage: figure.median for stage, figure in figures.items()},
        text=f"{text} s{_doubt(entry)}",
        run=entry.cell.run,
    )


def _memory_bar(entry: Entry) -> Bar | None:
    memory = entry.cell.memory
    if memory is None or memory.net is None or memory.baseline is None:
        return None
    parts = {"baseline": memory.baseline.median, "net": max(0.0, memory.net.median)}
    return Bar(_name(entry), parts, f"{round(memory.net.median):,} MiB{_doubt(entry)}", entry.cell.run)


def _name(entry: Entry) -> str:
    return arm_label(arm_of(entry.cell.case))


def _doubt(entry: Entry) -> str:
    return "" if entry.cell.valid else ", run not VALID"


def _chart(
    id: str, title: str, caption: str, bars: Sequence[Bar], keys: Mapping[str, Key], unit: str, table: Table
) -> Chart | None:
    if not bars:
        return None
    ordered = sorted(bars, key=lambda bar: (bar.total, bar.row))
    used = {part for bar in bars for part in bar.parts}
    return Chart(
        id=id,
        title=title,
        caption=caption,
        legend=tuple(key for part, key in keys.items() if part in used),
        wide=_plot(ordered, keys, unit, WIDE),
        narrow=_plot(ordered, keys, unit, NARROW),
        table=table,
    )


def _plot(bars: Sequence[Bar], keys: Mapping[str, Key], unit: str, size: Size) -> dict[str, Any]:
    import altair as alt

    data = Datasets()
    order = [bar.row for bar in bars]
    names = list(keys)
    parts = [
        {"row": bar.row, "part": keys[name].text, "value": value, "order": names.index(name), "run": bar.run}
        for bar in bars
        for name, value in bar.parts.items()
    ]
    room = ROOM_FOR_TEXT * (WIDE.width - WIDE.labels) / (size.width - size.labels) if size is NARROW else ROOM_FOR_TEXT
    longest = max(bar.total for bar in bars) or 1.0
    scale = alt.Scale(domain=[0, longest / (1 - min(room, 0.3))], nice=False)
    y = row_axis(size, order)
    x = alt.X(
        "value:Q", stack="zero", scale=scale, title=unit, axis=alt.Axis(grid=True, tickCount=4 if size is NARROW else 8)
    )
    colour = alt.Color(
        "part:N",
        scale=alt.Scale(domain=[keys[name].text for name in names], range=[INK[keys[name].colour] for name in names]),
        legend=None,
    )
    tooltip = [
        alt.Tooltip("row:N", title="runtime"),
        "part:N",
        alt.Tooltip("value:Q", title=unit, format=".3g"),
        "run:N",
    ]
    stack = (
        alt.Chart(data.add(parts))
        .mark_bar(stroke=INK["card"], strokeWidth=0.5, height=size.row - 10)
        .encode(y=y, x=x, color=colour, order=alt.Order("order:Q"), tooltip=tooltip)
    )
    ends = [{"row": bar.row, "value": bar.total, "text": bar.text} for bar in bars]
    text = (
        alt.Chart(data.add(ends))
        .mark_text(align="left", dx=6, fontSize=size.letters - 1, color=INK["fg"])
        .encode(y=y, x=alt.X("value:Q", scale=scale, title=unit), text="text:N")
    )
    layers = alt.layer(stack, text).properties(width=size.width - size.labels, height=size.row * len(bars))
    return finished(layers, size, data)
