"""What the pages of practices, cold starts, sweeps and code size say, and what they must not."""

import csv
import io
import re
from pathlib import Path

import pytest

from kb.practices.catalogue import practices
from kb.site.build import build_pages
from tests.site.sample import HOSTILE, LAPTOP


def part(files: dict[str, bytes], name: str) -> str:
    return files[f"parts/practices/{name}.md"].decode()


each = pytest.mark.parametrize("name", practices())


@each
def test_a_practice_shows_figures_with_interval_and_count(files: dict[str, bytes], name: str) -> None:
    text = part(files, name)
    assert LAPTOP.id in text
    assert "n 3" in text
    assert "baseline" in text
    assert re.search(r"\d× ?<small>(better|worse|same|no verdict): .*, n 3", text.replace("</small>", "\n"))


@each
def test_what_the_hardware_does_not_have_has_a_reason_and_no_number(files: dict[str, bytes], name: str) -> None:
    absent = [arm for arm in practices()[name].arms() if arm.device != "cpu"]
    text = part(files, name)
    rows = csv.DictReader(io.StringIO(files[f"data/practice-{name}-{LAPTOP.id}.csv"].decode()))
    elsewhere = [row for row in rows if row["device"] != "cpu"]
    assert bool(absent) is ("Not measured on this machine, so no number is shown" in text)
    assert all(row["median"] == "" and row["status"] == "unsupported" for row in elsewhere)
    assert len(elsewhere) == len(absent)
    assert not re.search(r"^#### .*cuda", text, re.MULTILINE)


def test_yes_and_no_stand_in_a_table_of_their_own(files: dict[str, bytes]) -> None:
    tables = re.findall(
        r'aria-label="Custom operators: relu_sigmoid 1k([^"]*)".*?<thead>(.*?)</thead>', part(files, "custom-operators")
    )
    heads = {name: re.findall(r'scope="col"[^>]*>([^<]*)', head) for name, head in tables}
    asked = {measure.header for measure in practices()["custom-operators"].measures if measure.yes_no}
    assert list(heads) == ["", ", what works"]
    assert set(heads[", what works"]) == {"Way", *asked}
    assert not asked & set(heads[""])


def test_what_fails_alike_on_several_subjects_is_told_once(files: dict[str, bytes]) -> None:
    text = part(files, "custom-operators")
    failed = text[text.index("Figures that could not be had:") :]
    ways = re.findall(r'<th scope="row"[^>]*>([^<]*)<small>([^<]*)</small>', failed)
    assert ways
    assert len({name for name, _ in ways}) == len(ways)
    assert {subjects for _, subjects in ways} == {"relu_sigmoid 1k, relu_sigmoid 1M"}


def test_outside_text_in_a_practice_is_escaped(files: dict[str, bytes]) -> None:
    text = part(files, "custom-operators")
    assert "&lt;script&gt;" in text
    assert HOSTILE not in text
    assert "<script" not in text


def test_before_the_first_run_a_practice_says_how_to_measure_it(tmp_path: Path) -> None:
    for name in practices():
        text = part(build_pages(tmp_path), name)
        assert "has not been measured yet" in text
        assert "kb practices" in text


def test_practices_that_are_only_in_the_results_have_no_page(files: dict[str, bytes]) -> None:
    assert "parts/practices/sleeping.md" not in files


def test_the_overview_counts_the_machines(files: dict[str, bytes]) -> None:
    overview = files["parts/practices/index.md"].decode()
    for name, practice in practices().items():
        assert f"({name}.md)" in overview
        assert practice.title.split()[0] in overview
    assert "Measured on 1 machine." in overview


def test_a_start_is_shown_by_stage_and_by_model(files: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(files["data/start-5f17c0de.csv"].decode())))
    assert {"runtime", "start_s", "import_s", "build_s", "load_s", "first_call_s"} <= set(rows[0])
    starts = [float(row["start_s"]) for row in rows]
    assert starts == sorted(starts)
    models = list(csv.DictReader(io.StringIO(files["data/start-by-model-5f17c0de.csv"].decode())))
    assert {row["model"] for row in models} == {"cnn_s", "encoder_mini", "mlp8"}


def test_a_sweep_is_a_chart_with_every_batch(files: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(files[f"charts/sweep-cnn_s-cpu-t1-{LAPTOP.id}.csv"].decode())))
    assert [row["batch"] for row in rows] == ["1", "2", "4", "8"]
    assert all(float(row["torch-eager"]) > 0 for row in rows)
    threads = list(csv.DictReader(io.StringIO(files[f"data/threads-{LAPTOP.id}.csv"].decode())))
    assert [(row["model"], row["threads"]) for row in threads] == [("cnn_s", "4")]


def test_code_size_is_counted_for_every_reference_model(files: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(files["data/code-size.csv"].decode())))
    assert len(rows) == 11
    assert all(int(row["torch_tokens"]) > 50 and int(row["keras_lines"]) > 5 for row in rows)


def test_home_speaks_of_the_latest_benchmarks_and_leads_to_the_practices(files: dict[str, bytes]) -> None:
    home = files["parts/home.md"].decode()
    assert f"#machine-{LAPTOP.id}" in home
    assert "profile practices" not in home
    for page in (
        "practices/index.md",
        "generated/start.md",
        "generated/batch-and-threads.md",
        "generated/code-size.md",
    ):
        assert f"]({page})" in home
