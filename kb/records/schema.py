"""The columns of every table, once: the writer, the strict reader and the documentation follow from it."""

from dataclasses import dataclass
from typing import Literal

from kb.records.case import Kind
from kb.records.statuses import Status

#: Version of run.json and of the tables together. Raised with every change that an older reader would misread;
#: `kb.records.upgrade` holds the step from each version to the next.
SCHEMA_VERSION = 1

ColumnType = Literal["string", "integer", "number"]


@dataclass(frozen=True)
class Column:
    """One column: its name (with its unit), type, meaning, and what may stand in it."""

    name: str
    type: ColumnType
    description: str
    required: bool = False  #: never empty
    values: tuple[str, ...] = ()  #: closed set, if it is one
    minimum: float | None = None


@dataclass(frozen=True)
class Table:
    """One CSV file of a run folder."""

    name: str  #: the file is `<name>.csv`
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]  #: no two rows of one file agree in all of these

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


ROW = Column("row", "integer", "Number of the row in its file, from 0.", required=True, minimum=0)
CHECK = Column(
    "check",
    "string",
    "CRC-32 (8 hexadecimal digits) of the line up to the comma before it: an edited or torn row is recognised.",
    required=True,
)

BENCHMARKS = Table(
    name="benchmarks",
    description="One row per (case, kind, replicate): each from a fresh worker process.",
    key=("model", "runtime", "device", "precision", "batch", "threads", "environment", "kind", "replicate"),
    columns=(
        ROW,
        Column("model", "string", "Reference model or a model of the user's.", required=True),
        Column("runtime", "string", "Way to execute the model.", required=True),
        Column("device", "string", "Device the runtime was asked to use.", required=True),
        Column("precision", "string", "Numeric type of the computation.", required=True),
        Column("batch", "integer", "Samples per call.", required=True, minimum=1),
        Column("threads", "integer", "Threads the framework was told to use.", required=True, minimum=1),
        Column("environment", "string", "`current`, or the arm, e.g. `onnxruntime==1.30.0`.", required=True),
        Column("kind", "string", "What the process measured.", required=True, values=tuple(Kind)),
        Column("replicate", "integer", "Number of the process for this case, from 0.", required=True, minimum=0),
        Column("status", "string", "What became of it.", required=True, values=tuple(Status)),
        Column("stage", "string", "Stage that failed; empty when the status is ok."),
        Column("reason", "string", "Why it is not ok, in one line (line breaks as \\n); empty when ok."),
        Column("started", "string", "Start of the process, UTC, ISO 8601.", required=True),
        Column("position", "integer", "Place in the shuffled schedule, from 0.", required=True, minimum=0),
        Column("model_hash", "string", "SHA-256 (12 digits) of the canonical AST of the model's source, or of its file."),
        Column("weights_hash", "string", "SHA-256 (12 digits) of the weight set."),
        Column("protocol_hash", "string", "SHA-256 (12 digits) of the canonical AST of the runtime and of the protocol."),
        Column("import_s", "number", "Importing the framework.", minimum=0),
        Column("build_s", "number", "Building the model with its weights.", minimum=0),
        Column("convert_s", "number", "Exporting the model (once per run, in a process of its own).", minimum=0),
        Column("load_s", "number", "Compiling, tracing or creating the session, up to the first call.", minimum=0),
        Column("first_call_s", "number", "The first call.", minimum=0),
        Column("latency_p50_ms", "number", "Median over the timed blocks of the mean time of a call.", minimum=0),
        Column("latency_iqr_ms", "number", "Interquartile range over the blocks.", minimum=0),
        Column("latency_p90_ms", "number", "90th percentile of single calls; empty below 64 calls.", minimum=0),
        Column("latency_p99_ms", "number", "99th percentile of single calls; empty below 662 calls.", minimum=0),
        Column("blocks", "integer", "Timed blocks.", minimum=0),
        Column("calls", "integer", "Calls in the timed blocks.", minimum=0),
        Column("single_calls", "integer", "Calls timed one by one, for the percentiles.", minimum=0),
        Column("warmup_calls", "integer", "Calls before the first timed block.", minimum=0),
        Column("recompiles", "integer", "Graphs compiled or retraced after the warm-up.", minimum=0),
        Column("error_max_abs", "number", "Largest absolute difference from the reference output.", minimum=0),
        Column("error_relative", "number", "The same, over the largest absolute value of the reference.", minimum=0),
        Column("tolerance_relative", "number", "Bound on error_relative that the row was judged by.", minimum=0),
        Column("reference", "string", "Where the reference output comes from (`float64`, `file`, ...)."),
        Column("peak_rss_mib", "number", "Peak resident memory (VmHWM) of the process.", minimum=0),
        Column("baseline_rss_mib", "number", "The same of a process that only imports the framework.", minimum=0),
        Column("peak_device_mib", "number", "Peak memory allocated on the accelerator.", minimum=0),
        Column("threads_reported", "integer", "Threads the framework says it uses.", minimum=0),
        Column("quality", "string", "How far the row can be trusted.", values=("good", "noisy", "untrusted")),
        Column("load_1m", "number", "Load average over one minute when the process ended.", minimum=0),
        Column("foreign_cpu_cores", "number", "Cores that other processes kept busy meanwhile.", minimum=0),
        Column("steal_pct", "number", "Share of CPU time that the hypervisor took away.", minimum=0),
        Column("throttle_events", "integer", "Thermal throttling events meanwhile, where the kernel counts them.", minimum=0),
        CHECK,
    ),
)

TABLES: tuple[Table, ...] = (BENCHMARKS,)
