"""The method page: how a number is obtained, with every constant printed from the code that uses it."""

from kb.config import BUILT_IN_PROFILES
from kb.records.statuses import MEANINGS, Status
from kb.site.constants import as_text, documented
from kb.site.render import Page, front_matter, render
from kb.site.table import Cell, Column, Table

PATH = "method.md"
DESCRIPTION = "How a number is obtained and when it counts: protocol, thresholds and statuses, printed from the code."

#: The constants that decide, by the question that they answer.
CONSTANTS: dict[str, tuple[tuple[str, str], ...]] = {
    "timing": (
        ("kb.measure.protocol", "WARMUP_S"),
        ("kb.measure.protocol", "WARMUP_CALLS"),
        ("kb.measure.protocol", "BLOCK_S"),
        ("kb.measure.protocol", "MEASURE_S"),
        ("kb.measure.protocol", "MIN_BLOCKS"),
        ("kb.measure.protocol", "SINGLE_S"),
        ("kb.measure.protocol", "MAX_SINGLE_CALLS"),
        ("kb.measure.protocol", "P90_CALLS"),
        ("kb.measure.protocol", "P99_CALLS"),
        ("kb.measure.replicate", "MEMORY_CALLS"),
    ),
    "comparing": (
        ("kb.measure.arms", "CONFIDENCE"),
        ("kb.measure.arms", "EQUIVALENCE_MARGIN"),
        ("kb.measure.arms", "POWER"),
        ("kb.analysis.speed", "BASELINES"),
        ("kb.analysis.speed", "OWN_EAGER"),
    ),
    "quality": (
        ("kb.measure.quality", "NOISY_IQR"),
        ("kb.measure.quality", "UNTRUSTED_IQR"),
        ("kb.measure.quality", "NOISY_STEAL_PCT"),
        ("kb.measure.quality", "BUSY_SHARE"),
        ("kb.measure.quality", "BUSY_CORES"),
        ("kb.measure.bench", "GIVE_UP_AFTER"),
    ),
    "answers": (
        ("kb.measure.correctness", "TOLERANCE"),
        ("kb.analysis.cells", "WITHDRAWING"),
    ),
    "printing": (
        ("kb.analysis.digits", "MAX_DIGITS"),
        ("kb.analysis.digits", "DIGITS_WITHOUT_INTERVAL"),
        ("kb.site.charts.heat", "STEPS"),
    ),
}


def pages() -> list[Page]:
    """The page. It is the same whatever the results are."""
    text = render(
        "method.md",
        matter=front_matter("Method", DESCRIPTION, ()),
        profiles=_profiles().html(),
        statuses=_statuses().html(searchable=True),
        **{name: _constants(name).html(searchable=True) for name in CONSTANTS},
    )
    return [Page(PATH, text)]


def _constants(group: str) -> Table:
    columns = (Column("Constant", "name"), Column("Value", "value", prose=True), Column("Why", "reason", prose=True))
    found = [documented(module, name) for module, name in CONSTANTS[group]]
    rows = [(Cell(c.name, note=c.module), Cell(c.value), Cell(c.reason)) for c in found]
    return Table(f"Constants: {group}", columns, rows)


def _statuses() -> Table:
    rows = [(Cell(str(status)), Cell(MEANINGS[status])) for status in Status]
    return Table("Statuses", (Column("Status", "status"), Column("Meaning", "meaning", prose=True)), rows)


def _profiles() -> Table:
    columns = (
        Column("Profile", "profile"),
        Column("What it is for", "description", prose=True),
        Column("Runtimes", "runtimes", prose=True),
        Column("Batches", "batches"),
        Column("Threads", "threads"),
        Column("Processes", "replicates", numeric=True, unit="per cell"),
    )
    fields = ("description", "runtimes", "batches", "threads", "replicates")
    rows = [
        (Cell(name), *(Cell(as_text(profile[field]).replace("*", "all")) for field in fields))
        for name, profile in BUILT_IN_PROFILES.items()
    ]
    return Table("Built-in profiles", columns, rows)
