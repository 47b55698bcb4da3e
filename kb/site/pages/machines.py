"""The machines page: what each computer is, what ran on it, and with which versions."""

from collections.abc import Mapping, Sequence

from kb.records.run import Machine, RunInfo
from kb.site.evidence import Evidence
from kb.site.labels import machine_label
from kb.site.pages.runs import runs_table
from kb.site.render import Page, front_matter, provenance, render
from kb.site.table import EMPTY, Cell, Column, Table
from kb.site.text import counted

PATH = "machines.md"
#: Packages of these names come first: their versions explain a figure, those of the others rarely do.
FRAMEWORKS = ("torch", "tensorflow", "keras", "onnx", "tf2onnx", "numpy")

DESCRIPTION = "The machines that results come from: hardware, runs and package versions."

#: Runs listed per machine; the runs page has all.
RUNS_SHOWN = 8


def pages(evidence: Evidence) -> list[Page]:
    files: dict[str, bytes] = {}
    sections = []
    for machine in evidence.machines:
        runs = evidence.runs_of(machine)
        versions = _versions(runs)
        files[f"data/versions-{machine.id}.csv"] = versions.csv()
        sections.append(
            {
                "label": machine_label(machine),
                "id": machine.id,
                "facts": _facts(machine).html(),
                "runs": runs_table(runs[:RUNS_SHOWN], with_machine=False).html(),
                "more": max(0, len(runs) - RUNS_SHOWN),
                "versions": versions.html(f"data/versions-{machine.id}.csv"),
                "changed": _changed(runs),
            }
        )
    text = render(
        "machines.md",
        matter=front_matter("Machines", DESCRIPTION, evidence.runs),
        provenance=provenance(evidence.runs[:1]),
        machines=sections,
    )
    return [Page(PATH, text, files)]


def _facts(machine: Machine) -> Table:
    """The fingerprint, a fact a row."""
    limit = "" if machine.memory_limit_gib is None else f", {machine.memory_limit_gib:g} GiB allowed"
    virtual = {True: "yes", False: "no", None: "cannot be told"}[machine.virtual]
    facts = [
        ("CPU", machine.cpu_model),
        ("Instruction sets", ", ".join(machine.cpu_flags) or "none of those recorded"),
        ("Architecture", machine.architecture),
        ("Cores", f"{machine.physical_cores} physical, {machine.logical_cores} logical, {machine.usable_cores} usable"),
        ("Memory", f"{machine.ram_gib:g} GiB{limit}"),
        *(("Accelerator", _accelerator(machine, index)) for index in range(len(machine.accelerators))),
        ("Operating system", machine.os),
        ("Kernel", machine.kernel),
        ("Virtual", virtual),
    ]
    rows = [(Cell(name), Cell(value)) for name, value in facts]
    return Table(
        f"Fingerprint of machine {machine.id}", (Column("Fact", "fact"), Column("Value", "value", prose=True)), rows
    )


def _accelerator(machine: Machine, index: int) -> str:
    accelerator = machine.accelerators[index]
    memory = f", {accelerator.memory_gib:g} GiB" if accelerator.memory_gib is not None else ""
    driver = f", driver {accelerator.driver}" if accelerator.driver else ""
    return f"{accelerator.name} ({accelerator.kind}{memory}{driver})"


def _versions(runs: Sequence[RunInfo]) -> Table:
    """Package versions of the newest run, a column per environment, and what the run before it had."""
    newest, environments = runs[0], runs[0].environments
    known = {package for versions in environments.values() for package in versions}
    packages = sorted(known, key=lambda package: (not package.startswith(FRAMEWORKS), package))
    columns = (
        Column("Package", "package"),
        *(Column(environment, environment) for environment in environments),
        *((Column("Run before", "run_before"),) if len(runs) > 1 else ()),
    )
    rows = []
    for package in packages:
        cells = [Cell(versions[package]) if package in versions else EMPTY for versions in environments.values()]
        if len(runs) > 1:
            before = runs[1].environments.get("current", {}).get(package, "")
            same = before == newest.environments.get("current", {}).get(package)
            cells.append(Cell(before, tone="muted" if same else "warn"))
        rows.append((Cell(package), *cells))
    return Table(f"Package versions of run {newest.run}", columns, rows)


def _changed(runs: Sequence[RunInfo]) -> Mapping[str, str] | None:
    """How the newest run's `current` environment differs from that of the run before, in words."""
    if len(runs) < 2:
        return None
    now, before = (run.environments.get("current", {}) for run in runs[:2])
    names = sorted(name for name in {*now, *before} if now.get(name) != before.get(name))
    moves = ", ".join(f"{name} {before.get(name, 'absent')} → {now.get(name, 'absent')}" for name in names[:12])
    return {"count": counted(len(names), "package"), "moves": moves, "since": runs[1].run}
