"""The page beside the files says what they hold, and is never out of date."""

from pathlib import Path

import pytest

from kb.changelogs.columns import PROJECTS, VERSIONS
from kb.changelogs.describe import write_description
from kb.records.schema import Table


def test_the_committed_page_is_up_to_date(repo_root: Path, tmp_path: Path) -> None:
    (path,) = write_description(tmp_path)
    committed = repo_root / "results" / path.relative_to(tmp_path)
    assert committed.read_text() == path.read_text(), "run `kb schema` and commit"


def test_it_is_written_only_where_it_differs(tmp_path: Path) -> None:
    assert len(write_description(tmp_path)) == 1
    assert write_description(tmp_path) == []


@pytest.mark.parametrize("table", [VERSIONS, PROJECTS], ids=lambda table: table.name)
def test_it_names_every_column_with_its_meaning(tmp_path: Path, table: Table) -> None:
    (path,) = write_description(tmp_path)
    for column in table.columns:
        assert f"| `{column.name}` | {column.type} | {column.unit} |" in path.read_text()
        assert column.description in path.read_text()
