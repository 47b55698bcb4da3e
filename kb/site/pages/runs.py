"""The runs page: every execution there was, and whether it counts."""

from collections.abc import Sequence

from kb.records.run import RunInfo
from kb.site.evidence import Evidence
from kb.site.labels import machine_label
from kb.site.render import Page, front_matter, provenance, render
from kb.site.table import Cell, Column, Table
from kb.site.text import clean, when
from kb.site.wording import VALIDITY_TONES, noise_text

PATH = "runs.md"
DESCRIPTION = "Every run: when, where, what it measured, and whether verdicts may be drawn from it."


def pages(evidence: Evidence) -> list[Page]:
    table = runs_table(evidence.runs)
    counts = {validity: sum(info.validity is validity for info in evidence.runs) for validity in VALIDITY_TONES}
    text = render(
        "runs.md",
        matter=front_matter("Runs", DESCRIPTION, evidence.runs, hide=("navigation", "toc")),
        provenance=provenance(evidence.runs[:1]),
        count=len(evidence.runs),
        counts=[(str(validity), count) for validity, count in counts.items() if count],
        table=table.html("data/runs.csv"),
    )
    return [Page(PATH, text, {"data/runs.csv": table.csv()})]


def runs_table(runs: Sequence[RunInfo], with_machine: bool = True) -> Table:
    """A row per run, in the order given; reasons and noise beside the validity."""
    columns = (
        Column("Started", "started"),
        *((Column("Machine", "machine"),) if with_machine else ()),
        Column("Profile", "profile"),
        Column("Validity", "validity", prose=True),
        Column("Rows", "rows", numeric=True, unit="ok / others"),
        Column("A/A check", "aa_ratio"),
        Column("Commit", "commit"),
    )
    hidden = (Column("Run", "run"), Column("Took", "minutes"), Column("Reasons", "reasons"), Column("A/A", "aa"))
    return Table("Runs, newest first", columns, [_row(info, with_machine) for info in runs], hidden)


def _row(info: RunInfo, with_machine: bool) -> tuple[Cell, ...]:
    label = machine_label(info.machine)
    machine = (Cell(info.machine.id, note=clean(label, 44)),)
    minutes = (info.ended - info.started).total_seconds() / 60 if info.ended else None
    ok, others = row_counts(info)
    ratio, _, words = noise_text(info.noise).partition(" over ")
    commit = info.kb_commit or ""
    return (
        Cell(when(info.started), info.started.isoformat(), note=info.run),
        *(machine if with_machine else ()),
        Cell(
            f"{info.profile}, conversions" if info.conversions else info.profile,
            note="" if minutes is None else f"{minutes:.0f} min" if minutes >= 1 else "under 1 min",
        ),
        validity_cell(info),
        Cell(f"{ok:,} / {others:,}" if info.counts else ""),
        Cell(ratio, info.noise.ratio if info.noise and info.noise.ratio else "", note=words),
        Cell(commit[:8], commit),
        Cell(info.run),
        Cell("" if minutes is None else f"{minutes:.2f}"),
        Cell("; ".join(info.reasons)),
        Cell(noise_text(info.noise)),
    )


def row_counts(info: RunInfo) -> tuple[int, int]:
    """Rows that are ok, and the others, over all tables; zero while the run has not ended."""
    ok = sum(statuses.get("ok", 0) for statuses in info.counts.values())
    return ok, sum(sum(statuses.values()) for statuses in info.counts.values()) - ok


def validity_cell(info: RunInfo) -> Cell:
    """VALID, or what it is instead and why."""
    return Cell(str(info.validity), note="; ".join(info.reasons), tone=VALIDITY_TONES[info.validity])
