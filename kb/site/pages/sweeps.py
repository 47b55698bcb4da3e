"""The page of batch sizes and threads: throughput as the batch grows, and what all cores give over one."""

from kb.analysis.digits import defend
from kb.analysis.findings import arm_of, speaking_first
from kb.analysis.sweeps import MoreThreads, Step, Sweep, more_threads, sweeps_of
from kb.site.charts.sweep import sweep_chart
from kb.site.evidence import Evidence
from kb.site.figures import Chart, draw
from kb.site.labels import arm_label, machine_label
from kb.site.pages.benchmarks import model_href
from kb.site.render import Page, front_matter, provenance, render
from kb.site.table import EMPTY, Cell, Column, Table
from kb.site.text import clean, counted, slug
from kb.site.wording import defend_figure, speed_cell, verdict_cell

PATH = "batch-and-threads.md"
DESCRIPTION = "Throughput of each runtime as the batch grows, and what all cores give over one thread."


def pages(evidence: Evidence) -> list[Page]:
    shown = tuple(speaking_first(evidence.entries).values())
    files: dict[str, bytes] = {}
    sections = []
    for machine in evidence.machines:
        entries = [entry for entry in shown if entry.cell.machine == machine.id]
        charts = []
        for sweep in sweeps_of(entries):
            drawn = draw(_chart(sweep, machine.id), "")
            files |= drawn.files
            charts.append({"model": sweep.model, "html": drawn.html, "page": model_href(evidence, sweep.model)})
        threads = _threads_table(evidence, more_threads(entries))
        if not charts and not threads.rows:
            continue
        path = f"data/threads-{machine.id}.csv"
        files[path] = threads.csv()
        sections.append(
            {
                "label": machine_label(machine),
                "id": machine.id,
                "charts": charts,
                "threads": threads.html(path) if threads.rows else None,
                "runs": evidence.speaking(entries),
            }
        )
    text = render(
        "sweeps.md",
        matter=front_matter("Batch size and threads", DESCRIPTION, evidence.speaking(shown)),
        provenance=provenance(evidence.speaking(shown)),
        machines=sections,
    )
    return [Page(PATH, text, files)]


def _chart(sweep: Sweep, machine: str) -> Chart:
    where = f"{counted(sweep.threads, 'thread')}, {sweep.device}"
    return sweep_chart(
        f"sweep-{slug(sweep.model)}-{slug(sweep.device)}-t{sweep.threads}-{machine}",
        f"{clean(sweep.model)}: samples per second by batch size",
        f"Median over fresh processes ({where}); the stroke is the interval. Both axes are logarithmic.",
        sweep,
        _table(sweep),
    )


def _table(sweep: Sweep) -> Table:
    """A row per batch size, a column per runtime: samples per second, with the latency of a call below."""
    batches = sorted({step.batch for steps in sweep.arms.values() for step in steps})
    columns = (
        Column("Batch", "batch", numeric=True),
        *(Column(arm_label(arm), arm_label(arm), numeric=True, unit="samples/s") for arm in sweep.arms),
    )
    found = {(arm, step.batch): step for arm, steps in sweep.arms.items() for step in steps}
    rows = [(Cell(str(batch), batch), *(_rate(found.get((arm, batch))) for arm in sweep.arms)) for batch in batches]
    return Table(f"Samples per second of {sweep.model}", columns, rows)


def _rate(step: Step | None) -> Cell:
    if step is None:
        return EMPTY
    rate, latency = step.samples_per_s, step.cell.latency
    if rate is None or latency is None:
        return Cell(str(step.cell.status), tone="muted")
    low, high = step.bounds or (None, None)
    return Cell(defend(rate, low, high).value, rate, note=f"{defend_figure(latency).value} ms a call, n {latency.n}")


def _threads_table(evidence: Evidence, found: tuple[MoreThreads, ...]) -> Table:
    columns = (
        Column("Model", "model"),
        Column("Runtime", "runtime"),
        Column("Threads", "threads", numeric=True),
        Column("Batch", "batch", numeric=True),
        Column("Speed", "speed", numeric=True, unit="over fewest threads"),
        Column("Verdict", "verdict"),
    )
    rows = [
        (
            Cell(clean(each.cell.case.model), href=model_href(evidence, each.cell.case.model)),
            Cell(arm_label(arm_of(each.cell.case))),
            Cell(f"{each.cell.case.threads} against {each.gain.baseline.case.threads}", each.cell.case.threads),
            Cell(str(each.cell.case.batch), each.cell.case.batch),
            speed_cell(each.gain),
            verdict_cell(each.gain),
        )
        for each in found
    ]
    return Table("More threads against the fewest measured", columns, rows)
