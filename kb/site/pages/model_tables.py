"""The tables of a model's page: one over everything, and one with all the digits under each chart."""

import csv
import io
from collections.abc import Callable, Sequence

from kb.analysis.cells import STAGES
from kb.analysis.findings import arm_of
from kb.analysis.speed import Entry
from kb.site.charts.stack import STAGE_KEYS
from kb.site.evidence import Evidence
from kb.site.labels import arm_label
from kb.site.table import EMPTY, Cell, Column, Table
from kb.site.text import day
from kb.site.wording import (
    error_cell,
    figure_cell,
    memory_cell,
    run_cell,
    speed_cell,
    status_cell,
    verdict_cell,
)

Columns = Sequence[tuple[Column, Callable[[Entry], Cell]]]


def speed_table(entries: Sequence[Entry]) -> Table:
    """How fast each runtime is: latency, percentiles, speed against both baselines, the verdict."""
    columns: Columns = (
        (Column("Runtime", "runtime"), _name),
        (Column("Latency", "latency_p50_ms", numeric=True, unit="ms per call"), lambda e: figure_cell(e.cell.latency)),
        *(_percentile(key) for key in ("p90", "p99") if any(f"latency_{key}_ms" in e.cell.figures for e in entries)),
        (Column("Speed", "speed", numeric=True, unit="over the baseline"), _speed),
        (Column("Verdict", "verdict"), lambda e: verdict_cell(e.speed)),
        (Column("Speed", "speed_own_eager", numeric=True, unit="over its own eager"), _own),
    )
    return _table("Speed", columns, entries)


def _percentile(key: str) -> tuple[Column, Callable[[Entry], Cell]]:
    """The column of one percentile; a table in which no runtime has enough single calls does without it."""
    name = f"latency_{key}_ms"
    return Column(key, name, numeric=True, unit="ms"), lambda entry: _plain(entry, name)


def cost_table(evidence: Evidence, entries: Sequence[Entry]) -> Table:
    """What a runtime costs, whether its answers are right, and where the figures come from; failures among them."""
    columns: Columns = (
        (Column("Runtime", "runtime"), _name),
        (Column("Start", "start_s", numeric=True, unit="s to the first answer"), lambda e: figure_cell(e.cell.start)),
        (Column("Convert", "convert_s", numeric=True, unit="s, once"), lambda e: _plain(e, "convert_s")),
        (Column("Memory", "net_mib", numeric=True, unit="net MiB"), lambda e: memory_cell(e.cell)),
        (Column("Error", "error_relative", numeric=True, unit="relative"), lambda e: error_cell(e.cell)),
        (Column("Status", "status"), lambda e: status_cell(e.cell)),
        (Column("Run", "run"), lambda e: _run(evidence, e)),
    )
    return _table("Start, memory and answers", columns, entries)


def _table(caption: str, columns: Columns, entries: Sequence[Entry]) -> Table:
    rows = [[cell(entry) for _, cell in columns] for entry in entries]
    return Table(caption, [column for column, _ in columns], rows)


def latency_table(entries: Sequence[Entry]) -> Table:
    """Latency in full: what each process of a runtime gave, summed up."""
    names = ("median", "fastest", "slowest", "lower quartile", "upper quartile")
    keys = ("median_ms", "low_ms", "high_ms", "q1_ms", "q3_ms")
    own_clock = any("device_p50_ms" in entry.cell.figures for entry in entries)
    columns = (
        Column("Runtime", "runtime"),
        *(Column(name.capitalize(), key, numeric=True, unit="ms") for name, key in zip(names, keys, strict=True)),
        *((Column("On the device", "device_p50_ms", numeric=True, unit="ms by its own clock"),) if own_clock else ()),
        Column("Processes", "n", numeric=True),
        Column("Within a process", "iqr_ms", numeric=True, unit="IQR, ms"),
        Column("Calls", "calls", numeric=True, unit="timed, per process"),
    )
    rows = []
    for entry in entries:
        figure = entry.cell.latency
        if figure is None:
            continue
        values = (figure.median, figure.low, figure.high, figure.q1, figure.q3)
        rows.append(
            (
                _name(entry),
                *(Cell(f"{value:.4g}", value) for value in values),
                *((_plain(entry, "device_p50_ms"),) if own_clock else ()),
                Cell(str(figure.n), figure.n),
                _plain(entry, "latency_iqr_ms"),
                _plain(entry, "calls"),
            )
        )
    return Table("Latency in milliseconds per call", columns, rows)


def start_table(entries: Sequence[Entry]) -> Table:
    """Median seconds of each stage of a cold start."""
    columns = (
        Column("Runtime", "runtime"),
        *(Column(STAGE_KEYS[stage].text.capitalize(), stage, numeric=True, unit="s") for stage in STAGES),
        Column("Process start", "start_s", numeric=True, unit="s, without conversion"),
    )
    rows = [
        (_name(entry), *(figure_cell(entry.cell.figures.get(stage)) for stage in STAGES), figure_cell(entry.cell.start))
        for entry in entries
        if entry.cell.start is not None
    ]
    return Table("Cold start in seconds, by stage", columns, rows)


def memory_table(entries: Sequence[Entry]) -> Table:
    """Peak resident memory, what importing takes of it, and memory of the device where it has its own."""
    columns = (
        Column("Runtime", "runtime"),
        Column("Peak", "peak_rss_mib", numeric=True, unit="MiB"),
        Column("Import alone", "baseline_rss_mib", numeric=True, unit="MiB"),
        Column("Net", "net_mib", numeric=True, unit="MiB"),
        Column("On the device", "peak_device_mib", numeric=True, unit="MiB"),
    )
    rows = [
        (
            _name(entry),
            *(
                EMPTY if figure is None else Cell(f"{figure.median:,.1f}", figure.median)
                for figure in (memory.peak, memory.baseline, memory.net)
            ),
            _plain(entry, "peak_device_mib"),
        )
        for entry in entries
        if (memory := entry.cell.memory) is not None
    ]
    return Table("Peak memory in MiB", columns, rows)


def _name(entry: Entry) -> Cell:
    """The runtime; hollow where its run is not VALID."""
    label = arm_label(arm_of(entry.cell.case))
    return Cell(label) if entry.cell.valid else Cell(label, note="run not VALID", tone="hollow")


def _plain(entry: Entry, column: str) -> Cell:
    return figure_cell(entry.cell.figures.get(column), spread=False)


def _speed(entry: Entry) -> Cell:
    return Cell("baseline", 1.0, tone="muted") if entry.is_baseline else speed_cell(entry.speed)


def _own(entry: Entry) -> Cell:
    """Empty where it would repeat the comparison with the common baseline."""
    return EMPTY if entry.own is entry.speed else speed_cell(entry.own)


def _run(evidence: Evidence, entry: Entry) -> Cell:
    (info,) = evidence.speaking([entry])
    shown = run_cell(info, day(info.started), entry.cell.valid)
    return Cell(shown.text, entry.cell.run, note=shown.note, tone=shown.tone)


def figures_csv(entries: Sequence[Entry]) -> bytes:
    """Every figure of a model with all digits, a row per machine, case and run."""
    flat = [_flat(entry) for entry in entries]
    names = list(dict.fromkeys(name for row in flat for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue().encode()


def _flat(entry: Entry) -> dict[str, object]:
    cell = entry.cell
    row: dict[str, object] = {"machine": cell.machine, "run": cell.run, "valid": cell.valid} | cell.case.as_dict()
    row |= {"status": str(cell.status), "failed": cell.failed}
    memory = {} if cell.memory is None else {"peak_rss_mib": cell.memory.peak, "net_mib": cell.memory.net}
    for name, figure in {**cell.figures, "start_s": cell.start, **memory}.items():
        if figure is not None:
            row |= {name: figure.median, f"{name}_low": figure.low, f"{name}_high": figure.high, f"{name}_n": figure.n}
    for name, speed in (("speed", entry.speed), ("speed_own_eager", entry.own)):
        if speed is not None and speed.ratio is not None:
            row |= {name: speed.ratio, f"{name}_low": speed.low, f"{name}_high": speed.high, f"{name}_n": speed.n}
            row |= {f"{name}_verdict": str(speed.verdict or ""), f"{name}_baseline": speed.baseline.case.runtime}
    for name, result in (("break_even", entry.per_process), ("break_even_with_conversion", entry.with_conversion)):
        row |= {name: str(result.payback), f"{name}_calls": result.calls}
    return row
