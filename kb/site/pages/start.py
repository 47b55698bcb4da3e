"""The cold start page: what a runtime costs before its first answer, in seconds and on disk."""

from collections.abc import Mapping, Sequence

from kb.analysis.cells import Cell as Measured
from kb.analysis.cells import Figure, figure
from kb.analysis.findings import Arm, arm_of, place_of, speaking_first
from kb.analysis.speed import Entry
from kb.records.run import RunInfo
from kb.site.evidence import Evidence
from kb.site.labels import arm_label, machine_label
from kb.site.pages.benchmarks import model_href
from kb.site.render import Page, front_matter, provenance, render
from kb.site.table import EMPTY, Cell, Column, Table
from kb.site.text import clean
from kb.site.wording import defend_figure

PATH = "start.md"
DESCRIPTION = "Import, build, load, compile, first call and disk space of each runtime: what is paid before one answer."

#: Below this nobody waits for a stage; its digits would only be read as a difference.
SHORTEST_S = 0.001

#: Stages of a process in their order, as columns: key of the figure, header, and what is in it.
STAGES = (
    ("import_s", "Import", "s"),
    ("build_s", "Build", "s"),
    ("load_s", "Load", "s, trace, compile"),
    ("first_call_s", "First call", "s"),
)


def pages(evidence: Evidence) -> list[Page]:
    shown = tuple(speaking_first(evidence.entries).values())
    files: dict[str, bytes] = {}
    sections = []
    for machine in evidence.machines:
        # One setting: a start hardly depends on batch or threads, and sweeps would count some models six times.
        entries = [entry for entry in shown if entry.cell.machine == machine.id and _plain(entry)]
        if not any(entry.cell.start for entry in entries):
            continue
        runs = evidence.speaking(entries)
        stages, totals = _stages_table(entries, runs), _totals_table(evidence, entries)
        files[f"data/start-{machine.id}.csv"] = stages.csv()
        files[f"data/start-by-model-{machine.id}.csv"] = totals.csv()
        sections.append(
            {
                "label": machine_label(machine),
                "id": machine.id,
                "stages": stages.html(f"data/start-{machine.id}.csv"),
                "totals": totals.html(f"data/start-by-model-{machine.id}.csv"),
                "runs": runs,
            }
        )
    text = render(
        "start.md",
        matter=front_matter("Cold start", DESCRIPTION, evidence.speaking(shown)),
        provenance=provenance(evidence.speaking(shown)),
        machines=sections,
    )
    return [Page(PATH, text, files)]


def _plain(entry: Entry) -> bool:
    place = place_of(entry.cell.case)
    return place.batch == 1 and place.threads == 1 and entry.cell.case.precision == "fp32"


def _by_arm(entries: Sequence[Entry]) -> Mapping[Arm, list[Measured]]:
    """Cells that have a start, by runtime, the quickest runtime first."""
    found: dict[Arm, list[Measured]] = {}
    for entry in entries:
        if entry.cell.start is not None:
            found.setdefault(arm_of(entry.cell.case), []).append(entry.cell)
    order = sorted(found, key=lambda arm: _middle([cell.start for cell in found[arm]]))
    return {arm: found[arm] for arm in order}


def _middle(figures: Sequence[Figure | None]) -> float:
    found = figure(each.median for each in figures if each is not None)
    return found.median if found else 0.0


def _stages_table(entries: Sequence[Entry], runs: Sequence[RunInfo]) -> Table:
    """A row per runtime: the median over its models of each stage, and their range below it."""
    sizes = {
        arm: next((info.disk_mib[arm.runtime] for info in runs if arm.runtime in info.disk_mib), None)
        for arm in _by_arm(entries)
    }
    known = any(size is not None for size in sizes.values())  # runs of the first schema have none
    columns = (
        Column("Runtime", "runtime"),
        Column("First answer", "start_s", numeric=True, unit="s, all stages"),
        *(Column(header, key, numeric=True, unit=unit) for key, header, unit in STAGES),
        Column("Conversion", "convert_s", numeric=True, unit="s, once"),
        *((Column("Disk", "disk_mib", numeric=True, unit="MiB"),) if known else ()),
        Column("Models", "models", numeric=True),
    )
    rows = []
    for arm, cells in _by_arm(entries).items():
        rows.append(
            (
                Cell(arm_label(arm)),
                _over_models([cell.start for cell in cells]),
                *(_over_models([cell.figures.get(key) for cell in cells]) for key, _, _ in STAGES),
                _over_models([cell.convert for cell in cells]),
                *((_disk(sizes[arm]),) if known else ()),
                Cell(str(len(cells)), len(cells)),
            )
        )
    return Table("Cold start by runtime: the median over the models", columns, rows)


def _disk(mib: float | None) -> Cell:
    return EMPTY if mib is None else Cell(f"{mib:,.0f}", mib)


def _over_models(figures: Sequence[Figure | None]) -> Cell:
    """The median over models of their medians, and the range of these."""
    found = figure(each.median for each in figures if each is not None)
    if found is None:
        return EMPTY
    spread = f"{_short(found.low)} to {_short(found.high)}" if found.n > 1 else ""
    return Cell(_short(found.median), found.median, note=spread)


def _short(seconds: float) -> str:
    """Two significant digits, and no more decimals than a start deserves."""
    if seconds < SHORTEST_S:
        return f"<{SHORTEST_S:g}"
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2g}"


def _totals_table(evidence: Evidence, entries: Sequence[Entry]) -> Table:
    """Seconds from the start of a process to its first answer: a row per model, a column per runtime."""
    by_arm = _by_arm(entries)
    models = sorted({entry.cell.case.model for entry in entries})
    found = {(cell.case.model, arm): cell.start for arm, cells in by_arm.items() for cell in cells}
    columns = (
        Column("Model", "model"),
        *(Column(arm_label(arm), arm_label(arm), numeric=True, unit="s") for arm in by_arm),
    )
    rows = [
        (
            Cell(clean(model), href=model_href(evidence, model)),
            *(_seconds(found.get((model, arm))) for arm in by_arm),
        )
        for model in models
    ]
    return Table("Seconds to the first answer", columns, rows)


def _seconds(found: Figure | None) -> Cell:
    if found is None:
        return EMPTY
    shown = defend_figure(found)
    return Cell(shown.value, found.median, note=shown.bounds or f"n {found.n}")
