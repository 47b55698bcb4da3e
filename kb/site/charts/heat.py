"""The heat map: one row per model and setting, one column per runtime, speed against eager in each cell."""

from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from kb.analysis.digits import defended
from kb.analysis.findings import Arm, Place, arm_of, place_of
from kb.analysis.speed import BASELINES, OWN_EAGER, Entry
from kb.measure.arms import EQUIVALENCE_MARGIN, Verdict
from kb.records.statuses import Status
from kb.site.charts.style import INK, NARROW, WIDE, Datasets, Size, finished
from kb.site.figures import Chart, Key
from kb.site.labels import arm_label, place_labels, setting
from kb.site.table import EMPTY, Cell, Column, Table

#: Speeds at which the colour changes: the middle step is "the same" (the margin of the equivalence test), the others
#: are one half more and two and a half times, up and down alike.
STEPS = (1 / 2.5, 1 / 1.5, 1 / (1 + EQUIVALENCE_MARGIN), 1 + EQUIVALENCE_MARGIN, 1.5, 2.5)
MIDDLE = 4

#: Columns that the narrow drawing sets side by side before it begins another block.
NARROW_COLUMNS = 3


def _legend() -> tuple[Key, ...]:
    """The steps in words, and the ways to draw a cell that has none."""
    edges = [f"{round(step, 2):g}" for step in STEPS]
    between = [f"{low}–{high}×" for low, high in pairwise(edges)]
    words = [f"under {edges[0]}×", *between, f"over {edges[-1]}×"]
    words[MIDDLE - 1] = f"within {100 * EQUIVALENCE_MARGIN:g} %, or no verdict (?)"
    steps = (Key(f"q{number}", text) for number, text in enumerate(words, start=1))
    return (*steps, Key("mark", "run not VALID", "ring"), Key("mark", "does not run here", "dash"))


def heat_map(id: str, title: str, caption: str, entries: Mapping[tuple[Place, Arm], Entry]) -> Chart:
    """Speeds by place and arm. A cell that was not measured stays empty; one that failed says how."""
    places = sorted({place for place, _ in entries})
    arms = sorted({arm for _, arm in entries}, key=lambda arm: _column_order(arm, entries))
    rows = [_cell(entry, place, arm) for (place, arm), entry in sorted(entries.items())]
    names = place_labels(places)
    return Chart(
        id=id,
        title=title,
        caption=caption,
        legend=_used(_legend(), rows),
        wide=_wide(rows, [_place_line(names[p], ", ") for p in places], arms),
        narrow=_narrow(rows, [_place_line(names[p], "\n").replace(", ", "\n") for p in places], arms),
        table=_table(title, entries, places, arms),
    )


def cell_text(entry: Entry) -> str:
    """``1.42×``; with a question mark where no verdict was reached; the status where there is no speed."""
    if entry.cell.status is not Status.OK:
        return str(entry.cell.status).replace("_", " ")
    if entry.speed is None:
        return "eager" if entry.is_baseline else "no baseline"
    if entry.speed.ratio is None:
        return "not paired"
    doubt = " ?" if entry.speed.verdict is Verdict.INCONCLUSIVE else ""
    return f"{defended(entry.speed.ratio, entry.speed.low, entry.speed.high)}×{doubt}"


def _column_order(arm: Arm, entries: Mapping[tuple[Place, Arm], Entry]) -> tuple[bool, bool, Arm]:
    """The baseline first, then its framework's runtimes, then the others by name: the same order every month."""
    baseline = all(entry.is_baseline for (_, other), entry in entries.items() if other == arm)
    return (not baseline, OWN_EAGER.get(arm.runtime.partition("-")[0]) != BASELINES[0], arm)


def _cell(entry: Entry, place: Place, arm: Arm) -> dict[str, Any]:
    text = cell_text(entry)
    failed = entry.cell.status is not Status.OK or (entry.speed is None and not entry.is_baseline)
    row: dict[str, Any] = {
        "place": f"{place.model}, {setting(place)}",
        "arm": arm_label(arm),
        "text": text.replace(" ", "\n", 1) if failed else text,
        "kind": "failed" if failed else "filled" if entry.cell.valid else "hollow",
        "step": MIDDLE,
        "run": entry.cell.run,
        "column": arm,
        "row": place,
    }
    speed = entry.speed
    if speed is not None and speed.ratio is not None:
        row |= {"speed": f"{speed.ratio:.3f}", "verdict": str(speed.verdict or "none")}
        row |= {"interval": f"{speed.low:.3f} to {speed.high:.3f}"} if speed.low and speed.high else {}
        if speed.verdict in (Verdict.FASTER, Verdict.SLOWER):
            row["step"] = bisect(STEPS, speed.ratio) + 1
    return row


def _used(legend: Sequence[Key], rows: Sequence[Mapping[str, Any]]) -> tuple[Key, ...]:
    """The keys of what is drawn."""
    steps = {f"q{row['step']}" for row in rows if row["kind"] == "filled"}
    kinds = {row["kind"] for row in rows}
    shapes = {"ring": "hollow" in kinds, "dash": "failed" in kinds}
    return tuple(key for key in legend if shapes.get(key.shape, key.colour in steps))


def _place_line(name: tuple[str, str], separator: str) -> str:
    return separator.join(part for part in name if part)


def _bottom_aligned(labels: Sequence[str]) -> dict[str, str]:
    """Label -> the same with blank lines above it, so that all end on one line just over their column."""
    tallest = max((label.count("\n") for label in labels), default=0)
    return {label: " \n" * (tallest - label.count("\n")) + label for label in labels}


def _wide(rows: Sequence[Mapping[str, Any]], labels: Sequence[str], arms: Sequence[Arm]) -> dict[str, Any]:
    places = sorted({row["row"] for row in rows})
    names = {arm: arm_label(arm).replace("-", "\n").replace(" ", "\n") for arm in arms}
    aligned = _bottom_aligned(list(names.values()))
    columns = [aligned[names[arm]] for arm in arms]
    drawn = [dict(row) | {"x": aligned[names[row["column"]]], "y": labels[places.index(row["row"])]} for row in rows]
    step = min(110, (WIDE.width - WIDE.labels) // max(1, len(arms)))
    data = Datasets()
    return finished(_grid(data.add(_plain(drawn)), columns, labels, (step, 38), WIDE), WIDE, data)


def _narrow(rows: Sequence[Mapping[str, Any]], labels: Sequence[str], arms: Sequence[Arm]) -> dict[str, Any]:
    """Turned round: runtimes in rows, models in columns, a few columns to a block."""
    import altair as alt

    places = sorted({row["row"] for row in rows})
    step = (NARROW.width - NARROW.labels) // NARROW_COLUMNS
    blocks, data = [], Datasets()
    for first in range(0, len(places), NARROW_COLUMNS):
        block = range(first, min(first + NARROW_COLUMNS, len(places)))
        chosen = [places[index] for index in block]
        aligned = _bottom_aligned([labels[index] for index in block])
        drawn = [
            dict(row) | {"x": aligned[labels[places.index(row["row"])]], "y": arm_label(row["column"])}
            for row in rows
            if row["row"] in chosen
        ]
        here = [arm_label(arm) for arm in arms if any(row["column"] == arm for row in drawn)]
        blocks.append(_grid(data.add(_plain(drawn)), list(aligned.values()), here, (step, 32), NARROW))
    return finished(alt.vconcat(*blocks), NARROW, data)


def _plain(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with what JSON can hold."""
    return [{key: value for key, value in row.items() if key not in ("row", "column")} for row in rows]


def _grid(rows: Any, columns: Sequence[str], lines: Sequence[str], step: tuple[int, int], size: Size) -> Any:
    """One block of cells: fills, outlines, and the text on them."""
    import altair as alt

    titles = {"place": "cell", "arm": "runtime"}
    names = ("place", "arm", "speed", "interval", "verdict", "run")
    tooltip = [alt.Tooltip(f"{name}:N", title=titles.get(name, name)) for name in names]
    base = alt.Chart(rows).encode(
        x=alt.X(
            "x:N",
            sort=list(columns),
            title=None,
            scale=alt.Scale(paddingInner=0.05, paddingOuter=0.02),
            axis=alt.Axis(
                orient="top",
                labelAngle=0,
                labelExpr="split(datum.label,'\\n')",
                labelLimit=step[0] - 2,
                labelColor=INK["fg"],
                labelFontSize=size.small,
                labelBaseline="top",
                labelLineHeight=size.small + 2,
                labelPadding=4 + (size.small + 2) * (1 + max((c.count("\n") for c in columns), default=0)),
            ),
        ),
        y=alt.Y(
            "y:N",
            sort=list(lines),
            title=None,
            scale=alt.Scale(paddingInner=0.1, paddingOuter=0.05),
            axis=alt.Axis(
                labelColor=INK["fg"], labelFontSize=size.small, labelLimit=size.labels, minExtent=size.labels
            ),
        ),
        tooltip=tooltip,
    )
    return (
        alt.layer(*_cells(base), *_texts(base, size))
        .resolve_scale(color="independent")
        .properties(width=step[0] * len(columns), height=step[1] * len(lines))
    )


def _cells(base: Any) -> tuple[Any, ...]:
    """Filled cells by step; hollow ones of runs that are not VALID; dashed ones that failed."""
    import altair as alt

    fill = alt.Color(
        "step:O", scale=alt.Scale(domain=list(range(1, 8)), range=[INK[f"q{n}"] for n in range(1, 8)]), legend=None
    )
    inset: dict[str, Any] = {"cornerRadius": 4, "strokeWidth": 1.5}
    rect = base.mark_rect(cornerRadius=4).encode(color=fill)
    hollow = base.mark_rect(**inset, fill=None, stroke=INK["mark"])
    failed = base.mark_rect(**inset | {"strokeWidth": 1}, fill=None, stroke=INK["mark"], strokeDash=[3, 3])
    return (
        rect.transform_filter("datum.kind == 'filled'"),
        hollow.transform_filter("datum.kind == 'hollow'"),
        failed.transform_filter("datum.kind == 'failed'"),
    )


def _texts(base: Any, size: Size) -> tuple[Any, ...]:
    """Speeds in the colour that can be read on their step; statuses small, on two lines."""
    import altair as alt

    on_step = alt.Color(
        "step:O", scale=alt.Scale(domain=list(range(1, 8)), range=[INK[f"t{n}"] for n in range(1, 8)]), legend=None
    )
    filled = base.mark_text(fontSize=size.letters).encode(text="text:N", color=on_step)
    hollow = base.mark_text(fontSize=size.letters, color=INK["fg"]).encode(text="text:N")
    status = {"fontSize": 11, "lineBreak": "\n", "lineHeight": 12, "color": INK["muted"]}
    one = base.mark_text(**status).encode(text="text:N")
    two = base.mark_text(**status, dy=-5).encode(text="text:N")
    return (
        filled.transform_filter("datum.kind == 'filled'"),
        hollow.transform_filter("datum.kind == 'hollow'"),
        one.transform_filter("datum.kind == 'failed' && indexof(datum.text,'\\n') < 0"),
        two.transform_filter("datum.kind == 'failed' && indexof(datum.text,'\\n') >= 0"),
    )


def _table(
    title: str, entries: Mapping[tuple[Place, Arm], Entry], places: Sequence[Place], arms: Sequence[Arm]
) -> Table:
    columns = (
        Column("Model", "model"),
        Column("Device", "device"),
        Column("Batch", "batch", numeric=True),
        Column("Threads", "threads", numeric=True),
        *(Column(arm_label(arm), arm_label(arm), numeric=True) for arm in arms),
    )
    rows = [
        (
            Cell(place.model),
            Cell(place.device),
            Cell(str(place.batch), place.batch),
            Cell(str(place.threads), place.threads),
            *(_table_cell(entries.get((place, arm))) for arm in arms),
        )
        for place in places
    ]
    return Table(f"{title}, table", columns, rows)


def _table_cell(entry: Entry | None) -> Cell:
    if entry is None:
        return EMPTY
    text = cell_text(entry)
    if entry.speed is None or entry.speed.ratio is None:
        return Cell(text, 1.0 if entry.is_baseline else text)
    return Cell(text, round(entry.speed.ratio, 6), tone="" if entry.cell.valid else "hollow")


def by_place_and_arm(entries: Sequence[Entry]) -> dict[tuple[Place, Arm], Entry]:
    """Entries of one machine by row and column."""
    return {(place_of(entry.cell.case), arm_of(entry.cell.case)): entry for entry in entries}
