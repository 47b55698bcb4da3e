"""training-step: every way of a framework computes what its eager steps compute, and one that does not has no time."""

import subprocess
import sys

import pytest

from kb.practices.interface import Arm, Reading
from kb.practices.training import Course, Task, train
from kb.practices.training_step import LOSS_TOLERANCE, STEPS, TENSORFLOW, TORCH, TrainingStep, judged
from kb.records.statuses import Status
from kb.workers.process import Limits, run

KEYS = {measure.key for measure in TrainingStep.measures}


def measured(name: str, subject: str = "mlp8") -> dict[str, Reading]:
    payload = {"practice": "kb.practices.training_step:TrainingStep", "arm": Arm(subject, name).as_dict()}
    outcome = run("kb.practices.worker:execute", payload, Limits(600))
    assert outcome.failure is None, outcome.failure
    return {values["measure"]: Reading(**values) for values in outcome.result["readings"]}


def test_it_is_described_without_a_framework() -> None:
    code = (
        "import sys; from kb.practices.training_step import TrainingStep as T; T().arms();"
        "print([name for name in ('torch', 'tensorflow', 'keras') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_every_arm_is_compared_with_eager_steps_of_its_framework() -> None:
    practice = TrainingStep()
    arms = practice.arms()
    assert len(set(arms)) == len(arms) == 2 * 2 * (len(TORCH) + len(TENSORFLOW))
    for arm in arms:
        baseline = practice.baseline(arm)
        if baseline is None:
            assert arm.name.endswith("eager")
        else:
            assert baseline in arms
            assert (baseline.subject, baseline.device) == (arm.subject, arm.device)
            assert (baseline.name in TORCH) == (arm.name in TORCH)
            assert practice.baseline(baseline) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", [*TORCH, *TENSORFLOW])
def test_an_arm_gives_all_its_figures_and_learns_what_eager_steps_learn(name: str) -> None:
    pytest.importorskip("torch" if name in TORCH else "keras")
    readings = measured(name)
    assert set(readings) == KEYS - {"peak_device_mib"}  # a CPU has none
    assert {reading.status for reading in readings.values()} == {Status.OK}
    assert readings["loss_difference_relative"].value <= LOSS_TOLERANCE
    assert readings["step_ms"].value > 0
    assert readings["first_step_s"].value * 1e3 > readings["step_ms"].value
    assert readings["peak_rss_mib"].value > 100


@pytest.mark.parametrize("share", [0.0, 0.8])
def test_steps_that_update_wrongly_are_seen(share: float) -> None:
    """Without updates, and with a learning rate that is a fifth too small: both are over the tolerance."""
    pytest.importorskip("torch")
    from kb.practices.training_torch import TorchWay, torch_training

    task = Task.of("mlp8", 8)
    wrong = Task(task.model, task.learning_rate * share, task.batches)
    eager = train(torch_training(task, "cpu", TorchWay()), STEPS)
    readings = judged(1.0, train(torch_training(wrong, "cpu", TorchWay()), STEPS), eager)
    assert readings[0].status is Status.WRONG_OUTPUT
    assert readings[0].value is None
    assert readings[2].value > LOSS_TOLERANCE


def test_a_loss_that_is_no_number_leaves_no_time() -> None:
    readings = judged(1.0, Course([float("nan")], [1.0]), Course([1.0], [1.0]))
    assert [reading.status for reading in readings] == [Status.WRONG_OUTPUT, Status.NOT_FINITE, Status.NOT_FINITE]
