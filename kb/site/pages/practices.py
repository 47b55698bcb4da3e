"""The measured part of each practice's page: what every arm gives, against its baseline, and what could not be run."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from kb.analysis.digits import defend
from kb.analysis.practices import ArmResult, PracticeResult
from kb.measure.arms import CONFIDENCE, Verdict
from kb.practices.interface import Measure, Practice
from kb.records.run import Validity
from kb.records.statuses import Status
from kb.site.evidence import Evidence
from kb.site.labels import machine_label
from kb.site.render import Page, provenance, render
from kb.site.table import EMPTY, Cell, Column, Table
from kb.site.text import clean, counted, slug
from kb.site.wording import VALIDITY_TONES, figure_cell, percent, status_tone

#: Included by docs/practices/<name>.md, which people write.
FOLDER = "parts/practices"
#: Where the generated pages are, seen from there.
TO_ROOT = "../generated/"

TONES = {Verdict.FASTER: "fast", Verdict.SLOWER: "slow", Verdict.SAME: "", Verdict.INCONCLUSIVE: "muted"}
WORDS = {
    Verdict.FASTER: "better",
    Verdict.SLOWER: "worse",
    Verdict.SAME: "same",
    Verdict.INCONCLUSIVE: "no verdict",
}


def pages(evidence: Evidence) -> list[Page]:
    """A part per installed practice, also where nothing was measured yet, and the overview of them all."""
    parts = [_part(name, practice, evidence) for name, practice in evidence.practices.items()]
    return [*parts, _overview(evidence)]


def _part(name: str, practice: Practice, evidence: Evidence) -> Page:
    mine = [result for result in evidence.practice_results if result.practice == name]
    files: dict[str, bytes] = {}
    sections = []
    for result in mine:
        whole = _whole_table(practice, result)
        path = f"data/practice-{slug(name)}-{result.run.machine.id}.csv"
        files[path] = whole.csv()
        sections.append(
            {
                "label": machine_label(result.run.machine),
                "id": result.run.machine.id,
                "run": result.run,
                "tone": VALIDITY_TONES[result.run.validity],
                "valid": result.run.validity is Validity.VALID,
                "csv": f"{TO_ROOT}{path}",
                "tables": [
                    {"subject": subject, "html": [table.html(searchable=False) for table in tables]}
                    for subject, tables in _tables(practice, result)
                ],
                "absent": _absent(result.arms),
                "failed": _failed(result.arms, practice),
            }
        )
    text = render(
        "practice.md",
        advice=practice.advice,
        sections=sections,
        confidence=f"{CONFIDENCE:.0%}",
        main=practice.measures[0],
        provenance=provenance(result.run for result in mine),
    )
    return Page(f"{FOLDER}/{slug(name)}.md", text, files)


def _tables(practice: Practice, result: PracticeResult) -> list[tuple[str, list[Table]]]:
    """Per subject and device what was measured, and what works. Arms without any figure are told of below instead."""
    shown = [arm for arm in result.arms if arm.figures]
    found = []
    for (subject, device), group in groupby(shown, key=lambda each: (each.arm.subject, each.arm.device)):
        members = list(group)
        where = subject if device == "cpu" else f"{subject}, {device}"
        tables = (_measured(practice, members, where), _works(practice, members, where))
        found.append((where, [table for table in tables if table is not None]))
    return found


def _measured(practice: Practice, arms: Sequence[ArmResult], where: str) -> Table:
    """The figures of the arms, in the practice's order, the main one with its gain first."""
    main = practice.measures[0]
    others = [measure for measure in _filled(practice, arms) if measure is not main and not measure.yes_no]
    names, several = _names(arms)
    columns = (
        *names,
        _column(main),
        Column("Against baseline", "gain", numeric=True, unit="above 1 is better"),
        *(_column(measure) for measure in others),
    )
    rows = [
        (*_name(each, several), _value(each, main), _gain(each), *(_value(each, measure) for measure in others))
        for each in arms
    ]
    return Table(f"{practice.title}: {where}", columns, rows)


def _works(practice: Practice, arms: Sequence[ArmResult], where: str) -> Table | None:
    """What is answered by yes or no; None where the practice asks nothing of the kind."""
    asked = [measure for measure in _filled(practice, arms) if measure.yes_no]
    names, several = _names(arms)
    rows = [(*_name(each, several), *(_value(each, measure) for measure in asked)) for each in arms]
    columns = (*names, *(Column(measure.header, measure.key) for measure in asked))
    return Table(f"{practice.title}: {where}, what works", columns, rows) if asked else None


def _filled(practice: Practice, arms: Sequence[ArmResult]) -> list[Measure]:
    """The measures that any of the arms has, or should have had."""
    return [m for m in practice.measures if any(m.key in each.figures or _told(each, m) for each in arms)]


def _names(arms: Sequence[ArmResult]) -> tuple[tuple[Column, ...], bool]:
    """The columns that name an arm, and whether the threads are one of them."""
    several = len({each.arm.threads for each in arms}) > 1
    way = Column("Way", "arm")
    return ((way, Column("Threads", "threads", numeric=True)) if several else (way,)), several


def _name(each: ArmResult, threads: bool) -> tuple[Cell, ...]:
    way = Cell(clean(each.arm.name))
    return (way, Cell(str(each.arm.threads))) if threads else (way,)


def _column(measure: Measure) -> Column:
    return Column(measure.header, measure.key, numeric=True, unit=measure.unit)


def _value(each: ArmResult, measure: Measure) -> Cell:
    """The figure with its interval; yes or no; or the status where the figure failed."""
    figure = each.figures.get(measure.key)
    if figure is None:
        told = _told(each, measure)
        return EMPTY if told is None else Cell(str(told), tone=status_tone(told))
    if measure.yes_no:
        return Cell("yes" if figure.low >= 1 else "no" if figure.high < 1 else "not always", figure.median)
    return figure_cell(figure)


def _told(each: ArmResult, measure: Measure) -> Status | None:
    return next((trouble.status for trouble in each.troubles if trouble.measure == measure.key), None)


def _gain(each: ArmResult) -> Cell:
    """The effect with its interval and verdict; the baseline's own cell says that it is one."""
    if each.baseline is None:
        return Cell("baseline", 1.0, tone="muted")
    effect = each.effect
    if effect is None or effect.ratio is None:
        return EMPTY
    shown = defend(effect.ratio, effect.low, effect.high)
    seen = f", would have seen {percent(effect.detectable)}" if effect.verdict is Verdict.INCONCLUSIVE else ""
    bounds = f"{shown.bounds}, " if shown.bounds else ""
    note = f"{WORDS[effect.verdict]}: {bounds}n {effect.n}{seen if effect.detectable is not None else ''}"
    return Cell(f"{shown.value}×", effect.ratio, note=note, tone=TONES[effect.verdict])


def _absent(arms: Iterable[ArmResult]) -> list[tuple[str, str]]:
    """Reason -> which arms it keeps from running here, in words."""
    by_reason: dict[str, list[str]] = {}
    for each in arms:
        if each.unsupported is not None:
            by_reason.setdefault(each.unsupported, []).append(f"{each.arm.subject}: {each.arm.name}")
    return [(clean(reason), counted(len(names), "arm")) for reason, names in by_reason.items()]


def _failed(arms: Iterable[ArmResult], practice: Practice) -> str | None:
    """What failed and why, as a table; figures that are unsupported among them, arms that are not.

    What failed alike is one row: the same way for the same reason, on several subjects or in several figures.
    """
    headers = {measure.key: measure.header for measure in practice.measures}
    alike: dict[tuple[str, Status, str, int], tuple[list[str], list[str]]] = {}
    for each in arms:
        for trouble in each.troubles if each.unsupported is None else ():
            ending = (each.arm.name, trouble.status, trouble.reason, trouble.processes)
            subjects, figures = alike.setdefault(ending, ([], []))
            subjects.append(each.arm.subject)
            figures.append(headers.get(trouble.measure, trouble.measure))
    rows = [
        (
            Cell(clean(name), note=clean(_listed(subjects))),
            Cell(_listed(figures)),
            Cell(str(status), note=counted(processes, "process", "processes"), tone=status_tone(status)),
            Cell(reason),
        )
        for (name, status, reason, processes), (subjects, figures) in alike.items()
    ]
    columns = (
        Column("Way", "arm"),
        Column("Figure", "measure", prose=True),
        Column("Status", "status"),
        Column("Reason", "reason", prose=True),
    )
    return Table("Figures that could not be had, and why", columns, rows).html(searchable=True) if rows else None


def _listed(names: Iterable[str]) -> str:
    """Each once, in their order."""
    return ", ".join(dict.fromkeys(names))


def _whole_table(practice: Practice, result: PracticeResult) -> Table:
    """Everything, for the CSV: a row per arm and measure."""
    columns = tuple(
        Column(key, key)
        for key in (
            *("subject", "arm", "device", "threads", "measure", "median", "low", "high", "n"),
            *("gain", "gain_low", "gain_high", "verdict", "baseline", "status", "reason"),
        )
    )
    rows = []
    for each in result.arms:
        for measure in practice.measures:
            figure, effect = each.figures.get(measure.key), each.effect if measure is practice.measures[0] else None
            told = next((trouble for trouble in each.troubles if trouble.measure == measure.key), None)
            if figure is None and told is None:
                continue
            bounds = figure.interval if figure is not None and figure.interval else ("", "")
            rows.append(
                tuple(
                    Cell("" if value is None else str(value), "" if value is None else value)
                    for value in (
                        *(each.arm.subject, each.arm.name, each.arm.device, each.arm.threads, measure.key),
                        *((figure.median, *bounds, figure.n) if figure is not None else ("", "", "", 0)),
                        *((effect.ratio, effect.low, effect.high, str(effect.verdict)) if effect else ("",) * 4),
                        each.baseline.name if each.baseline and effect else "",
                        *((str(told.status), told.reason) if told else (str(Status.OK), "")),
                    )
                )
            )
    return Table(f"{practice.title}, every figure", columns, rows)


def _overview(evidence: Evidence) -> Page:
    """Every practice with its advice, and where it was measured."""
    text = render(
        "practices.md",
        practices=[
            {
                "name": slug(name),
                "title": practice.title,
                "advice": practice.advice,
                "machines": len({r.run.machine.id for r in evidence.practice_results if r.practice == name}),
            }
            for name, practice in evidence.practices.items()
        ],
    )
    return Page(f"{FOLDER}/index.md", text)
