"""What a model must offer, besides being one, so that its accuracy can be measured before and after a conversion."""

from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kb.models.interface import Array, Model

Labels = NDArray[np.int64]


class Split(StrEnum):
    """A part of the labelled data; nothing is in both."""

    TRAIN = "train"  #: what the weights were fitted to
    TEST = "test"  #: what accuracy is measured on


@runtime_checkable
class Labelled(Model, Protocol):
    """A model that classifies and has labelled data; its one output is logits (batch, classes)."""

    def labelled(self, split: Split) -> tuple[dict[str, Array], Labels]:
        """Inputs as `inputs` makes them and the right class of each sample, the same bits at every call."""
        ...
