"""Finding practices: those that are installed, by name. Nothing is imported to list them."""

from kb.discovery import UnknownPart, load, targets
from kb.practices.interface import Practice

#: Entry-point group of practices.
GROUP = "kb.practices"

#: What a class must have to be a practice.
MEMBERS = (*Practice.__annotations__, *(name for name in vars(Practice) if not name.startswith("_")))


class BadPractice(TypeError):
    """What the target names is not a practice. The message says what it lacks."""


def installed() -> dict[str, str]:
    """Names of the installed practices, with their ``module:Class``."""
    return targets(GROUP)


def load_practice(target: str) -> Practice:
    """The practice of a ``module:Class``. Imports its module, but no framework.

    Raises:
        UnknownPart: the module has no such class.
        ImportError: the module cannot be imported.
        BadPractice: the class cannot be constructed without arguments, or lacks members of `Practice`.
    """
    factory = load(target)
    try:
        part = factory()
    except TypeError as error:
        raise BadPractice(f"{target}: a practice is constructed without arguments: {error}") from error
    missing = [member for member in MEMBERS if not hasattr(part, member)]
    if missing:
        raise BadPractice(f"{target} is not a practice (kb.practices.interface): it lacks {', '.join(missing)}")
    practice: Practice = part
    return practice


def practices() -> dict[str, Practice]:
    """Every installed practice by name."""
    return {name: load_practice(target) for name, target in installed().items()}


__all__ = ["GROUP", "BadPractice", "UnknownPart", "installed", "load_practice", "practices"]
