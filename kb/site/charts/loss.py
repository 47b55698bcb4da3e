"""Accuracy lost by conversions: a dot at the loss, a line to its upper bound, and the gate that this must not pass."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kb.analysis.conversions import Converted
from kb.records.statuses import Status
from kb.site.charts.style import INK, NARROW, WIDE, Datasets, Size, finished
from kb.site.figures import Chart, Key
from kb.site.labels import MAX_LABEL
from kb.site.table import Table
from kb.site.text import clean

#: Rows of one chart; the table has all.
MOST_ROWS = 40
#: Longest bound that is drawn to scale, as a multiple of the largest gate: one lost model must not flatten the others.
FARTHEST = 6.0
#: Width of the column of numbers at the right edge, pixels.
NUMBERS = 76
#: Names of model and precision side by side, and one above the other.
ROOMY, TIGHT = replace(WIDE, labels=240), replace(NARROW, labels=122, row=38)

PASSED, FAILED, GATE = (
    Key("fast", "the bound is within the gate", "dot"),
    Key("slow", "it is not", "dot"),
    Key("mark", "gate", "dash"),
)


def loss_chart(id: str, title: str, found: Sequence[Converted], table: Table) -> Chart | None:
    """A chart of the conversions whose accuracy was compared; None where there is none."""
    figures = ("accuracy_loss_pp", "loss_upper_pp", "gate_pp")
    compared = [each for each in found if all(each.number(name) is not None for name in figures)][:MOST_ROWS]
    if not compared:
        return None
    several = len({each.conversion.route for each in compared}) > 1
    failed = any(each.status is not Status.OK for each in compared)
    return Chart(
        id=id,
        title=title,
        caption=(
            "On labelled samples, answered before and after. The dot is the loss; the line ends at its upper 95 % "
            "bound, which is written at the right and must stay below the gate."
            + (" Of several routes the one with the highest bound." if several else "")
        ),
        legend=(PASSED, *((FAILED,) if failed else ()), GATE),
        wide=_plot([_row(each, " ") for each in compared], ROOMY),
        narrow=_plot([_row(each, "\n") for each in compared], TIGHT),
        table=table,
    )


def _row(each: Converted, between: str) -> dict[str, Any]:
    asked, upper = each.conversion, each.number("loss_upper_pp")
    return {
        "row": f"{clean(asked.model, MAX_LABEL)}{between}{clean(asked.precision, MAX_LABEL)}",
        "route": clean(asked.route, MAX_LABEL),
        "loss": each.number("accuracy_loss_pp"),
        "upper": upper,
        "gate": each.number("gate_pp"),
        "flips": each.number("flips"),
        "samples": each.number("samples"),
        "tone": PASSED.colour if each.status is Status.OK else FAILED.colour,
        "text": f"{upper:.{bound_decimals(each)}f} pp",
    }


def bound_decimals(each: Converted) -> int:
    """Decimals of the bound in figures: one more where it would read as the gate itself."""
    upper, gate = each.number("loss_upper_pp"), each.number("gate_pp")
    return 3 if upper is not None and gate is not None and f"{upper:.2f}" == f"{gate:.2f}" else 2


def _domain(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """From just below the smallest loss, or none, to just above the largest bound or gate."""
    gate = max(float(row["gate"]) for row in rows)
    low = min(0.0, *(float(row["loss"]) for row in rows))
    high = min(max(gate, *(float(row["upper"]) for row in rows)), FARTHEST * gate)
    low = max(low, -FARTHEST * gate)
    margin = 0.05 * (high - low)
    return low - margin, high + margin


def _names(size: Size, order: Sequence[str]) -> Any:
    """The y encoding: a name may take two lines."""
    import altair as alt

    axis = alt.Axis(
        labelFontSize=size.letters,
        labelColor=INK["fg"],
        labelLimit=size.labels,
        labelOffset=-size.letters / 2 if size is TIGHT else 0,  # else the first of two lines stands in the middle
        labelExpr="split(datum.value, '\\n')",
        grid=False,
        minExtent=size.labels,
    )
    return alt.Y("row:N", sort=list(order), title=None, axis=axis)


def _plot(rows: Sequence[Mapping[str, Any]], size: Size) -> dict[str, Any]:
    import altair as alt

    data = Datasets()
    scale = alt.Scale(domain=list(_domain(rows)), range=[0, size.width - size.labels - NUMBERS], nice=False, clamp=True)

    def x(field: str) -> Any:
        axis = alt.Axis(grid=True, tickCount=4 if size is TIGHT else 8, format="~g")
        return alt.X(f"{field}:Q", scale=scale, title="percentage points lost", axis=axis)

    order = [str(row["row"]) for row in rows]
    base = alt.Chart(data.add(rows)).encode(y=_names(size, order), x=x("loss"), tooltip=_tooltip())
    tones = [PASSED.colour, FAILED.colour]
    colour = alt.Color("tone:N", scale=alt.Scale(domain=tones, range=[INK[tone] for tone in tones]), legend=None)
    gate = base.mark_tick(thickness=2, size=size.row, opacity=0.8, color=INK["mark"]).encode(x=x("gate"))
    line = base.mark_rule(strokeWidth=3, opacity=0.55, strokeCap="round").encode(x2="upper:Q", color=colour)
    dot = base.mark_circle(size=100, opacity=1).encode(color=colour)
    end = base.mark_tick(thickness=3, size=14, opacity=1).encode(x=x("upper"), color=colour)
    number = base.mark_text(align="right", fontSize=size.letters, color=INK["fg"]).encode(
        x=alt.value(size.width - size.labels), text="text:N"
    )
    layers = alt.layer(gate, line, end, dot, number)
    return finished(layers.properties(width=size.width - size.labels, height=size.row * len(rows)), size, data)


def _tooltip() -> list[Any]:
    import altair as alt

    return [
        alt.Tooltip("row:N", title="conversion"),
        alt.Tooltip("route:N"),
        *(alt.Tooltip(f"{name}:Q", format=".3g") for name in ("loss", "upper", "gate", "flips", "samples")),
    ]
