"""docs/models.md tells the accuracy that was recorded beside the weights."""

import re
from pathlib import Path

import pytest

from kb.models.trained.catalogue import trained_models


@pytest.mark.parametrize("name", trained_models())
def test_the_accuracy_on_the_page_is_the_recorded_one(name: str, repo_root: Path) -> None:
    page = (repo_root / "docs" / "models.md").read_text(encoding="utf-8")
    (shown,) = re.findall(rf"^\| `{name}` .* \| ([\d.]+) % \|$", page, re.MULTILINE)
    record = trained_models()[name]().record()
    assert float(shown) == round(100 * record.accuracy, 1)
    assert f"{record.n:,}" in page
