"""bert_mini: the published network with its three inputs, for sequences of any length and in other sizes."""

import re
from typing import Any

import numpy as np
import pytest

from kb.models.bert_mini import EPSILON, BertMini, Sizes
from kb.models.errors import ModelError
from kb.models.interface import Array
from kb.models.texts import FIRST_TOKEN, PADDING
from tests.models.conftest import Pair

TOLERANCE = 1e-5
PARAMETERS = 11_173_130

#: Our names and those of transformers; what stands in neither list is called the same.
RENAMED = (
    (r"^token\.", "bert.embeddings.word_embeddings."),
    (r"^position\.", "bert.embeddings.position_embeddings."),
    (r"^sentence\.", "bert.embeddings.token_type_embeddings."),
    (r"^norm\.", "bert.embeddings.LayerNorm."),
    (r"^layers\.", "bert.encoder.layer."),
    (r"\.attention\.(query|key|value)\.", r".attention.self.\1."),
    (r"\.attention\.output\.", ".attention.output.dense."),
    (r"\.attention_norm\.", ".attention.output.LayerNorm."),
    (r"\.inner\.", ".intermediate.dense."),
    (r"\.outer\.", ".output.dense."),
    (r"\.outer_norm\.", ".output.LayerNorm."),
    (r"^pooler\.", "bert.pooler.dense."),
)


class SmallBert(BertMini):
    """A variant as someone would write it who trains one: other numbers, and a name of its own."""

    name = "bert_small"
    sizes = Sizes(vocabulary=200, positions=20, sentences=3, width=24, heads=3, layers=2, classes=5)


@pytest.fixture(scope="module")
def bert() -> Pair:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    return pair_of(BertMini())


def pair_of(model: BertMini) -> Pair:
    return Pair(model, model.torch_module(), model.keras_model())


def outputs(bert: Pair, inputs: dict[str, Array]) -> tuple[Array, Array]:
    return bert.torch_output(inputs), bert.keras_output(inputs)


def independent(model: BertMini, attention: str) -> Any:
    """The network of the same sizes and weights as transformers builds it, from a config alone."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    sizes = model.sizes
    config = BertConfig(
        vocab_size=sizes.vocabulary,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.sentences,
        hidden_size=sizes.width,
        num_attention_heads=sizes.heads,
        num_hidden_layers=sizes.layers,
        intermediate_size=4 * sizes.width,
        hidden_act="gelu",
        layer_norm_eps=1e-12,
        num_labels=sizes.classes,
        attn_implementation=attention,
    )
    network = BertForSequenceClassification(config)
    copied = {}
    for name, array in model.weights().items():
        for ours, theirs in RENAMED:
            name = re.sub(ours, theirs, name)
        copied[name] = torch.from_numpy(array)
    network.load_state_dict(copied)  # strict: every weight of both has its fellow, of the same shape
    return network.eval()


def expected_logits(network: Any, inputs: dict[str, Array]) -> Array:
    import torch

    token_ids, mask, token_types = (torch.from_numpy(inputs[name]) for name in ("token_ids", "mask", "token_types"))
    with torch.inference_mode():
        return network(input_ids=token_ids, attention_mask=mask, token_type_ids=token_types).logits.numpy()


def test_there_are_as_many_parameters_as_the_module_says(bert: Pair) -> None:
    assert sum(parameter.numel() for parameter in bert.module.parameters()) == PARAMETERS
    assert bert.keras.count_params() == PARAMETERS


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_outputs_are_those_of_an_independent_implementation(bert: Pair, attention: str) -> None:
    pytest.importorskip("transformers")
    network = independent(bert.model, attention)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS
    for inputs in (bert.model.inputs(3, 0), BertMini(17).inputs(2, 1)):
        expected = expected_logits(network, inputs)
        np.testing.assert_allclose(bert.torch_output(inputs), expected, rtol=0, atol=TOLERANCE)


def test_other_sizes_give_what_an_independent_implementation_gives() -> None:
    for needed in ("torch", "keras", "transformers"):
        pytest.importorskip(needed)
    small = pair_of(SmallBert(20))
    inputs = small.model.inputs(6, 0)
    assert inputs["token_ids"].max() < 200
    expected = expected_logits(independent(small.model, "eager"), inputs)
    assert expected.shape == (6, 5)
    for output in outputs(small, inputs):
        np.testing.assert_allclose(output, expected, rtol=0, atol=TOLERANCE)


def test_inputs_are_two_sentences_and_padding() -> None:
    inputs = BertMini(20).inputs(50, 0)
    assert list(inputs) == ["token_ids", "mask", "token_types"]
    token_ids, mask, token_types = inputs.values()
    for array in (token_ids, mask, token_types):
        assert array.shape == (50, 20)
        assert array.dtype == np.int64
    assert (token_ids[:, 0] == FIRST_TOKEN).all()
    assert ((token_ids == PADDING) == (mask == 0)).all()
    assert (token_types[:, 0] == 0).all()
    assert (token_types.max(axis=1) == 1).all()
    assert (token_types[mask == 0] == 0).all()
    for row, seen in zip(token_types, mask, strict=True):
        assert (np.diff(row[seen == 1]) >= 0).all()  # the first sentence, then the second


def test_masked_tokens_do_not_matter(bert: Pair) -> None:
    inputs = bert.model.inputs(6, 0)
    hidden = inputs["mask"] == 0
    assert hidden.sum() > 20
    changed = {
        **inputs,
        "token_ids": np.where(hidden, 12_345, inputs["token_ids"]),
        "token_types": np.where(hidden, 1, inputs["token_types"]),
    }
    for before, after in zip(outputs(bert, inputs), outputs(bert, changed), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", ["token_ids", "token_types"])
def test_what_is_not_masked_does_matter(bert: Pair, name: str) -> None:
    inputs = bert.model.inputs(6, 0)
    changed = {**inputs, name: inputs[name].copy()}
    changed[name][:, 1] += 1  # of the first sentence in every row
    for before, after in zip(outputs(bert, inputs), outputs(bert, changed), strict=True):
        assert np.abs(before - after).max(axis=1).min() > 1e-3


def test_the_order_of_tokens_matters(bert: Pair) -> None:
    inputs = bert.model.inputs(6, 0)
    changed = {**inputs, "token_ids": inputs["token_ids"].copy()}
    changed["token_ids"][:, [1, 2]] = inputs["token_ids"][:, [2, 1]]
    for before, after in zip(outputs(bert, inputs), outputs(bert, changed), strict=True):
        assert np.abs(before - after).max(axis=1).min() > 1e-3


def test_padding_changes_nothing(bert: Pair) -> None:
    inputs = BertMini(length=24).inputs(1, 0)
    end = int(inputs["mask"].sum())
    assert end < 24
    trimmed = {name: array[:, :end] for name, array in inputs.items()}
    for padded, alone in zip(outputs(bert, inputs), outputs(bert, trimmed), strict=True):
        np.testing.assert_allclose(alone, padded, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("length", [2, 17, 512])
def test_sequences_may_have_any_length(bert: Pair, length: int) -> None:
    in_torch, in_keras = outputs(bert, BertMini(length).inputs(2, 0))
    np.testing.assert_allclose(in_keras, in_torch, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("kind", "length"), [(BertMini, 1), (BertMini, 513), (SmallBert, 21)])
def test_lengths_that_have_no_positions_are_refused(kind: type[BertMini], length: int) -> None:
    with pytest.raises(ModelError, match=f"{kind.name} takes sequences of 2 to {kind.sizes.positions}"):
        kind(length)


def test_the_epsilon_is_that_of_the_paper_in_every_norm(bert: Pair) -> None:
    assert EPSILON == 1e-12
    in_torch = [part.eps for part in bert.module.modules() if hasattr(part, "normalized_shape")]
    in_keras = [layer.epsilon for layer in bert.keras.layers if hasattr(layer, "epsilon")]
    assert in_torch == in_keras == [EPSILON] * (2 * bert.model.sizes.layers + 1)
