"""Finding parts by name: entry-point groups for installed parts, ``module:attribute`` for a user's own."""

import importlib
from typing import Any

#: Parts a model's name from the size that it is asked for at: pixels, tokens, points.
SIZED = "@"


class UnknownPart(ValueError):
    """A name that no installed part has. The message names the nearest valid ones."""


class BadPart(TypeError):
    """What a target names is not the part that it should be. The message says what it lacks."""


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


def load_part(target: str, interface: type, what: str, error: type[BadPart] = BadPart) -> Any:
    """The part of a ``module:attribute``: the attribute, or what a class is without arguments. Imports its module.

    Args:
        interface: declares the data and the methods that every such part has.
        what: the part with its article, for the message: ``a route``.
        error: is raised for what is no such part.

    Raises:
        UnknownPart: the module has no such attribute.
        ImportError: the module cannot be imported.
        BadPart: the class cannot be made without arguments, or lacks something that the interface declares.
    """
    part = load(target)
    if isinstance(part, type):
        try:
            part = part()
        except TypeError as wrong:
            raise error(f"{target}: {what} is constructed without arguments: {wrong}") from wrong
    members = (*interface.__annotations__, *(name for name in vars(interface) if not name.startswith("_")))
    if missing := [member for member in members if not hasattr(part, member)]:
        where = f"{interface.__module__}.{interface.__qualname__}"
        raise error(f"{target} is not {what} ({where}): it lacks {', '.join(missing)}")
    return part
