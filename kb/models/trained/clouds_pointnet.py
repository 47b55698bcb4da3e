"""clouds_pointnet: a network over sets of points that tells eight bodies apart.

Architecture: `pointnet`, narrower. Data: `clouds`. Parameters: 19,912 (BatchNorm's running statistics not counted).
Input: `points` (batch, 3, number) float32 in torch, (batch, number, 3) in Keras, any number; trained at 96.
Output: logits (batch, 8).
"""

from kb.models.interface import Array
from kb.models.pointnet import PointNet, Sizes
from kb.models.trained.clouds import BODIES, POINTS, clouds
from kb.models.trained.interface import Labels, Split
from kb.models.trained.trained_model import Recipe, TrainedModel


class CloudsPointNet(TrainedModel, PointNet):
    """Dense layers shared by all points, the maximum over the points, and a dense layer over that, trained."""

    name = "clouds_pointnet"
    sizes = Sizes(shared=(32, 64, 128), dense=(64,), classes=len(BODIES))
    recipe = Recipe(seed=1, epochs=6, learning_rate=5e-3)

    def __init__(self, number: int = POINTS) -> None:
        """
        Args:
            number: points per cloud. The record is of the number that was trained on.
        """
        super().__init__(number)

    def labelled(self, split: Split) -> tuple[dict[str, Array], Labels]:
        points, labels = clouds(split, self.number)
        return {"points": points.copy()}, labels.copy()
