"""A knowledge base in a temporary folder whose models and runtimes need no framework: fixtures for every room."""

from pathlib import Path

import pytest

from kb.config import Settings, load_settings

MODELS = (
    "Affine", "Hangs", "Segfaults", "FillsMemory", "PrintsGarbage", "FloodsStderr", "LeavesAChild", "Raises", "Wrong",
    "NotFinite", "NoReference", "Foreign",
)  # fmt: skip
PROJECT = """
[tool.kb]
timeout_s = {timeout_s}
memory_limit_mib = 600
seed = 1

[tool.kb.models]
{models}

[tool.kb.runtimes]
numpy = "tests.measure.fakes:NumpyRuntime"
converting = "tests.measure.fakes:Converting"
absent = "tests.measure.fakes:Absent"
broken = "tests.measure.fakes:Broken"
nowhere = "tests.measure.fakes:Nowhere"

[tool.kb.profiles.tiny]
description = "for tests"
models = ["affine"]
runtimes = ["numpy", "converting"]
replicates = 2

[tool.kb.profiles.many]
description = "long enough to be killed many times"
models = ["affine"]
runtimes = ["numpy"]
replicates = 12

[tool.kb.profiles.bad]
description = "everything that goes wrong"
models = {names}
runtimes = ["numpy"]
replicates = 1
memory = false
"""


def snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a new knowledge base; worker processes find the fakes."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    models = "\n".join(f'{snake(name)} = "tests.measure.fakes:{name}"' for name in MODELS)
    names = [snake(name) for name in MODELS if name != "Affine"]
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PROJECT.format(timeout_s=8.0, models=models, names=names))
    return folder


@pytest.fixture
def settings(project: Path) -> Settings:
    return load_settings(project)
