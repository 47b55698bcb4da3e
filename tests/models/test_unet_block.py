"""unet_block: the timestep matters, pixels see each other across the image, and the noise lies as in torch."""

import numpy as np
import pytest

from kb.models.errors import ModelError
from kb.models.interface import Array
from kb.models.unet_block import STEPS, UnetBlock, time_table
from tests.models.conftest import Pair, run_torch

TOLERANCE = 1e-5
PARAMETERS = 4_897_924  # as the module says, with the table
TABLE = 128_000  # 1000 timesteps of 128 numbers


@pytest.fixture(scope="module")
def unet() -> Pair:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    model = UnetBlock()
    return Pair(model, model.torch_module(), model.keras_model())


def changes(unet: Pair, before: dict[str, Array], after: dict[str, Array]) -> list[Array]:
    """By how much each output changes between two inputs, in torch and in Keras."""
    return [np.abs(output(after) - output(before)) for output in (unet.torch_output, unet.keras_output)]


def test_there_are_as_many_parameters_as_the_module_says(unet: Pair) -> None:
    assert sum(parameter.numel() for parameter in unet.module.parameters()) == PARAMETERS
    assert unet.keras.count_params() == PARAMETERS
    assert unet.module.table.weight.numel() == TABLE


def test_inputs_are_latents_and_timesteps_within_the_table() -> None:
    inputs = UnetBlock().inputs(500, 0)
    assert list(inputs) == ["latent", "timestep"]
    assert inputs["latent"].shape == (500, 4, 32, 32)
    assert inputs["timestep"].shape == (500,)
    assert inputs["timestep"].dtype == np.int64
    assert inputs["timestep"].min() >= 0
    assert inputs["timestep"].max() < STEPS
    assert len(set(inputs["timestep"])) > 300


def test_the_table_holds_the_sines_of_the_papers() -> None:
    """Number by number, from the formula: pair i turns by 10000^(-i / 64) per step."""
    table = time_table()
    for step in (0, 1, 17, 999):
        for pair in (0, 1, 40, 63):
            angle = step * 10_000.0 ** (-pair / 64)
            assert table[step, pair] == pytest.approx(np.sin(angle), abs=1e-6)
            assert table[step, 64 + pair] == pytest.approx(np.cos(angle), abs=1e-6)


def test_the_timestep_matters(unet: Pair) -> None:
    inputs = unet.model.inputs(4, 0)
    later = {**inputs, "timestep": (inputs["timestep"] + 100) % STEPS}
    for change in changes(unet, inputs, later):
        assert change.reshape(4, -1).max(axis=1).min() > 1e-2


def test_each_sample_has_its_own_timestep(unet: Pair) -> None:
    inputs = unet.model.inputs(2, 0)
    later = {**inputs, "timestep": inputs["timestep"].copy()}
    later["timestep"][1] = (later["timestep"][1] + 100) % STEPS
    for change in changes(unet, inputs, later):
        assert change[0].max() < TOLERANCE
        assert change[1].max() > 1e-2


@pytest.mark.parametrize("step", [0, STEPS - 1])
def test_both_agree_on_the_first_and_the_last_timestep(unet: Pair, step: int) -> None:
    inputs = {**unet.model.inputs(2, 0), "timestep": np.full(2, step, np.int64)}
    np.testing.assert_allclose(unet.keras_output(inputs), unet.torch_output(inputs), rtol=0, atol=TOLERANCE)


def test_attention_carries_a_corner_to_the_opposite_one(unet: Pair) -> None:
    """Without attention, a pixel sees less far than the whole image, but for the norms, which all pixels share."""
    import torch

    inputs = unet.model.inputs(1, 0)
    latent = torch.from_numpy(inputs["latent"]).requires_grad_()
    steps = torch.from_numpy(inputs["timestep"])
    reach = {}
    for name, muted in (("with", False), ("without", True)):
        module = unet.model.torch_module()
        for norm in (each for each in module.modules() if isinstance(each, torch.nn.GroupNorm)):
            norm.forward = lambda x: x * 0.1  # the norms of whole images would carry anything anywhere
        if muted:
            module.attention.forward = torch.zeros_like
        (gradient,) = torch.autograd.grad(module(latent, steps)[0, :, 31, 31].sum(), latent)
        reach[name] = float(gradient[0, :, 0, 0].abs().max())
    assert reach["without"] == 0
    assert reach["with"] > 0


@pytest.mark.parametrize("side", ["skipped", "deep"])
def test_both_sides_of_the_join_reach_the_output(unet: Pair, side: str) -> None:
    """With what comes from below set to zero, or what is skipped over it, the latent still decides on the noise."""
    import torch

    module = unet.model.torch_module()
    joined, width = module.joined.forward, module.up.out_channels

    def one_side(x: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        kept = torch.zeros_like(x)
        chosen = slice(width, None) if side == "skipped" else slice(width)
        kept[:, chosen] = x[:, chosen]
        return joined(kept, time)

    module.joined.forward = one_side
    first, second = unet.model.inputs(1, 0), unet.model.inputs(1, 1)
    before, after = run_torch(module, first), run_torch(module, {**first, "latent": second["latent"]})
    assert np.abs(after - before).max() > 0.1
    assert np.abs(before - unet.torch_output(first)).max() > 0.1


def test_the_noise_of_keras_lies_as_in_torch(unet: Pair) -> None:
    """Height and width are both 32, so shapes alone would not tell if they were swapped."""
    inputs = unet.model.inputs(1, 0)
    in_torch, in_keras = unet.torch_output(inputs), unet.keras_output(inputs)
    np.testing.assert_allclose(in_keras, in_torch, rtol=0, atol=TOLERANCE)
    assert np.abs(in_keras - in_torch.transpose(0, 1, 3, 2)).max() > 0.1


@pytest.mark.parametrize("size", [2, 16, 30])
def test_latents_may_have_any_even_size(unet: Pair, size: int) -> None:
    """The torch network is the one for 32 pixels; that of Keras is made for its size."""
    model = UnetBlock(size)
    inputs = model.inputs(2, 0)
    in_torch = run_torch(unet.module, inputs)
    assert in_torch.shape == (2, 4, size, size)
    in_keras = np.asarray(model.keras_model()(model.keras_inputs(inputs), training=False))
    np.testing.assert_allclose(in_keras, in_torch, rtol=0, atol=TOLERANCE)


def test_torch_takes_latents_that_are_not_square(unet: Pair) -> None:
    inputs = {"latent": UnetBlock().inputs(2, 0)["latent"][:, :, :16], "timestep": np.array([3, 700])}
    assert unet.torch_output(inputs).shape == (2, 4, 16, 32)


@pytest.mark.parametrize("size", [0, 1, 31, -2])
def test_sizes_that_cannot_be_halved_are_refused(size: int) -> None:
    with pytest.raises(ModelError, match="even size"):
        UnetBlock(size)
