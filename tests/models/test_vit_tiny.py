"""vit_tiny: the published network, whose patches have places, and whose sizes can be changed."""

import re
from typing import Any

import numpy as np
import pytest

from kb.models.interface import Array
from kb.models.vit_tiny import EPSILON, Sizes, VitTiny
from tests.models.conftest import Pair, run_torch

TOLERANCE = 1e-5
PARAMETERS = 5_717_416

#: Our names and those of transformers; what stands in neither list is called the same.
RENAMED = (
    (r"^class_token\.weight", "vit.embeddings.cls_token"),
    (r"^positions\.weight", "vit.embeddings.position_embeddings"),
    (r"^patches\.", "vit.embeddings.patch_embeddings.projection."),
    (r"^layers\.", "vit.layers."),
    (r"\.attention\.(query|key|value|output)\.", lambda found: f".attention.{found[1][0]}_proj."),
    (r"\.attention_norm\.", ".layernorm_before."),
    (r"\.outer_norm\.", ".layernorm_after."),
    (r"\.inner\.", ".mlp.fc1."),
    (r"\.outer\.", ".mlp.fc2."),
    (r"^norm\.", "vit.layernorm."),
)


class SmallVit(VitTiny):
    """A variant as someone would write it who trains one: other numbers, and a name of its own."""

    name = "vit_small"
    sizes = Sizes(image=8, channels=1, patch=2, width=32, heads=4, layers=2, classes=10)


@pytest.fixture(scope="module")
def small() -> Pair:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    model = SmallVit()
    return Pair(model, model.torch_module(), model.keras_model())


def outputs(pair: Pair, image: Array) -> tuple[Array, Array]:
    return pair.torch_output({"image": image}), pair.keras_output({"image": image})


def independent(model: VitTiny, attention: str) -> Any:
    """The network of the same sizes and weights as transformers builds it, from a config alone."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification

    sizes = model.sizes
    config = ViTConfig(
        image_size=sizes.image,
        num_channels=sizes.channels,
        patch_size=sizes.patch,
        hidden_size=sizes.width,
        num_attention_heads=sizes.heads,
        num_hidden_layers=sizes.layers,
        intermediate_size=4 * sizes.width,
        hidden_act="gelu",
        layer_norm_eps=1e-6,
        num_labels=sizes.classes,
        attn_implementation=attention,
    )
    network = ViTForImageClassification(config)
    copied = {}
    for name, array in model.weights().items():
        tensor = torch.from_numpy(array)
        for ours, theirs in RENAMED:
            name = re.sub(ours, theirs, name)
        copied[name] = tensor[None] if name.startswith("vit.embeddings.") and tensor.ndim == 2 else tensor
    network.load_state_dict(copied)  # strict: every weight of both has its fellow, of the same shape
    return network.eval()


def test_there_are_as_many_parameters_as_the_module_says() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    model = VitTiny()
    assert sum(parameter.numel() for parameter in model.torch_network().parameters()) == PARAMETERS
    assert model.keras_network().count_params() == PARAMETERS


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_outputs_are_those_of_an_independent_implementation(attention: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    model = VitTiny()
    network = independent(model, attention)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS
    inputs = model.inputs(2, 0)
    with torch.inference_mode():
        expected = network(pixel_values=torch.from_numpy(inputs["image"])).logits.numpy()
    np.testing.assert_allclose(run_torch(model.torch_module(), inputs), expected, rtol=0, atol=TOLERANCE)


def test_other_sizes_give_what_an_independent_implementation_gives(small: Pair) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    image = small.model.inputs(5, 0)["image"]
    assert image.shape == (5, 1, 8, 8)
    with torch.inference_mode():
        expected = independent(small.model, "eager")(pixel_values=torch.from_numpy(image)).logits.numpy()
    assert expected.shape == (5, 10)
    for output in outputs(small, image):
        np.testing.assert_allclose(output, expected, rtol=0, atol=TOLERANCE)


def test_inputs_are_images() -> None:
    image = VitTiny().inputs(3, 0)["image"]
    assert image.shape == (3, 3, 224, 224)
    assert image.dtype == np.float32


def test_patches_have_places(small: Pair) -> None:
    """Without positions, the class token would see the same set of patches in any order."""
    image = small.model.inputs(4, 0)["image"]
    swapped = image.copy()
    swapped[:, :, :2, :2], swapped[:, :, 4:6, 6:8] = image[:, :, 4:6, 6:8], image[:, :, :2, :2]
    for before, after in zip(outputs(small, image), outputs(small, swapped), strict=True):
        assert np.abs(before - after).max(axis=1).min() > 1e-2


def test_every_pixel_is_seen(small: Pair) -> None:
    image = small.model.inputs(1, 0)["image"]
    changed = image.repeat(64, axis=0)
    changed.reshape(64, 64)[np.arange(64), np.arange(64)] += 1
    for before, after in zip(outputs(small, image), outputs(small, changed), strict=True):
        assert np.abs(before - after).max(axis=1).min() > 1e-3


def test_the_epsilon_is_that_of_the_paper_in_every_norm(small: Pair) -> None:
    assert EPSILON == 1e-6
    in_torch = [part.eps for part in small.module.modules() if hasattr(part, "normalized_shape")]
    in_keras = [layer.epsilon for layer in small.keras.layers if hasattr(layer, "epsilon")]
    assert in_torch == in_keras == [EPSILON] * (2 * small.model.sizes.layers + 1)


def test_images_of_another_size_are_refused_by_both(small: Pair) -> None:
    larger = {"image": np.zeros((1, 1, 10, 10), np.float32)}
    with pytest.raises(RuntimeError, match="size"):
        small.torch_output(larger)
    with pytest.raises(ValueError, match="shape"):
        small.keras_output(larger)


def test_keras_computes_in_half_precision_if_told_to(small: Pair) -> None:
    """Tables that are no layer's kernel are cast as well, or the sums would be of two types."""
    inputs = small.model.inputs(4, 0)
    network = small.model.keras_model("mixed_float16")
    output = network(small.model.keras_inputs(inputs), training=False)
    assert output.dtype == "float16"
    difference = np.abs(np.asarray(output, np.float32) - small.keras_output(inputs)).max()
    assert 0 < difference < 0.05
