"""From a profile's grids of conversions and a selection to the conversions of a run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb.config import ConversionGrid, Settings
from kb.convert.base import OLDEST_OPSET
from kb.convert.conversion import NO_OPSET, Conversion
from kb.convert.errors import NotInstalled
from kb.measure.plan import named
from kb.measure.selection import Selection, SelectionError
from kb.workers.process import Limits, run

#: How a selection names conversions.
CONVERSIONS: Selection[Conversion] = Selection(
    "conversions", ("model", "route", "precision", "opset"), ("model", "route", "precision", "id")
)
#: The route whose files have no opset; in a grid it stands beside the others once.
WITHOUT_OPSET = frozenset({"litert"})


@dataclass(frozen=True)
class Planned:
    """The conversions to check, in a fixed order, those of the full profile that are not, and what fits together."""

    conversions: tuple[Conversion, ...]
    left_out: tuple[tuple[Conversion, str], ...]
    compatibility: Mapping[str, int]


def conversions_of(settings: Settings, profile_name: str, select: Sequence[str]) -> Planned:
    """The conversions of a profile, narrowed by a selection.

    Raises:
        ConfigError: there is no such profile.
        SelectionError: a word selects nothing, or the profile has no conversions.
        NotInstalled: onnx or ONNX Runtime is missing or broken.
    """
    profile = settings.profile(profile_name)
    if not profile.conversions:
        raise SelectionError(f"profile {profile_name!r} has no conversions: give it some, or name another one")
    known = ask_compatibility(settings)
    models, routes, newest = settings.convertible_names(), settings.route_targets(), known["runtime_opset"]
    grid = grid_of(profile.conversions, models, routes, newest)
    chosen = CONVERSIONS.narrow(grid, select)
    everything = grid_of(settings.profile("full").conversions, models, routes, newest)
    in_grid, wanted = set(grid), set(chosen)
    left_out = [
        (each, "not selected" if each in in_grid else f"not in profile {profile_name}")
        for each in everything
        if each not in wanted
    ]
    return Planned(tuple(chosen), tuple(left_out), known)


def ask_compatibility(settings: Settings) -> dict[str, int]:
    """What `kb.convert.opsets.compatibility` says, asked in a process of its own.

    Raises:
        NotInstalled: onnx or ONNX Runtime is missing or broken.
    """
    outcome = run("kb.convert.opsets:compatibility", {}, Limits(settings.timeout_s))
    if outcome.failure:
        raise NotInstalled(f"conversions need onnx and ONNX Runtime: {outcome.failure.reason}")
    found: dict[str, int] = outcome.result
    return found


def grid_of(
    grids: Iterable[ConversionGrid], models: Collection[str], routes: Collection[str], newest_opset: int
) -> list[Conversion]:
    """Every conversion once: models in the order of their names, then routes, opsets and precisions.

    Args:
        newest_opset: that this machine's ONNX Runtime reads; opset 0 in a grid stands for all from `OLDEST_OPSET` on.
    """
    found: set[Conversion] = set()
    for grid in grids:
        opsets = {
            opset for asked in grid.opsets for opset in ([asked] if asked else range(OLDEST_OPSET, newest_opset + 1))
        }
        for route in named(grid.routes, routes):
            for model in named(grid.models, models):
                for precision in grid.precisions:
                    for opset in [NO_OPSET] if route in WITHOUT_OPSET else opsets:
                        found.add(Conversion(model, route, precision, opset))
    return sorted(
        found, key=lambda each: (each.model, each.route, each.opset, each.precision != "fp32", each.precision)
    )
