"""Throughput over batch size: a line per runtime, both axes logarithmic, its interval as an upright stroke."""

from collections.abc import Mapping, Sequence
from typing import Any

from kb.analysis.sweeps import Sweep
from kb.site.charts.latency import MOST_TICKS, ticks
from kb.site.charts.style import INK, NARROW, WIDE, Datasets, Size, finished
from kb.site.figures import Chart, Key
from kb.site.labels import arm_label
from kb.site.table import Table

#: Colours of the runtimes in their order; more runtimes than colours share the last, and the table tells them apart.
TONES = ("fast", "load", "first", "convert", "mark")

HEIGHT = 280


def sweep_chart(id: str, title: str, caption: str, sweep: Sweep, table: Table) -> Chart:
    """A chart of one sweep."""
    rows = _rows(sweep)
    names = dict.fromkeys((str(row["tone"]), str(row["runtime"])) for row in rows)
    return Chart(
        id=id,
        title=title,
        caption=caption,
        legend=tuple(Key(tone, name, "dot") for tone, name in names),
        wide=_plot(rows, WIDE),
        narrow=_plot(rows, NARROW),
        table=table,
    )


def _rows(sweep: Sweep) -> list[dict[str, Any]]:
    rows = []
    for index, (arm, steps) in enumerate(sweep.arms.items()):  # by name: a runtime has one colour on all charts
        for step in steps:
            rate = step.samples_per_s
            if rate is None:
                continue
            low, high = step.bounds or (rate, rate)
            rows.append(
                {
                    "runtime": arm_label(arm),
                    "tone": TONES[min(index, len(TONES) - 1)],
                    "batch": step.batch,
                    "rate": rate,
                    "low": low,
                    "high": high,
                }
            )
    return rows


def _plot(rows: Sequence[Mapping[str, Any]], size: Size) -> dict[str, Any]:
    import altair as alt

    data = Datasets()
    low, high = min(float(row["low"]) for row in rows), max(float(row["high"]) for row in rows)
    batches = sorted({int(row["batch"]) for row in rows})
    x = alt.X(
        "batch:Q",
        scale=alt.Scale(type="log", base=2, domain=[batches[0] / 1.1, batches[-1] * 1.1], nice=False),
        axis=alt.Axis(values=batches, format="d", grid=False),
        title="batch size",
    )

    def y(field: str) -> Any:
        return alt.Y(
            f"{field}:Q",
            scale=alt.Scale(type="log", domain=[low / 1.1, high * 1.1], nice=False),
            axis=alt.Axis(values=ticks(low / 1.1, high * 1.1, MOST_TICKS[size]), format="~s"),
            title="samples per second",
        )

    colour = alt.Color("tone:N", scale=alt.Scale(domain=list(TONES), range=[INK[tone] for tone in TONES]), legend=None)
    tooltip = [alt.Tooltip("runtime:N"), alt.Tooltip("batch:Q"), alt.Tooltip("rate:Q", format=".4g")]
    base = alt.Chart(data.add(rows)).encode(x=x, color=colour, detail="runtime:N", tooltip=tooltip)
    line = base.mark_line(strokeWidth=2).encode(y=y("rate"))
    span = base.mark_rule(strokeWidth=3, opacity=0.55, strokeCap="round").encode(y=y("low"), y2="high:Q")
    dot = base.mark_circle(size=70, opacity=1).encode(y=y("rate"))
    return finished(alt.layer(line, span, dot).properties(width=size.width - 70, height=HEIGHT), size, data)
