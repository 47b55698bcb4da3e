"""The same items come whatever loads them, and the rate counts the middle of an epoch alone."""

import multiprocessing
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from kb.practices.data_loading import (
    BASELINE,
    EDGE,
    LATER_EPOCHS,
    SUBJECTS,
    DataLoading,
    Epoch,
    go_through,
    inspect_epoch,
    rate,
    tree_memory_mib,
)
from kb.practices.interface import ALL_CORES, Arm
from kb.practices.loading_frameworks import Batch, Loader
from kb.practices.loading_items import (
    CHEAP,
    COSTLY,
    REACH,
    SHIFT,
    CheapItems,
    CostlyItems,
    Draw,
    Items,
    augment,
    taps,
)
from kb.workers.process import Limits, Outcome, run
from tests.practices.loading import FEW

PRACTICE = DataLoading()
TARGET = "kb.practices.data_loading:DataLoading"
ROOT = Path(__file__).parents[2]
LIMITS = Limits(timeout_s=600)

cheap = CheapItems(replace(CHEAP, count=40, batch=8))
costly = CostlyItems(replace(COSTLY, count=20, edge=40))


# The items


def test_a_cheap_item_is_its_row_between_0_and_1() -> None:
    image, number = cheap[7]
    assert image.dtype == np.float32
    assert number == 7
    np.testing.assert_allclose(image, cheap.images[7] / 255, atol=1e-7)


@pytest.mark.parametrize("items", [cheap, costly])
def test_items_survive_the_journey_to_a_worker_process(items: Items) -> None:
    again = pickle.loads(pickle.dumps(items))
    assert len(again) == len(items)
    for index in range(len(items)):
        np.testing.assert_array_equal(again[index][0], items[index][0])


@pytest.mark.parametrize("index", [0, 1, 6, 19])
def test_the_augmentation_does_what_scipy_does(index: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    draw, image = Draw.of(index), costly.images[index]
    wide = np.pad(image / 255.0, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="reflect")
    x = wide[draw.down : draw.down + 40, draw.right : draw.right + 40][:, :: -1 if draw.flip else 1]
    x = ndimage.gaussian_filter(x, (draw.width, draw.width, 0), radius=(REACH, REACH, 0), mode="mirror")
    x = np.clip((x - x.mean()) * draw.contrast + x.mean(), 0, 1) ** draw.gamma
    np.testing.assert_allclose(costly[index][0], x, atol=1e-5)


def test_a_grey_image_stays_grey_and_the_blur_adds_nothing() -> None:
    assert taps(1.5).sum() == pytest.approx(1)
    gamma = Draw.of(3).gamma
    np.testing.assert_allclose(augment(np.full((24, 24, 3), 51, np.uint8), 3), 0.2**gamma, rtol=1e-5)


def test_the_augmentation_differs_from_one_number_to_the_next() -> None:
    image = costly.images[0]
    assert np.abs(augment(image, 0) - augment(image, 1)).max() > 0.01


def test_a_worker_process_needs_no_framework_to_unpickle_the_items() -> None:
    code = (
        "import sys, kb.practices.loading_items, kb.practices.data_loading; "
        "print({'torch', 'tensorflow', 'keras'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "set()"


# The clock


def test_the_rate_counts_what_comes_in_the_middle_of_an_epoch() -> None:
    slow_start = [5.0 + 0.5 * k for k in range(EDGE)]
    middle = [slow_start[-1] + 0.25 * (k + 1) for k in range(12)]
    rushed_end = [middle[-1]] * EDGE
    epoch = Epoch([*slow_start, *middle, *rushed_end])
    assert epoch.first_batch_s == 5.0
    assert (epoch.middle_batches, epoch.middle_s) == (12, pytest.approx(3.0))
    assert rate([epoch, epoch], batch=10) == pytest.approx(40)


def test_the_first_batch_pays_for_what_begins_with_the_epoch() -> None:
    class Slow:
        def __iter__(self) -> Iterator[int]:
            time.sleep(0.2)
            return iter(range(5))

    epoch = go_through(Slow())
    assert len(epoch.arrivals_s) == 5
    assert 0.2 <= epoch.first_batch_s <= epoch.arrivals_s[-1]


@pytest.mark.parametrize("sizes", [CHEAP, COSTLY])
def test_most_of_an_epoch_is_timed(sizes: Any) -> None:
    assert sizes.count % sizes.batch == 0
    assert Epoch(range(sizes.count // sizes.batch)).middle_batches * 2 > sizes.count // sizes.batch


# What an epoch brings


def loader_of(batches: list[Batch]) -> Loader:
    return Loader(batches, lambda batch: batch)


def right_batches() -> list[Batch]:
    found = []
    for start in range(0, len(cheap), 8):
        numbers = np.arange(start, start + 8)
        found.append((np.stack([cheap[int(number)][0] for number in numbers]), numbers))
    return found


def test_the_right_items_are_the_same_in_any_order() -> None:
    seen = inspect_epoch(loader_of(right_batches()[::-1]), cheap)
    assert seen.same


def test_an_item_that_is_missing_doubled_or_changed_is_noticed() -> None:
    batches = right_batches()
    assert not inspect_epoch(loader_of(batches[1:]), cheap).same
    assert not inspect_epoch(loader_of([*batches, batches[0]]), cheap).same
    assert not inspect_epoch(loader_of([batches[0], *batches[:-1]]), cheap).same
    batches[2][0][3, 0, 0, 0] += 0.01
    assert not inspect_epoch(loader_of(batches), cheap).same


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells proportional shares")
def test_memory_counts_child_processes() -> None:
    before = tree_memory_mib()
    code = "x = bytearray(64 * 2**20); x[::4096] = b'x' * len(x[::4096]); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        after = tree_memory_mib()
        child.kill()
    assert before is not None
    assert after is not None
    assert 64 <= after - before < 128


# The arms


def test_every_arm_is_compared_with_the_loader_without_workers() -> None:
    arms = PRACTICE.arms()
    assert len({(arm.subject, arm.name) for arm in arms}) == len(arms)
    for arm in arms:
        assert arm.threads == ALL_CORES
        baseline = PRACTICE.baseline(arm)
        assert (baseline is None) == (arm.name == BASELINE)
        assert baseline is None or (baseline in arms and baseline.subject == arm.subject)


def test_a_start_method_that_the_system_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    refused = {arm.name for arm in PRACTICE.arms() if PRACTICE.refuse(arm)}
    assert refused == {arm.name for arm in PRACTICE.arms() if "fork" in arm.name}
    assert PRACTICE.refuse(Arm("cheap items", "DataLoader, 2 workers, fork")) == (
        "Python has no start method 'fork' on this system"
    )


def answer_of(outcome: Outcome) -> Any:
    assert outcome.failure is None, outcome.failure
    return outcome.result


def all_ways(framework: str, starts: list[str | None], *subjects: str) -> dict[str, list[Any]]:
    payload = {"framework": framework, "starts": starts, "subjects": subjects or list(SUBJECTS)}
    found: dict[str, list[Any]] = answer_of(run("tests.practices.loading:all_ways", payload, LIMITS, folder=ROOT))
    return found


def check_ways(found: dict[str, list[Any]]) -> None:
    for name, (same, batches, memory_mib) in found.items():
        assert same, name
        assert batches == -(-FEW // (CHEAP if name.startswith("cheap") else COSTLY).batch), name
        assert memory_mib is None or memory_mib > 50, name


@pytest.mark.slow
def test_torch_brings_the_same_items_with_any_number_of_forked_workers() -> None:
    pytest.importorskip("torch")
    found = all_ways("torch", [None, *({"fork"} & set(multiprocessing.get_all_start_methods()))])
    assert len(found) == (10 if "fork" in multiprocessing.get_all_start_methods() else 2)
    check_ways(found)


@pytest.mark.slow
def test_torch_brings_the_same_items_from_workers_that_begin_afresh() -> None:
    pytest.importorskip("torch")
    afresh: list[str | None] = [*({"spawn", "forkserver"} & set(multiprocessing.get_all_start_methods()))]
    check_ways(found := all_ways("torch", afresh, "cheap items"))  # one kind: each start imports torch
    assert found


@pytest.mark.slow
def test_tensorflow_brings_the_same_items_and_its_own_operators_do_too() -> None:
    pytest.importorskip("tensorflow")
    check_ways(found := all_ways("tf", []))
    assert len(found) == 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framework", "name"),
    [
        ("torch", "DataLoader, 2 workers, spawn, persistent"),
        ("tensorflow", "tf.data, TensorFlow operators, parallel map, prefetch"),
    ],
)
def test_an_arm_gives_every_figure(framework: str, name: str) -> None:
    pytest.importorskip(framework)
    arm = Arm("cheap items", name, threads=2)
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    outcome = run("kb.practices.worker:execute", {"practice": TARGET, "arm": arm.as_dict()}, LIMITS, folder=ROOT)
    readings = {reading["measure"]: reading for reading in answer_of(outcome)["readings"]}
    assert list(readings) == [measure.key for measure in PRACTICE.measures]
    values = {key: reading["value"] for key, reading in readings.items()}
    assert values["same_items"] == 1
    assert values["epochs"] >= 1 + LATER_EPOCHS
    assert values["samples_per_s"] > CHEAP.batch
    assert values["first_batch_s"] > 0
    assert values["later_first_batch_s"] < values["first_batch_s"]  # nothing begins afresh in later epochs
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before
