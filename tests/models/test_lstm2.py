"""lstm2: the gates are in their order on both sides, both directions are read, and a sequence may have any length."""

import numpy as np
import pytest

from kb.models.errors import ModelError
from kb.models.interface import Array, Weights
from kb.models.lstm2 import LAYERS, Lstm2, Sizes
from tests.models.conftest import Pair

TOLERANCE = 1e-5
EXACT = 1e-10  # in double precision, where only the order of sums differs
VISIBLE = 1e-2  # what a mistake must do to the logits to be told from rounding
SIDES = ("torch_output", "keras_output")


class Narrow(Lstm2):
    """Other numbers, all different, so that no two axes can be taken for each other."""

    name = "narrow"
    sizes = Sizes(features=3, units=5, classes=7)


def pair_of(model: Lstm2) -> Pair:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    return Pair(model, model.torch_module(), model.keras_model())


@pytest.fixture(scope="module")
def lstm() -> Pair:
    return pair_of(Lstm2())


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def direction(steps: Array, weights: Weights, suffix: str, order: str = "ifgo") -> Array:
    """(batch, length, inputs) to the outputs (batch, length, units) of one direction, written down from the equations.

    Args:
        order: of the gates in the weights: input, forget, cell (g) and output.
    """
    into, back, bias, other = (
        weights[f"lstm.{part}_{suffix}"].astype(np.float64) for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    hidden = cell = np.zeros((len(steps), back.shape[1]))
    outputs = []
    for step in steps.transpose(1, 0, 2):
        gates = dict(zip(order, np.split(step @ into.T + bias + hidden @ back.T + other, 4, axis=1), strict=True))
        cell = sigmoid(gates["f"]) * cell + sigmoid(gates["i"]) * np.tanh(gates["g"])
        hidden = sigmoid(gates["o"]) * np.tanh(cell)
        outputs.append(hidden)
    return np.stack(outputs, axis=1)


def written_down(features: Array, weights: Weights, order: str = "ifgo") -> Array:
    """The logits in NumPy alone, in double precision."""
    x = features.astype(np.float64)
    for layer in range(LAYERS):
        forwards = direction(x, weights, f"l{layer}", order)
        backwards = direction(x[:, ::-1], weights, f"l{layer}_reverse", order)
        x = np.concatenate([forwards, backwards[:, ::-1]], axis=2)
    units = forwards.shape[2]
    states = np.concatenate([x[:, -1, :units], x[:, 0, units:]], axis=1)
    return states @ weights["classifier.weight"].T.astype(np.float64) + weights["classifier.bias"]


@pytest.mark.parametrize("model", [Lstm2(9), Narrow(9)], ids=lambda model: model.name)
def test_both_networks_are_the_published_equations(model: Lstm2) -> None:
    pair, inputs = pair_of(model), model.inputs(3, 0)
    expected = written_down(inputs["features"], model.weights())
    assert expected.shape == (3, model.sizes.classes)
    (reference,), _ = model.reference(inputs)
    np.testing.assert_allclose(reference, expected, rtol=0, atol=EXACT)
    for side in SIDES:
        np.testing.assert_allclose(getattr(pair, side)(inputs), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("order", ["iofg", "igfo", "figo", "ofgi"])
def test_gates_in_another_order_would_be_seen(order: str) -> None:
    """ONNX has them as i, o, f, c: a converter that forgets to reorder them must not pass."""
    model = Lstm2(9)
    features, weights = model.inputs(3, 0)["features"], model.weights()
    wrong = np.abs(written_down(features, weights, order) - written_down(features, weights))
    assert wrong.max(axis=1).min() > VISIBLE


def test_keras_has_one_bias_where_torch_has_two(lstm: Pair) -> None:
    weights = lstm.model.weights()
    in_torch = sum(parameter.numel() for parameter in lstm.module.parameters())
    assert in_torch == sum(array.size for array in weights.values()) == 596_490
    assert lstm.keras.count_params() == 594_442
    assert in_torch - lstm.keras.count_params() == LAYERS * 2 * 4 * lstm.model.sizes.units


@pytest.mark.parametrize("part", ["bias_ih", "bias_hh"])
def test_leaving_out_either_bias_would_be_seen(part: str) -> None:
    model = Lstm2(9)
    features, weights = model.inputs(3, 0)["features"], dict(model.weights())
    expected = written_down(features, weights)
    weights.update({name: np.zeros_like(array) for name, array in weights.items() if part in name})
    assert np.abs(written_down(features, weights) - expected).max(axis=1).min() > VISIBLE


@pytest.mark.parametrize("length", [1, 2, 17, 100])
def test_sequences_may_have_any_length(lstm: Pair, length: int) -> None:
    inputs = Lstm2(length).inputs(2, 0)
    assert inputs["features"].shape == (2, length, 64)
    np.testing.assert_allclose(lstm.keras_output(inputs), lstm.torch_output(inputs), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("step", [0, -1])
def test_both_ends_of_a_sequence_matter(lstm: Pair, side: str, step: int) -> None:
    """The first step is the last that the backward direction reads."""
    inputs = lstm.model.inputs(3, 0)
    changed = {"features": inputs["features"].copy()}
    changed["features"][:, step] *= -1
    run = getattr(lstm, side)
    assert np.abs(run(changed) - run(inputs)).max(axis=1).min() > VISIBLE


@pytest.mark.parametrize("side", SIDES)
def test_the_order_of_the_steps_matters(lstm: Pair, side: str) -> None:
    inputs = lstm.model.inputs(3, 0)
    turned = {"features": np.ascontiguousarray(inputs["features"][:, ::-1])}
    run = getattr(lstm, side)
    assert np.abs(run(turned) - run(inputs)).max(axis=1).min() > VISIBLE


@pytest.mark.parametrize("length", [0, -1])
def test_sequences_without_a_step_are_refused(length: int) -> None:
    with pytest.raises(ModelError, match=f"at least one step, not of {length}"):
        Lstm2(length)
