"""The trained models: as accurate as recorded in both frameworks, and hard enough that a bad conversion shows."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from kb.models.errors import ModelError
from kb.models.interface import Weights
from kb.models.trained.clouds_pointnet import CloudsPointNet
from kb.models.trained.digits_mlp import DigitsMlp
from kb.models.trained.interface import Labelled, Split
from kb.models.trained.train import trained
from kb.models.trained.trained_model import TrainedModel
from kb.records.fingerprints import weights_hash
from tests.models.trained.conftest import Tried, accuracy, torch_logits

BAND = (0.80, 0.92)  # right answers in float32: enough wrong ones that a loss and a gain can both be seen
TOLERANCE = 1e-5  # of the largest logit, or of 1 where all are smaller: trained logits reach 20
SAME = 0.001  # of accuracy: rounding may turn a sample or two that lie on the border
AGAIN = 0.005  # of accuracy, after training anew
GATE = 0.005  # loss of accuracy at which a conversion fails
MEGABYTE = 10**6

PARAMETERS = {
    "digits_mlp": 8_970,
    "digits_cnn": 77_754,
    "digits_vit": 58_234,
    "sequences_lstm": 35_718,
    "clouds_pointnet": 19_912,
}
STATISTICS = ("running_mean", "running_var")


def test_accuracy_is_the_recorded_one_and_leaves_room(tried: Tried) -> None:
    reached, record = accuracy(tried.torch_logits, tried.labels), tried.model.record()
    assert BAND[0] <= reached <= BAND[1]
    assert reached == pytest.approx(record.accuracy, abs=SAME)
    assert record.n == len(tried.labels)
    assert record.seed == tried.model.recipe.seed
    assert record.data == weights_hash({**tried.samples, "labels": tried.labels})


def test_keras_and_torch_agree_on_the_whole_test_split(tried: Tried) -> None:
    limit = TOLERANCE * max(1.0, float(np.abs(tried.torch_logits).max()))
    np.testing.assert_allclose(tried.keras_logits, tried.torch_logits, rtol=0, atol=limit)
    assert accuracy(tried.keras_logits, tried.labels) == pytest.approx(
        accuracy(tried.torch_logits, tried.labels), abs=SAME
    )


def test_both_agree_with_double_precision(tried: Tried) -> None:
    few = {name: array[::30] for name, array in tried.samples.items()}
    (reference,), origin = tried.model.reference(few)
    assert origin == "float64"
    limit = TOLERANCE * max(1.0, float(np.abs(reference).max()))
    np.testing.assert_allclose(tried.torch_logits[::30], reference, rtol=0, atol=limit)
    np.testing.assert_allclose(tried.keras_logits[::30], reference, rtol=0, atol=limit)


def test_every_class_is_answered(tried: Tried) -> None:
    """No class is lost among the errors: each is right more often than not."""
    answers = tried.torch_logits.argmax(axis=1)
    for label in range(tried.model.sizes.classes):
        assert (answers[tried.labels == label] == label).mean() > 0.5


def in_steps(weights: Weights, bits: int) -> Weights:
    """Each array of two or more axes in 2**bits - 1 steps of one size, as a careless quantisation has it."""
    coarse = {}
    for name, array in weights.items():
        step = np.abs(array).max() / (2 ** (bits - 1) - 1)
        coarse[name] = (np.round(array / step) * step).astype(np.float32) if array.ndim > 1 else array
    return coarse


def test_a_bad_conversion_would_be_seen(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three bits per weight lose more than the gate allows, and eight lose less: the two can be told apart."""
    weights = tried.model.weights()
    before = accuracy(tried.torch_logits, tried.labels)
    losses = {}
    for bits in (3, 8):
        monkeypatch.setattr(tried.model, "weights", lambda bits=bits: in_steps(weights, bits))
        losses[bits] = before - accuracy(torch_logits(tried.model.torch_module(), tried.samples), tried.labels)
    assert losses[3] > GATE
    assert losses[8] < GATE


def test_trained_models_offer_what_the_interface_asks(model: TrainedModel) -> None:
    assert isinstance(model, Labelled)


def test_weights_are_small_and_in_single_precision(model: TrainedModel) -> None:
    assert model.weights_path().stat().st_size < MEGABYTE
    for name, array in model.weights().items():
        assert array.dtype == np.float32, name
        assert np.isfinite(array).all(), name


def test_the_number_of_parameters_is_the_documented_one(model: TrainedModel) -> None:
    fitted = [array for name, array in model.weights().items() if not name.endswith(STATISTICS)]
    assert sum(array.size for array in fitted) == PARAMETERS[model.name]


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainedModel:
    """A model whose files lie elsewhere, to be damaged."""
    model = DigitsMlp()
    for suffix in (".npz", ".json"):
        shutil.copy(model.weights_path().with_suffix(suffix), tmp_path)
    monkeypatch.setattr(model, "weights_path", lambda: tmp_path / "digits_mlp.npz")
    return model


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off", b"not an archive", b"\x80\x04pickled"])
def test_files_that_cannot_be_read_are_told_in_one_line(moved: TrainedModel, content: bytes | None) -> None:
    weights = moved.weights_path()
    for path, read in ((weights, moved.weights), (weights.with_suffix(".json"), moved.record)):
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        with pytest.raises(ModelError, match=r"digits_mlp.*python -m kb.models.trained.train digits_mlp") as caught:
            read()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [DigitsMlp, pytest.param(CloudsPointNet, marks=pytest.mark.slow)])
def test_training_again_reaches_the_same_accuracy(kind: type[TrainedModel]) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")
    model = kind()
    weights, record = trained(model)
    assert record.accuracy == pytest.approx(model.record().accuracy, abs=AGAIN)
    assert {name: array.shape for name, array in weights.items()} == {
        name: array.shape for name, array in model.weights().items()
    }
    assert record.n == len(model.labelled(Split.TEST)[1])
