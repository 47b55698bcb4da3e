"""resnet50: the published network, with the outputs of an independent implementation, at any size that fits."""

from typing import Any

import numpy as np
import pytest

from kb.models.errors import ModelError
from kb.models.interface import Weights
from kb.models.resnet50 import STAGES, ResNet50, blocks
from tests.models.conftest import run_torch

PUBLISHED = 25_557_032  # torchvision's resnet50, which has the same layers
TOLERANCE = 1e-5

NORM = ("weight", "bias", "running_mean", "running_var")


def norm(theirs: str, ours: str, weights: Weights) -> dict[str, Any]:
    return {f"{theirs}.normalization.{part}": weights[f"{ours}.{part}"] for part in NORM}


def as_in_transformers(weights: Weights) -> dict[str, Any]:
    """The weight set under the names of transformers' ResNet."""
    stem = "resnet.embedder.embedder"
    named = {f"{stem}.convolution.weight": weights["stem.weight"], **norm(stem, "stem_norm", weights)}
    for name, inputs, width, _ in blocks():
        _, stage, index = name.split(".")
        layer = f"resnet.encoder.stages.{stage}.layers.{index}"
        for number in (1, 2, 3):
            theirs = f"{layer}.layer.{number - 1}"
            named[f"{theirs}.convolution.weight"] = weights[f"{name}.conv{number}.weight"]
            named |= norm(theirs, f"{name}.norm{number}", weights)
        if inputs != width * 4:
            named[f"{layer}.shortcut.convolution.weight"] = weights[f"{name}.shortcut.weight"]
            named |= norm(f"{layer}.shortcut", f"{name}.shortcut_norm", weights)
    return {**named, **{f"classifier.1.{part}": weights[f"classifier.{part}"] for part in ("weight", "bias")}}


def test_it_has_the_published_number_of_parameters() -> None:
    statistics = ("running_mean", "running_var")
    counted = sum(array.size for name, array in ResNet50().weights().items() if not name.endswith(statistics))
    assert counted == PUBLISHED


def test_its_outputs_are_those_of_an_independent_implementation() -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = ResNet50(96)
    config = transformers.ResNetConfig(
        embedding_size=64,
        hidden_sizes=[width * 4 for width, _ in STAGES],
        depths=[count for _, count in STAGES],
        layer_type="bottleneck",
        downsample_in_bottleneck=False,  # the stride is in the 3x3 convolution: "v1.5"
        num_labels=1000,
    )
    theirs = transformers.ResNetForImageClassification(config).eval()
    named = {name: torch.from_numpy(array) for name, array in as_in_transformers(model.weights()).items()}
    missing, unexpected = theirs.load_state_dict(named, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    inputs = model.inputs(2, 0)
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(inputs["image"])).logits.numpy()
    np.testing.assert_allclose(run_torch(model.torch_module(), inputs), expected, rtol=0, atol=TOLERANCE)


def test_inputs_have_the_size_that_is_asked_for() -> None:
    assert ResNet50().inputs(2, 0)["image"].shape == (2, 3, 224, 224)
    assert ResNet50(96).inputs(2, 0)["image"].shape == (2, 3, 96, 96)


@pytest.mark.parametrize("size", [0, 16, 100])
def test_sizes_that_the_strides_do_not_divide_are_refused(size: int) -> None:
    with pytest.raises(ModelError, match=f"multiple of 32 pixels, not of {size}"):
        ResNet50(size)
