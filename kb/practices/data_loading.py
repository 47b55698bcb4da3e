"""data-loading: torch's DataLoader with worker processes against tf.data with threads, over the same items."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kb.practices.interface import ALL_CORES, Arm, Measure, Reading
from kb.practices.loading_frameworks import Loader, TfWay, TorchWay, Way
from kb.practices.loading_items import CheapItems, CostlyItems, Items
from kb.records.statuses import Status
from kb.workers.stages import enter

SUBJECTS: dict[str, Callable[[], Items]] = {"cheap items": CheapItems, "costly items": CostlyItems}

WAYS: dict[str, Way] = {
    "DataLoader, 0 workers": TorchWay(),
    "DataLoader, 1 worker, fork": TorchWay(1, "fork"),
    "DataLoader, 2 workers, fork": TorchWay(2, "fork"),
    "DataLoader, 4 workers, fork": TorchWay(4, "fork"),
    "DataLoader, 2 workers, spawn": TorchWay(2, "spawn"),
    "DataLoader, 2 workers, forkserver": TorchWay(2, "forkserver"),
    "DataLoader, 2 workers, fork, persistent": TorchWay(2, "fork", persistent=True),
    "DataLoader, 2 workers, spawn, persistent": TorchWay(2, "spawn", persistent=True),
    "tf.data, NumPy function, map": TfWay(),
    "tf.data, NumPy function, parallel map": TfWay(parallel=True),
    "tf.data, NumPy function, parallel map, prefetch": TfWay(parallel=True, prefetch=True),
    "tf.data, TensorFlow operators, map": TfWay(native=True),
    "tf.data, TensorFlow operators, parallel map, prefetch": TfWay(native=True, parallel=True, prefetch=True),
}
#: One process that makes every item when it is asked for: what all the others want to beat.
BASELINE = "DataLoader, 0 workers"

#: Batches at each end of an epoch that the rate leaves out: four workers with two batches each under way. Between
#: them as much is under way at the beginning as at the end, so that nothing made before is counted.
EDGE = 8
#: Epochs after the first are gone through until their timed parts last this long together.
MEASURE_S = 2.0
#: And there are at least this many: the first batch of a later epoch is the median over them.
LATER_EPOCHS = 2
#: Items may differ this much from NumPy's: TensorFlow's operators sum in another order. Values are at most 1.
TOLERANCE = 1e-5


class DataLoading:
    """How fast items arrive in batches when nothing is done with them."""

    name = "data-loading"
    title = "Data loading"
    advice = "Load data in several processes or threads with prefetching, so that training never waits for it."
    replicates = 4
    measures = (
        Measure("samples_per_s", "Samples", "per s", "higher"),
        Measure("first_batch_s", "First batch", "s", "lower"),
        Measure("later_first_batch_s", "First batch of later epochs", "s", "lower"),
        Measure("same_items", "Same items", yes_no=True),
        Measure("memory_mib", "Memory of all processes", "MiB", "lower"),
        Measure("epochs", "Epochs timed"),
    )

    def arms(self) -> Sequence[Arm]:
        """Every way for both kinds of items, on all cores."""
        return [Arm(subject, name, threads=ALL_CORES) for subject in SUBJECTS for name in WAYS]

    def baseline(self, arm: Arm) -> Arm | None:
        """The DataLoader without workers, for tf.data too: the items are the same."""
        return None if arm.name == BASELINE else Arm(arm.subject, BASELINE, arm.device, arm.threads)

    def refuse(self, arm: Arm) -> str | None:
        """A way to begin processes that this system does not have."""
        way = WAYS[arm.name]
        start = way.start if isinstance(way, TorchWay) else None
        if start is None or start in multiprocessing.get_all_start_methods():
            return None
        return f"Python has no start method {start!r} on this system"

    def run(self, arm: Arm, folder: Path) -> Sequence[Reading]:
        """Time a first epoch and later ones; then look at what an epoch brings, and at the memory it takes."""
        enter("build")
        items = SUBJECTS[arm.subject]()
        loader = WAYS[arm.name].open(items, arm.threads)
        enter("measure")
        first = go_through(loader.batches)
        later = later_epochs(loader.batches)
        enter("check")
        seen = inspect_epoch(loader, items)
        return [
            Reading("samples_per_s", rate(later, items.sizes.batch)),
            Reading("first_batch_s", first.first_batch_s),
            Reading("later_first_batch_s", statistics.median(epoch.first_batch_s for epoch in later)),
            Reading("same_items", float(seen.same)),
            _memory(seen.memory_mib),
            Reading("epochs", 1 + len(later)),
        ]


@dataclass(frozen=True)
class Epoch:
    """When the batches of one epoch arrived, seconds after it was begun."""

    arrivals_s: Sequence[float]

    @property
    def first_batch_s(self) -> float:
        """With the start of the workers in it, where the epoch starts them."""
        return self.arrivals_s[0]

    @property
    def middle_batches(self) -> int:
        """Batches that came in the timed part."""
        return len(self.arrivals_s) - 2 * EDGE

    @property
    def middle_s(self) -> float:
        """How long the timed part was: it begins with the arrival of the last batch before it."""
        return self.arrivals_s[-1 - EDGE] - self.arrivals_s[EDGE - 1]


def go_through(batches: Iterable[Any]) -> Epoch:
    """One epoch; nothing is done with its batches."""
    start = time.perf_counter()
    return Epoch([time.perf_counter() - start for _ in batches])


def later_epochs(batches: Iterable[Any]) -> list[Epoch]:
    """Epochs whose timed parts last `MEASURE_S` together."""
    epochs: list[Epoch] = []
    while len(epochs) < LATER_EPOCHS or sum(epoch.middle_s for epoch in epochs) < MEASURE_S:
        epochs.append(go_through(batches))
    return epochs


def rate(epochs: Sequence[Epoch], batch: int) -> float:
    """Samples per second in the timed parts of all epochs."""
    samples = batch * sum(epoch.middle_batches for epoch in epochs)
    return samples / sum(epoch.middle_s for epoch in epochs)


@dataclass(frozen=True)
class Seen:
    """What one epoch, of which nothing was timed, brought and took."""

    same: bool
    memory_mib: float | None  #: in the middle of it


def inspect_epoch(loader: Loader, items: Items) -> Seen:
    """Compare every item with the one made here, and see that each came once."""
    numbers: list[int] = []
    right, memory_mib = True, None
    for count, batch in enumerate(loader.batches):
        images, indices = loader.arrays(batch)
        expected = np.stack([items[int(index)][0] for index in indices])
        right = right and images.shape == expected.shape and bool(np.allclose(images, expected, 0, TOLERANCE))
        numbers += [int(index) for index in indices]
        if count == len(items) // items.sizes.batch // 2:
            memory_mib = tree_memory_mib()
    return Seen(right and sorted(numbers) == list(range(len(items))), memory_mib)


def tree_memory_mib() -> float | None:
    """Memory of this process and of all that descend from it; a page that n of them share counts 1/n for each (PSS).

    None where the system does not tell; resident memory would count shared pages once per process.
    """
    import psutil

    this = psutil.Process()
    total = 0.0
    for process in (this, *this.children(recursive=True)):
        try:
            share = getattr(process.memory_full_info(), "pss", None)
        except psutil.NoSuchProcess:  # ended meanwhile
            continue
        if share is None:
            return None
        total += share
    return total / 2**20


def _memory(memory_mib: float | None) -> Reading:
    if memory_mib is None:
        reason = "this system does not say how much memory its processes share"
        return Reading("memory_mib", status=Status.UNSUPPORTED, reason=reason)
    return Reading("memory_mib", memory_mib)
