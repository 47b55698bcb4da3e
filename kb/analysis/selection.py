"""Which run speaks for a cell of the grid: the newest VALID one of its machine, beside it a newer one that is not.

A quick run after a full one measures fewer cells; the cells it leaves out keep the figures of the full run.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kb.records.run import RunInfo, Validity

if TYPE_CHECKING:
    import pandas as pd

#: The columns that make a case (`kb.records.case.Case`), in its order.
CASE_COLUMNS = ("model", "runtime", "device", "precision", "batch", "threads", "environment")


def speaking(benchmarks: "pd.DataFrame", runs: Mapping[str, RunInfo]) -> dict[str, set[tuple[object, ...]]]:
    """Run -> the cases (as tuples in the order of `CASE_COLUMNS`) that it speaks for.

    Per machine and case that is the newest VALID run that has a row of it, and the newest run that is not VALID if it
    is newer than that one (or if no VALID one exists): such a run is shown hollow.
    """
    import pandas as pd

    if benchmarks.empty:
        return {}
    keys = benchmarks[["run", *CASE_COLUMNS]].drop_duplicates()
    facts = pd.DataFrame(
        {
            "run": list(runs),
            "machine": [info.machine.id for info in runs.values()],
            "started": [info.started for info in runs.values()],
            "valid": [info.validity is Validity.VALID for info in runs.values()],
        }
    )
    keys = keys.astype({"run": object}).merge(facts, on="run").sort_values(["started", "run"])
    newest_each = keys.groupby(["machine", *CASE_COLUMNS, "valid"], observed=True, sort=False).tail(1)
    newest_valid = newest_each[newest_each["valid"]]
    of_valid = newest_valid[["machine", *CASE_COLUMNS, "started"]].rename(columns={"started": "valid_started"})
    others = newest_each[~newest_each["valid"]].merge(of_valid, on=["machine", *CASE_COLUMNS], how="left")
    newer = others[others["valid_started"].isna() | (others["started"] > others["valid_started"])]
    chosen: dict[str, set[tuple[object, ...]]] = {}
    for frame in (newest_valid, newer):
        for run, *case in frame[["run", *CASE_COLUMNS]].itertuples(index=False, name=None):
            chosen.setdefault(str(run), set()).add(tuple(case))
    return chosen
