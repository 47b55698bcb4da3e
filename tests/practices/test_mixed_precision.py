"""mixed-precision: 16 bits that are really used, errors that are really measured, losses against those in float32."""

import subprocess
import sys

import numpy as np
import pytest

from kb.practices.interface import Arm, Reading
from kb.practices.mixed_precision import STEPS, WAYS, MixedPrecision, judged, losses
from kb.practices.training import Answer, Course
from kb.records.statuses import Status
from kb.runtimes.errors import DeviceMissing
from kb.workers.process import Limits, run

#: What a rounding of every operator to so many bits leaves of the outputs, at least and at most.
ERRORS = {"float32": (0, 1e-5), "bfloat16": (1e-3, 1e-1), "float16": (1e-4, 2e-2)}
KEYS = {measure.key for measure in MixedPrecision.measures}


def measured(name: str, subject: str = "mlp8") -> dict[str, Reading]:
    payload = {"practice": "kb.practices.mixed_precision:MixedPrecision", "arm": Arm(subject, name).as_dict()}
    outcome = run("kb.practices.worker:execute", payload, Limits(600))
    assert outcome.failure is None, outcome.failure
    return {values["measure"]: Reading(**values) for values in outcome.result["readings"]}


def test_it_is_described_without_a_framework() -> None:
    code = (
        "import sys; from kb.practices.mixed_precision import MixedPrecision as M; M().arms();"
        "print([name for name in ('torch', 'tensorflow', 'keras') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_every_arm_has_float32_of_its_own_framework_as_its_baseline() -> None:
    practice = MixedPrecision()
    arms = practice.arms()
    assert len(set(arms)) == len(arms)
    for arm in arms:
        baseline = practice.baseline(arm)
        if baseline is None:
            assert arm.name.endswith("float32")
        else:
            assert baseline in arms
            assert (baseline.subject, baseline.device) == (arm.subject, arm.device)
            assert baseline.name.split()[0] == arm.name.split()[0]
            assert practice.baseline(baseline) is None


def test_tf32_is_only_asked_of_nvidia() -> None:
    arms = MixedPrecision().arms()
    assert {arm.device for arm in arms if "TF32" in arm.name} == {"cuda"}
    assert {arm.device for arm in arms if "TF32" not in arm.name} == {"cpu", "cuda"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("torch float32", "float32"),
        ("torch bfloat16 autocast", "bfloat16"),
        ("torch float16 autocast", "float16"),
        ("Keras float32", "float32"),
        ("Keras mixed_bfloat16", "bfloat16"),
        ("Keras mixed_float16", "float16"),
    ],
)
def test_an_arm_gives_all_its_figures(name: str, precision: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    readings = measured(name)
    assert set(readings) == KEYS - {"peak_device_mib"}  # a CPU has none
    assert {reading.status for reading in readings.values()} == {Status.OK}
    low, high = ERRORS[precision]
    assert low <= readings["error_relative"].value < high
    assert readings["latency_ms"].value > 0
    assert readings["train_step_ms"].value > 0
    assert 0 < readings["train_loss"].value < 1  # it begins at 2.8
    difference, skipped = readings["loss_difference_relative"].value, readings["skipped_steps"].value
    if precision == "float32":
        assert difference < 1e-3  # the same steps twice
    else:
        assert 0 < difference < 0.5
    assert skipped == 0 or precision == "float16"
    assert skipped < STEPS / 5


#: In a process of its own, since torch takes its threads once; with a limit that no training keeps.
IMPATIENT = """
from pathlib import Path
from kb.practices import mixed_precision
from kb.practices.interface import Arm
mixed_precision.TRAIN_LIMIT_S = 0.0
arm = Arm("mlp8", "torch bfloat16 autocast")
print(*mixed_precision.MixedPrecision().run(arm, Path()), sep="\\n")
"""


def test_a_training_that_takes_too_long_says_so() -> None:
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", IMPATIENT], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if "Status.TIMEOUT" in line]
    assert len(lines) == 2, done.stderr
    for line in lines:
        assert "50 of them more than the limit of 0 s; after 5: loss " in line
        assert "value=None" in line


def test_outputs_that_are_wrong_take_the_latency_with_them() -> None:
    reference = [np.array([[1.0, -2.0]])]
    right, error = judged(Answer([np.array([[1.01, -2.0]])], 5.0), reference, "bf16")
    assert (right.value, right.status) == (5.0, Status.OK)
    assert error.value == pytest.approx(0.005)
    wrong, error = judged(Answer([np.array([[1.01, -2.0]])], 5.0), reference, "fp32")
    assert (wrong.value, wrong.status) == (None, Status.WRONG_OUTPUT)
    assert error.value == pytest.approx(0.005)
    (broken,) = judged(Answer([np.array([[np.nan, -2.0]])], 5.0), reference, "fp16")
    assert (broken.value, broken.status) == (None, Status.NOT_FINITE)


def test_tf32_is_judged_like_float16() -> None:
    reference = [np.array([[1.0, -2.0]])]
    right, _ = judged(Answer([np.array([[1.01, -2.0]])], 5.0), reference, "tf32")
    assert right.status is Status.OK


def test_a_loss_that_is_no_number_is_not_compared() -> None:
    for reading in losses(Course([1.0, float("nan")], [1.0, 1.0]), Course([1.0, 0.5], [1.0, 1.0])):
        assert (reading.value, reading.status) == (None, Status.NOT_FINITE)


@pytest.mark.parametrize("name", ["torch float32", "Keras float32"])
def test_a_gpu_that_is_not_there_is_said_to_be_missing(name: str) -> None:
    torch, tensorflow = pytest.importorskip("torch"), pytest.importorskip("tensorflow")
    if torch.cuda.is_available() or tensorflow.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    payload = {"practice": "kb.practices.mixed_precision:MixedPrecision", "arm": Arm("mlp8", name, "cuda").as_dict()}
    outcome = run("kb.practices.worker:execute", payload, Limits(300))
    assert outcome.failure is not None
    assert outcome.failure.status is DeviceMissing.status is Status.UNSUPPORTED


def test_every_way_is_on_a_side() -> None:
    assert {precision for _, precision in WAYS.values()} == {"fp32", "bf16", "fp16", "tf32"}
