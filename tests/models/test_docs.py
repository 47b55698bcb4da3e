"""docs/models.md is carried out: its files are written, its program run, and its settings read by kb itself."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kb.config import Settings, load_settings
from kb.models.catalogue import ModelSpec, catalogue
from kb.models.samples import EXPECTED
from kb.models.signature import DEFAULT_LENGTH

BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
ORIGINS = {
    "tiny_net": "float64",
    "twin_net": "float64",
    "tiny_onnx": "file",
    "tiny_script": "float64",
    "tiny_program": "float64",
    "twin_saved": "self",
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(repo_root: Path) -> str:
    return (repo_root / "docs" / "models.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def settings(page: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a knowledge base in which somebody did all that the page says."""
    for framework in ("torch", "tensorflow", "onnxscript"):
        pytest.importorskip(framework)
    folder = tmp_path_factory.mktemp("base")
    for title, content in BLOCK.findall(page):
        with (folder / title).open("a", encoding="utf-8") as file:
            file.write(content + "\n")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "save.py"], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return load_settings(folder)


@pytest.fixture(scope="module")
def models(settings: Settings) -> dict[str, ModelSpec]:
    return catalogue(settings.models, settings.artefacts, settings.root)


def test_every_model_on_the_page_is_known(models: dict[str, ModelSpec], settings: Settings) -> None:
    assert set(ORIGINS) <= set(models)
    assert set(models) == set(settings.model_names())


@pytest.mark.parametrize("name", ORIGINS)
def test_every_model_on_the_page_works(models: dict[str, ModelSpec], name: str) -> None:
    model = models[name].load()
    inputs = model.inputs(5, 0)
    (output,), origin = model.reference(inputs)
    assert origin == ORIGINS[name]
    assert output.shape == (5, 4)
    assert np.isfinite(output).all()


def test_the_twins_agree(models: dict[str, ModelSpec]) -> None:
    import torch

    model = models["twin_net"].load()
    inputs = model.inputs(5, 0)
    with torch.inference_mode():
        in_torch = model.torch_module()(torch.from_numpy(inputs["x"])).numpy()
    in_keras = np.asarray(model.keras_model()(model.keras_inputs(inputs)))
    np.testing.assert_allclose(in_keras, in_torch, rtol=0, atol=1e-5)


def test_figures_on_the_page_are_those_of_the_code(page: str) -> None:
    for name, spec in catalogue().items():
        module = importlib.import_module((spec.target or "").partition(":")[0])
        (row,) = re.findall(rf"^\| `{name}` .*\| ([\d,]+) \|", page, re.MULTILINE)
        assert f"Parameters: {row}" in " ".join((module.__doc__ or "").split())
    assert f"else {DEFAULT_LENGTH}." in page
    assert f"`{EXPECTED}0`" in page
