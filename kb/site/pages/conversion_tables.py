"""The tables of the page of conversions: statuses, accuracy, costs, opsets, noise."""

from collections.abc import Iterable, Mapping, Sequence

from kb.analysis.conversions import Alike, Converted, Spread, knowing, opsets_of_routes, size_shares, spread
from kb.analysis.digits import defended
from kb.convert.conversion import NO_OPSET
from kb.convert.precisions import FULL, PRECISIONS
from kb.records.run import RunInfo
from kb.records.statuses import Status
from kb.site.charts.loss import bound_decimals
from kb.site.labels import MAX_LABEL
from kb.site.table import EMPTY, Cell, Column, Table
from kb.site.text import clean, counted

#: Folder of the pages of what is broken, below the generated pages.
FOLDER = "conversions"

#: Packages whose versions decide what a conversion gives, in the order in which they are named.
PACKAGES = (
    *("torch", "onnxscript", "tensorflow", "tensorflow-cpu", "keras", "tf2onnx"),
    *("onnx", "onnxruntime", "onnxruntime-gpu", "ai-edge-litert"),
)

#: Conversions that are listed by name where several share a reason; the others are counted.
MOST_NAMED = 6

#: What a precision means where `kb.convert.precisions` does not say it so that it can stand alone.
WORDS = {
    FULL: "32-bit floating point, as the route writes it",
    "int8-static-channel": "8 bits, scales from calibration, for weights one per channel",
}

#: Conversion -> name of its page's file, by id.
Names = Mapping[str, str]


def in_order(precisions: Iterable[str]) -> list[str]:
    """Each once, float32 first, then in the order of `kb.convert.precisions`; unknown ones last."""
    known = [FULL, *PRECISIONS]
    return sorted(set(precisions), key=lambda name: (known.index(name) if name in known else len(known), name))


def precision_words(precision: str) -> str:
    """What a precision means; empty where it is not known here."""
    found = PRECISIONS.get(precision)
    return WORDS.get(precision) or (found.words if found else "")


def versions(info: RunInfo) -> list[str]:
    """``torch 2.13.0``, ... of the packages that matter."""
    found = info.environments.get("current", {})
    return [f"{name} {found[name]}" for name in PACKAGES if name in found]


def opset_words(opsets: Sequence[int]) -> str:
    """``15 to 18, 20``."""
    spans: list[tuple[int, int]] = []
    for opset in sorted(opsets):
        if spans and opset == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], opset)
        else:
            spans.append((opset, opset))
    return ", ".join(str(low) if low == high else f"{low} to {high}" for low, high in spans)


def matrix_table(precision: str, found: Iterable[Converted], names: Names) -> Table:
    """Model by route: the status of each."""
    mine = {(e.conversion.model, e.conversion.route): e for e in found if e.conversion.precision == precision}
    routes = sorted({route for _, route in mine})
    columns = (Column("Model", "model"), *(Column(clean(route, MAX_LABEL), route) for route in routes))
    rows = [
        (Cell(model), *(_status_cell(mine.get((model, route)), names) for route in routes))
        for model in sorted({model for model, _ in mine})
    ]
    return Table(f"Conversions in {clean(precision, MAX_LABEL)}, model by route", columns, rows)


def _status_cell(each: Converted | None, names: Names) -> Cell:
    """The status, which leads to its page where it is broken; empty where the grid has no such conversion."""
    if each is None:
        return EMPTY
    if each.broken:
        return Cell(str(each.status), href=_href(each, names), note=each.text("stage"), tone="bad")
    error = each.number("error_relative")
    if each.status is Status.OK:
        return Cell(str(each.status), note="" if error is None else f"error {error:.0e}", tone="good")
    return Cell(str(each.status), tone="muted")


def _href(each: Converted, names: Names) -> str:
    return f"{FOLDER}/{names[each.conversion.id]}.html"


def opset_table(model: str, found: Iterable[Converted], names: Names) -> Table:
    """Opset by route: ok, or what was got instead."""
    mine = {(each.conversion.opset, each.conversion.route): each for each in found}
    routes = sorted({route for opset, route in mine if opset != NO_OPSET})
    columns = (Column("Opset asked for", "opset"), *(Column(clean(route, MAX_LABEL), route) for route in routes))
    rows = [
        (Cell(str(opset), opset), *(_opset_cell(mine.get((opset, route)), names) for route in routes))
        for opset in sorted({opset for opset, _ in mine} - {NO_OPSET})
    ]
    return Table(f"Opsets of {clean(model, MAX_LABEL)}", columns, rows)


def _opset_cell(each: Converted | None, names: Names) -> Cell:
    cell = _status_cell(each, names)
    got = each.number("opset_got") if each is not None else None
    if each is None or got is None or got == each.conversion.opset:
        return cell
    return Cell(cell.text, href=cell.href, note=f"got {got:.0f}", tone=cell.tone)


def kept_table(found: Iterable[Converted]) -> Table:
    """Which route keeps the opset that it is asked for."""
    columns = (
        Column("Route", "route"),
        Column("Keeps", "kept", prose=True),
        Column("Gives another for", "changed", prose=True),
        Column("Gives no file for", "without_file", prose=True),
    )
    rows = [
        (
            Cell(each.route),
            Cell(opset_words(each.kept)),
            Cell(", ".join(f"{asked} (got {got})" for asked, got in each.changed)),
            Cell(opset_words(each.without_file)),
        )
        for each in opsets_of_routes(found)
    ]
    return Table("Opsets asked for and got, by route", columns, rows)


def troubles_table(found: Iterable[Alike], names: Names) -> Table:
    """What is broken and why; the status leads to the page of the first opset."""
    columns = (
        Column("Conversion", "conversion"),
        Column("Status", "status"),
        Column("Reason", "reason", prose=True),
    )
    rows = []
    for alike in found:
        first = alike.members[0]
        asked = first.conversion
        opsets = f", opset {opset_words(alike.opsets)}" if alike.opsets else ""
        how = f"{clean(asked.route, MAX_LABEL)}, {clean(asked.precision, MAX_LABEL)}{opsets}"
        status = Cell(str(alike.status), href=_href(first, names), note=alike.stage, tone="bad")
        rows.append((Cell(asked.model, note=how), status, Cell(alike.reason)))
    return Table("What is not right, and why", columns, rows)


def untried_table(found: Iterable[Alike]) -> Table:
    """What was not tried and why, together where the reason is the same."""
    columns = (
        Column("Status", "status"),
        Column("Reason", "reason", prose=True),
        Column("Conversions", "conversions", prose=True),
    )
    rows = [
        (
            Cell(str(alike.status), note=counted(len(alike.members), "conversion"), tone="muted"),
            Cell(alike.reason),
            Cell(_named(alike.members)),
        )
        for alike in found
    ]
    return Table("What was not tried, and why", columns, rows)


def _named(members: Sequence[Converted]) -> str:
    """``mlp8 by litert in fp16, ... and 3 more``."""
    every = list(
        dict.fromkeys(f"{e.conversion.model} by {e.conversion.route} in {e.conversion.precision}" for e in members)
    )
    more = f" and {len(every) - MOST_NAMED} more" if len(every) > MOST_NAMED else ""
    return ", ".join(clean(name, 2 * MAX_LABEL) for name in every[:MOST_NAMED]) + more


def accuracy_table(found: Iterable[Converted], names: Names) -> Table:
    """Accuracy before, what is lost, its bound and the gate."""
    columns = (
        Column("Model", "model"),
        Column("Route", "route"),
        Column("Precision", "precision"),
        Column("Before", "accuracy_before_pct", numeric=True, unit="%"),
        Column("Lost", "accuracy_loss_pp", numeric=True, unit="pp"),
        Column("At most", "loss_upper_pp", numeric=True, unit="pp, 95 %"),
        Column("Gate", "gate_pp", numeric=True, unit="pp"),
        Column("Status", "status"),
        Column("Flips", "flips", numeric=True, unit="answers changed"),
        Column("p", "mcnemar_p", numeric=True, unit="McNemar, exact"),
        Column("Samples", "samples", numeric=True),
    )
    rows = [
        (
            *(Cell(text) for text in (each.conversion.model, each.conversion.route, each.conversion.precision)),
            _number(each, "accuracy_before_pct", ".2f"),
            _number(each, "accuracy_loss_pp", "+.2f"),
            _number(each, "loss_upper_pp", f"+.{bound_decimals(each)}f"),
            _number(each, "gate_pp", "g"),
            Cell(
                str(each.status), href=_href(each, names) if each.broken else "", tone="bad" if each.broken else "good"
            ),
            _number(each, "flips", ".0f"),
            _number(each, "mcnemar_p", ".2g"),
            _number(each, "samples", ",.0f"),
        )
        for each in found
    ]
    return Table("Accuracy before and after, on the same samples", columns, rows)


def _number(each: Converted, column: str, form: str) -> Cell:
    value = each.number(column)
    return EMPTY if value is None else Cell(f"{value:{form}}", value)


def cost_table(found: Sequence[Converted]) -> Table:
    """Seconds, peak memory and size of each route and precision, over the models."""
    columns = (
        Column("Route", "route"),
        Column("Precision", "precision"),
        Column("Time", "convert_s", numeric=True, unit="s"),
        Column("Peak memory", "peak_rss_mib", numeric=True, unit="MiB"),
        Column("Size", "size_share", numeric=True, unit="of float32's"),
        Column("Models", "models", numeric=True),
    )
    groups: dict[tuple[str, int], list[Converted]] = {}
    order = in_order(each.conversion.precision for each in found)
    for each in found:
        if each.number("convert_s") is not None:
            groups.setdefault((each.conversion.route, order.index(each.conversion.precision)), []).append(each)
    shares = size_shares(found)
    rows = [
        (
            Cell(route),
            Cell(order[place]),
            _spread_cell(spread(each.number("convert_s") for each in members)),
            _spread_cell(spread(each.number("peak_rss_mib") for each in members)),
            _spread_cell(spread(shares.get(each.conversion) for each in members)),
            Cell(str(len(members)), len(members)),
        )
        for (route, place), members in sorted(groups.items())
    ]
    return Table("What conversions take", columns, rows)


def _spread_cell(found: Spread | None) -> Cell:
    """The median; beneath it the range over the models."""
    if found is None:
        return EMPTY
    note = f"{defended(found.low)} to {defended(found.high)}" if found.n > 1 else ""
    return Cell(defended(found.median), found.median, note=note)


def compatibility_table(found: Iterable[Converted]) -> Table | None:
    """What onnx writes and ONNX Runtime reads, by the newest run that knows."""
    info = knowing(found)
    if info is None:
        return None
    installed = info.environments.get("current", {})
    columns = (
        Column("Package", "package"),
        Column("Opset", "opset", numeric=True, unit="newest"),
        Column("IR version", "ir", numeric=True, unit="newest"),
    )
    rows = [
        (
            Cell(f"{name} {installed.get(package, '')}", note=verb),
            *(Cell(str(info.compatibility.get(f"{key}_{what}", ""))) for what in ("opset", "ir")),
        )
        for name, package, key, verb in (
            ("onnx", "onnx", "onnx", "writes"),
            ("ONNX Runtime", "onnxruntime", "runtime", "reads"),
        )
    ]
    return Table("Opsets and IR versions", columns, rows)


def noise_table(found: Iterable[Converted]) -> Table:
    """Noise and tolerance per model and bits: they are measured."""
    cells: dict[str, dict[str, Cell]] = {}
    for each in found:
        noise, tolerance = each.number("noise_relative"), each.number("tolerance_relative")
        if noise is not None and tolerance is not None:
            cell = Cell(f"{noise:.1e}", noise, note=f"{tolerance:.1e} allowed")
            cells.setdefault(each.conversion.model, {})[_bits(each.conversion.precision)] = cell
    every = [bits for bits in ("fp32", "fp16", "int8") if any(bits in mine for mine in cells.values())]
    columns = (Column("Model", "model"), *(Column(bits, bits, numeric=True, unit="noise") for bits in every))
    rows = [(Cell(model), *(mine.get(bits, EMPTY) for bits in every)) for model, mine in sorted(cells.items())]
    return Table("Noise and tolerance, as a share of the largest output", columns, rows)


def _bits(precision: str) -> str:
    found = PRECISIONS.get(precision)
    return found.bits if found else precision


def whole_table(found: Sequence[Converted]) -> Table:
    """Every column of every row, for the CSV."""
    names = [name for name in found[0].row if name not in ("position", "started")]
    rows = [
        tuple(Cell("" if (v := each.row[name]) is None else str(v), "" if v is None else v) for name in names)
        for each in found
    ]
    return Table("All conversions", tuple(Column(name, name) for name in names), rows)


#: Columns of a row that say how it was judged, with their words.
JUDGED = {
    "checks_passed": "checks passed",
    "error_relative": "error, as a share of the largest output",
    "tolerance_relative": "error allowed",
    "noise_relative": "noise of the model itself",
    "error_max_abs": "largest absolute error",
    "reference": "right answers from",
    "accuracy_before_pct": "accuracy before, %",
    "accuracy_loss_pp": "accuracy lost, pp",
    "loss_upper_pp": "lost at most, pp",
    "gate_pp": "gate, pp",
    "flips": "answers changed",
    "samples": "labelled samples",
    "mcnemar_p": "p, McNemar's exact test",
}

#: Columns that say what was made, and what that took.
MADE = {
    "converter": "converter",
    "opset_got": "opset of the file",
    "ir_version": "IR version of the file",
    "nodes": "nodes",
    "files": "files",
    "file_bytes": "size, bytes",
    "convert_s": "time to convert, s",
    "peak_rss_mib": "peak memory, MiB",
    "process_s": "time of all its processes, s",
    "model_hash": "hash of the model",
    "weights_hash": "hash of the weights",
    "route_hash": "hash of route and checks",
}


def evidence_tables(each: Converted) -> list[Table]:
    """What is known of one conversion: how it was judged, and what was made. Tables without rows are left out."""
    found = [_facts(each, "How it was judged", JUDGED), _facts(each, "What was made", MADE)]
    return [table for table in found if table.rows]


def _facts(each: Converted, caption: str, words: Mapping[str, str]) -> Table:
    rows = [
        (Cell(said), Cell(_as_text(value))) for name, said in words.items() if (value := each.row[name]) is not None
    ]
    return Table(caption, (Column(caption, "what"), Column("Value", "value", prose=True)), rows)


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]  # all other columns are numbers
    return f"{number:,.0f}" if number.is_integer() and abs(number) < 1e15 else f"{number:.4g}"
