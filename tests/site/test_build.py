"""From results to pages: a pure function that loses no failure, draws no verdict it may not, and trusts no text."""

import csv
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kb.records.reading import DamagedFile
from kb.site.build import build_pages, generate
from kb.site.writer import Written
from tests.records.synthetic import MACHINE, grid, make_run
from tests.site.sample import HOSTILE, PROBLEMS, RUNTIMES, SERVER, day

pytest.importorskip("vl_convert")
pytest.importorskip("jinja2")


def text(files: dict[str, bytes], path: str) -> str:
    return files[path].decode()


def section(page: str, heading: str) -> str:
    """The part of a page under a heading, up to the next one of the same level."""
    level = heading.partition(" ")[0]
    start = page.index(f"\n{heading}")
    end = re.search(rf"\n{level} ", page[start + 1 :])
    return page[start : start + 1 + end.start()] if end else page[start:]


def test_the_same_results_give_the_same_bytes(results: Path, files: dict[str, bytes]) -> None:
    assert build_pages(results, PROBLEMS) == files


def test_the_second_time_nothing_is_written(results: Path, tmp_path: Path) -> None:
    first = generate(results, tmp_path)
    assert first.written > 20
    assert generate(results, tmp_path) == Written(0, first.written, 0)


def test_a_new_run_rewrites_only_what_it_changes(tmp_path: Path) -> None:
    results, docs = tmp_path / "results", tmp_path / "docs"
    cases = grid(models=("mlp8",), runtimes=RUNTIMES[:2])
    make_run(results, 1, cases, 3, started=day(0))
    first = generate(results, docs)
    make_run(results, 2, grid(models=("cnn_s",), runtimes=RUNTIMES[:2]), 3, started=day(1))
    second = generate(results, docs)
    assert second.removed == 0
    assert second.unchanged >= first.written - 16  # assets, method, code size, and what is of the other model alone
    assert (docs / "generated/models/cnn_s.md").is_file()


def test_a_page_whose_results_are_gone_is_removed(tmp_path: Path) -> None:
    make_run(tmp_path / "one", 1, grid(models=("mlp8",), runtimes=RUNTIMES[:2]), 3)
    make_run(tmp_path / "two", 1, grid(models=("cnn_s",), runtimes=RUNTIMES[:2]), 3)
    generate(tmp_path / "one", tmp_path / "docs")
    assert generate(tmp_path / "two", tmp_path / "docs").removed > 5
    assert not list(tmp_path.rglob("mlp8*"))


def test_every_model_has_a_page_and_a_link_to_it(files: dict[str, bytes]) -> None:
    pages = [path for path in files if path.startswith("models/")]
    assert len(pages) == 4
    assert all(f"]({path})" in text(files, "benchmarks.md") for path in pages)
    assert all(f"](generated/{path})" in text(files, "parts/home.md") for path in pages)


def test_slower_than_eager_comes_before_everything(files: dict[str, bytes]) -> None:
    page = text(files, "benchmarks.md")
    assert page.index("## Slower than eager") < page.index("## Speed against eager") < page.index("## When a slow")
    listed = csv.DictReader(io.StringIO(text(files, "data/slower-than-eager.csv")))
    assert {(row["runtime"], row["baseline"]) for row in listed} == {("keras-predict", "tf-eager")}


def test_every_failure_is_listed_with_status_stage_and_reason(files: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(text(files, "data/failures.csv"))))
    statuses = {row["status"] for row in rows}
    assert {"timeout", "crashed", "unsupported"} <= statuses
    assert all(row["reason"] and row["stage"] for row in rows)
    unsupported = {(row["model"], row["runtime"]) for row in rows if row["status"] == "unsupported"}
    assert unsupported == {("mlp8", "torch-export-aoti")}
    assert "made up for tests" in section(text(files, "benchmarks.md"), "## What did not run")
    assert 'class="kb-muted">unsupported</td>' in text(files, "models/mlp8.md")


def test_break_even_is_a_count_never_or_not_shown(files: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(text(files, "data/break-even.csv"))))
    found = {row["runtime"]: row["break_even_calls"] for row in rows if row["machine"] == MACHINE.id}
    assert found["torch-compile"].isdigit()
    assert found["keras-predict"] == "never"
    assert {row["break_even_calls"] for row in rows} >= {"never", "not shown"}


def test_a_run_that_is_not_valid_is_shown_and_used_for_nothing(files: dict[str, bytes]) -> None:
    page = section(text(files, "models/mlp8.md"), "## Synthetic server")
    assert '<th scope="row" class="kb-hollow">torch-compile<small>run not VALID</small></th>' in page
    assert "none<small>the run is not VALID</small>" in page
    figures = list(csv.DictReader(io.StringIO(text(files, "data/mlp8-figures.csv"))))
    invalid = [row for row in figures if row["valid"] == "False"]
    assert {row["machine"] for row in invalid} == {SERVER.id, MACHINE.id}
    assert {row["speed_verdict"] for row in invalid} == {""}
    assert {row["break_even"] for row in invalid} == {"not shown"}


def test_home_says_which_run_is_the_latest_and_why_it_does_not_count(files: dict[str, bytes]) -> None:
    page = text(files, "parts/home.md")
    server = section(page, "### Synthetic server")
    assert '<span class="kb-badge kb-bad">INVALID</span> A/A check: slower;' in server
    assert "1.08 (1.06 to 1.10) over 3 rounds: slower; would have seen 3.1 %" in server
    assert "newest VALID run of each cell, the last of 2026-10-25" in server
    assert '<span class="kb-badge kb-warn">UNFINISHED</span>' in section(page, "### Synthetic CPU")


def test_machines_show_fingerprint_runs_and_what_changed(tmp_path: Path, files: dict[str, bytes]) -> None:
    page = text(files, "machines.md")
    assert "avx2, avx512f, avx512_vnni, amx_bf16" in page
    assert "Synthetic GPU (cuda, 24 GiB, driver 999.1)" in page
    make_run(tmp_path, 1, grid(runtimes=RUNTIMES[:1]), 1, environments={"current": {"torch": "2.12.0"}}, started=day(0))
    make_run(tmp_path, 2, grid(runtimes=RUNTIMES[:1]), 1, environments={"current": {"torch": "2.13.0"}}, started=day(1))
    assert "1 package changed since" in text(build_pages(tmp_path), "machines.md")
    assert "torch 2.12.0 → 2.13.0" in text(build_pages(tmp_path), "machines.md")


def test_runs_are_listed_newest_first_with_reasons(files: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(text(files, "data/runs.csv"))))
    assert [row["validity"] for row in rows] == ["UNFINISHED", "INVALID", *["VALID"] * 7]
    assert rows[1]["reasons"] == f"A/A check: slower; {HOSTILE}"
    assert "9 runs: 7 VALID, 1 INVALID, 1 UNFINISHED" in text(files, "runs.md")


def test_each_page_says_what_it_was_generated_from(files: dict[str, bytes]) -> None:
    assert "Generated from 20261122T031500Z-5f17c0de-0002 at commit bbbbbbbbbbbb" in text(files, "benchmarks.md")
    pages = [path for path in files if path.endswith(".md") and not path.startswith("parts/")]
    assert all(re.search(r'^source: ".+"$', text(files, path), re.MULTILINE) for path in pages)
    assert all("Generated from " in text(files, path) for path in pages)


@pytest.mark.parametrize("path", ["benchmarks.md", "runs.md", "parts/home.md", "models/mlp8.md"])
def test_hostile_text_is_never_markup(files: dict[str, bytes], path: str) -> None:
    page = text(files, path)
    assert "&lt;script&gt;alert" in page or "&#60;script&#62;alert" in page
    for dangerous in ("<script", "[x](javascript", "**b**", "{: #id }", '\n--8<-- "mkdocs', "`c`", "{{", "49 "):
        outside_tables = re.sub(r"<(div|figure|p|dl)\b.*</\1>", "", page)
        assert dangerous not in outside_tables, dangerous
    assert "<script" not in page


def test_without_results_the_pages_say_how_to_make_some(tmp_path: Path) -> None:
    made = build_pages(tmp_path / "nothing")
    for path in ("parts/home.md", "benchmarks.md", "machines.md", "runs.md"):
        assert "There are no results yet." in text(made, path)
        assert "<code>kb refresh</code>" in text(made, path)
    assert not [path for path in made if path.startswith(("models/", "charts/"))]
    assert "method.md" in made


def test_damaged_results_write_nothing(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "results", 1, grid(runtimes=RUNTIMES[:1]), 1)
    table = folder / "benchmarks.csv"
    table.write_text(table.read_text().replace("mlp8", "mlp9"))
    with pytest.raises(DamagedFile):
        generate(tmp_path / "results", tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_no_framework_is_imported(results: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from kb.site.build import build_pages\n"
        "build_pages(Path(sys.argv[1]))\n"
        "heavy = {'torch', 'tensorflow', 'keras', 'onnx', 'onnxruntime', 'jax', 'tf2onnx', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(results)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
