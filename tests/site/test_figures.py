"""A chart follows the palette, has a name for those who do not see it, and brings its data."""

import csv
import io
import json
import re
from xml.etree import ElementTree

import pytest

from kb.analysis.conversions import Converted
from kb.analysis.findings import shown_entries
from kb.analysis.speed import Entry
from kb.convert.conversion import Conversion
from kb.records.run import Validity
from kb.records.statuses import Status
from kb.site.charts.heat import by_place_and_arm, cell_text, heat_map
from kb.site.charts.latency import latency_chart, ticks
from kb.site.charts.loss import FARTHEST, loss_chart
from kb.site.charts.stack import memory_chart, start_chart
from kb.site.figures import Chart, Drawn, draw
from kb.site.palette import COLOURS, SENTINELS
from kb.site.table import Table
from tests.analysis.frames import COMPILED, EAGER, ONNX, TF_EAGER, frame, info, rows, times
from tests.site.conversion_rows import conversion_row
from tests.site.sample import HOSTILE

NO_TABLE = Table("none", (), ())
WILD = [1.0, 4.0, 1.5, 3.0, 2.0, 2.5, 1.2, 3.8]


@pytest.fixture(scope="module")
def entries() -> tuple[Entry, ...]:
    """One cell of each kind: baseline, faster, inconclusive, failed, and a newer run that is not VALID."""
    valid = rows({EAGER: times(2.0), COMPILED: times(1.0, 3), TF_EAGER: WILD, ONNX: [Status.LOAD_FAILED] * 8})
    newer = rows({EAGER: times(2.1), COMPILED: times(9.0, 2)})
    benchmarks, runs = frame((info(0), valid), (info(1, Validity.INVALID), newer))
    return shown_entries(benchmarks, runs)


def compared(*bounds: float) -> list[Converted]:
    """Conversions whose accuracy was compared, each in a precision of its own."""
    found = []
    for number, bound in enumerate(bounds):
        asked = Conversion("digits_cnn", "torch-dynamo", f"int{number}")
        status = Status.OK if bound < 0.5 else Status.ACCURACY_FAILED
        columns = {"accuracy_loss_pp": bound / 2, "loss_upper_pp": bound, "gate_pp": 0.5}
        found.append(Converted(asked, info(), conversion_row(asked, status, **columns)))
    return found


@pytest.fixture(scope="module")
def charts(entries: tuple[Entry, ...]) -> dict[str, Chart]:
    every = tuple(entries)
    valid = [entry for entry in every if entry.cell.valid]
    made = {
        "heat": heat_map("heat", HOSTILE, HOSTILE, by_place_and_arm(valid)),
        "latency": latency_chart("latency", HOSTILE, every, NO_TABLE),
        "start": start_chart("start", HOSTILE, every, NO_TABLE),
        "memory": memory_chart("memory", HOSTILE, every, NO_TABLE),
        "loss": loss_chart("loss", HOSTILE, compared(0.1, 0.7), NO_TABLE),
    }
    return {name: chart for name, chart in made.items() if chart is not None}


@pytest.fixture(scope="module")
def drawn(charts: dict[str, Chart]) -> dict[str, Drawn]:
    pytest.importorskip("vl_convert")
    return {name: draw(chart, "../") for name, chart in charts.items()}


NAMES = pytest.mark.parametrize("name", ["heat", "latency", "start", "memory", "loss"])


@NAMES
def test_both_specifications_are_valid(charts: dict[str, Chart], name: str) -> None:
    altair = pytest.importorskip("altair")
    for spec in (charts[name].wide, charts[name].narrow):
        altair.Chart.from_dict(dict(spec), validate=True)


@NAMES
def test_every_colour_is_a_variable_of_the_palette(drawn: dict[str, Drawn], name: str) -> None:
    html = str(drawn[name].html)
    assert not any(sentinel in html for sentinel in SENTINELS.values())
    assert set(re.findall(r"var\(--kb-(?!key)([a-z0-9]+)\)", html)) <= set(COLOURS)
    assert len(re.findall(r'(?:fill|stroke)="var\(--kb-', html)) > 4
    assert not re.findall(r'(?:fill|stroke)="#', html)


@NAMES
def test_both_drawings_have_a_name_and_a_description(drawn: dict[str, Drawn], name: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", str(drawn[name].html), re.DOTALL)
    assert len(drawings) == 2
    for drawing in drawings:
        svg = ElementTree.fromstring(drawing)
        assert svg.attrib["role"] == "img"
        title, description = (svg.find(f".//*[@id='{id}']") for id in svg.attrib["aria-labelledby"].split())
        assert title is not None
        assert description is not None
        assert title.text == HOSTILE
        assert description.text


@NAMES
def test_no_identifier_stands_twice(drawn: dict[str, Drawn], name: str) -> None:
    html = str(drawn[name].html)
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)


@NAMES
def test_the_specification_beside_it_stands_alone(drawn: dict[str, Drawn], name: str) -> None:
    files = drawn[name].files
    spec = json.loads(files[f"charts/{name}.vl.json"])
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
    assert spec["datasets"]
    assert "--kb-" not in json.dumps(spec)
    script = files[f"charts/{name}.js"].decode()
    both = json.loads(script.removeprefix(f'kbCharts.put("{name}",').removesuffix(");\n"))
    assert set(both) == {"wide", "narrow"}
    assert f"charts/{name}.csv" in files


def test_the_engines_search_leaves_charts_out(drawn: dict[str, Drawn]) -> None:
    assert all('<figure class="kb-chart" id="' in d.html and " data-search-exclude>" in d.html for d in drawn.values())


def test_the_table_under_the_heat_map_has_the_speeds(drawn: dict[str, Drawn]) -> None:
    (row,) = csv.DictReader(io.StringIO(drawn["heat"].files["charts/heat.csv"].decode()))
    assert float(row["torch-compile"]) == pytest.approx(2.0, rel=0.01)
    assert row["onnxruntime"] == "load failed"
    assert row["torch-eager"] == "1.0"


def by_runtime(entries: tuple[Entry, ...], valid: bool = True) -> dict[str, Entry]:
    return {entry.cell.case.runtime: entry for entry in entries if entry.cell.valid is valid}


def test_a_cell_says_what_it_knows(entries: tuple[Entry, ...]) -> None:
    text = {runtime: cell_text(entry) for runtime, entry in by_runtime(entries).items()}
    assert text["torch-eager"] == "eager"
    assert text["torch-compile"] == "2.00×"
    assert text["tf-eager"].endswith(" ?")
    assert text["onnxruntime"] == "load failed"


def test_a_run_that_is_not_valid_is_hollow_and_has_no_step_of_speed(entries: tuple[Entry, ...]) -> None:
    invalid = [entry for entry in entries if not entry.cell.valid]
    chart = heat_map("h", "t", "c", by_place_and_arm(invalid))
    cells = {row["arm"]: row for row in chart.wide["datasets"]["rows0"]}
    assert {cell["kind"] for cell in cells.values()} == {"hollow"}
    assert cells["torch-compile"]["step"] == 4
    assert [key.shape for key in chart.legend] == ["ring"]


def test_a_newer_run_that_is_not_valid_is_a_ring_on_the_row_of_the_valid_one(charts: dict[str, Chart]) -> None:
    marks = [row for row in charts["latency"].wide["datasets"]["rows0"] if row["row"] == "torch-compile"]
    assert [(mark["valid"], bool(mark["text"])) for mark in marks] == [(True, True), (False, False)]
    assert charts["latency"].legend[-1].shape == "circle"


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (1.9, 38, 9, [2, 3, 5, 10, 20, 30]),
        (1.9, 38, 4, [2, 5, 10, 20]),
        (0.011, 900, 5, [0.1, 1, 10, 100]),
        (1.1, 1.4, 9, []),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == expected


def test_hundreds_of_milliseconds_are_written_out_on_the_axis() -> None:
    pytest.importorskip("vl_convert")
    benchmarks, runs = frame((info(0), rows({EAGER: times(110.0), COMPILED: times(220.0, 3)})))
    chart = latency_chart("l", "t", shown_entries(benchmarks, runs), NO_TABLE)
    assert chart is not None
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", str(draw(chart, "").html))
    assert {"50", "100", "150", "200"} <= set(texts)
    assert not [text for text in texts if "e+" in text]


def test_a_lost_model_does_not_flatten_the_others() -> None:
    chart = loss_chart("l", "t", compared(0.1, 60.0), NO_TABLE)
    assert chart is not None
    (domain,) = {
        tuple(each) for each in re.findall(r'"domain": \[(-?[\d.]+), ([\d.]+)\]', json.dumps(dict(chart.wide)))
    }
    assert float(domain[1]) < 1.1 * FARTHEST * 0.5
    assert [row["text"] for row in chart.wide["datasets"]["rows0"]] == ["0.10 pp", "60.00 pp"]


def test_a_bound_that_would_read_as_the_gate_has_one_more_digit() -> None:
    chart = loss_chart("l", "t", compared(0.502, 0.75), NO_TABLE)
    assert chart is not None
    assert [row["text"] for row in chart.wide["datasets"]["rows0"]] == ["0.502 pp", "0.75 pp"]


def test_without_accuracy_there_is_no_chart_of_it() -> None:
    asked = Conversion("mlp8", "torch-dynamo")
    assert loss_chart("l", "t", [Converted(asked, info(), conversion_row(asked))], NO_TABLE) is None
