"""pointnet: the order of the points does not matter, their number is free, and its sizes can be changed."""

from pathlib import Path

import numpy as np
import pytest

from kb.models.errors import ModelError
from kb.models.interface import Array
from kb.models.pointnet import EPSILON, PointNet, Sizes
from tests.models.conftest import Pair

TOLERANCE = 1e-5
PARAMETERS = 819_624
RUNNING = 2 * (64 + 64 + 64 + 128 + 1024 + 512 + 256)  # means and variances, which Keras counts as parameters
PUBLISHED = 0.8e6  # table 6 of the paper, for the "vanilla" network, rounded there to one digit


class SmallNet(PointNet):
    """A variant as someone would write it who trains one: other numbers, and a name of its own."""

    name = "pointnet_small"
    sizes = Sizes(shared=(8, 16), dense=(12,), classes=5)


@pytest.fixture(scope="module")
def pointnet() -> Pair:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    return pair_of(PointNet())


def pair_of(model: PointNet) -> Pair:
    return Pair(model, model.torch_module(), model.keras_model())


def outputs(pair: Pair, points: Array) -> tuple[Array, Array]:
    return pair.torch_output({"points": points}), pair.keras_output({"points": points})


def by_hand(model: PointNet, points: Array) -> Array:
    """Logits in double precision from the formulas alone, cloud by cloud; `points` (batch, 3, number)."""
    weights = {name: array.astype(np.float64) for name, array in model.weights().items()}

    def layer(x: Array, kind: str, index: int) -> Array:
        kernel = weights[f"{kind}.{index}.weight"].reshape(-1, len(x))
        norm = f"{kind}_norms.{index}"
        x = kernel @ x + weights[f"{kind}.{index}.bias"][:, None]
        scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + EPSILON)
        x = (x - weights[f"{norm}.running_mean"][:, None]) * scale[:, None] + weights[f"{norm}.bias"][:, None]
        return np.maximum(x, 0)

    logits = []
    for x in points.astype(np.float64):
        for index in range(len(model.sizes.shared)):
            x = layer(x, "shared", index)
        x = x.max(axis=1, keepdims=True)
        for index in range(len(model.sizes.dense)):
            x = layer(x, "dense", index)
        logits.append(weights["classifier.weight"] @ x[:, 0] + weights["classifier.bias"])
    return np.stack(logits)


def test_there_are_as_many_parameters_as_the_module_says_and_as_were_published(pointnet: Pair) -> None:
    assert sum(parameter.numel() for parameter in pointnet.module.parameters()) == PARAMETERS
    assert pointnet.keras.count_params() == PARAMETERS + RUNNING
    assert round(PARAMETERS, -5) == PUBLISHED


def test_inputs_are_clouds() -> None:
    points = PointNet(100).inputs(7, 0)["points"]
    assert points.shape == (7, 3, 100)
    assert points.dtype == np.float32
    assert PointNet().inputs(1, 0)["points"].shape == (1, 3, 1024)


def test_keras_takes_points_in_rows() -> None:
    model = PointNet(10)
    inputs = model.inputs(2, 0)
    rows = model.keras_inputs(inputs)["points"]
    assert rows.shape == (2, 10, 3)
    assert rows.flags.c_contiguous
    np.testing.assert_array_equal(rows[1, 7], inputs["points"][1, :, 7])


def test_logits_are_those_of_the_formulas(pointnet: Pair) -> None:
    points = pointnet.model.inputs(3, 0)["points"]
    for output in outputs(pointnet, points):
        np.testing.assert_allclose(output, by_hand(pointnet.model, points), rtol=0, atol=TOLERANCE)


def test_the_order_of_points_does_not_matter(pointnet: Pair) -> None:
    points = pointnet.model.inputs(3, 0)["points"]
    shuffled = points[:, :, np.random.default_rng(0).permutation(points.shape[2])]
    for before, after in zip(outputs(pointnet, points), outputs(pointnet, shuffled), strict=True):
        np.testing.assert_allclose(after, before, rtol=0, atol=TOLERANCE)


def test_the_order_of_coordinates_does_matter(pointnet: Pair) -> None:
    """Else the test above would hold for a network that reads nothing."""
    points = pointnet.model.inputs(3, 0)["points"]
    for before, after in zip(outputs(pointnet, points), outputs(pointnet, points[:, ::-1].copy()), strict=True):
        assert np.abs(after - before).max(axis=1).min() > 0.05


def test_a_point_that_is_there_twice_changes_nothing(pointnet: Pair) -> None:
    """The maximum does not count: a mean over the points would pass the test of their order, but not this one."""
    points = pointnet.model.inputs(2, 0)["points"]
    doubled = np.concatenate([points, points[:, :, :300]], axis=2)
    for before, after in zip(outputs(pointnet, points), outputs(pointnet, doubled), strict=True):
        np.testing.assert_allclose(after, before, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("number", [1, 17, 2048])
def test_there_may_be_any_number_of_points(pointnet: Pair, number: int) -> None:
    in_torch, in_keras = outputs(pointnet, PointNet(number).inputs(2, 0)["points"])
    assert in_torch.shape == (2, 40)
    np.testing.assert_allclose(in_keras, in_torch, rtol=0, atol=TOLERANCE)


def test_the_number_of_points_stays_free_in_onnx(pointnet: Pair, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    path = tmp_path / "model.onnx"
    example = (torch.from_numpy(pointnet.model.inputs(2, 0)["points"]),)
    free = ({0: "batch", 2: "number"},)
    torch.onnx.export(
        pointnet.module, example, str(path), dynamo=True, input_names=["points"], dynamic_shapes=free, verbose=False
    )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = PointNet(77).inputs(3, 1)
    (output,) = session.run(None, inputs)
    np.testing.assert_allclose(output, pointnet.torch_output(inputs), rtol=0, atol=TOLERANCE)


def test_a_variant_with_other_sizes_agrees_as_well() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    small = pair_of(SmallNet(50))
    points = small.model.inputs(4, 0)["points"]
    for output in outputs(small, points):
        assert output.shape == (4, 5)
        np.testing.assert_allclose(output, by_hand(small.model, points), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("number", [0, -1])
def test_a_cloud_without_points_is_refused(number: int) -> None:
    with pytest.raises(ModelError, match="at least one point"):
        PointNet(number)
