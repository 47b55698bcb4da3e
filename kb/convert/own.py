"""A user's own file: the same checks as for the reference models, reported at once instead of kept."""

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kb.complaints import nearest
from kb.config import Settings
from kb.convert.conversion import NO_OPSET, Conversion
from kb.convert.converting import Converting, Progress, Row
from kb.convert.errors import ConversionError
from kb.convert.precisions import FULL, PRECISIONS
from kb.measure.crew import Crew
from kb.models.artefact import ArtefactSpec, recognise
from kb.models.catalogue import ModelSpec
from kb.models.errors import ModelError
from kb.models.interface import Source
from kb.records.statuses import Status

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Which routes a file can take; an ONNX file is there already.
ROUTES = {
    Source.ONNX: ("as-given",),
    Source.TORCHSCRIPT: ("torch-torchscript",),
    Source.TORCH_EXPORT: ("torch-dynamo",),
    Source.KERAS: ("keras-export", "tf2onnx-function", "tf2onnx-saved-model"),
    Source.SAVED_MODEL: ("tf2onnx-saved-model",),
}
#: The options of `kb convert` that name a file, with the form that each stands for.
OPTIONS = {
    "onnx": Source.ONNX,
    "torchscript": Source.TORCHSCRIPT,
    "keras": Source.KERAS,
    "saved_model": Source.SAVED_MODEL,
}
#: Beyond the installed ones.
OWN_TARGETS = {"as-given": "kb.convert.given:AsGiven"}


@dataclass(frozen=True)
class Own:
    """What a user wants to have checked."""

    path: Path
    source: Source  #: the form that the option stands for
    reference: str | None = None  #: `module:attribute` of what the file was made from
    inputs: Path | None = None  #: .npz of inputs, and of the outputs they should give where it holds them
    data: Path | None = None  #: .npz of labelled samples
    opset: int = 18
    precisions: tuple[str, ...] = (FULL,)
    minimal: Path | None = None  #: folder for what is kept of a wrong node

    @classmethod
    def of(cls, option: str, path: Path, precisions: Sequence[str], **rest: Any) -> Self:
        """From the options of the command line.

        Raises:
            ConversionError: there is no such precision.
        """
        known = (FULL, *PRECISIONS)
        for name in precisions:
            if name not in known:
                raise ConversionError(f"no precision is called {name!r}; {nearest(name, known)}")
        return cls(path, OPTIONS[option], precisions=tuple(precisions) or (FULL,), **rest)

    def spec(self) -> ModelSpec:
        """The file as a model.

        Raises:
            ModelError: the file is missing, empty, plainly damaged or of another kind than the option says.
        """
        kind = recognise(self.path.resolve())
        if kind.source is not self.source:
            raise ModelError(f"{self.path}: is {kind.words}, not what the option is for")
        for given in (self.inputs, self.data):
            if given is not None and not given.is_file():
                raise ModelError(f"{given}: no such file; expected an .npz with samples")
        return ModelSpec(
            self.name,
            artefact=ArtefactSpec(
                self.name,
                str(self.path.resolve()),
                reference=None if self.inputs is None else str(self.inputs.resolve()),
                target=self.reference,
                data=None if self.data is None else str(self.data.resolve()),
            ),
        )

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.stem

    def conversions(self) -> list[Conversion]:
        """What is checked of it."""
        opset = NO_OPSET if self.source is Source.ONNX else self.opset
        return [Conversion(self.name, route, each, opset) for route in ROUTES[self.source] for each in self.precisions]


def check(own: Own, settings: Settings, cores: int, progress: Progress) -> list[Row]:
    """Convert and check a user's file; one row per route and precision, as in the table of the conversions.

    Raises:
        ModelError: the file cannot be what it is said to be.
        ConversionError: an ONNX file was given with nothing to compare it with.
    """
    spec = own.spec()
    if own.source is Source.ONNX and own.reference is None and own.inputs is None:
        raise ConversionError(
            f"{own.path}: an ONNX file alone says nothing of what it should compute: add --reference MODULE:ATTR with "
            "what it was made from, or --inputs FILE.npz with inputs and the outputs they should give"
        )
    if own.minimal is not None and own.minimal.exists():
        raise ConversionError(f"{own.minimal}: exists, and nothing is overwritten; name a folder that does not")
    crew = Crew(settings.root, settings.timeout_s, settings.memory_limit_mib, settings.pin)
    targets = {**settings.route_targets(), **OWN_TARGETS}
    converting = Converting(crew, {own.name: spec}, targets, settings.gates, cores, progress, own.minimal)
    planned = own.conversions()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, (conversion, row) in enumerate(converting.rows_of(own.name, planned, Path(scratch)), start=1):
            rows.append(row)
            progress.finished(conversion, row, number, len(planned), row["process_s"] or 0.0)
    return rows


def failed(rows: Iterable[Row]) -> bool:
    """Whether anything is not as it should be."""
    return any(row["status"] != Status.OK for row in rows)


def as_json(rows: Sequence[Row]) -> str:
    """The rows, without what is empty."""
    return json.dumps([{name: value for name, value in row.items() if value is not None} for row in rows], indent=2)


#: What a report shows of a row: header, and the text.
COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "route": lambda row: str(row["route"]),
    "precision": lambda row: str(row["precision"]),
    "status": lambda row: str(row["status"]),
    "error": lambda row: _number(row["error_relative"]),
    "allowed": lambda row: _number(row["tolerance_relative"]),
    "loss": lambda row: _loss(row),
}


def _why(row: Row) -> str:
    """Where a conversion stopped, why, and which node was the first to be wrong; empty where it is right."""
    if row["status"] == Status.OK:
        return ""
    said = f"at {row['stage']}: {row['reason']}"
    if row["diverges_at"]:
        said += f"; first wrong node: {row['diverges_at']}"
    return said + (f"; not kept by itself: {row['not_isolated']}" if row["not_isolated"] else "")


def as_markdown(rows: Sequence[Row]) -> str:
    """A table for a pull request; outside text cannot leave its cell."""
    columns = {**COLUMNS, "reason": _why}
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(_cell(text(row)) for text in columns.values()) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def as_table(rows: Sequence[Row]) -> "RenderableType":
    """A table for a terminal, and below it why what is wrong is wrong."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for header in COLUMNS:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(Text(text(row)) for text in COLUMNS.values()))
    reasons = [Text(f"{row['route']} {row['precision']} stopped {why}") for row in rows if (why := _why(row))]
    return Group(table, *reasons)


def _cell(text: str) -> str:
    kept = " ".join(text.split())
    for mark in "\\`*_[]<>|":
        kept = kept.replace(mark, f"\\{mark}")
    return kept


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.2g}"


def _loss(row: Row) -> str:
    if row["accuracy_loss_pp"] is None:
        return ""
    return f"{row['accuracy_loss_pp']:.2f} pp, at most {row['loss_upper_pp']:.2f} of {row['samples']:,} samples"
