"""Finding runtimes: those that are installed, by name, and a user's own, as ``module:Class``."""

from kb.complaints import nearest
from kb.discovery import BadPart, UnknownPart, load_part, targets
from kb.runtimes.interface import Runtime

GROUP = "kb.runtimes"


class BadRuntime(BadPart):
    """What the target names is not a runtime. The message says what it lacks."""


def installed() -> dict[str, str]:
    """Names of the installed runtimes, with their ``module:Class``. Imports none of them."""
    return targets(GROUP)


def target_of(name: str) -> str:
    """The ``module:Class`` of an installed runtime; a text of that form is its own target.

    Raises:
        UnknownPart: no installed runtime has this name.
    """
    if ":" in name:
        return name
    known = installed()
    if name not in known:
        raise UnknownPart(f"no runtime is called {name!r}; {nearest(name, known)}")
    return known[name]


def load_runtime(target: str) -> Runtime:
    """The runtime that an installed name or a ``module:Class`` stands for. Imports its module, but no framework.

    Raises:
        UnknownPart: there is no such name, or the module has no such class.
        ImportError: the module cannot be imported.
        BadRuntime: the class cannot be constructed without arguments, or lacks members of `Runtime`.
    """
    runtime: Runtime = load_part(target_of(target), Runtime, "a runtime", BadRuntime)
    return runtime
