"""The columns of every table, once: the writer, the strict reader and the documentation follow from it."""

from dataclasses import dataclass
from typing import Literal

from kb.records.case import Kind
from kb.records.statuses import Status

#: Version of run.json and of the tables together. Raised with every change that an older reader would misread;
#: `kb.records.upgrade` holds the step from each version to the next.
SCHEMA_VERSION = 4

ColumnType = Literal["string", "integer", "number"]

#: Units by the last part of a column's name.
UNITS = {
    "ms": "millisecond",
    "s": "second",
    "us": "microsecond",
    "mib": "MiB (2^20 bytes)",
    "gib": "GiB (2^30 bytes)",
    "pct": "percent",
    "pp": "percentage point",
    "bytes": "byte",
    "cores": "CPU cores",
}


@dataclass(frozen=True)
class Column:
    """One column: its name (with its unit), type, meaning, and what may stand in it."""

    name: str
    type: ColumnType
    description: str
    required: bool = False  #: never empty
    values: tuple[str, ...] = ()  #: closed set, if it is one
    minimum: float | None = None
    positive: bool = False  #: greater than zero: the figures that ratios are made of
    free_text: bool = False  #: too many different values to be a category; shortened when overlong, never refused
    limit: int | None = None  #: longest text, in characters; None: what suits a cell that people read

    @property
    def unit(self) -> str:
        """The unit that the name ends in, e.g. `millisecond`; empty where the column has none."""
        return UNITS.get(self.name.rpartition("_")[2], "")


@dataclass(frozen=True)
class Rule:
    """What must hold within a row: where every condition of `where` is met, `columns` are all filled, or all empty."""

    meaning: str
    where: tuple[tuple[str, tuple[str, ...]], ...]  #: (column, values it may have for the rule to apply)
    columns: tuple[str, ...]
    filled: bool


@dataclass(frozen=True)
class Table:
    """One CSV file of a run folder."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]  #: no two rows of one file agree in all of these
    rules: tuple[Rule, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def file_name(self) -> str:
        return f"{self.name}.csv"

    @property
    def data_columns(self) -> tuple[Column, ...]:
        """The columns a caller fills: all but the row number in front and the check at the end."""
        return self.columns[1:-1]


ROW = Column("row", "integer", "Number of the row in its file, from 0.", required=True, minimum=0)
CHECK = Column(
    "check",
    "string",
    "CRC-32 (8 hexadecimal digits) of the line up to the comma before it: an edited or torn row is recognised.",
    required=True,
)

# Columns and rules of more than one table.
STATUS = Column("status", "string", "What became of it.", required=True, values=tuple(Status))
STAGE = Column("stage", "string", "Stage that failed; empty when the status is ok.")
STARTED = Column("started", "string", "Start of the process, UTC, ISO 8601.", required=True, free_text=True)
POSITION = Column("position", "integer", "Place in the shuffled schedule, from 0.", required=True, minimum=0)
MODEL_HASH = Column(
    "model_hash", "string", "SHA-256 (12 digits) of the model's source (canonical AST), or of its file."
)
WEIGHTS_HASH = Column("weights_hash", "string", "SHA-256 (12 digits) of the weight set.")
PROCESS_S = Column("process_s", "number", "Wall-clock time of the whole process.", minimum=0)
THREADS = Column("threads", "integer", "Threads the framework was told to use.", required=True, minimum=1)
REASON = Column(
    "reason", "string", "Why it is not ok, in one line (line breaks as \\n); empty when ok.", free_text=True
)
#: What else the machine did meanwhile.
DISTURBANCES = (
    Column("load_1m", "number", "Load average over one minute when the process ended.", minimum=0),
    Column("foreign_cpu_cores", "number", "Cores that other processes kept busy meanwhile.", minimum=0),
    Column("steal_pct", "number", "Share of CPU time that the hypervisor took away.", minimum=0),
    Column(
        "throttle_events",
        "integer",
        "Thermal throttling events meanwhile, where the kernel counts them.",
        minimum=0,
    ),
)

FAILED = tuple(status for status in Status if status is not Status.OK)

SAYS_WHY = Rule("A row that is not ok says why.", where=(("status", FAILED),), columns=("reason",), filled=True)
NOTHING_TO_SAY = Rule(
    "A row that is ok has no failed stage and no reason.",
    where=(("status", (Status.OK,)),),
    columns=("stage", "reason"),
    filled=False,
)

BENCHMARK_RULES = (
    Rule(
        "A row that is not ok carries no speed and no peak memory.",
        where=(("status", FAILED),),
        columns=(
            "latency_p50_ms",
            "latency_iqr_ms",
            "latency_p90_ms",
            "latency_p99_ms",
            "device_p50_ms",
            "peak_rss_mib",
            "peak_device_mib",
        ),
        filled=False,
    ),
    SAYS_WHY,
    NOTHING_TO_SAY,
    Rule(
        "A timed row that is ok has a latency.",
        where=(("status", (Status.OK,)), ("kind", (Kind.LATENCY, Kind.AA))),
        columns=("latency_p50_ms",),
        filled=True,
    ),
    Rule(
        "A memory row that is ok has a peak.",
        where=(("status", (Status.OK,)), ("kind", (Kind.MEMORY,))),
        columns=("peak_rss_mib",),
        filled=True,
    ),
)

BENCHMARKS = Table(
    name="benchmarks",
    description="One row per (case, kind, replicate): each from a fresh worker process.",
    key=("model", "runtime", "device", "precision", "batch", "threads", "environment", "kind", "replicate"),
    rules=BENCHMARK_RULES,
    columns=(
        ROW,
        Column("model", "string", "Reference model or a model of the user's.", required=True),
        Column("runtime", "string", "Way to execute the model.", required=True),
        Column("device", "string", "Device the runtime was asked to use.", required=True),
        Column("precision", "string", "Numeric type of the computation.", required=True),
        Column("batch", "integer", "Samples per call.", required=True, minimum=1),
        THREADS,
        Column("environment", "string", "`current`, or the arm, e.g. `onnxruntime==1.30.0`.", required=True),
        Column("kind", "string", "What the process measured.", required=True, values=tuple(Kind)),
        Column("replicate", "integer", "Number of the process for this case, from 0.", required=True, minimum=0),
        STATUS,
        STAGE,
        REASON,
        STARTED,
        POSITION,
        MODEL_HASH,
        WEIGHTS_HASH,
        Column(
            "protocol_hash", "string", "SHA-256 (12 digits) of the sources (canonical AST) of runtime and protocol."
        ),
        Column("import_s", "number", "Importing the framework; NumPy and Python's start are not in it.", minimum=0),
        Column("build_s", "number", "Building the model with its weights.", minimum=0),
        Column("convert_s", "number", "Exporting the model (once per run, in a process of its own).", minimum=0),
        Column("load_s", "number", "Compiling, tracing or creating the session, up to the first call.", minimum=0),
        Column("first_call_s", "number", "The first call.", minimum=0),
        Column("latency_p50_ms", "number", "Median over the timed blocks of the mean time of a call.", positive=True),
        Column("latency_iqr_ms", "number", "Interquartile range over the blocks.", minimum=0),
        Column("latency_p90_ms", "number", "90th percentile of single calls; empty below 64 calls.", minimum=0),
        Column("latency_p99_ms", "number", "99th percentile of single calls; empty below 662 calls.", minimum=0),
        Column("device_p50_ms", "number", "The median by the accelerator's clock, if it has one.", positive=True),
        Column("blocks", "integer", "Timed blocks.", minimum=0),
        Column("calls", "integer", "Calls in the timed blocks.", minimum=0),
        Column("single_calls", "integer", "Calls timed one by one, for the percentiles.", minimum=0),
        Column("warmup_calls", "integer", "Calls before the first timed block.", minimum=0),
        Column("recompiles", "integer", "Graphs compiled or retraced after the warm-up.", minimum=0),
        Column("page_faults_per_call", "number", "Memory pages that a call made the system hand out.", minimum=0),
        Column("error_max_abs", "number", "Largest absolute difference from the reference output.", minimum=0),
        Column("error_relative", "number", "The same, over the largest absolute value of the reference.", minimum=0),
        Column("tolerance_relative", "number", "Bound on error_relative that the row was judged by.", minimum=0),
        Column("reference", "string", "Where the reference output comes from (`float64`, `file`, ...)."),
        Column("peak_rss_mib", "number", "Peak resident memory (VmHWM) of the process.", positive=True),
        Column("baseline_rss_mib", "number", "The same of a process that only imports the framework.", minimum=0),
        Column("peak_device_mib", "number", "Peak memory allocated on the accelerator.", minimum=0),
        Column("threads_reported", "integer", "Threads the framework says it uses.", minimum=0),
        Column("quality", "string", "How far the row can be trusted.", values=("good", "noisy", "untrusted")),
        PROCESS_S,
        *DISTURBANCES,
        CHECK,
    ),
)

PRACTICE_RULES = (
    Rule("A row that is not ok carries no value.", where=(("status", FAILED),), columns=("value",), filled=False),
    SAYS_WHY,
    Rule("A row that is ok has a value.", where=(("status", (Status.OK,)),), columns=("value",), filled=True),
    NOTHING_TO_SAY,
)

PRACTICES = Table(
    name="practices",
    description="One row per (practice, arm, replicate, measure): the figures of one fresh worker process.",
    key=("practice", "subject", "arm", "device", "threads", "kind", "replicate", "measure"),
    rules=PRACTICE_RULES,
    columns=(
        ROW,
        Column("practice", "string", "What is tested, e.g. `mixed-precision`.", required=True),
        Column("subject", "string", "What it is applied to: a model, an operator, a kind of data.", required=True),
        Column("arm", "string", "The way it is done; arms of one subject are compared.", required=True),
        Column("device", "string", "Device the arm was asked to use.", required=True),
        THREADS,
        Column(
            "kind",
            "string",
            "`arm`, or `aa`: the second process of the run's A/A check.",
            required=True,
            values=("arm", "aa"),
        ),
        Column("replicate", "integer", "Number of the process for this arm, from 0.", required=True, minimum=0),
        Column("measure", "string", "What the value is, with its unit at the end of the name.", required=True),
        STATUS,
        STAGE,
        REASON,
        STARTED,
        POSITION,
        Column("practice_hash", "string", "SHA-256 (12 digits) of the sources of the practice and of the protocol."),
        Column("value", "number", "The figure; of a yes or no, 1 or 0."),
        PROCESS_S,
        *DISTURBANCES,
        CHECK,
    ),
)

CONVERSION_RULES = (
    Rule("A row that is not ok says why.", where=(("status", FAILED),), columns=("stage", "reason"), filled=True),
    NOTHING_TO_SAY,
    Rule(
        "A row that is ok has an error and the tolerance that it was judged by.",
        where=(("status", (Status.OK,)),),
        columns=("error_relative", "tolerance_relative"),
        filled=True,
    ),
)

CONVERSIONS = Table(
    name="conversions",
    description="One row per (model, route, precision, opset): an export and what its checks found.",
    key=("model", "route", "precision", "opset"),
    rules=CONVERSION_RULES,
    columns=(
        ROW,
        Column("model", "string", "Reference model, trained model or a model of the user's.", required=True),
        Column("route", "string", "Way to convert it.", required=True),
        Column("precision", "string", "`fp32`, or the way to fewer bits that followed.", required=True),
        Column("opset", "integer", "Opset that was asked for; 0 where the form has none.", required=True, minimum=0),
        STATUS,
        Column("stage", "string", "Step or check at which it stopped; empty when the status is ok."),
        REASON,
        Column("started", "string", "Start of the first process, UTC, ISO 8601.", required=True, free_text=True),
        Column("position", "integer", "Place in the plan, from 0.", required=True, minimum=0),
        MODEL_HASH,
        WEIGHTS_HASH,
        Column("route_hash", "string", "SHA-256 (12 digits) of the sources (canonical AST) of route and checks."),
        Column("converter", "string", "Package that converted, with its version."),
        Column("convert_s", "number", "Exporting; for fewer bits, from the float32 file to that.", minimum=0),
        Column("peak_rss_mib", "number", "Peak resident memory (VmHWM) of the process that converted.", positive=True),
        Column("file_bytes", "integer", "Size of the export, with the files beside it.", minimum=0),
        Column("files", "integer", "Files that it consists of.", minimum=0),
        Column("nodes", "integer", "Nodes of the main graph.", minimum=0),
        Column("opset_got", "integer", "Opset of the file.", minimum=0),
        Column("ir_version", "integer", "IR version of the file.", minimum=0),
        Column("checks_passed", "integer", "Checks that it passed before it stopped, or all.", minimum=0),
        Column("error_max_abs", "number", "Largest absolute difference from the model on any probe.", minimum=0),
        Column("error_relative", "number", "The same over the largest absolute value of the output.", minimum=0),
        Column("tolerance_relative", "number", "Bound on error_relative: a multiple of the noise.", minimum=0),
        Column("noise_relative", "number", "What the model itself moves by, in these bits.", minimum=0),
        Column("reference", "string", "Where the right outputs come from (`float64`, `file`, ...)."),
        Column("diverges_at", "string", "First node whose output is wrong, where it could be located.", free_text=True),
        Column("not_isolated", "string", "Why no file of that node alone is kept; empty where one is.", free_text=True),
        Column("samples", "integer", "Labelled samples that accuracy was compared on.", minimum=0),
        Column("accuracy_before_pct", "number", "Accuracy of the model before it was converted.", minimum=0),
        Column("accuracy_loss_pp", "number", "Accuracy before less after, on the same samples."),
        Column("loss_upper_pp", "number", "Upper 95 % bound of that loss."),
        Column("flips", "integer", "Answers that changed.", minimum=0),
        Column("mcnemar_p", "number", "Exact p that as many answers were lost as won.", minimum=0),
        Column("gate_pp", "number", "Bound on loss_upper_pp that the row was judged by.", minimum=0),
        Column("process_s", "number", "Wall-clock time of its processes.", minimum=0),
        CHECK,
    ),
)

REPRODUCER_RULES = (
    NOTHING_TO_SAY,
    SAYS_WHY,
)

REPRODUCERS = Table(
    name="reproducers",
    description="One row per (note, environment): how the note's reproducer ended in a process of its own.",
    key=("note", "environment"),
    rules=REPRODUCER_RULES,
    columns=(
        ROW,
        Column("note", "string", "Id of the problem note; the name of its file while it has none.", required=True),
        Column("reproducer_hash", "string", "SHA-256 (12 digits) of the script (canonical AST, or of its bytes)."),
        Column(
            "environment",
            "string",
            "`current`, or the packages that were asked for, e.g. `onnxruntime==1.19.0`.",
            required=True,
        ),
        Column(
            "outcome",
            "string",
            "What it says of the problem; only `gone` and `reproduces` are answers.",
            required=True,
            values=("gone", "reproduces", "cannot_run", "unclear"),
        ),
        STATUS,
        STAGE,
        REASON,
        STARTED,
        Column("versions", "string", "Versions of the packages that the note names, as a JSON object."),
        PROCESS_S,
        Column("output_tail", "string", "The end of what it printed, without paths of the machine.", free_text=True),
        CHECK,
    ),
)

TABLES: tuple[Table, ...] = (BENCHMARKS, PRACTICES, CONVERSIONS, REPRODUCERS)
