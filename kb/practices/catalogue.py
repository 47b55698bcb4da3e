"""Finding practices: those that are installed, by name. Nothing is imported to list them."""

from kb.discovery import BadPart, load_part, targets
from kb.practices.interface import Practice

#: Entry-point group of practices.
GROUP = "kb.practices"


class BadPractice(BadPart):
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
    practice: Practice = load_part(target, Practice, "a practice", BadPractice)
    return practice


def practices() -> dict[str, Practice]:
    """Every installed practice by name."""
    return {name: load_practice(target) for name, target in installed().items()}
