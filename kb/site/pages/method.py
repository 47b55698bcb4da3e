"""The method page: how a number is obtained, with every constant printed from the code that uses it."""

from kb.config import EXCLUDED, Profile
from kb.convert.checks import CHECKS
from kb.profiles import BUILT_IN_PROFILES
from kb.records.statuses import MEANINGS, Status
from kb.site.constants import documented
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
        ("kb.practices.measuring", "GIVE_UP_AFTER"),
    ),
    "answers": (
        ("kb.measure.correctness", "TOLERANCE"),
        ("kb.analysis.cells", "WITHDRAWING"),
    ),
    "converting": (
        ("kb.convert.noise", "FACTOR"),
        ("kb.convert.noise", "EPSILON"),
        ("kb.convert.noise", "CEILING"),
        ("kb.convert.probes", "EXPORT_BATCH"),
        ("kb.convert.probes", "OTHER_BATCHES"),
        ("kb.convert.probes", "OTHER_SEEDS"),
        ("kb.convert.accuracy", "GATE_PP"),
        ("kb.convert.accuracy", "MIN_SAMPLES"),
        ("kb.convert.accuracy", "HARDEST_PCT"),
        ("kb.convert.accuracy", "EASIEST_PCT"),
    ),
    "finding": (
        ("kb.problems.ranking", "MIN_SHARE"),
        ("kb.problems.ranking", "MAX_PARTIAL"),
        ("kb.problems.ranking", "COVERED"),
        ("kb.problems.signature", "MAX_PLACEHOLDERS"),
        ("kb.problems.signature", "MAX_LENGTH"),
    ),
    "printing": (
        ("kb.analysis.digits", "MAX_DIGITS"),
        ("kb.analysis.digits", "DIGITS_WITHOUT_INTERVAL"),
        ("kb.site.charts.heat", "STEPS"),
    ),
}

#: What each check of an export asks, and the status that fails it, by its name in the rows; kb.convert.checks has their
#: order. Before them stands the export itself, after them accuracy.
ASKED: dict[str, tuple[str, tuple[Status, ...]]] = {
    "export": ("Does the converter write a file, within the limits on time and memory?", (Status.EXPORT_FAILED,)),
    "checker": ("Does ONNX's own checker accept the file, types and shapes included?", (Status.CHECK_FAILED,)),
    "opset": ("Is the file of the opset that was asked for?", (Status.CHECK_FAILED,)),
    "load": ("Does its runtime load it?", (Status.LOAD_FAILED,)),
    "parity": (
        "On the inputs that it was exported with: does it run, are its outputs finite, of the model's element types, "
        "and within the tolerance of the model in double precision?",
        (Status.RUN_FAILED, Status.NOT_FINITE, Status.WRONG_OUTPUT),
    ),
    "other values": (
        "The same on inputs of other seeds, and with their signs turned, which takes most branches the other way?",
        (Status.RUN_FAILED, Status.NOT_FINITE, Status.WRONG_OUTPUT),
    ),
    "other shapes": ("The same at other batch sizes?", (Status.SHAPE_FAILED,)),
    "graph optimisation": (
        "Does it answer alike at every level of ONNX Runtime's graph optimisation?",
        (Status.RUN_FAILED, Status.WRONG_OUTPUT),
    ),
    "accuracy": (
        "Where the model has labelled data: is the upper 95 % bound of the accuracy lost below the gate?",
        (Status.ACCURACY_FAILED,),
    ),
}

#: What a profile may take besides latency, in words.
EXTRAS = {
    "memory": "peak memory",
    "percentiles": "percentiles of single calls",
    "practices": "the practices",
    "conversions": "conversions",
    "reproducers": "the reproducers of problem notes",
}


def pages() -> list[Page]:
    """The page. It is the same whatever the results are."""
    text = render(
        "method.md",
        matter=front_matter("Method", DESCRIPTION, ()),
        profiles=_profiles().html(),
        statuses=_statuses().html(searchable=True),
        checks=_checks().html(searchable=True),
        **{name: _constants(name).html(searchable=True) for name in CONSTANTS},
    )
    return [Page(PATH, text)]


def _constants(group: str) -> Table:
    columns = (Column("Constant", "name"), Column("Value", "value", prose=True), Column("Why", "reason", prose=True))
    found = [documented(module, name) for module, name in CONSTANTS[group]]
    rows = [(Cell(c.name, note=c.module), Cell(c.value), Cell(c.reason)) for c in found]
    return Table(f"Constants: {group}", columns, rows)


def _checks() -> Table:
    """In the order in which an export passes them."""
    columns = (
        Column("Check", "check"),
        Column("What it asks", "asks", prose=True),
        Column("If not", "status", prose=True),
    )
    order = ("export", *(check.name for check in CHECKS), "accuracy")
    rows = [(Cell(name), Cell(ASKED[name][0]), Cell(", ".join(ASKED[name][1]))) for name in order]
    return Table("Checks of an export, in their order", columns, rows)


def _statuses() -> Table:
    rows = [(Cell(str(status)), Cell(MEANINGS[status])) for status in Status]
    return Table("Statuses", (Column("Status", "status"), Column("Meaning", "meaning", prose=True)), rows)


def _profiles() -> Table:
    """A row per grid: a profile's own first, then what it measures besides."""
    columns = (
        Column("Profile", "profile"),
        Column("What it is for", "description", prose=True),
        Column("Models", "models", prose=True),
        Column("Runtimes", "runtimes", prose=True),
        Column("Precisions", "precisions", prose=True),
        Column("Batches", "batches", prose=True),
        Column("Threads", "threads"),
        Column("Processes", "replicates", numeric=True, unit="per cell"),
        Column("Also taken", "also", prose=True),
    )
    profiles = {name: Profile.model_validate(values) for name, values in BUILT_IN_PROFILES.items()}
    rows = [
        (
            Cell(name if index == 0 else ""),
            Cell(profile.description if index == 0 else "and besides"),
            *(Cell(_listed(field, getattr(grid, field))) for field in ("models", "runtimes", "precisions")),
            *(Cell(_listed(field, getattr(grid, field))) for field in ("batches", "threads")),
            Cell(str(profile.replicates)),
            Cell(", ".join(words for name, words in EXTRAS.items() if getattr(profile, name)) if index == 0 else ""),
        )
        for name, profile in profiles.items()
        for index, grid in enumerate((profile, *profile.also))
    ]
    return Table("Built-in profiles", columns, rows)


def _listed(field: str, values: tuple[str | int, ...]) -> str:
    """``all but resnet50``, ``1, 8``; 0 threads are all cores."""
    if field == "threads":
        return ", ".join("all cores" if value == 0 else str(value) for value in values)
    texts = [str(value) for value in values]
    named = ", ".join("all" if text == "*" else text for text in texts if not text.startswith(EXCLUDED))
    unwanted = " and ".join(text.removeprefix(EXCLUDED) for text in texts if text.startswith(EXCLUDED))
    return f"{named}, without {unwanted}" if unwanted else named
