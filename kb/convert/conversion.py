"""The cell of the conversion grid: one model, by one route, in one precision, at one opset."""

from dataclasses import asdict, dataclass
from typing import Any, Self

#: Opset of a form that has none, such as LiteRT's.
NO_OPSET = 0


@dataclass(frozen=True, order=True)
class Conversion:
    """What is converted, and how."""

    model: str
    route: str
    precision: str = "fp32"  #: or a way to fewer bits, of `kb.convert.precisions`
    opset: int = 18  #: that is asked for; `NO_OPSET` where the form has none

    @property
    def id(self) -> str:
        """Readable and unique, e.g. ``resnet50/torch-dynamo/fp32/o18``."""
        return f"{self.model}/{self.route}/{self.precision}/o{self.opset}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        return cls(**values)
