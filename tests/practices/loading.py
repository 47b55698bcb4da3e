"""What the tests of data loading do in a process of its own: go through every way of one framework with few items."""

from dataclasses import replace
from typing import Any

from kb.practices.data_loading import WAYS, go_through, inspect_epoch
from kb.practices.loading_frameworks import TorchWay
from kb.practices.loading_items import CHEAP, COSTLY, CheapItems, CostlyItems

#: Not a multiple of the batch: the last one is smaller.
FEW = 50


def all_ways(framework: str, starts: list[str | None], subjects: list[str]) -> dict[str, Any]:
    """Per subject and way: whether the items were right, the number of batches, and the memory."""
    found: dict[str, Any] = {}
    few = {
        "cheap items": CheapItems(replace(CHEAP, count=FEW)),
        "costly items": CostlyItems(replace(COSTLY, count=FEW, edge=40)),
    }
    for subject in subjects:
        items = few[subject]
        for name, way in WAYS.items():
            is_torch = isinstance(way, TorchWay)
            if is_torch != (framework == "torch") or (is_torch and way.start not in starts):
                continue
            loader = way.open(items, threads=1)
            epoch = go_through(loader.batches)
            seen = inspect_epoch(loader, items)
            found[f"{subject}: {name}"] = [seen.same, len(epoch.arrivals_s), seen.memory_mib]
    return found
