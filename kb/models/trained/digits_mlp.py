"""digits_mlp: dense layers on noisy digits.

Architecture: `mlp8` with two hidden layers. Data: `digits`, each image as 64 features. Parameters: 8,970.
Input: `features` (batch, 64) float32. Output: logits (batch, 10).
"""

from kb.models.interface import Array
from kb.models.mlp8 import Mlp8, Sizes
from kb.models.trained.digits import CLASSES, EDGE, digits
from kb.models.trained.interface import Labels, Split
from kb.models.trained.trained_model import Recipe, TrainedModel


class DigitsMlp(TrainedModel, Mlp8):
    """Two dense layers with ReLU and a classifier, trained."""

    name = "digits_mlp"
    sizes = Sizes(features=EDGE**2, depth=2, classes=CLASSES)
    recipe = Recipe(seed=1, epochs=20, learning_rate=3e-3)

    def labelled(self, split: Split) -> tuple[dict[str, Array], Labels]:
        images, labels = digits(split)
        return {"features": images.reshape(len(images), -1).copy()}, labels.copy()
