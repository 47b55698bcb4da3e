"""Conversions: which are right, what accuracy they cost, what they take, and a page for each that is not right."""

import shlex
from collections.abc import Iterable, Mapping, Sequence

from kb.analysis.conversions import (
    Converted,
    at_opset,
    counts,
    overflowing,
    swept,
    troubles,
    untried,
    usual_opset,
    worst_losses,
)
from kb.convert.conversion import Conversion
from kb.convert.converting import minimal_name
from kb.convert.noise import FACTOR
from kb.convert.precisions import FULL
from kb.records.folder import MINIMAL_FOLDER
from kb.records.run import Machine, RunInfo
from kb.records.statuses import MEANINGS, Status
from kb.site.charts.loss import loss_chart
from kb.site.evidence import Evidence
from kb.site.figures import draw
from kb.site.labels import machine_label
from kb.site.pages import conversion_tables as tables
from kb.site.pages.published import published_table
from kb.site.render import Page, front_matter, provenance, render
from kb.site.table import Table
from kb.site.text import clean, counted, slug, slugs
from kb.site.wording import VALIDITY_TONES

PATH = "conversions.md"
DESCRIPTION = (
    "Which exports still give the right answers, what accuracy they cost, what they take, and why others fail."
)

#: The profile that `kb convert` takes where none is named.
DEFAULT_PROFILE = "quick"


def pages(evidence: Evidence) -> list[Page]:
    """The overview, and a page per conversion that is broken on some machine."""
    names = slugs(each.conversion.id for each in evidence.conversions if each.broken)
    return [_overview(evidence, names), *_failures(evidence, names)]


def standing(evidence: Evidence) -> str:
    """For the home page: ``181 of 212 exports give the right answers``; empty where nothing was converted."""
    tried = [each for each in evidence.conversions if each.broken or each.status is Status.OK]
    right = sum(each.status is Status.OK for each in tried)
    return f"{right:,} of {counted(len(tried), 'export')} give the right answers" if tried else ""


def _overview(evidence: Evidence, names: tables.Names) -> Page:
    files: dict[str, bytes] = {}
    runs = _runs(evidence.conversions)
    sections = [
        _section(machine, found, names, files)
        for machine in evidence.machines
        if (found := [each for each in evidence.conversions if each.run.machine.id == machine.id])
    ]
    text = render(
        "conversions.md",
        matter=front_matter("Conversions", DESCRIPTION, runs),
        sections=sections,
        published=published_table(evidence.conversions).html(),
        factor=f"{FACTOR:g}",
        provenance=provenance(runs),
    )
    return Page(PATH, text, files)


def _section(
    machine: Machine, found: Sequence[Converted], names: tables.Names, files: dict[str, bytes]
) -> Mapping[str, object]:
    """What the page says of one machine; the files that belong to it are added to `files`."""
    opset = usual_opset(found)
    shown = at_opset(found, opset)
    csv = f"data/conversions-{machine.id}.csv"
    files[csv] = tables.whole_table(found).csv()
    compatibility = tables.compatibility_table(found)
    return {
        "label": machine_label(machine),
        "id": machine.id,
        "runs": [(info, VALIDITY_TONES[info.validity]) for info in _runs(found)],
        "versions": [", ".join(tables.versions(info)) for info in _runs(found)[:1]],
        "csv": csv,
        "opset": opset,
        "counts": _counts(found),
        "overflowing": overflowing(found),
        "matrices": _matrices(shown, names),
        "troubles": _searchable(tables.troubles_table(troubles(found), names), csv),
        "untried": _searchable(tables.untried_table(untried(found)), csv),
        "accuracy": _accuracy(machine, found, names, files),
        "costs": _filled(tables.cost_table(shown)),
        "kept": _filled(tables.kept_table(found)),
        "opsets": _opsets(swept(found, opset), names),
        "compatibility": compatibility.html() if compatibility else None,
        "noise": _filled(tables.noise_table(found)),
    }


def _runs(found: Iterable[Converted]) -> list[RunInfo]:
    """The runs that speak, newest first."""
    every = {each.run.run: each.run for each in found}
    return sorted(every.values(), key=lambda info: (info.started, info.run), reverse=True)


def _counts(found: Sequence[Converted]) -> str:
    """``212 conversions: 180 ok, 20 unsupported, ...``"""
    listed = ", ".join(f"{number:,} {status}" for status, number in counts(found).items())
    return f"{counted(len(found), 'conversion')}: {listed}"


def _matrices(found: Sequence[Converted], names: tables.Names) -> list[Mapping[str, str]]:
    return [
        {
            "precision": precision,
            "id": slug(precision),
            "words": tables.precision_words(precision),
            "table": tables.matrix_table(precision, found, names).html(),
        }
        for precision in tables.in_order(each.conversion.precision for each in found)
    ]


def _opsets(found: Mapping[tuple[str, str], Sequence[Converted]], names: tables.Names) -> list[Mapping[str, str]]:
    return [
        {
            "label": model if precision == FULL else f"{model} in {precision}",
            "table": tables.opset_table(model, members, names).html(),
        }
        for (model, precision), members in found.items()
    ]


def _accuracy(
    machine: Machine, found: Sequence[Converted], names: tables.Names, files: dict[str, bytes]
) -> Mapping[str, object] | None:
    """Accuracy against the gate: a chart of the worst route of each model and precision, and a table of all."""
    order = tables.in_order(each.conversion.precision for each in found)
    compared = sorted(
        (each for each in found if each.number("loss_upper_pp") is not None),
        key=lambda each: (
            each.conversion.model,
            order.index(each.conversion.precision),
            each.conversion.route,
            each.conversion.opset,
        ),
    )
    worst = worst_losses(compared)
    chart = loss_chart(f"conversions-{machine.id}-loss", "Accuracy lost", worst, tables.accuracy_table(worst, names))
    if chart is None:
        return None
    drawn = draw(chart, "")
    every = tables.accuracy_table(compared, names)
    path = f"data/conversions-accuracy-{machine.id}.csv"
    files |= {**drawn.files, path: every.csv()}
    return {"chart": drawn.html, "table": every.html(path)}


def _filled(table: Table) -> str | None:
    return table.html() if table.rows else None


def _searchable(table: Table, csv: str) -> str | None:
    return table.html(csv, searchable=True) if table.rows else None


def _failures(evidence: Evidence, names: tables.Names) -> list[Page]:
    """A page per conversion that is broken somewhere, with a section per machine."""
    broken: dict[Conversion, list[Converted]] = {}
    for each in evidence.conversions:
        if each.broken:
            broken.setdefault(each.conversion, []).append(each)
    return [_failure(evidence, conversion, members, names[conversion.id]) for conversion, members in broken.items()]


def _failure(evidence: Evidence, conversion: Conversion, members: Sequence[Converted], name: str) -> Page:
    runs = _runs(members)
    minimal = {each.run.machine.id: _minimal(evidence, each, name) for each in members}
    right = [e for e in evidence.conversions if e.conversion == conversion and e.status is Status.OK]
    text = render(
        "conversion_failure.md",
        matter=front_matter(f"{conversion.model} by {conversion.route}", f"Why {conversion.id} is not right.", runs),
        conversion=conversion,
        words=tables.precision_words(conversion.precision),
        sections=[
            {
                "label": machine_label(each.run.machine),
                "id": each.run.machine.id,
                "run": each.run,
                "status": str(each.status),
                "meaning": MEANINGS[each.status],
                "stage": each.text("stage"),
                "reason": each.text("reason"),
                "diverges_at": each.text("diverges_at"),
                "not_isolated": each.text("not_isolated"),
                "evidence": [table.html() for table in tables.evidence_tables(each)],
                "versions": ", ".join(tables.versions(each.run)),
                "minimal": [(path.rpartition("/")[2], f"../{path}") for path in minimal[each.run.machine.id]],
            }
            for each in members
        ],
        right=[machine_label(each.run.machine) for each in right],
        command=_command(conversion, runs[0]),
        provenance=provenance(runs),
    )
    return Page(f"{tables.FOLDER}/{name}.md", text, {p: c for files in minimal.values() for p, c in files.items()})


def _command(conversion: Conversion, info: RunInfo) -> str:
    """What repeats a conversion, from the profile that it was in."""
    profile = "" if info.profile == DEFAULT_PROFILE else f"--profile {shlex.quote(clean(info.profile))} "
    return f"kb convert {profile}{shlex.quote(clean(conversion.id))}"


def _minimal(evidence: Evidence, each: Converted, name: str) -> dict[str, bytes]:
    """The minimal file of a broken conversion and what lies beside it, by where it goes."""
    folder = evidence.folders[each.run.run] / MINIMAL_FOLDER / minimal_name(each.conversion)
    if not folder.is_dir():
        return {}
    to = f"data/minimal/{name}-{each.run.machine.id}"
    found = sorted(path for path in folder.iterdir() if path.is_file())
    return {f"{to}/{path.name.replace('.md', '.txt')}": path.read_bytes() for path in found}
