"""The weight sets: the same bits for ever, of the documented size, and not so tame that errors hide in them."""

import re
import sys

import numpy as np
import pytest

from kb.models.cnn_s import CnnS
from kb.models.interface import Model, Source
from kb.models.paired import IMAGE_AXES, PairedModel
from kb.models.weights import WeightDraw
from kb.records.fingerprints import weights_hash

#: A change here starts a new series of every figure of the model: only with a reason.
HASHES = {
    "mlp8": "522e6c467b01",
    "cnn_s": "da7aad246dab",
    "encoder_mini": "f27665d0b3e8",
    "resnet50": "c5e7c3858af7",
    "mobilenet_v2": "4e84d328d102",
    "vit_tiny": "2a2b6f1ac1f4",
    "unet_block": "0a4ec9a3cff1",
    "pointnet": "d313d5841c37",
    "bert_mini": "36f0c864803c",
    "lstm2": "fe3b4dbaeb70",
    "dlrm_s": "3e5e9db90251",
}
STATISTICS = ("running_mean", "running_var")


def test_weights_never_change(model: PairedModel) -> None:
    assert weights_hash(model.weights()) == HASHES[model.name]


def test_weights_are_float32_and_finite(model: PairedModel) -> None:
    for name, array in model.weights().items():
        assert array.dtype == np.float32, name
        assert np.isfinite(array).all(), name


def test_the_number_of_parameters_is_the_documented_one(model: PairedModel) -> None:
    documented = re.search(r"Parameters: ([\d,]+)", sys.modules[type(model).__module__].__doc__ or "")
    assert documented is not None
    trained = [array for name, array in model.weights().items() if not name.endswith(STATISTICS)]
    assert sum(array.size for array in trained) == int(documented[1].strip(",").replace(",", ""))


def test_batch_norm_is_far_from_the_identity() -> None:
    arrays = CnnS().weights()
    means = np.concatenate([array for name, array in arrays.items() if name.endswith("running_mean")])
    variances = np.concatenate([array for name, array in arrays.items() if name.endswith("running_var")])
    assert means.size == variances.size > 1000
    assert np.abs(means).mean() > 0.2
    assert np.abs(variances - 1).mean() > 0.2
    assert variances.min() > 0


def test_a_draw_is_the_same_for_the_same_seed_only() -> None:
    def drawn(seed: int) -> np.ndarray:
        draw = WeightDraw(seed)
        draw.linear("layer", 8, 4)
        return draw.arrays["layer.weight"]

    np.testing.assert_array_equal(drawn(1), drawn(1))
    assert not np.array_equal(drawn(1), drawn(2))


def test_a_draw_has_the_deviation_it_was_asked_for() -> None:
    draw = WeightDraw(0)
    draw.scaled("array", (100_000,), 0.3)
    assert draw.arrays["array"].std() == pytest.approx(0.3, rel=0.01)
    assert abs(draw.arrays["array"].mean()) < 0.01


def test_reference_models_offer_what_the_interface_asks(model: PairedModel) -> None:
    assert isinstance(model, Model)
    assert model.sources == {Source.TORCH, Source.KERAS}
    assert model.path is None


@pytest.mark.parametrize("batch", [1, 3])
def test_inputs_are_seeded_and_batched(model: PairedModel, batch: int) -> None:
    first, again, other = model.inputs(batch, 0), model.inputs(batch, 0), model.inputs(batch, 1)
    for name, array in first.items():
        assert len(array) == batch
        np.testing.assert_array_equal(array, again[name])
    assert any(not np.array_equal(array, other[name]) for name, array in first.items())


def test_keras_gets_the_same_numbers_channels_last(model: PairedModel) -> None:
    inputs = model.inputs(2, 0)
    for (name, array), (keras_name, arranged) in zip(inputs.items(), model.keras_inputs(inputs).items(), strict=True):
        assert keras_name == name
        assert arranged.flags.c_contiguous
        turned = array.ndim == IMAGE_AXES or arranged.shape != array.shape  # point clouds are turned as well
        np.testing.assert_array_equal(np.moveaxis(arranged, -1, 1) if turned else arranged, array)
