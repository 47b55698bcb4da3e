"""Finding routes: the installed ones and those of other packages, by their names."""

from kb.convert.interface import Route
from kb.discovery import load, targets

#: Entry-point group of routes.
GROUP = "kb.converters"

#: What a class must have to be a route.
MEMBERS = (*Route.__annotations__, *(name for name in vars(Route) if not name.startswith("_")))


class BadRoute(TypeError):
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
    part = load(target)
    if isinstance(part, type):
        try:
            part = part()
        except TypeError as error:
            raise BadRoute(f"{target}: a route is constructed without arguments: {error}") from error
    missing = [member for member in MEMBERS if not hasattr(part, member)]
    if missing:
        raise BadRoute(f"{target} is not a route (kb.convert.interface.Route): it lacks {', '.join(missing)}")
    route: Route = part
    return route
