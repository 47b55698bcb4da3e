"""dlrm_s: a bag is the sum of its rows, each bag has its own table, and each pair is multiplied once."""

import numpy as np
import pytest

from kb.models.dlrm_s import BAGS, BOTTOM, DENSE, IDS, PAIRS, ROWS, TOP, DlrmS
from kb.models.interface import Array, Weights
from tests.models.conftest import Pair

TOLERANCE = 1e-5
EXACT = 1e-10  # in double precision, where only the order of sums differs
VISIBLE = 1e-3  # what a mistake must do to the logit to be told from rounding
SIDES = ("torch_output", "keras_output")
BATCH = 16

each_side = pytest.mark.parametrize("side", SIDES)


@pytest.fixture(scope="module")
def dlrm() -> Pair:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    model = DlrmS()
    return Pair(model, model.torch_module(), model.keras_model())


@pytest.fixture
def inputs() -> dict[str, Array]:
    return DlrmS().inputs(BATCH, 0)


def moved(dlrm: Pair, side: str, inputs: dict[str, Array], **changed: Array) -> Array:
    """(batch,): by how much the logit of each sample moves with the changed inputs."""
    run = getattr(dlrm, side)
    return np.abs(run({**inputs, **changed}) - run(inputs))[:, 0]


def dense_layers(x: Array, weights: Weights, name: str, count: int) -> Array:
    for index in range(count):
        x = np.maximum(x @ weights[f"{name}.{index}.weight"].T + weights[f"{name}.{index}.bias"], 0)
    return x


def written_down(inputs: dict[str, Array], weights: Weights) -> Array:
    """The logits in NumPy alone, one sample and one pair at a time, in double precision."""
    wide = {name: array.astype(np.float64) for name, array in weights.items()}
    logits = []
    for dense, ids in zip(inputs["dense"].astype(np.float64), inputs["ids"], strict=True):
        bottom = dense_layers(dense, wide, "bottom", len(BOTTOM))
        vectors = [bottom] + [sum(wide[f"bags.{bag}.weight"][row] for row in ids[bag]) for bag in range(BAGS)]
        products = [vectors[i] @ vectors[j] for i in range(BAGS + 1) for j in range(i)]
        top = dense_layers(np.concatenate([bottom, products]), wide, "top", len(TOP))
        logits.append(wide["classifier.weight"] @ top + wide["classifier.bias"])
    return np.stack(logits)


def test_both_networks_are_the_published_architecture(dlrm: Pair, inputs: dict[str, Array]) -> None:
    expected = written_down(inputs, dlrm.model.weights())
    assert expected.shape == (BATCH, 1)
    (reference,), _ = dlrm.model.reference(inputs)
    np.testing.assert_allclose(reference, expected, rtol=0, atol=EXACT)
    for side in SIDES:
        np.testing.assert_allclose(getattr(dlrm, side)(inputs), expected, rtol=0, atol=TOLERANCE)


def test_both_networks_have_the_documented_parameters(dlrm: Pair) -> None:
    assert sum(parameter.numel() for parameter in dlrm.module.parameters()) == 2_569_009
    assert dlrm.keras.count_params() == 2_569_009


def test_each_pair_is_multiplied_once_and_none_with_itself() -> None:
    assert len(PAIRS) == len({frozenset(pair) for pair in PAIRS}) == 36
    assert all(first != second for first, second in PAIRS)


def test_inputs_are_numbers_and_ids_of_the_tables(inputs: dict[str, Array]) -> None:
    many = DlrmS().inputs(2000, 0)["ids"]
    assert list(inputs) == ["dense", "ids"]
    assert inputs["dense"].shape == (BATCH, DENSE)
    assert inputs["dense"].dtype == np.float32
    assert inputs["ids"].shape == (BATCH, BAGS, IDS)
    assert inputs["ids"].dtype == np.int64
    assert many.min() >= 0
    assert ROWS - 100 < many.max() < ROWS


@each_side
@pytest.mark.parametrize("bag", range(BAGS))
def test_the_ids_of_every_bag_matter(dlrm: Pair, inputs: dict[str, Array], side: str, bag: int) -> None:
    ids = inputs["ids"].copy()
    ids[:, bag] = (ids[:, bag] + 1) % ROWS
    assert np.median(moved(dlrm, side, inputs, ids=ids)) > VISIBLE


@each_side
@pytest.mark.parametrize("place", range(IDS))
def test_every_id_of_a_bag_matters(dlrm: Pair, inputs: dict[str, Array], side: str, place: int) -> None:
    ids = inputs["ids"].copy()
    ids[:, :, place] = (ids[:, :, place] + 1) % ROWS
    assert np.median(moved(dlrm, side, inputs, ids=ids)) > VISIBLE


@each_side
def test_the_order_of_ids_in_a_bag_does_not_matter(dlrm: Pair, inputs: dict[str, Array], side: str) -> None:
    turned = np.ascontiguousarray(inputs["ids"][:, :, ::-1])
    assert moved(dlrm, side, inputs, ids=turned).max() < TOLERANCE


@each_side
def test_bags_have_tables_of_their_own(dlrm: Pair, inputs: dict[str, Array], side: str) -> None:
    turned = np.ascontiguousarray(inputs["ids"][:, ::-1])
    assert np.median(moved(dlrm, side, inputs, ids=turned)) > VISIBLE


@each_side
def test_an_id_that_comes_twice_counts_twice(dlrm: Pair, inputs: dict[str, Array], side: str) -> None:
    """Bags of one id, four times: a bag that held each id once, or their mean, would give another logit."""
    ids = np.repeat(inputs["ids"][:, :, :1], IDS, axis=2)
    same = {**inputs, "ids": ids}
    output = getattr(dlrm, side)(same)
    weights = dlrm.model.weights()
    np.testing.assert_allclose(output, written_down(same, weights), rtol=0, atol=TOLERANCE)
    once = written_down({**inputs, "ids": ids[:, :, :1]}, weights)
    assert np.median(np.abs(output - once)) > VISIBLE


@each_side
def test_the_dense_numbers_matter(dlrm: Pair, inputs: dict[str, Array], side: str) -> None:
    assert np.median(moved(dlrm, side, inputs, dense=-inputs["dense"])) > VISIBLE


@each_side
def test_the_ends_of_the_tables_can_be_looked_up(dlrm: Pair, inputs: dict[str, Array], side: str) -> None:
    ids = np.zeros_like(inputs["ids"])
    ids[:, :, 1:] = ROWS - 1
    ends = {**inputs, "ids": ids}
    expected = written_down(ends, dlrm.model.weights())
    np.testing.assert_allclose(getattr(dlrm, side)(ends), expected, rtol=0, atol=TOLERANCE)
