"""Figures on conversions that others publish, each with ours beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kb.analysis.conversions import Converted, size_shares, spread
from kb.analysis.digits import defended
from kb.convert.accuracy import GATE_PP
from kb.convert.precisions import FULL
from kb.site.table import Cell, Column, Table
from kb.site.text import counted

#: Our figure, from the conversions of all machines; empty where there is none yet.
Ours = Callable[[Sequence[Converted]], str]


@dataclass(frozen=True)
class Published:
    """A figure that others publish, and how ours is found."""

    what: str
    figure: str
    source: str
    ours: Ours


def lost(*, starting: str) -> Ours:
    """The range of the accuracy that conversions to such a precision lose."""

    def ours(found: Sequence[Converted]) -> str:
        losses = spread(e.number("accuracy_loss_pp") for e in found if e.conversion.precision.startswith(starting))
        if losses is None:
            return ""
        low, high = (f"{abs(value):.2f} pp {'won' if value < 0 else 'lost'}" for value in (losses.low, losses.high))
        return f"{low if low == high else f'{low} to {high}'}, {counted(losses.n, 'conversion')}"

    return ours


def wrong_share(found: Sequence[Converted]) -> str:
    """Of what is broken, the share that was written and answers wrongly."""
    broken = [each for each in found if each.broken]
    if not broken:
        return ""
    wrong = sum(each.wrong for each in broken)
    return f"{100 * wrong / len(broken):.0f} %: {wrong} of {len(broken)} that are not right"


def most_flips(found: Sequence[Converted]) -> str:
    """The largest share of answers that a conversion changes, in float32 and in fewer bits."""
    said = []
    for words, full in (("float32", True), ("fewer bits", False)):
        members = [each for each in found if (each.conversion.precision == FULL) is full]
        flips = [(each.number("flips"), each.number("samples")) for each in members]
        shares = [100 * changed / samples for changed, samples in flips if changed is not None and samples]
        if shares:
            said.append(f"up to {max(shares):.2f} % in {words}" if max(shares) else f"none in {words}")
    return "; ".join(said)


def bytes_share(found: Sequence[Converted]) -> str:
    """The size of models in 8 bits over that in float32."""
    shares: list[float] = []
    for machine in {each.run.machine.id for each in found}:
        mine = size_shares([each for each in found if each.run.machine.id == machine])
        shares += [share for asked, share in mine.items() if asked.precision.startswith("int8")]
    sizes = spread(shares)
    return "" if sizes is None else f"{defended(sizes.median)} ({defended(sizes.low)} to {defended(sizes.high)})"


def seconds(found: Sequence[Converted]) -> str:
    """What exporting in float32 takes."""
    times = spread(each.number("convert_s") for each in found if each.conversion.precision == FULL)
    return "" if times is None else f"{defended(times.median)} s ({defended(times.low)} to {defended(times.high)})"


def gate(found: Sequence[Converted]) -> str:
    """What is allowed here."""
    return f"{GATE_PP:g} pp, for the upper bound of the loss"


#: On other models, data and hardware: to set ours beside, not to compare with.
PUBLISHED = (
    Published(
        "Accuracy lost in float32, eight image classifiers from PyTorch to ONNX Runtime",
        "0.00 to 0.02 pp lost",
        "mmdeploy, benchmark.md",
        lost(starting=FULL),
    ),
    Published(
        "Accuracy lost in float16, the same classifiers in TensorRT",
        "0.01 pp won to 0.04 pp lost",
        "mmdeploy, benchmark.md",
        lost(starting="fp16"),
    ),
    Published(
        "Accuracy lost in 8 bits after training, TensorRT",
        "0.04 (ResNet-18) to 0.95 pp lost (MobileNetV2)",
        "mmdeploy, benchmark.md",
        lost(starting="int8"),
    ),
    Published(
        "Size in 8 bits over that in float32, ResNet-50 in ONNX Runtime",
        "0.25, for 0.20 to 0.54 pp of accuracy",
        "onnx/models, README of resnet",
        bytes_share,
    ),
    Published(
        "Failures that give a wrong model instead of an error, of 200 reported defects of converters",
        "33 %",
        "Jajal et al., ISSTA 2024, arXiv 2303.17708",
        wrong_share,
    ),
    Published(
        "Images whose label changes when a classifier is converted between frameworks",
        "up to 100 %",
        "Louloudakis et al., arXiv 2306.06157",
        most_flips,
    ),
    Published(
        "Time to write one model, by the converter of TensorFlow and without it",
        "24.9 s and 0.24 s",
        "onnx2tf, README",
        seconds,
    ),
    Published(
        "Accuracy that a submission to MLPerf may lose",
        "1 % or 0.1 % of that in float32",
        "MLPerf Inference, submission checker",
        gate,
    ),
)


def published_table(found: Sequence[Converted]) -> Table:
    """A row per figure: theirs, ours, and where theirs comes from."""
    columns = (
        Column("What", "what", prose=True),
        Column("Elsewhere", "elsewhere", prose=True),
        Column("Here", "here", prose=True),
        Column("Source", "source", prose=True),
    )
    rows = [
        (
            Cell(each.what),
            Cell(each.figure),
            Cell(ours) if (ours := each.ours(found)) else Cell("not measured yet", tone="muted"),
            Cell(each.source),
        )
        for each in PUBLISHED
    ]
    return Table("Figures published elsewhere, and ours", columns, rows)
