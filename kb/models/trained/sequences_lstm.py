"""sequences_lstm: a recurrent network that tells in which order three markers came.

Architecture: `lstm2`, narrower. Data: `sequences`. Parameters: 35,718 in torch, 35,206 in Keras, which has one bias
per gate instead of two.
Input: `features` (batch, length, 6) float32, any length; trained at 20. Output: logits (batch, 6).
"""

from kb.models.errors import ModelError
from kb.models.interface import Array
from kb.models.lstm2 import Lstm2, Sizes
from kb.models.trained.interface import Labels, Split
from kb.models.trained.sequences import CLASSES, FEATURES, LENGTH, MARKERS, sequences
from kb.models.trained.trained_model import Recipe, TrainedModel


class SequencesLstm(TrainedModel, Lstm2):
    """Two bidirectional LSTM layers and a classifier on their last states, trained."""

    name = "sequences_lstm"
    sizes = Sizes(features=FEATURES, units=32, classes=CLASSES)
    recipe = Recipe(seed=1, epochs=8, learning_rate=1e-2)

    def __init__(self, length: int = LENGTH) -> None:
        """
        Args:
            length: steps per sample. The record is of the length that was trained on.
        """
        if length < MARKERS:
            raise ModelError(f"{self.name} takes at least {MARKERS} steps, one per marker, not {length}")
        super().__init__(length)

    def labelled(self, split: Split) -> tuple[dict[str, Array], Labels]:
        features, labels = sequences(split, self.length)
        return {"features": features.copy()}, labels.copy()
