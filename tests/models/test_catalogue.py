"""Models by name: listing and loading them imports no framework, and a class that is no model is told what it lacks."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from kb.config import ArtefactSettings
from kb.models.catalogue import ModelSpec, catalogue, spec_of
from kb.models.errors import ModelError
from kb.models.interface import Model
from tests.models.conftest import MODELS

#: What the tests of all models are run with: a model that is installed must be among them.
BUILT_IN = {kind.name for kind in MODELS}

#: A module of a user's; each class but the first lacks or breaks one thing.
MODULE = """
import numpy as np

from kb.models.interface import Source
from kb.models.mlp8 import Mlp8
from kb.models.paired import PairedModel


class Good(PairedModel):
    name = "good"
    sources = frozenset({Source.TORCH})

    def inputs(self, batch, seed):
        return {"x": np.random.default_rng(seed).standard_normal((batch, 4), dtype=np.float32)}

    def torch_network(self):
        import torch
        torch.manual_seed(0)
        return torch.nn.Linear(4, 2)


class WithoutBase:
    name = "without_base"
    sources = frozenset({Source.TORCH})
    path = None
    def inputs(self, batch, seed): ...
    def weights(self): ...
    def torch_module(self): ...
    def keras_model(self, dtype="float32"): ...
    def keras_inputs(self, inputs): ...


class WithoutData:
    def inputs(self, batch, seed): ...
    def weights(self): ...
    def torch_module(self): ...
    def keras_model(self, dtype="float32"): ...
    def keras_inputs(self, inputs): ...
    def reference(self, inputs): ...


class WithoutInputs(PairedModel):
    name = "without_inputs"


class NeedsArguments(Mlp8):
    def __init__(self, width, depth=8): ...


class NoMethod(Mlp8):
    reference = None


class OddSources(Mlp8):
    sources = {"torch"}


class Other(Mlp8):
    pass


constant = 42
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "user_nets.py").write_text(MODULE)
    (tmp_path / "broken_nets.py").write_text("import a_package_that_is_not_there")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("user_nets", "broken_nets"):
        sys.modules.pop(name, None)


@dataclass(frozen=True)
class FileSettings:
    """What the settings say of a file."""

    name: str
    path: Path
    reference: Path | None = None
    inputs: dict = field(default_factory=dict)


def test_the_reference_models_are_found_and_loaded() -> None:
    models = catalogue()
    assert set(models) == BUILT_IN
    for name, spec in models.items():
        model = spec.load()
        assert isinstance(model, Model)
        assert model.name == name


def test_listing_and_loading_imports_no_framework() -> None:
    code = """
        import sys
        from kb.models.catalogue import catalogue
        for spec in catalogue().values():
            model = spec.load()
            model.keras_inputs(model.inputs(1, 0))
        print([name for name in ("torch", "tensorflow", "keras", "onnx", "onnxruntime") if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_class_of_the_users_is_a_model_like_the_others(folder: Path) -> None:
    pytest.importorskip("torch")
    models = catalogue({"good": "user_nets:Good"}, folder=folder)
    assert set(models) == BUILT_IN | {"good"}
    model = models["good"].load()
    inputs = model.inputs(3, 0)
    (outputs,), origin = model.reference(inputs)
    assert origin == "float64"
    assert outputs.shape == (3, 2)
    with pytest.raises(ModelError, match=r"'good' has no keras_network\(\)"):
        model.keras_model()


def test_listing_does_not_import_the_users_module(folder: Path) -> None:
    assert "broken" in catalogue({"broken": "broken_nets:Net"}, folder=folder)


def test_a_spec_survives_the_way_to_a_worker(folder: Path) -> None:
    path = folder / "net.onnx"
    settings = FileSettings(
        "net", path, folder / "net.npz", {"x": type("T", (), {"shape": ["batch", 3], "dtype": "int64"})}
    )
    for spec in catalogue({"good": "user_nets:Good"}, [settings], folder).values():
        assert ModelSpec.from_dict(json.loads(json.dumps(spec.as_dict()))) == spec


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("net", "user_nets:Gone", "cannot be imported: module 'user_nets' has no attribute 'Gone'"),
        ("net", "user_nets", "cannot be imported: 'user_nets' is not of the form module:attribute"),
        ("net", "nowhere_nets:Net", "cannot be imported: No module named 'nowhere_nets'"),
        ("net", "broken_nets:Net", "cannot be imported: No module named 'a_package_that_is_not_there'"),
        ("net", "user_nets:constant", "is of type int; expected a class"),
        ("without_base", "user_nets:WithoutBase", "lacks reference(), which every model has"),
        ("net", "user_nets:WithoutData", "lacks name, sources, path, which every model has"),
        ("without_inputs", "user_nets:WithoutInputs", "lacks inputs, which every model has"),
        ("mlp8", "user_nets:NeedsArguments", "must be made without arguments, but needs width: give them defaults"),
        ("mlp8", "user_nets:NoMethod", "reference must be a method, not a NoneType"),
        ("mlp8", "user_nets:OddSources", "sources must be a frozenset of kb.models.interface.Source, not {'torch'}"),
        ("net", "user_nets:Other", "calls itself 'mlp8': the name in [tool.kb.models] must be the same"),
    ],
)
def test_what_is_no_model_is_told_why(folder: Path, name: str, target: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelSpec(name, target, folder=str(folder)).load()
    assert str(caught.value).startswith(f"model {name!r} ({target})")
    assert message in str(caught.value)


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="two models are called 'mlp8'"):
        catalogue({}, [FileSettings("mlp8", tmp_path / "mlp8.onnx")])


def test_weights_reach_the_users_torch_network(folder: Path) -> None:
    """`weights()` of a subclass is loaded by name, and a network that does not fit is an error of torch's."""
    pytest.importorskip("torch")
    model = ModelSpec("good", "user_nets:Good", folder=str(folder)).load()
    weight = np.full((2, 4), 0.5, np.float32)
    model.weights = lambda: {"weight": weight, "bias": np.zeros(2, np.float32)}  # type: ignore[method-assign]
    np.testing.assert_array_equal(model.torch_module().weight.numpy(), weight)
    model.weights = lambda: {"weight": weight}  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="bias"):
        model.torch_module()


def test_a_model_is_loaded_at_the_size_that_is_asked_for() -> None:
    models = catalogue()
    spec = spec_of(models, "resnet50@96")
    assert spec.name == "resnet50"
    assert ModelSpec.from_dict(spec.as_dict()) == spec
    assert spec.load().inputs(2, 0)["image"].shape == (2, 3, 96, 96)
    assert spec_of(models, "resnet50").load().inputs(1, 0)["image"].shape == (1, 3, 224, 224)
    assert spec_of(models, "pointnet@50").load().inputs(1, 0)["points"].shape == (1, 3, 50)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet50@97", "multiple of 32 pixels, not of 97"),
        ("mlp8@3", "comes in one size: leave '@3' away"),
    ],
)
def test_a_size_that_a_model_does_not_have_is_an_error_that_says_so(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        spec_of(catalogue(), name).load()


def test_a_file_has_the_size_that_it_was_saved_with(tmp_path: Path) -> None:
    settings = ArtefactSettings(name="detector", path=tmp_path / "detector.onnx")
    with pytest.raises(ModelError, match="is a file, which has the size that it was saved with"):
        spec_of(catalogue(artefacts=[settings]), "detector@96")
