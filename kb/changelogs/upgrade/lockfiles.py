"""One pin for each distribution of a lock file: of several the highest, and what is not pinned is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kb.changelogs.upgrade.errors import UpgradeError
from kb.complaints import show
from kb.packages.families import normalised
from kb.packages.lockfiles import Row, read_packages
from kb.packages.pins import Pin


class LockError(UpgradeError):
    """A lock file that pins nothing."""


@dataclass(frozen=True)
class Lock:
    """The distributions that a lock file pins in this environment."""

    pins: Mapping[str, Pin]  #: by canonical name
    remarks: tuple[str, ...] = ()  #: what was left out, and why


def read_lock(path: Path) -> Lock:
    """Read a lock file. The project itself and folders beside it are no releases, and are left out.

    Raises:
        kb.packages.errors.PackageFileError: it is not as it should be.
        LockError: it pins nothing.
    """
    read = read_packages(path)
    remarks = list(read.remarks)
    by_name: dict[str, list[Row]] = {}
    for row in read.rows:
        if row.version is not None:
            by_name.setdefault(normalised(row.name), []).append(row)
        elif not row.local:
            where = f"{row.place.file}:{row.place.line}"
            remarks.append(f"{where}: {show(f'{row.name}{row.asked}')} is not pinned to a version and is left out")
    pins = {
        name: _chosen(path, name, rows, remarks) for name, rows in by_name.items() if not all(row.local for row in rows)
    }
    if not pins:
        raise LockError(f"{path}: pins no distribution; give a lock file, such as the output of `pip freeze`")
    return Lock(pins, tuple(remarks))


def _chosen(path: Path, name: str, rows: list[Row], remarks: list[str]) -> Pin:
    """One pin: of several, those that apply here; of those, the highest."""
    pins = [Pin(row.name, row.version, row.place) for row in rows if row.version and not row.local and row.applies]
    pins = pins or [Pin(row.name, row.version, row.place) for row in rows if row.version and not row.local]
    pin = max(pins, key=lambda pin: pin.version)
    versions = sorted({pin.version for pin in pins})
    if len(versions) > 1:
        remarks.append(f"{path}: {name} is pinned to {', '.join(map(str, versions))}; {pin.version} is taken")
    return pin
