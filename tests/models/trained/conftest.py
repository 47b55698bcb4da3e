"""The trained models, each built once for all tests of a module."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from kb.models.interface import Array
from kb.models.trained.clouds_pointnet import CloudsPointNet
from kb.models.trained.digits_cnn import DigitsCnn
from kb.models.trained.digits_mlp import DigitsMlp
from kb.models.trained.digits_vit import DigitsVit
from kb.models.trained.interface import Labels, Split
from kb.models.trained.sequences_lstm import SequencesLstm
from kb.models.trained.trained_model import TrainedModel

TRAINED = (DigitsMlp, DigitsCnn, DigitsVit, SequencesLstm, CloudsPointNet)


@dataclass(frozen=True)
class Tried:
    """One model, and the logits of both frameworks for its test split."""

    model: TrainedModel
    samples: dict[str, Array]
    labels: Labels
    torch_logits: Array
    keras_logits: Array


def torch_logits(module: Any, samples: dict[str, Array]) -> Array:
    import torch

    with torch.inference_mode():
        return module(*(torch.from_numpy(array) for array in samples.values())).numpy()


def accuracy(logits: Array, labels: Labels) -> float:
    return float((logits.argmax(axis=1) == labels).mean())


@pytest.fixture(params=TRAINED, ids=lambda kind: kind.name)
def model(request: pytest.FixtureRequest) -> TrainedModel:
    pytest.importorskip("sklearn")
    return request.param()


@pytest.fixture(scope="module", params=TRAINED, ids=lambda kind: kind.name)
def tried(request: pytest.FixtureRequest) -> Iterator[Tried]:
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")
    keras = pytest.importorskip("keras")
    model = request.param()
    samples, labels = model.labelled(Split.TEST)
    network = model.keras_model()
    in_keras = np.asarray(network(model.keras_inputs(samples), training=False))
    yield Tried(model, samples, labels, torch_logits(model.torch_module(), samples), in_keras)
    keras.backend.clear_session()
