"""One model is bound whenever memory is read, what should be freed is freed, and every loop gives its figures."""

import gc
import mmap
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.models.cnn_s import CnnS
from kb.models.interface import Array
from kb.practices.interface import Arm, Reading
from kb.practices.memory_housekeeping import (
    BASELINE,
    INFERENCE,
    KERAS_MODELS,
    MODEL_BATCH,
    MODELS,
    SEED,
    TORCH_MODELS,
    WAYS,
    MemoryHousekeeping,
    Shop,
    build_and_ask,
    keras_housekeeping,
    resident_mib,
    torch_housekeeping,
)
from kb.workers.process import Limits, Outcome, run

PRACTICE = MemoryHousekeeping()
TARGET = "kb.practices.memory_housekeeping:MemoryHousekeeping"
ROOT = Path(__file__).parents[2]


class Thing:
    """A model whose memory only the garbage collector frees, as that of Keras models."""

    def __init__(self) -> None:
        self.itself = self


def answers() -> Array:
    outputs, _ = CnnS().reference(CnnS().inputs(MODEL_BATCH, SEED))
    return outputs[0]


def values_of(readings: list[Reading]) -> dict[str, float | None]:
    return {reading.measure: reading.value for reading in readings}


def test_every_arm_is_compared_with_the_loop_without_calls() -> None:
    arms = PRACTICE.arms()
    assert len(set(arms)) == len(arms)
    for arm in arms:
        baseline = PRACTICE.baseline(arm)
        assert (baseline is None) == (arm.name == BASELINE)
        assert baseline is None or (baseline in arms and baseline.device == arm.device)


def test_resident_memory_is_told_in_mib() -> None:
    gc.collect()
    before = resident_mib()
    with mmap.mmap(-1, 64 * 2**20) as pages:  # from the system: an allocator may have freed memory at hand
        pages[:: mmap.PAGESIZE] = b"1" * (len(pages) // mmap.PAGESIZE)
        assert 60 <= resident_mib() - before < 80


def test_each_model_finds_the_one_before_it_unless_that_was_dropped() -> None:
    pytest.importorskip("torch")
    truth, met, built = answers(), [], []

    def build() -> Thing:
        built.append(Thing())
        return built[-1]

    def housekeeping(held: list[Any]) -> None:
        met.append(list(held))

    values = values_of(build_and_ask(Shop(build, lambda thing: truth, list), housekeeping))
    assert len(built) == MODELS
    assert met == [[], *([thing] for thing in built[:-1])]
    assert values["right_output"] == 1
    assert values["rss_end_mib"] == pytest.approx(resident_mib(), rel=0.2)


def test_a_model_that_answers_wrongly_once_is_noticed() -> None:
    pytest.importorskip("torch")
    truth, asked = answers(), []

    def ask(thing: Thing) -> Array:
        asked.append(thing)
        return truth + (0.1 * np.abs(truth).max() if len(asked) == 3 else 0)

    assert values_of(build_and_ask(Shop(Thing, ask, list), lambda held: None))["right_output"] == 0


def test_growth_is_that_of_the_models_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    truth, built = answers(), []

    def build() -> Thing:
        built.append(Thing())
        return built[-1]

    # Each model costs one MiB more than the one before it.
    monkeypatch.setattr("kb.practices.memory_housekeeping.resident_mib", lambda: 100 + sum(range(len(built) + 1)))
    values = values_of(build_and_ask(Shop(build, lambda thing: truth, list), lambda held: None))
    told = {n: values[f"rss_after_{n}_mib"] for n in (1, 5, 10)}
    assert told == {1: 101, 5: 115, 10: 155}
    assert values["rss_end_mib"] == 220
    assert values["rss_growth_mib"] == 119


def held_thing() -> "tuple[list[Any], weakref.ref[Thing]]":
    held = [Thing()]
    return held, weakref.ref(held[0])


@pytest.mark.parametrize(("name", "freed"), [(name, name.startswith("del")) for name in WAYS[TORCH_MODELS]])
def test_deleting_and_collecting_frees_a_torch_model(name: str, freed: bool) -> None:
    pytest.importorskip("torch")
    held, thing = held_thing()
    torch_housekeeping(name)(held)
    assert (thing() is None) == freed


@pytest.mark.slow
@pytest.mark.parametrize(("name", "freed"), [(name, name.startswith("del")) for name in WAYS[KERAS_MODELS]])
def test_clear_session_leaves_a_model_that_has_a_name(name: str, freed: bool) -> None:
    pytest.importorskip("keras")
    held, thing = held_thing()
    keras_housekeeping(name)(held)
    assert (thing() is None) == freed


@pytest.mark.slow
def test_clear_session_lets_names_begin_again() -> None:
    keras = pytest.importorskip("keras")
    keras_housekeeping("clear_session()")([])
    first = keras.layers.Dense(1).name
    assert keras.layers.Dense(1).name != first
    keras_housekeeping("clear_session()")([])
    assert keras.layers.Dense(1).name == first


def outcome_of(subject: str, name: str, device: str = "cpu") -> Outcome:
    payload = {"practice": TARGET, "arm": Arm(subject, name, device).as_dict()}
    return run(
        "kb.practices.worker:execute", payload, Limits(timeout_s=600),
        environment={"KERAS_BACKEND": "tensorflow"}, folder=ROOT,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framework", "subject", "name"),
    [
        ("torch", INFERENCE, "torch.cuda.empty_cache()"),
        ("torch", TORCH_MODELS, "del, gc.collect() and torch.cuda.empty_cache()"),
        ("keras", KERAS_MODELS, "clear_session()"),
    ],
)
def test_an_arm_on_the_cpu_gives_every_figure_of_the_host(framework: str, subject: str, name: str) -> None:
    pytest.importorskip(framework)
    outcome = outcome_of(subject, name)
    assert outcome.failure is None, outcome.failure
    values = {reading["measure"]: reading["value"] for reading in outcome.result["readings"]}
    told = {"rss_after_1_mib", "rss_after_5_mib", "rss_after_10_mib"} if subject != INFERENCE else set()
    assert set(values) == {"rss_end_mib", "rss_growth_mib", "iteration_ms", "right_output", *told}
    assert values["right_output"] == 1
    assert values["iteration_ms"] > 0
    assert values["rss_end_mib"] > 100  # a framework is in it
    if told:
        assert values["rss_growth_mib"] == pytest.approx(values["rss_end_mib"] - values["rss_after_1_mib"])


@pytest.mark.slow
@pytest.mark.parametrize(("framework", "subject"), [("torch", TORCH_MODELS), ("keras", KERAS_MODELS)])
def test_a_gpu_that_is_not_there_makes_the_arm_unsupported(framework: str, subject: str) -> None:
    pytest.importorskip(framework)
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is one")
    outcome = outcome_of(subject, BASELINE, "cuda")
    assert outcome.failure is not None
    assert outcome.failure.status == "unsupported"
    assert "sees no cuda on this machine" in outcome.failure.reason
