"""One conversion at a time, for the tests of routes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kb.convert.catalogue import installed
from kb.convert.conversion import Conversion
from kb.convert.converting import Converting
from kb.measure.crew import Crew
from kb.models.catalogue import ModelSpec
from tests.convert.test_converting import Silent

ROOT = Path(__file__).parents[2]


@pytest.fixture
def worker() -> Callable[[type, str, int, Path], dict[str, Any]]:
    """The row of one conversion, made as in a run."""

    def row_of(kind: type, route: str, opset: int, folder: Path) -> dict[str, Any]:
        name = kind.name  # type: ignore[attr-defined]
        spec = ModelSpec(name, f"{kind.__module__}:{kind.__qualname__}")
        converting = Converting(Crew(ROOT, 300.0, None, pin=False), {name: spec}, installed(), (), 2, Silent())
        ((_, row),) = converting.rows_of(name, [Conversion(name, route, "fp32", opset)], folder)
        return row

    return row_of
