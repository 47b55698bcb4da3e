"""digits_cnn: a small residual network on noisy digits, with BatchNorm statistics of real data.

Architecture: `cnn_s`, narrower and with one block per stage. Data: `digits`.
Parameters: 77,754 (BatchNorm's running statistics not counted).
Input: `image` (batch, 1, 8, 8) float32 in torch, (batch, 8, 8, 1) in Keras. Output: logits (batch, 10).
"""

from kb.models.cnn_s import CnnS, Sizes
from kb.models.interface import Array
from kb.models.trained.digits import CLASSES, EDGE, digits
from kb.models.trained.interface import Labels, Split
from kb.models.trained.trained_model import Recipe, TrainedModel


class DigitsCnn(TrainedModel, CnnS):
    """A stem, three stages of one residual block, global average pooling and a classifier, trained."""

    name = "digits_cnn"
    sizes = Sizes(image=EDGE, channels=1, stages=(16, 32, 64), blocks=1, classes=CLASSES)
    recipe = Recipe(seed=1, epochs=5, learning_rate=5e-3)

    def labelled(self, split: Split) -> tuple[dict[str, Array], Labels]:
        images, labels = digits(split)
        return {"image": images.copy()}, labels.copy()
