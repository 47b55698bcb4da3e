"""results/README.md and datapackage.json say what the files hold, and are never out of date."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from kb.records.describe import DATA_PACKAGE, README, data_package, readme, write_descriptions
from kb.records.run import RunInfo
from kb.records.schema import BENCHMARKS, TABLES
from kb.records.statuses import Status
from tests.records.conftest import snapshot
from tests.records.synthetic import TROUBLED, grid, make_run

COMMITTED = Path(__file__).parents[2] / "results"


class TestWriting:
    def test_committed_descriptions_are_up_to_date(self, tmp_path: Path) -> None:
        write_descriptions(tmp_path)
        for name in (README, DATA_PACKAGE):
            assert (COMMITTED / name).read_text() == (tmp_path / name).read_text(), "run `kb schema` and commit"

    def test_writes_only_what_differs(self, results: Path) -> None:
        assert write_descriptions(results) == [results / README, results / DATA_PACKAGE]
        assert write_descriptions(results) == []
        (results / README).write_text("edited")
        assert write_descriptions(results) == [results / README]

    def test_touches_no_run(self, results: Path, finished: Path) -> None:
        before = snapshot(finished)
        write_descriptions(results)
        assert snapshot(finished) == before


class TestReadme:
    @pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
    def test_names_every_column_with_its_meaning(self, table: Any) -> None:
        for column in table.columns:
            assert f"| `{column.name}` | {column.type} | {column.unit} |" in readme()
            assert column.description in readme()

    def test_names_every_status(self) -> None:
        for status in Status:
            assert f"| `{status}` | " in readme()

    def test_names_every_key_of_run_json_with_its_meaning(self, finished: Path) -> None:
        lines = readme().splitlines()
        written = json.loads((finished / "run.json").read_text())
        assert set(written) == {*RunInfo.model_fields, "check"}
        for key in [*written, *(f"machine.{key}" for key in written["machine"])]:
            [line] = [line for line in lines[lines.index("## `run.json`") :] if line.startswith(f"| `{key}` ")]
            assert all(cell.strip() for cell in line.split("|")[1:-1]), line

    def test_example_for_pandas_works(self, results: Path, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(results.parent)
        for example in readme().split("```python\n")[1:]:
            names: dict[str, Any] = {}
            exec(example.partition("```")[0], names)
            assert {"run", "model", "latency_p50_ms"} <= set(names["rows"].columns)


class TestDataPackage:
    def test_pattern_finds_the_tables(self, results: Path, finished: Path) -> None:
        resource = data_package()["resources"][0]
        assert list(results.glob(resource["path"])) == [finished / BENCHMARKS.file_name]

    def test_a_program_that_knows_only_the_description_can_read_the_rows(self, results: Path) -> None:
        folder = make_run(results, 7, grid(), 3, mix=TROUBLED)
        resource = data_package()["resources"][0]
        with (folder / BENCHMARKS.file_name).open(newline="", encoding=resource["encoding"]) as file:
            rows = list(csv.DictReader(file, delimiter=resource["dialect"]["delimiter"]))
        assert list(rows[0]) == [field["name"] for field in resource["schema"]["fields"]]
        for row in rows:
            for field in resource["schema"]["fields"]:
                agree(row[field["name"]], field, resource["schema"]["missingValues"])


def agree(text: str, field: dict[str, Any], missing: list[str]) -> None:
    """One cell satisfies its field's type and constraints, read as the standard says."""
    constraints = field.get("constraints", {})
    if text in missing:
        assert not constraints.get("required"), field["name"]
        return
    value = {"integer": int, "number": float, "string": str}[field["type"]](text)
    assert value in constraints.get("enum", [value])
    assert value >= constraints.get("minimum", value)
    assert "exclusiveMinimum" not in constraints or value > constraints["exclusiveMinimum"]
