"""Finding routes: the installed ones and those of other packages, by their names."""

from kb.convert.interface import Route
from kb.discovery import BadPart, load_part, targets

#: Entry-point group of routes.
GROUP = "kb.converters"


class BadRoute(BadPart):
    """What the target names is not a route. The message says what it lacks."""


def installed() -> dict[str, str]:
    """Names of the installed routes, with their ``module:Class``. Imports none of them."""
    return targets(GROUP)


def load_route(target: str) -> Route:
    """The route of a ``module:Class``. Imports its module, but no framework.

    Raises:
        UnknownPart: the module has no such class.
        ImportError: the module cannot be imported.
        BadRoute: the class cannot be constructed without arguments, or lacks members of `Route`.
    """
    route: Route = load_part(target, Route, "a route", BadRoute)
    return route
