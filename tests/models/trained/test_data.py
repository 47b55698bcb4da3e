"""The labelled data: the same bits for ever, balanced, nothing on both sides, and what its description says."""

import sys
from itertools import product

import numpy as np
import pytest

from kb.models.errors import ModelError
from kb.models.interface import Array
from kb.models.trained.clouds import BODIES, CUBE_EDGE, OCTAHEDRON_RADIUS, RING, TUBE, clouds
from kb.models.trained.digits import COPIES, IMAGES, chosen_images, digits
from kb.models.trained.digits_mlp import DigitsMlp
from kb.models.trained.exact import bell, directions
from kb.models.trained.interface import Split
from kb.models.trained.sequences import MARKERS, ORDERS, sequences
from kb.models.trained.sequences_lstm import SequencesLstm
from kb.models.trained.trained_model import TrainedModel
from kb.records.fingerprints import weights_hash

#: A change here makes every accuracy that was measured before another one's: only with a reason, and train again.
HASHES = {
    ("digits_mlp", Split.TRAIN): "0074ed2034ae",
    ("digits_mlp", Split.TEST): "565afc199633",
    ("digits_cnn", Split.TRAIN): "e6afcf03f4a5",
    ("digits_cnn", Split.TEST): "b2e5aa4fdb5c",
    ("digits_vit", Split.TRAIN): "e6afcf03f4a5",
    ("digits_vit", Split.TEST): "b2e5aa4fdb5c",
    ("sequences_lstm", Split.TRAIN): "68e3337f7236",
    ("sequences_lstm", Split.TEST): "c5571cd229e6",
    ("clouds_pointnet", Split.TRAIN): "ed06aa44c3e2",
    ("clouds_pointnet", Split.TEST): "707eb612ff6f",
}
LEAST = 3000  # test samples: fewer, and half a percentage point cannot be told from chance

both = pytest.mark.parametrize("split", list(Split))


def rows(samples: Array) -> set[bytes]:
    return {np.ascontiguousarray(sample).tobytes() for sample in samples}


@both
def test_data_never_changes(model: TrainedModel, split: Split) -> None:
    samples, labels = model.labelled(split)
    assert weights_hash({**samples, "labels": labels}) == HASHES[model.name, split]


@both
def test_classes_are_balanced_and_many(model: TrainedModel, split: Split) -> None:
    _, labels = model.labelled(split)
    counts = np.bincount(labels)
    assert len(counts) == model.sizes.classes
    assert len(set(counts)) == 1
    assert split is Split.TRAIN or len(labels) >= LEAST


@both
def test_samples_fit_the_inputs(model: TrainedModel, split: Split) -> None:
    samples, labels = model.labelled(split)
    for (name, array), (input_name, few) in zip(samples.items(), model.inputs(2, 0).items(), strict=True):
        assert name == input_name
        assert array.dtype == few.dtype == np.float32
        assert array.shape == (len(labels), *few.shape[1:])


def test_nothing_is_in_both_splits(model: TrainedModel) -> None:
    (train,), (test,) = (model.labelled(split)[0].values() for split in Split)
    assert not rows(train) & rows(test)
    assert len(rows(test)) == len(test)


def test_no_image_is_in_both_splits() -> None:
    """Under the noise too: two copies of one image may not lie on both sides."""
    pytest.importorskip("sklearn")
    (train, _), (test, _) = (chosen_images(split) for split in Split)
    assert len(rows(train)) == len(train) == 10 * IMAGES[Split.TRAIN]
    assert len(rows(test)) == len(test) == 10 * IMAGES[Split.TEST]
    assert not rows(train) & rows(test)


def test_copies_of_an_image_differ_by_noise_alone() -> None:
    pytest.importorskip("sklearn")
    copies = COPIES[Split.TEST]
    samples, labels = digits(Split.TEST)
    groups = samples.reshape(-1, copies, 64)
    assert (labels.reshape(-1, copies) == labels[::copies, None]).all()
    within, between = groups.std(axis=1, ddof=1).mean(), groups.mean(axis=1).std(axis=0).mean()
    assert 0.8 < within < 1.05
    assert between > within / 2  # so that the image is still to be seen


def test_what_was_given_out_may_be_changed(model: TrainedModel) -> None:
    samples, labels = model.labelled(Split.TEST)
    for array in samples.values():
        array[:] = 0
    labels[:] = 0
    again, labels_again = model.labelled(Split.TEST)
    assert all(array.any() for array in again.values())
    assert labels_again.any()


def test_markers_tell_the_class_of_a_sequence() -> None:
    """An answer without a network: where each marker's feature is largest gives the order, but for the noise."""
    features, labels = sequences(Split.TEST)
    steps = features[:, :, :MARKERS].argmax(axis=1)
    order = np.argsort(steps, axis=1)
    right = (order == np.array(ORDERS)[labels]).all(axis=1).mean()
    assert 0.7 < right < 0.99


def test_a_sequence_may_be_of_any_length() -> None:
    for length in (3, 50):
        (array,) = SequencesLstm(length).inputs(2, 0).values()
        assert array.shape == (2, length, SequencesLstm.sizes.features)
    with pytest.raises(ModelError, match="at least 3 steps, one per marker, not 2"):
        SequencesLstm(2)


def deviations(name: str, x: Array, y: Array, z: Array) -> Array:
    """How far points are from the surface that their body is said to have."""
    around = np.hypot(x, y)
    match name:
        case "sphere":
            return np.sqrt(x**2 + y**2 + z**2) - 1
        case "cube":
            return np.maximum(np.maximum(abs(x), abs(y)), abs(z)) - CUBE_EDGE
        case "octahedron":
            return abs(x) + abs(y) + abs(z) - OCTAHEDRON_RADIUS
        case "tetrahedron":  # the inner side of its four faces
            return np.max([-x - y - z, -x + y + z, x - y + z, x + y - z], axis=0) - 0.9
        case "cylinder":
            return np.maximum(around / 0.75, abs(z)) - 1
        case "cone":
            return np.where(z > -1, around - (1 - z) / 2, np.maximum(around - 1, 0))
        case "torus":
            return np.hypot(around - RING, z) - TUBE
        case _:
            return z - (x * x - y * y)


@pytest.mark.parametrize("name", BODIES)
def test_points_lie_on_their_body(name: str) -> None:
    x, y, z = BODIES[name](np.random.default_rng(0), (20, 100))
    assert x.shape == (20, 100)
    assert np.abs(deviations(name, x, y, z)).max() < 1e-9
    assert min(axis.std() for axis in (x, y, z)) > 0.2


def test_clouds_are_seen_from_one_side() -> None:
    points, _ = clouds(Split.TEST)
    assert (points[:, 2].mean(axis=1) > 0).mean() > 0.9
    assert abs(points[:, 0].mean()) < 0.02


@pytest.mark.parametrize("number", [1, 7, 200])
def test_a_cloud_may_have_any_number_of_points(number: int) -> None:
    points, labels = clouds(Split.TEST, number)
    assert points.shape == (len(labels), 3, number)


def test_bell_shaped_numbers_have_mean_0_and_variance_1() -> None:
    drawn = bell(np.random.default_rng(0), (100_000,))
    assert abs(drawn.mean()) < 0.01
    assert drawn.std() == pytest.approx(1, rel=0.01)
    assert 3 < np.abs(drawn).max() <= 12**0.5


@pytest.mark.parametrize("axes", [2, 3, 4])
def test_directions_have_length_1_and_no_preference(axes: int) -> None:
    drawn = directions(np.random.default_rng(0), (50_000,), axes)
    np.testing.assert_allclose((drawn**2).sum(axis=0), 1, atol=1e-12)
    assert np.abs(drawn.mean(axis=1)).max() < 0.02
    np.testing.assert_allclose((drawn**2).mean(axis=1), 1 / axes, rtol=0.02)


@pytest.mark.parametrize(("batch", "seed"), list(product((1, 5), (0, 1))))
def test_inputs_are_samples_of_the_test_split(model: TrainedModel, batch: int, seed: int) -> None:
    (drawn,), (samples,) = model.inputs(batch, seed).values(), model.labelled(Split.TEST)[0].values()
    assert len(drawn) == batch
    assert rows(drawn) <= rows(samples)
    (again,), (other,) = model.inputs(batch, seed).values(), model.inputs(batch, seed + 2).values()
    np.testing.assert_array_equal(drawn, again)
    assert not np.array_equal(drawn, other)


def test_without_scikit_learn_the_digits_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)  # what Python does for a package that is not there
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    digits.cache_clear()
    with pytest.raises(ModelError, match=r"scikit-learn, .*pip install 'framework-kb\[data\]'") as caught:
        DigitsMlp().inputs(1, 0)
    assert "\n" not in str(caught.value)
