"""mobilenet_v2: the published network, with the outputs of an independent implementation, at any size that fits."""

from typing import Any

import numpy as np
import pytest

from kb.models.errors import ModelError
from kb.models.interface import Weights
from kb.models.mobilenet_v2 import EPSILON, MobileNetV2, blocks
from tests.models.conftest import run_torch
from tests.models.test_resnet50 import NORM

PUBLISHED = 3_504_872  # torchvision's mobilenet_v2, which has the same layers
TOLERANCE = 1e-5


def layer(theirs: str, ours: str, weights: Weights, norm: str | None = None) -> dict[str, Any]:
    """A convolution with its norm under the names of transformers."""
    named = {f"{theirs}.convolution.weight": weights[f"{ours}.weight"]}
    return named | {f"{theirs}.normalization.{part}": weights[f"{norm or ours}_norm.{part}"] for part in NORM}


def as_in_transformers(weights: Weights) -> dict[str, Any]:
    """The weight set under the names of transformers' MobileNetV2, whose stem holds the first block as well."""
    stem = "mobilenet_v2.conv_stem"
    named = layer(f"{stem}.first_conv", "stem", weights)
    for index, (name, inputs, hidden, _, _) in enumerate(blocks()):
        theirs = stem if index == 0 else f"mobilenet_v2.layer.{index - 1}"
        if hidden != inputs:
            named |= layer(f"{theirs}.expand_1x1", f"{name}.expand", weights)
        named |= layer(f"{theirs}.conv_3x3", f"{name}.depthwise", weights)
        named |= layer(f"{theirs}.reduce_1x1", f"{name}.project", weights)
    named |= layer("mobilenet_v2.conv_1x1", "head", weights)
    return {**named, **{f"classifier.{part}": weights[f"classifier.{part}"] for part in ("weight", "bias")}}


def test_it_has_the_published_number_of_parameters() -> None:
    statistics = ("running_mean", "running_var")
    counted = sum(array.size for name, array in MobileNetV2().weights().items() if not name.endswith(statistics))
    assert counted == PUBLISHED


def test_its_outputs_are_those_of_an_independent_implementation() -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = MobileNetV2(96)
    config = transformers.MobileNetV2Config(tf_padding=False, layer_norm_eps=EPSILON, num_labels=1000)
    theirs = transformers.MobileNetV2ForImageClassification(config).eval()
    named = {name: torch.from_numpy(array) for name, array in as_in_transformers(model.weights()).items()}
    missing, unexpected = theirs.load_state_dict(named, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    inputs = model.inputs(2, 0)
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(inputs["image"])).logits.numpy()
    np.testing.assert_allclose(run_torch(model.torch_module(), inputs), expected, rtol=0, atol=TOLERANCE)


def test_inputs_have_the_size_that_is_asked_for() -> None:
    assert MobileNetV2().inputs(2, 0)["image"].shape == (2, 3, 224, 224)
    assert MobileNetV2(96).inputs(2, 0)["image"].shape == (2, 3, 96, 96)


@pytest.mark.parametrize("size", [0, 16, 100])
def test_sizes_that_the_strides_do_not_divide_are_refused(size: int) -> None:
    with pytest.raises(ModelError, match=f"multiple of 32 pixels, not of {size}"):
        MobileNetV2(size)
