"""All trained models by name, installed ones and those of other packages. Nothing but their classes is imported."""

import inspect

from kb.discovery import UnknownPart, load, targets
from kb.models.errors import ModelError
from kb.models.trained.trained_model import TrainedModel

#: Entry-point group of trained models.
GROUP = "kb.trained"


def trained_models() -> dict[str, type[TrainedModel]]:
    """The classes by name, each made without arguments.

    Raises:
        ModelError: one that a package declares cannot be imported, is not a trained model or bears another name.
    """
    return {name: _find(name, target) for name, target in targets(GROUP).items()}


def _find(name: str, target: str) -> type[TrainedModel]:
    where = f"trained model {name!r} ({target})"
    try:
        kind = load(target)
    except (ImportError, UnknownPart) as error:
        raise ModelError(f"{where} cannot be imported: {error}") from error
    if not inspect.isclass(kind) or not issubclass(kind, TrainedModel):
        raise ModelError(f"{where} is not a class derived from {TrainedModel.__module__}.{TrainedModel.__name__}")
    if kind.name != name:
        raise ModelError(f"{where} calls itself {kind.name!r}: give the entry point the same name")
    return kind
