"""What a new note says of where it was seen: versions of the packages that matter, and the machine without its name."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.packages.families import FAMILIES, family_of, normalised

#: What a note names beside the frameworks even where the traceback does not go through it: they share it.
ALWAYS = ("onnx-ir", "tf2onnx", "numpy", "protobuf", "ml-dtypes")


@dataclass(frozen=True)
class Place:
    """Where an error was seen."""

    versions: Mapping[str, str]  #: distribution -> version; those that the traceback goes through come first
    machine: str
    system: str
    suspects: tuple[str, ...] = ()  #: the installed ones among those that the traceback goes through or names


def seen_here(modules: Sequence[str]) -> Place:
    """This environment and this machine.

    Args:
        modules: top-level packages that a traceback goes through, the most telling first.
    """
    from kb.machine.fingerprint import fingerprint

    machine = fingerprint()
    accelerators = "".join(f", {accelerator.name}" for accelerator in machine.accelerators)
    python = ".".join(map(str, sys.version_info[:3]))
    named = distributions_of(modules)
    versions = relevant(installed(), named)
    return Place(
        versions=versions,
        machine=f"{machine.cpu_model}, {machine.architecture}{accelerators}",
        system=f"{machine.os}, Python {python}",
        suspects=tuple(name for name in named if name in versions),
    )


def installed() -> dict[str, str]:
    """Every installed distribution and its version. Nothing of it is imported."""
    from importlib.metadata import distributions

    found = ((each.metadata["Name"], each.version) for each in distributions())
    return {normalised(name): version for name, version in found if name}


def distributions_of(modules: Sequence[str]) -> list[str]:
    """The distributions that modules come from, in the order of the modules; a module of unknown origin is left out."""
    from importlib.metadata import packages_distributions

    origins = packages_distributions()
    return list(dict.fromkeys(normalised(name) for module in modules for name in origins.get(module, ())))


def relevant(versions: Mapping[str, str], first: Sequence[str]) -> dict[str, str]:
    """The versions that a note names: of `first`, then of the frameworks and what they share."""
    always = [name for name in versions if name in ALWAYS or family_of(name) in FAMILIES]
    names = [name for name in (*first, *sorted(always)) if name in versions]
    return {name: versions[name] for name in dict.fromkeys(names)}
