"""Disk space that a runtime takes: its framework's distribution, with all that it requires."""

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kb.runtimes.interface import Runtime


def disk_mib(runtime: Runtime) -> float | None:
    """MiB on disk of the first of the runtime's packages that is installed, with all that it requires.

    Files as the distributions list them; what Python compiled beside them is not counted. None: none is installed.
    """
    first = next((found for name in runtime.packages if (found := _installed(name)) is not None), None)
    if first is None:
        return None
    return sum(_size_bytes(part) for part in _with_requirements(first)) / 2**20


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _with_requirements(first: Distribution) -> list[Distribution]:
    """The distribution and, once each, all that it requires here; extras that nobody asked for are left out."""
    found: dict[str, Distribution] = {}
    waiting = [first]
    while waiting:
        part = waiting.pop()
        name = canonicalize_name(part.metadata["Name"])
        if name in found:
            continue
        found[name] = part
        needed = (Requirement(text) for text in part.requires or ())
        wanted = (need for need in needed if need.marker is None or need.marker.evaluate({"extra": ""}))
        waiting += [other for need in wanted if (other := _installed(need.name)) is not None]
    return list(found.values())


def _size_bytes(part: Distribution) -> int:
    paths = {Path(str(file.locate())) for file in part.files or () if file.suffix != ".pyc"}
    return sum(path.stat().st_size for path in paths if path.is_file())
