"""A model small enough to be converted in a second: the one that `files` has exports of."""

from typing import TYPE_CHECKING

import numpy as np

from kb.models.interface import Array, Source
from kb.models.paired import PairedModel
from kb.models.trained.interface import Labels, Split
from tests.convert.files import COLUMNS, WEIGHT, x_of

if TYPE_CHECKING:
    import torch

#: As many as a gate needs; some labels are not what the model says, so that it is right in about 86 % of the cases.
SAMPLES, WRONG = 3200, 0.14


class Small(PairedModel):
    """``tanh(x W)``"""

    name = "small"
    sources = frozenset({Source.TORCH})

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        return {"x": x_of(batch, seed)}

    def torch_network(self) -> "torch.nn.Module":
        import torch

        layer = torch.nn.Linear(COLUMNS, 3, bias=False)
        layer.weight.data = torch.from_numpy(np.ascontiguousarray(WEIGHT.T))
        return torch.nn.Sequential(layer, torch.nn.Tanh())


class SmallLabelled(Small):
    """The same with classes: the model's own answers, some of them changed."""

    name = "small_labelled"

    def labelled(self, split: Split) -> tuple[dict[str, Array], Labels]:
        x = x_of(SAMPLES, 7 if split is Split.TEST else 8)
        labels = np.argmax(x @ WEIGHT, axis=1)
        changed = np.random.default_rng(9).random(SAMPLES) < WRONG
        return {"x": x}, np.where(changed, (labels + 1) % 3, labels).astype(np.int64)
