"""From older schema versions to the current one, in memory and one small step at a time; files are never rewritten."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kb.records.schema import BENCHMARKS, CONVERSIONS, PRACTICES, SCHEMA_VERSION, Rule, Table

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


def _without(table: Table, names: frozenset[str]) -> Table:
    """A table as it was before some columns came."""

    def older(rule: Rule) -> Rule:
        return replace(rule, columns=tuple(name for name in rule.columns if name not in names))

    columns = tuple(column for column in table.columns if column.name not in names)
    return replace(table, columns=columns, rules=tuple(older(rule) for rule in table.rules))


#: Columns that version 2 brought; in rows of version 1 they are empty. It also brought the table of the
#: practices, and keys of run.json that may be left out.
_NEW_IN_2 = frozenset({"device_p50_ms", "page_faults_per_call", "process_s"})


def _add_empty_columns(frame: "pandas.DataFrame") -> "pandas.DataFrame":
    return frame.assign(**dict.fromkeys(sorted(_NEW_IN_2), float("nan")))


#: Version -> the step from it to the next.
UPGRADES: Mapping[int, Upgrade] = {
    1: Upgrade(tables=(_without(BENCHMARKS, _NEW_IN_2),), frames={"benchmarks": _add_empty_columns}),
    2: Upgrade(tables=(BENCHMARKS, PRACTICES)),  # version 3 brought the table of the conversions
    3: Upgrade(tables=(BENCHMARKS, PRACTICES, CONVERSIONS)),  # version 4 brought the table of the reproducers
}


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
