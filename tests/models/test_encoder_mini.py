"""encoder_mini: masks mask, padding changes nothing, and a sequence may have any length."""

import numpy as np
import pytest

from kb.models.encoder_mini import MAX_LENGTH, EncoderMini
from kb.models.errors import ModelError
from kb.models.interface import Array
from kb.models.texts import FIRST_TOKEN, PADDING
from tests.models.conftest import Pair

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def encoder() -> Pair:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    model = EncoderMini()
    return Pair(model, model.torch_module(), model.keras_model())


def outputs(encoder: Pair, inputs: dict[str, Array]) -> tuple[Array, Array]:
    return encoder.torch_output(inputs), encoder.keras_output(inputs)


def test_inputs_are_texts_with_padding_at_the_end() -> None:
    inputs = EncoderMini(length=20).inputs(50, 0)
    token_ids, mask = inputs["token_ids"], inputs["mask"]
    assert token_ids.shape == mask.shape == (50, 20)
    assert token_ids.dtype == mask.dtype == np.int64
    assert (token_ids[:, 0] == FIRST_TOKEN).all()
    assert ((token_ids == PADDING) == (mask == 0)).all()
    assert (np.diff(mask, axis=1) <= 0).all()
    assert mask.sum(axis=1).min() >= 10
    assert len(set(mask.sum(axis=1))) > 5


def test_masked_tokens_do_not_matter(encoder: Pair) -> None:
    inputs = encoder.model.inputs(6, 0)
    hidden = inputs["mask"] == 0
    assert hidden.sum() > 20
    changed = {**inputs, "token_ids": np.where(hidden, 12_345, inputs["token_ids"])}
    for before, after in zip(outputs(encoder, inputs), outputs(encoder, changed), strict=True):
        np.testing.assert_array_equal(before, after)


def test_tokens_that_are_not_masked_do_matter(encoder: Pair) -> None:
    inputs = encoder.model.inputs(6, 0)
    changed = {**inputs, "token_ids": inputs["token_ids"].copy()}
    changed["token_ids"][:, 1] += 1
    for before, after in zip(outputs(encoder, inputs), outputs(encoder, changed), strict=True):
        assert np.abs(before - after).max(axis=1).min() > 1e-3


def test_padding_changes_nothing(encoder: Pair) -> None:
    inputs = EncoderMini(length=24).inputs(1, 0)
    end = int(inputs["mask"].sum())
    assert end < 24
    trimmed = {name: array[:, :end] for name, array in inputs.items()}
    for padded, alone in zip(outputs(encoder, inputs), outputs(encoder, trimmed), strict=True):
        np.testing.assert_allclose(alone, padded, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("length", [2, 17, MAX_LENGTH])
def test_sequences_may_have_any_length(encoder: Pair, length: int) -> None:
    inputs = EncoderMini(length).inputs(2, 0)
    in_torch, in_keras = outputs(encoder, inputs)
    np.testing.assert_allclose(in_keras, in_torch, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("length", [1, MAX_LENGTH + 1])
def test_lengths_that_have_no_positions_are_refused(length: int) -> None:
    with pytest.raises(ModelError, match="2 to 512"):
        EncoderMini(length)
