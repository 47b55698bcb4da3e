"""The benchmarks page: what is slower than eager first, then every speed at a glance, then what a slow start costs."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from kb.analysis.digits import defended
from kb.analysis.findings import Standing, arm_of, place_of, slower_than_eager, speaking_first, standings
from kb.analysis.speed import Entry, Payback
from kb.measure.arms import EQUIVALENCE_MARGIN, Verdict
from kb.records.run import Machine
from kb.records.statuses import Status
from kb.site.charts.heat import by_place_and_arm, heat_map
from kb.site.evidence import Evidence
from kb.site.figures import Drawn, draw
from kb.site.labels import MAX_LABEL, arm_label, left_unsaid, machine_label, setting
from kb.site.render import Page, front_matter, provenance, render
from kb.site.table import EMPTY, Cell, Column, Table
from kb.site.text import clean, counted, day
from kb.site.wording import break_even_cell, processes_cell, saving_cell, speed_cell, status_tone

PATH = "benchmarks.md"
DESCRIPTION = (
    "Speed of each model on each runtime against eager execution, what does not pay, and when a start has paid."
)

_PAYBACK_ORDER = {Payback.AT_ONCE: 0, Payback.CALLS: 1, Payback.NEVER: 2, Payback.NOT_SHOWN: 3}


def pages(evidence: Evidence) -> list[Page]:
    """The page, its charts and its tables as CSV."""
    shown = tuple(speaking_first(evidence.entries).values())
    maps = [(machine, _map(evidence, machine)) for machine in evidence.machines if evidence.of(machine=machine)]
    slower = _slower_table(evidence, shown)
    payback = _payback_table(evidence, shown)
    failures = _failure_table(evidence, shown)
    files: dict[str, bytes] = {
        "data/slower-than-eager.csv": slower.csv(),
        "data/break-even.csv": payback.csv(),
        "data/failures.csv": failures.csv(),
    }
    for _, drawn in maps:
        files |= drawn.files
    text = render(
        "benchmarks.md",
        matter=front_matter("Benchmarks", DESCRIPTION, evidence.speaking(shown)),
        provenance=provenance(evidence.speaking(shown)),
        slower=slower.html("data/slower-than-eager.csv") if slower.rows else None,
        judged=sum(entry.speed is not None and entry.speed.verdict is not None for entry in shown),
        machines=[_section(evidence, machine, drawn.html) for machine, drawn in maps],
        models=[_model_line(evidence, model, shown) for model in evidence.models],
        payback=payback.html("data/break-even.csv") if payback.rows else None,
        failures=failures.html("data/failures.csv", searchable=True) if failures.rows else None,
    )
    return [Page(PATH, text, files)]


def model_href(evidence: Evidence, model: str, to_root: str = "") -> str:
    """Where a model's page is, from a page from which `to_root` leads to the generated pages."""
    return f"{to_root}models/{evidence.slugs[model]}.html"


def standings_table(found: Sequence[Standing], evidence: Evidence, to_root: str) -> Table:
    """How each arm of one machine does over all its places."""
    columns = (
        Column("Runtime", "runtime"),
        Column("Speed", "geometric_mean_speed", numeric=True, unit="geometric mean"),
        Column("Cells", "cells", numeric=True, unit="compared, of all"),
        Column("Faster", "faster", numeric=True),
        Column("Same", "same", numeric=True),
        Column("Slower", "slower", numeric=True),
        Column("No verdict", "inconclusive", numeric=True),
        Column("Failed", "failed", numeric=True),
        Column("Best", "best"),
        Column("Worst", "worst"),
    )
    order = (Verdict.FASTER, Verdict.SAME, Verdict.SLOWER, Verdict.INCONCLUSIVE)
    rows = []
    for standing in found:
        cells = "" if standing.is_baseline else f"{standing.n} of {standing.of}"
        counts = ("",) * 4 if standing.is_baseline else tuple(str(standing.verdicts[verdict]) for verdict in order)
        rows.append(
            (
                Cell(arm_label(standing.arm)),
                _mean(standing),
                Cell(cells),
                *(Cell(count) for count in counts),
                Cell(str(standing.failed or "") if not standing.is_baseline else "", tone="bad"),
                _extreme(standing.best, evidence, to_root),
                _extreme(standing.worst, evidence, to_root) if standing.n > 1 else EMPTY,
            )
        )
    return Table("Runtimes against eager execution, over all models", columns, rows)


def _mean(standing: Standing) -> Cell:
    if standing.mean is None:
        return Cell("baseline", 1.0, tone="muted") if standing.is_baseline else EMPTY
    return Cell(f"{defended(standing.mean, standing.low, standing.high)}×", standing.mean)


def _extreme(entry: Entry | None, evidence: Evidence, to_root: str) -> Cell:
    if entry is None:
        return EMPTY
    speed = speed_cell(entry.speed)
    return Cell(
        clean(entry.cell.case.model, MAX_LABEL),
        href=model_href(evidence, entry.cell.case.model, to_root),
        note=speed.text,
    )


def _map(evidence: Evidence, machine: Machine) -> Drawn:
    entries = tuple(speaking_first(evidence.of(machine=machine)).values())
    placed = by_place_and_arm(entries)
    alike = left_unsaid(place for place, _ in placed)
    caption = (
        f"Median speed over eager execution of the same model in the same run{f' ({alike})' if alike else ''}: "
        f"above 1 is faster. Grey cells are within {100 * EQUIVALENCE_MARGIN:g} % of it, or without a verdict."
    )
    return draw(heat_map(f"speed-{machine.id}", f"Speed on {machine_label(machine)}", caption, placed), "")


def _section(evidence: Evidence, machine: Machine, chart: Markup) -> Mapping[str, object]:
    entries = evidence.of(machine=machine)
    found = standings(entries)
    return {
        "label": machine_label(machine),
        "id": machine.id,
        "chart": chart,
        "standings": standings_table(found, evidence, "").html() if any(s.n for s in found) else None,
        "runs": evidence.speaking(tuple(speaking_first(entries).values())),
        "newer": evidence.speaking(entry for entry in entries if not entry.cell.valid),
    }


def _model_line(evidence: Evidence, model: str, shown: Sequence[Entry]) -> Mapping[str, object]:
    mine = [entry for entry in shown if entry.cell.case.model == model]
    faster = [e for e in mine if e.speed is not None and e.speed.verdict is Verdict.FASTER]
    best = max(faster, key=lambda entry: (entry.speed and entry.speed.ratio) or 0.0, default=None)
    return {
        "name": model,
        "page": f"models/{evidence.slugs[model]}.md",
        "measured": counted(sum(entry.cell.latency is not None for entry in mine), "cell"),
        "best": None if best is None else (arm_label(arm_of(best.cell.case)), speed_cell(best.speed).text),
    }


def _naming(evidence: Evidence, entry: Entry) -> tuple[Cell, ...]:
    """The cells that say which case on which machine; the machine only where there are several."""
    case = entry.cell.case
    machine = next(machine for machine in evidence.machines if machine.id == entry.cell.machine)
    where = (Cell(clean(machine.cpu_model, 36), machine.id, note=machine.id),) if len(evidence.machines) > 1 else ()
    return (
        Cell(case.model, href=model_href(evidence, case.model)),
        Cell(arm_label(arm_of(case))),
        Cell(setting(place_of(case))),
        *where,
    )


def _naming_columns(evidence: Evidence) -> tuple[Column, ...]:
    where = (Column("Machine", "machine"),) if len(evidence.machines) > 1 else ()
    return (Column("Model", "model"), Column("Runtime", "runtime"), Column("Setting", "setting"), *where)


def _slower_table(evidence: Evidence, shown: Sequence[Entry]) -> Table:
    columns = (
        *_naming_columns(evidence),
        Column("Compared with", "baseline"),
        Column("Speed", "speed", numeric=True),
        Column("Run", "run"),
    )
    rows = [
        (
            *_naming(evidence, entry),
            Cell(arm_label(arm_of(speed.baseline.case))),
            speed_cell(speed),
            Cell(_day(evidence, entry), entry.cell.run),
        )
        for entry, speed in slower_than_eager(shown)
    ]
    return Table("Slower than eager execution", columns, rows)


def _payback_table(evidence: Evidence, shown: Sequence[Entry]) -> Table:
    columns = (
        *_naming_columns(evidence),
        Column("Speed", "speed", numeric=True),
        Column("Saved per call", "saved_per_call_ms", numeric=True, unit="ms"),
        Column("Each process", "break_even_calls", numeric=True, unit="calls to break even"),
        Column("With conversion", "break_even_calls_with_conversion", numeric=True, unit="calls to break even"),
    )
    compared = [entry for entry in shown if entry.speed is not None and entry.speed.ratio is not None]
    ordered = sorted(
        compared, key=lambda e: (_PAYBACK_ORDER[e.per_process.payback], e.per_process.calls or 0.0, e.cell.case)
    )
    rows = [
        (
            *_naming(evidence, entry),
            speed_cell(entry.speed),
            saving_cell(entry) if entry.per_process.payback in (Payback.AT_ONCE, Payback.CALLS) else EMPTY,
            break_even_cell(entry.per_process),
            break_even_cell(entry.with_conversion) if entry.cell.convert else EMPTY,
        )
        for entry in ordered
    ]
    return Table("Calls after which a runtime has paid for its start", columns, rows)


def _failure_table(evidence: Evidence, shown: Sequence[Entry]) -> Table:
    columns = (
        *_naming_columns(evidence),
        Column("Status", "status"),
        Column("Processes", "processes", numeric=True),
        Column("Stage", "stage"),
        Column("Reason", "reason", prose=True),
        Column("Run", "run"),
    )
    rows = [
        (
            *_naming(evidence, entry),
            Cell(str(outcome.status), tone=status_tone(outcome.status)),
            processes_cell(outcome),
            Cell(outcome.stage),
            Cell(outcome.reason),
            Cell(_day(evidence, entry), entry.cell.run),
        )
        for entry in sorted(shown, key=lambda e: (e.cell.status is Status.UNSUPPORTED, e.cell.case))
        for outcome in entry.cell.failures
    ]
    return Table("What did not run, and why", columns, rows)


def _day(evidence: Evidence, entry: Entry) -> str:
    return day(evidence.speaking([entry])[0].started)
