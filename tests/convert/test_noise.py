"""Tolerances are measured on the model: what must not matter moves it by so much, and fewer bits by so much more."""

from pathlib import Path

import numpy as np
import pytest

from kb.convert.noise import CEILING, EPSILON, FACTOR, Floor, floor_of, rounded
from kb.convert.probes import probes_of
from kb.models.artefact import Artefact, ArtefactSpec
from kb.models.cnn_s import CnnS
from kb.models.interface import Model
from tests.convert import files
from tests.convert.small import Small

pytest.importorskip("torch")


def measured(model: Model) -> Floor:
    probes, _ = probes_of(model, seed=0)
    return floor_of(model, probes, cores=2)


@pytest.fixture(scope="module")
def floor() -> Floor:
    return measured(CnnS())


def test_the_floor_is_that_of_threads_kernels_layouts_and_optimised_graphs(floor: Floor) -> None:
    assert set(floor.variants) == {"1 thread", "2 threads", "without oneDNN", "channels last", "frozen graph"}
    assert floor.relative["fp32"] == max(floor.variants.values())
    assert all(1e-9 < value < 1e-5 for value in floor.variants.values())


def test_fewer_bits_have_floors_of_their_own(floor: Floor) -> None:
    assert floor.relative["fp32"] < floor.relative["fp16"] < floor.relative["int8"]
    assert floor.tolerance("fp16") == pytest.approx(FACTOR * floor.relative["fp16"])


def test_a_tolerance_lies_between_one_rounding_and_half_of_the_largest_value() -> None:
    floor = Floor({"fp32": 0.0, "int8": 0.3}, {})
    assert floor.tolerance("fp32") == FACTOR * EPSILON
    assert floor.tolerance("int8") == CEILING
    with pytest.raises(KeyError):
        floor.tolerance("fp16")


def test_a_wrong_epsilon_is_far_outside_the_tolerance(floor: Floor) -> None:
    """BatchNorm with Keras's epsilon of 1e-3 instead of torch's 1e-5."""
    import torch

    model = CnnS()
    inputs = model.inputs(2, 0)
    module = model.torch_module().double()
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eps = 1e-3
    with torch.inference_mode():
        wrong = module(*(torch.from_numpy(array).double() for array in inputs.values())).numpy()
    (right,), _ = model.reference(inputs)
    assert np.abs(wrong - right).max() / np.abs(right).max() > 10 * floor.tolerance("fp32")


def test_weights_are_rounded_to_the_bits_and_vectors_not_to_eight() -> None:
    matrix = np.array([[0.1, -1.27], [0.004, 0.5]], np.float32)
    np.testing.assert_allclose(rounded(matrix, "int8"), [[0.1, -1.27], [0.0, 0.5]], atol=1e-6)
    np.testing.assert_array_equal(rounded(matrix, "fp16"), matrix.astype(np.float16).astype(np.float32))
    vector = np.array([0.004, 1.27], np.float32)
    assert rounded(vector, "int8") is vector
    whole = np.arange(4).reshape(2, 2)
    assert rounded(whole, "int8") is whole


def test_an_onnx_file_has_the_noise_of_its_own_optimisation_levels(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = files.sound(tmp_path / "m.onnx")
    model = Artefact(ArtefactSpec("m", str(path), target="tests.convert.files:truth"))
    floor = measured(model)
    assert {"inputs rounded", "ORT_DISABLE_ALL"} <= set(floor.variants)
    assert 0 < floor.relative["fp32"] < 1e-5
    assert floor.relative["fp32"] < floor.relative["fp16"] < floor.relative["int8"]


def test_a_wrong_file_does_not_widen_its_own_tolerance(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = files.transposed_kernel(tmp_path / "m.onnx")
    model = Artefact(ArtefactSpec("m", str(path), target="tests.convert.files:truth"))
    assert measured(model).relative["fp32"] < 1e-5


def test_a_small_model_of_one_product_has_a_floor(floor: Floor) -> None:
    assert measured(Small()).tolerance("fp32") < floor.tolerance("fp32")
