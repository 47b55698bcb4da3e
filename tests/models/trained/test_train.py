"""Training from the command line: files where the model looks for them, and one line for what cannot be done."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from kb.models.trained.catalogue import trained_models
from kb.models.trained.digits_mlp import DigitsMlp
from kb.models.trained.interface import Split
from kb.models.trained.train import fit, main
from kb.models.trained.trained_model import Recipe
from tests.models.trained.test_catalogue import install


def test_training_writes_weights_that_the_model_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    torch = pytest.importorskip("torch")
    install(tmp_path, "other = brought_along:Other", monkeypatch)
    done = CliRunner().invoke(main, ["other"])
    assert done.exit_code == 0, done.output
    model = trained_models()["other"]()
    record = model.record()
    assert done.output == f"other: {100 * record.accuracy:.2f} % of {record.n}\n"
    assert json.loads((tmp_path / "weights/other.json").read_text())["torch"] == torch.__version__
    samples, labels = model.labelled(Split.TEST)
    answers = model.torch_module()(torch.from_numpy(samples["features"])).argmax(dim=1).numpy()
    assert (answers == labels).mean() == pytest.approx(record.accuracy, abs=1e-6)
    assert record.accuracy > 0.3  # of ten classes, after one epoch


def test_an_unknown_name_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "other = brought_along:Other", monkeypatch)
    done = CliRunner().invoke(main, ["othr"])
    assert done.exit_code != 0
    assert done.output == "Error: no trained model is called 'othr': did you mean other?\n"


def test_training_leaves_torch_as_it_was() -> None:
    pytest.importorskip("sklearn")
    torch = pytest.importorskip("torch")

    class Short(DigitsMlp):
        recipe = Recipe(seed=1, epochs=1, learning_rate=1e-3)

    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    first, second = (fit(Short()).state_dict() for _ in range(2))
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, tensor in first.items():
        assert tensor.dtype == torch.float32
        np.testing.assert_array_equal(tensor.numpy(), second[name].numpy())
