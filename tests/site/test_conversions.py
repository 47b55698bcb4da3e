"""What the pages of conversions say: each has its place, what is broken its page, and no figure is made up."""

import csv
import html
import io
import json
import re
from pathlib import Path

import pytest

from kb.convert.checks import CHECKS
from kb.convert.conversion import NO_OPSET, Conversion
from kb.records.statuses import EXPECTED, Status
from kb.site.build import build_pages
from kb.site.labels import MAX_LABEL
from kb.site.pages.conversion_tables import opset_words
from kb.site.text import clean
from tests.site.conversion_rows import CHANGED, ENDINGS, LABELLED, PLAIN, SHRUNK, SWEPT, USUAL, WITHOUT_FILE, planned
from tests.site.sample import HOSTILE, LAPTOP

pytest.importorskip("vl_convert")

CSV = f"data/conversions-{LAPTOP.id}.csv"
CHART = f"charts/conversions-{LAPTOP.id}-loss"
ALL = {each: ENDINGS.get(each, Status.OK) for each in planned(HOSTILE)} | {
    Conversion(HOSTILE, HOSTILE): Status.WRONG_OUTPUT
}
BROKEN = {each: status for each, status in ALL.items() if status not in (*EXPECTED, Status.NOT_RUN)}

Row = dict[str, str]


@pytest.fixture(scope="module")
def page(files: dict[str, bytes]) -> str:
    return files["conversions.md"].decode()


def tables(page: str, caption: str) -> list[list[Row]]:
    """The tables of that caption: a row per row, header -> text of the cell with its small print behind a bar."""
    found = []
    for body in re.findall(rf'aria-label="{re.escape(html.escape(caption))}".*?</table>', page):
        heads = [plain(head.partition("<small>")[0]) for head in re.findall(r"<th scope=\"col\".*?</th>", body)]
        rows = re.findall(r"<tr>(.*?)</tr>", body.partition("<tbody>")[2])
        cells = [re.findall(r"<(?:td|th)\b[^>]*>(.*?)</(?:td|th)>", row) for row in rows]
        found.append([dict(zip(heads, map(plain, row), strict=True)) for row in cells])
    return found


def table(page: str, caption: str) -> list[Row]:
    (only,) = tables(page, caption)
    return only


def plain(cell: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", cell.replace("<small>", "|")))


def links(page: str) -> set[str]:
    return set(re.findall(r'href="(conversions/[^"]+)\.html"', page))


def failures(files: dict[str, bytes]) -> dict[str, str]:
    return {path.removesuffix(".md"): text.decode() for path, text in files.items() if re.match(r"conversions/", path)}


def failure(files: dict[str, bytes], each: Conversion) -> str:
    (found,) = (text for text in failures(files).values() if f"kb convert --profile full {each.id}<" in text)
    return found


def test_every_conversion_stands_with_its_status_in_a_table(page: str) -> None:
    for each, status in ALL.items():
        if each.opset in (USUAL, NO_OPSET):
            rows = {row["Model"]: row for row in table(page, f"Conversions in {each.precision}, model by route")}
            said = rows[clean(each.model)][clean(each.route, MAX_LABEL)]
        else:
            rows = {row["Opset asked for"]: row for row in table(page, f"Opsets of {each.model}")}
            said = rows[str(each.opset)][each.route]
        assert said.partition("|")[0] == status, each


def test_a_field_is_empty_where_there_is_no_such_conversion(page: str) -> None:
    rows = {row["Model"]: row for row in table(page, "Conversions in fp32, model by route")}
    assert rows["lstm2"]["litert"] == ""
    assert HOSTILE not in {row["Model"] for row in table(page, "Conversions in fp16, model by route")}


def test_the_page_says_what_was_checked_when_and_with_which_versions(page: str) -> None:
    counted = f"{len(ALL)} conversions: {sum(status is Status.OK for status in ALL.values())} ok, 2 unsupported, "
    assert counted in page
    assert "of 2026-10-28, profile full" in page
    assert "torch 2.13.0, tensorflow-cpu 2.21.0, keras 3.15.1, onnx 1.23.2, onnxruntime 1.32.0" in page


def test_the_file_beside_it_has_every_row_with_every_digit(files: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(files[CSV].decode())))
    found = {Conversion(r["model"], r["route"], r["precision"], int(r["opset"])): Status(r["status"]) for r in rows}
    assert found == ALL


def test_each_broken_conversion_has_a_page_that_a_link_leads_to(files: dict[str, bytes], page: str) -> None:
    made = failures(files)
    assert len(made) == len(BROKEN)
    assert links(page) == set(made)


@pytest.mark.parametrize("each", [each for each in BROKEN if each.model != HOSTILE], ids=lambda each: str(each.id))
def test_the_page_of_a_failure_says_what_how_why_and_how_to_repeat_it(
    files: dict[str, bytes], each: Conversion
) -> None:
    text = failure(files, each)
    status = BROKEN[each]
    assert f'<span class="kb-badge kb-bad">{status}</span> at ' in text
    assert html.unescape(text).count(f"> made to be {status}") == 1
    assert LAPTOP.id in text
    assert "onnxruntime 1.32.0" in text


def test_what_failed_before_there_was_a_file_has_no_figure(files: dict[str, bytes], page: str) -> None:
    for each, status in BROKEN.items():
        if status in WITHOUT_FILE:
            assert "error" not in failure(files, each).partition("kb-table")[2].partition("Repeat it")[0]
    rows = [row for row in csv.DictReader(io.StringIO(files[CSV].decode())) if row["status"] in WITHOUT_FILE]
    assert rows
    assert not any(row[name] for row in rows for name in ("error_relative", "convert_s", "file_bytes", "loss_upper_pp"))
    shown = [cell for row in table(page, "Conversions in fp32, model by route") for cell in row.values()]
    assert all("error" not in cell.partition("|")[2] or cell.startswith("ok|") for cell in shown)


def test_reasons_are_told_together_where_only_the_opset_differs(page: str) -> None:
    rows = table(page, "What is not right, and why")
    told = [row for row in rows if row["Conversion"].startswith(f"{PLAIN}|keras-export")]
    assert [tuple(row.values()) for row in told] == [
        (f"{PLAIN}|keras-export, fp32, opset 17, 19", "export_failed|export", "made to be export_failed")
    ]


def test_what_was_not_tried_has_its_reason_once(page: str) -> None:
    rows = table(page, "What was not tried, and why")
    assert {(row["Status"], row["Reason"]) for row in rows} == {
        ("unsupported|2 conversions", "made to be unsupported"),
        ("not_run|1 conversion", "made to be not_run"),
    }
    assert any(f"{PLAIN} by litert in fp16" in row["Conversions"] for row in rows)


def test_accuracy_is_shown_with_its_bound_and_its_gate(page: str) -> None:
    rows = tables(page, "Accuracy before and after, on the same samples")[-1]
    assert {(row["Model"], row["Route"], row["Precision"]) for row in rows} == {
        (each.model, each.route, each.precision)
        for each, status in ALL.items()
        if each.model == LABELLED and status in (Status.OK, Status.ACCURACY_FAILED)
    }
    (failed,) = (row for row in rows if row["Status"] == "accuracy_failed")
    assert (failed["Lost"], failed["At most"], failed["Gate"], failed["Flips"]) == ("+0.60", "+0.90", "0.5", "60")


def test_the_chart_of_accuracy_has_a_row_for_each_model_and_precision(files: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(files[f"{CHART}.csv"].decode())))
    assert [(row["precision"], row["status"]) for row in rows] == [
        ("fp32", "ok"),
        ("fp16", "ok"),
        ("int8-static", "accuracy_failed"),
    ]
    marks = json.loads(files[f"{CHART}.vl.json"])["datasets"]["rows0"]
    assert [mark["tone"] for mark in marks if mark["upper"] >= mark["gate"]] == ["slow"]
    assert {mark["gate"] for mark in marks} == {0.5}


def test_costs_are_medians_over_the_models(page: str) -> None:
    rows = {(row["Route"], row["Precision"]): row for row in table(page, "What conversions take")}
    assert rows["torch-dynamo", "fp32"]["Time"].startswith("4.0|")
    assert rows["keras-export", "fp16"]["Size"].startswith("0.50")
    assert rows["torch-dynamo", "fp32"]["Size"] == ""


def test_a_changed_opset_is_told_with_what_was_got_instead(page: str) -> None:
    rows = {row["Route"]: row for row in table(page, "Opsets asked for and got, by route")}
    assert rows["torch-dynamo"]["Keeps"] == "17 to 19"
    assert rows["torch-dynamo"]["Gives another for"] == "16 (got 18)"
    assert rows["keras-export"]["Gives no file for"] == "17, 19"
    swept = {row["Opset asked for"]: row for row in table(page, f"Opsets of {PLAIN}")}
    assert swept[str(CHANGED.opset)][CHANGED.route] == "check_failed|got 18"
    assert set(swept) == {str(opset) for opset in (*SWEPT, USUAL)}


def test_opsets_are_written_as_spans() -> None:
    assert opset_words([20, 15, 16, 17]) == "15 to 17, 20"
    assert opset_words([]) == ""


def test_what_onnx_writes_stands_beside_what_its_runtime_reads(page: str) -> None:
    rows = table(page, "Opsets and IR versions")
    assert [tuple(row.values()) for row in rows] == [
        ("onnx 1.23.2|writes", "28", "14"),
        ("ONNX Runtime 1.32.0|reads", "27", "13"),
    ]


def test_tolerances_stand_under_the_noise_that_they_come_from(page: str) -> None:
    rows = {row["Model"]: row for row in table(page, "Noise and tolerance, as a share of the largest output")}
    assert rows[LABELLED] == {
        "Model": LABELLED,
        "fp32": "2.0e-07|1.6e-06 allowed",
        "fp16": "3.0e-04|2.4e-03 allowed",
        "int8": "1.0e-02|8.0e-02 allowed",
    }


def test_figures_from_elsewhere_have_ours_beside_them_and_a_source(page: str) -> None:
    rows = table(page, "Figures published elsewhere, and ours")
    assert len(rows) > 5
    assert all(row["Source"] and row["Elsewhere"] and row["Here"] != "not measured yet" for row in rows)
    wrong = sum(
        status.endswith(("_output", "_finite", "shape_failed", "accuracy_failed")) for status in BROKEN.values()
    )
    assert any(f"{wrong} of {len(BROKEN)} that are not right" in row["Here"] for row in rows)


def test_the_minimal_file_of_a_failure_can_be_fetched(files: dict[str, bytes]) -> None:
    text = failure(files, SHRUNK)
    hrefs = re.findall(r'href="\.\./(data/minimal/[^"]+)" download', text)
    assert [path.rpartition("/")[2] for path in hrefs] == ["README.txt", "model.onnx"]
    assert files[hrefs[1]] == b"one node"


def test_a_cpu_whose_8_bit_products_overflow_is_told_before_the_figures(page: str) -> None:
    assert page.index("8-bit products overflow on this CPU") < page.index("#### fp32")
    assert "gives less than the true sum (dynamic quantisation)" in page


def test_hostile_text_is_never_markup(files: dict[str, bytes], page: str) -> None:
    (hostile,) = (text for text in failures(files).values() if "script" in text.partition("# ")[2].partition("\n")[0])
    for text in (page, hostile):
        assert "&lt;script&gt;" in text
        assert "<script" not in text
        outside = re.sub(r"\A---\n.*?\n---\n|<(div|figure|p|dl|pre)\b[^\n]*</\1>", "", text, flags=re.DOTALL)
        for dangerous in ("[x](javascript", "**b**", "{: #id }", "\n--8<--", "`c`", "{{"):
            assert dangerous not in outside, dangerous
    assert "wrong: <code>&lt;script&gt;" in hostile
    assert "<pre><code>kb convert --profile full &#39;&lt;script&gt;" in hostile


def test_before_the_first_run_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    made = build_pages(tmp_path)
    text = made["conversions.md"].decode()
    assert "No conversion has been checked yet." in text
    assert "<code>kb convert</code>" in text
    assert {row["Here"] for row in table(text, "Figures published elsewhere, and ours")} == {
        "not measured yet",
        "0.5 pp, for the upper bound of the loss",
    }
    assert not failures(made)


def test_home_and_navigation_lead_there_and_failures_stay_out_of_it(files: dict[str, bytes], repo_root: Path) -> None:
    home = files["parts/home.md"].decode()
    right = sum(status is Status.OK for status in ALL.values())
    assert f"[Conversions](generated/conversions.md): {right} of {right + len(BROKEN)} exports give the right" in home
    navigation = (repo_root / "mkdocs.yml").read_text()
    assert "Conversions: generated/conversions.md" in navigation
    assert "/generated/conversions/*" in navigation


def test_the_method_names_every_check_in_its_order(files: dict[str, bytes]) -> None:
    rows = table(files["method.md"].decode(), "Checks of an export, in their order")
    assert [row["Check"] for row in rows] == ["export", *(check.name for check in CHECKS), "accuracy"]
    assert all(set(row["If not"].split(", ")) <= set(Status) for row in rows)
