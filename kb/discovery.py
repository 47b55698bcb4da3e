"""Finding parts by name: entry-point groups for installed parts, ``module:attribute`` for a user's own."""

import importlib
from typing import Any

#: Parts a model's name from the size that it is asked for at: pixels, tokens, points.
SIZED = "@"


class UnknownPart(ValueError):
    """A name that no installed part has. The message names the nearest valid ones."""


def targets(group: str) -> dict[str, str]:
    """Names of the installed parts of an entry-point group, with their ``module:attribute``. Imports none of them."""
    from importlib.metadata import entry_points  # takes a tenth of a second that most workers need not pay

    return {point.name: point.value for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def split_size(name: str) -> tuple[str, int | None]:
    """``("resnet50", 96)`` of ``resnet50@96``; None where the name asks for no size."""
    base, at, size = name.rpartition(SIZED)
    return (base, int(size)) if at and size.isdecimal() else (name, None)


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
