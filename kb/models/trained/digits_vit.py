"""digits_vit: a small vision transformer on noisy digits, with attention that has learned where to look.

Architecture: `vit_tiny` with sixteen patches of 2 pixels. Data: `digits`. Parameters: 58,234.
Input: `image` (batch, 1, 8, 8) float32 in torch, (batch, 8, 8, 1) in Keras. Output: logits (batch, 10).
"""

from kb.models.interface import Array
from kb.models.trained.digits import CLASSES, EDGE, digits
from kb.models.trained.interface import Labels, Split
from kb.models.trained.trained_model import Recipe, TrainedModel
from kb.models.vit_tiny import Sizes, VitTiny


class DigitsVit(TrainedModel, VitTiny):
    """Patch embedding, class token and positions, two layers, and a classifier on the class token, trained."""

    name = "digits_vit"
    sizes = Sizes(image=EDGE, channels=1, patch=2, width=48, heads=3, layers=2, classes=CLASSES)
    recipe = Recipe(seed=1, epochs=8, learning_rate=3e-3)

    def labelled(self, split: Split) -> tuple[dict[str, Array], Labels]:
        images, labels = digits(split)
        return {"image": images.copy()}, labels.copy()
