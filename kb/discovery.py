"""Finding parts by name: entry-point groups for installed parts, ``module:attribute`` for a user's own."""

import importlib
from importlib.metadata import entry_points
from typing import Any


class UnknownPart(ValueError):
    """A name that no installed part has. The message names the nearest valid ones."""


def targets(group: str) -> dict[str, str]:
    """Names of the installed parts of an entry-point group, with their ``module:attribute``. Imports none of them."""
    return {point.name: point.value for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def load(target: str) -> Any:
    """Import ``module:attribute`` and return the attribute.

    Raises:
        UnknownPart: the text has no colon, or the module has no such attribute.
        ImportError: the module cannot be imported.
    """
    module_name, colon, attribute = target.partition(":")
    if not colon or not module_name or not attribute:
        raise UnknownPart(f"{target!r} is not of the form module:attribute")
    module = importlib.import_module(module_name)
    if not hasattr(module, attribute):
        raise UnknownPart(f"module {module_name!r} has no attribute {attribute!r}")
    return getattr(module, attribute)
