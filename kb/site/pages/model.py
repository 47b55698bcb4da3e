"""A page per model with every figure: latency, start, memory, answers, and what failed."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from markupsafe import Markup

from kb.analysis.findings import Place, arm_of, place_of, speaking_first
from kb.analysis.speed import Entry
from kb.measure.arms import Verdict
from kb.records.run import Machine
from kb.site.charts.latency import latency_chart
from kb.site.charts.stack import memory_chart, start_chart
from kb.site.evidence import Evidence
from kb.site.figures import Chart, draw
from kb.site.labels import arm_label, machine_label, setting
from kb.site.pages.model_tables import (
    cost_table,
    figures_csv,
    latency_table,
    memory_table,
    speed_table,
    start_table,
)
from kb.site.render import Page, front_matter, provenance, render
from kb.site.table import Cell, Column, Table
from kb.site.text import slug
from kb.site.wording import processes_cell, speed_cell, status_tone

TO_ROOT = "../"


def pages(evidence: Evidence) -> list[Page]:
    return [_page(evidence, model) for model in evidence.models]


def _page(evidence: Evidence, model: str) -> Page:
    entries = evidence.of(model=model)
    name = evidence.slugs[model]
    files = {
        f"data/{name}-rows.csv": _rows_csv(evidence, model),
        f"data/{name}-figures.csv": figures_csv(entries),
    }
    sections = []
    for machine in evidence.machines:
        mine = evidence.of(machine=machine, model=model)
        if mine:
            section, made = _machine(evidence, machine, mine, name)
            sections.append(section)
            files |= made
    runs = evidence.speaking(entries)
    text = render(
        "model.md",
        matter=front_matter(model, f"Every figure of {model}: latency, cold start, memory and answers.", runs),
        provenance=provenance(runs),
        model=model,
        csv=f"{TO_ROOT}data/{name}",
        hashes=_hashes(entries),
        machines=sections,
    )
    return Page(f"models/{name}.md", text, files)


def _rows_csv(evidence: Evidence, model: str) -> bytes:
    """The rows of the results behind the page, as they are."""
    names = {entry.cell.run for entry in evidence.of(model=model)}
    frame = evidence.benchmarks
    rows = frame[(frame["model"] == model) & frame["run"].isin(list(names))]
    text: str = rows.to_csv(index=False, lineterminator="\n")
    return text.encode()


def _hashes(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """What the newest entry was measured with: of the model's source and of its weights."""
    facts = entries[-1].cell.facts
    return [
        (name, str(facts[key])) for name, key in (("model", "model_hash"), ("weights", "weights_hash")) if facts[key]
    ]


def _machine(
    evidence: Evidence, machine: Machine, entries: Sequence[Entry], name: str
) -> tuple[Mapping[str, object], dict[str, bytes]]:
    files: dict[str, bytes] = {}
    places = []
    placed = sorted(entries, key=lambda entry: place_of(entry.cell.case))
    for place, group in groupby(placed, key=lambda entry: place_of(entry.cell.case)):
        members = tuple(group)
        ordered = _by_speed(members)
        charts = [draw(chart, TO_ROOT) for chart in _charts(members, place, machine, name)]
        for chart in charts:
            files |= chart.files
        places.append(
            {
                "label": setting(place),
                "id": f"{machine.id}-{slug(setting(place))}",
                "fastest": _fastest(members),
                "speed": speed_table([entry for entry in ordered if entry.cell.latency]).html(),
                "cost": cost_table(evidence, ordered).html(),
                "charts": [chart.html for chart in charts],
                "failures": _failures(members),
            }
        )
    hollow = evidence.speaking(entry for entry in entries if not entry.cell.valid)
    return {"label": machine_label(machine), "id": machine.id, "places": places, "hollow": hollow}, files


def _by_speed(members: Sequence[Entry]) -> list[Entry]:
    """The fastest first; those without a latency last."""
    timed = [entry for entry in members if entry.cell.latency is not None]
    timed.sort(key=lambda e: (e.cell.latency.median if e.cell.latency else 0.0, e.cell.case, not e.cell.valid))
    return timed + sorted((e for e in members if e.cell.latency is None), key=lambda e: e.cell.case)


def _charts(members: Sequence[Entry], place: Place, machine: Machine, name: str) -> list[Chart]:
    id = f"{name.replace('.', '-')}-{machine.id}-{slug(setting(place))}"
    ordered = _by_speed(members)
    where = setting(place)
    made = (
        latency_chart(f"{id}-latency", f"Latency, {where}", ordered, latency_table(ordered)),
        start_chart(f"{id}-start", f"Cold start, {where}", ordered, start_table(ordered)),
        memory_chart(f"{id}-memory", f"Memory, {where}", ordered, memory_table(ordered)),
    )
    return [chart for chart in made if chart is not None]


def _fastest(members: Sequence[Entry]) -> tuple[str, str, str] | None:
    """Runtime, speed and interval of the fastest entry that a verdict calls faster than eager."""
    faster = [e for e in speaking_first(members).values() if e.speed is not None and e.speed.verdict is Verdict.FASTER]
    best = max(faster, key=lambda entry: (entry.speed and entry.speed.ratio) or 0.0, default=None)
    if best is None or best.speed is None:
        return None
    cell = speed_cell(best.speed)
    return arm_label(arm_of(best.cell.case)), cell.text, cell.note


def _failures(members: Sequence[Entry]) -> Markup | None:
    columns = (
        Column("Runtime", "runtime"),
        Column("Status", "status"),
        Column("Processes", "processes", numeric=True),
        Column("Stage", "stage"),
        Column("Reason", "reason", prose=True),
    )
    rows = [
        (
            Cell(arm_label(arm_of(entry.cell.case)), tone="" if entry.cell.valid else "hollow"),
            Cell(str(outcome.status), tone=status_tone(outcome.status)),
            processes_cell(outcome),
            Cell(outcome.stage),
            Cell(outcome.reason),
        )
        for entry in members
        for outcome in entry.cell.failures
    ]
    return Table("What failed, and why", columns, rows).html(searchable=True) if rows else None
