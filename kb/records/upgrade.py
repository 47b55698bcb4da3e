"""From older schema versions to the current one, in memory and one small step at a time; files are never rewritten."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kb.records.schema import SCHEMA_VERSION, Table

if TYPE_CHECKING:
    import pandas

InfoStep = Callable[[dict[str, Any]], dict[str, Any]]
FrameStep = Callable[["pandas.DataFrame"], "pandas.DataFrame"]


@dataclass(frozen=True)
class Upgrade:
    """The step from one schema version to the next, with what is needed to read the older one strictly."""

    tables: tuple[Table, ...]  #: the tables as they were in the older version
    info: InfoStep = lambda values: values  #: run.json's values, older in, newer out
    frames: Mapping[str, FrameStep] = field(default_factory=dict)  #: table -> step; a table without one did not change


#: Version -> the step from it to the next. There is only version 1 so far, so there is no step yet.
UPGRADES: Mapping[int, Upgrade] = {}


def known_versions(upgrades: Mapping[int, Upgrade]) -> tuple[int, ...]:
    """Versions that can be read, oldest first: the current one, and those from which an unbroken chain leads to it."""
    oldest = SCHEMA_VERSION
    while oldest - 1 in upgrades:
        oldest -= 1
    return tuple(range(oldest, SCHEMA_VERSION + 1))


def tables_of(version: int, current: tuple[Table, ...], upgrades: Mapping[int, Upgrade]) -> tuple[Table, ...]:
    """The tables as a run folder of this version holds them."""
    return current if version == SCHEMA_VERSION else upgrades[version].tables


def upgraded_info(version: int, values: dict[str, Any], upgrades: Mapping[int, Upgrade]) -> dict[str, Any]:
    """The values of a run.json of this version, brought to the current one."""
    for step in range(version, SCHEMA_VERSION):
        values = upgrades[step].info(values)
    return {**values, "schema_version": SCHEMA_VERSION}


def upgraded_frame(
    version: int, table: str, frame: "pandas.DataFrame", upgrades: Mapping[int, Upgrade]
) -> "pandas.DataFrame":
    """The rows of a table of this version, brought to the current one."""
    for step in range(version, SCHEMA_VERSION):
        if change := upgrades[step].frames.get(table):
            frame = change(frame)
    return frame
