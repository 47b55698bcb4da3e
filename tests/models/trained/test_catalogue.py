"""Trained models are found by entry points, so that another package can bring its own."""

import sys
from pathlib import Path

import pytest

from kb.models.errors import ModelError
from kb.models.trained.catalogue import trained_models
from kb.models.trained.digits_mlp import DigitsMlp
from tests.models.trained.conftest import TRAINED

MODULE = """
from kb.models.trained.digits_mlp import DigitsMlp
from kb.models.trained.trained_model import Recipe

class Other(DigitsMlp):
    name = "other"
    recipe = Recipe(seed=1, epochs=1, learning_rate=1e-2)
"""


def install(folder: Path, entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with one module and one entry point, as pip would leave it."""
    monkeypatch.delitem(sys.modules, "brought_along", raising=False)  # of another test
    monkeypatch.syspath_prepend(folder)
    (folder / "brought_along.py").write_text(MODULE)
    information = folder / "brought_along-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: brought-along\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[kb.trained]\n{entry}\n")


def test_the_built_in_ones_are_found() -> None:
    found = trained_models()
    assert {kind.name: kind for kind in TRAINED}.items() <= found.items()


def test_another_package_can_bring_a_trained_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "other = brought_along:Other", monkeypatch)
    kind = trained_models()["other"]
    assert issubclass(kind, DigitsMlp)
    assert kind().weights_path() == tmp_path / "weights/other.npz"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("other = brought_along:Missing", r"'other' \(brought_along:Missing\) cannot be imported"),
        ("other = not_there:Other", "cannot be imported: No module named 'not_there'"),
        ("other = kb.models.mlp8:Mlp8", "is not a class derived from kb.models.trained.trained_model.TrainedModel"),
        ("another = brought_along:Other", "calls itself 'other': give the entry point the same name"),
    ],
)
def test_what_is_no_trained_model_is_refused(
    entry: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, entry, monkeypatch)
    with pytest.raises(ModelError, match=message):
        trained_models()
