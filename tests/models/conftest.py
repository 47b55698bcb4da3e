"""The reference models, each built once for all tests of a module."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from kb.models.cnn_s import CnnS
from kb.models.encoder_mini import EncoderMini
from kb.models.interface import Array
from kb.models.mlp8 import Mlp8
from kb.models.paired import PairedModel

MODELS = (Mlp8, CnnS, EncoderMini)


@dataclass(frozen=True)
class Pair:
    """One model, built by both frameworks."""

    model: PairedModel
    module: Any
    keras: Any

    def torch_output(self, inputs: dict[str, Array]) -> Array:
        return run_torch(self.module, inputs)

    def keras_output(self, inputs: dict[str, Array]) -> Array:
        return np.asarray(self.keras(self.model.keras_inputs(inputs), training=False))


def run_torch(module: Any, inputs: dict[str, Array]) -> Array:
    import torch

    with torch.inference_mode():
        return module(*(torch.from_numpy(array) for array in inputs.values())).numpy()


@pytest.fixture(params=MODELS, ids=lambda kind: kind.name)
def model(request: pytest.FixtureRequest) -> PairedModel:
    return request.param()


@pytest.fixture(scope="module", params=MODELS, ids=lambda kind: kind.name)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    pytest.importorskip("torch")
    keras = pytest.importorskip("keras")
    model = request.param()
    yield Pair(model, model.torch_module(), model.keras_model())
    keras.backend.clear_session()
