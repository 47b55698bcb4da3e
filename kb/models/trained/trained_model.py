"""What the trained models share: weights from a file beside their code, inputs from their own labelled data."""

import inspect
import json
from abc import abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np

from kb.models.errors import ModelError
from kb.models.interface import Array, Weights
from kb.models.paired import PairedModel
from kb.models.trained.interface import Labels, Split


@dataclass(frozen=True)
class Recipe:
    """How the weights of one model are fitted."""

    seed: int  #: of the first weights and of the order of the samples
    epochs: int
    learning_rate: float  #: highest; it rises and falls in one cycle
    batch: int = 128
    weight_decay: float = 0.01


@dataclass(frozen=True)
class Record:
    """What was measured when the weights were written."""

    accuracy: float  #: share of right answers on the test split, torch, float32
    n: int  #: test samples
    seed: int
    torch: str  #: version that trained
    data: str  #: hash of the test split

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


class TrainedModel(PairedModel):
    """A `Labelled` whose weights were fitted once and lie in `weights/NAME.npz` beside its module, the record with it.

    A subclass names this class before the architecture that it derives from, and says how to train.
    """

    recipe: Recipe

    @abstractmethod
    def labelled(self, split: Split) -> tuple[dict[str, Array], Labels]:
        """Inputs and the right class of each sample, the same bits at every call."""

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """Samples of the test split, chosen by the seed."""
        samples, labels = self.labelled(Split.TEST)
        rows = np.random.default_rng(seed).integers(0, len(labels), batch)
        return {name: array[rows] for name, array in samples.items()}

    def weights(self) -> Weights:
        """The trained weights.

        Raises:
            ModelError: the file is missing or damaged.
        """
        path = self.weights_path()
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise self._unreadable("weights", path, error) from error

    def record(self) -> Record:
        """What was measured when the weights were written.

        Raises:
            ModelError: the file is missing or damaged.
        """
        path = self.weights_path().with_suffix(".json")
        try:
            return Record.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError) as error:
            raise self._unreadable("record", path, error) from error

    def weights_path(self) -> Path:
        return Path(inspect.getfile(type(self))).with_name("weights") / f"{self.name}.npz"

    def _unreadable(self, what: str, path: Path, error: Exception) -> ModelError:
        remedy = f"write it again with: python -m kb.models.trained.train {self.name}"
        return ModelError(f"the {what} of {self.name!r} cannot be read from {path}: {error}; {remedy}")
