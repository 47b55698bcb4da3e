"""What the practices about training stand on: both frameworks take the same steps, and a loop says why it ended."""

import math

import numpy as np
import pytest

from kb.models.mlp8 import Mlp8
from kb.practices.training import (
    POOL,
    PROBE_STEPS,
    SUBJECTS,
    Batch,
    Course,
    Task,
    Training,
    reading,
    relative_difference,
    train,
)
from kb.records.statuses import Status

STEPS = 15
#: Sums in another order; AdamW divides each gradient by its own size, which lets the last bits of small ones grow.
TOLERANCE = 1e-3
#: torch adds epsilon to a root that is corrected for the start, Keras to one that is not.
TOLERANCE_OF_FRAMEWORKS = 1e-2


def fake(losses: list[float]) -> Training:
    """Steps that only tell their losses, by the number of the batch."""
    return Training(lambda number: losses[number], lambda: None, lambda: 0, lambda: None)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """By its definition, in double precision."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-log_probabilities[np.arange(len(labels)), labels].mean())


def one_batch(task: Task, learning_rate: float = 1e-3) -> Task:
    return Task(task.model, learning_rate, [task.batches[0]] * POOL)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_batches_are_the_same_each_time_and_differ_from_each_other(subject: str) -> None:
    task, again = Task.of(subject, 4), Task.of(subject, 4)
    assert len(task.batches) == POOL
    for batch, other in zip(task.batches, again.batches, strict=True):
        assert all(np.array_equal(array, other.inputs[name]) for name, array in batch.inputs.items())
        assert np.array_equal(batch.labels, other.labels)
    first, second, *_ = task.batches
    assert any(not np.array_equal(array, second.inputs[name]) for name, array in first.inputs.items())
    assert not np.array_equal(first.labels, second.labels)


def test_an_unknown_subject_is_refused() -> None:
    with pytest.raises(KeyError):
        Task.of("resnet9000", 4)


def test_steps_go_through_the_batches_in_turn() -> None:
    course = train(fake([float(number) for number in range(POOL)]), POOL + 2, first=3)
    assert course.losses[:2] == [3.0, 4.0]
    assert course.losses[-2:] == [3.0, 4.0]
    assert course.cut_short == ""


def test_the_loss_is_that_of_the_last_pass() -> None:
    assert Course([9.0] * 7 + [1.0] * POOL, [1.0] * (7 + POOL)).loss == 1.0
    assert Course([3.0, 1.0], [1.0, 1.0]).loss == 2.0


def test_the_time_of_a_step_leaves_out_the_first_ones() -> None:
    assert Course([0.0] * 8, [900.0] * PROBE_STEPS + [1.0, 2.0, 3.0]).steady_step_ms == 2.0
    assert Course([0.0] * 2, [900.0, 4.0]).steady_step_ms == 4.0


def test_a_loop_that_cannot_keep_its_limit_ends_and_says_so() -> None:
    course = train(fake([1.0] * POOL), 1_000_000, limit_s=1e-6)
    assert len(course.losses) == len(course.step_ms) == PROBE_STEPS
    assert "1000000 of them more than the limit of 1e-06 s" in course.cut_short


def test_a_figure_that_is_no_number_has_a_status() -> None:
    assert reading("loss", None) == []
    assert reading("loss", 1.5)[0].value == 1.5
    (bad,) = reading("loss", math.nan)
    assert (bad.value, bad.status, bad.reason) == (None, Status.NOT_FINITE, "it is nan")
    assert relative_difference(3.0, 2.0) == 0.5


def test_the_loss_is_cross_entropy_in_both_frameworks() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    from kb.practices.training_tf import TfWay, tf_training
    from kb.practices.training_torch import TorchWay, torch_training

    task = Task.of("mlp8", 4)
    (logits,), _ = task.model.reference(task.batches[0].inputs)
    expected = cross_entropy(logits, task.batches[0].labels)
    assert float(torch_training(task, "cpu", TorchWay()).step(0)) == pytest.approx(expected, rel=1e-5)
    for way in TfWay:
        assert float(tf_training(task, "cpu", way).step(0)) == pytest.approx(expected, rel=1e-5), way


@pytest.mark.parametrize("subject", ["mlp8", pytest.param("cnn_s", marks=pytest.mark.slow)])
def test_both_frameworks_take_the_same_steps(subject: str) -> None:
    """The same data, loss, optimiser and start; with BatchNorm in training mode where there is one."""
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    from kb.practices.training_tf import TfWay, tf_training
    from kb.practices.training_torch import TorchWay, torch_training

    task = one_batch(Task.of(subject, 4))
    steps = 10 if subject == "mlp8" else 5
    torch_losses = train(torch_training(task, "cpu", TorchWay()), steps).losses
    keras_losses = train(tf_training(task, "cpu", TfWay.FUNCTION), steps).losses
    assert torch_losses[-1] < 0.5 * torch_losses[0]
    np.testing.assert_allclose(keras_losses, torch_losses, rtol=TOLERANCE_OF_FRAMEWORKS)


@pytest.mark.parametrize("way", ["tape", "function", "xla", "train_on_batch"])
def test_every_way_of_tensorflow_learns_the_same(way: str) -> None:
    pytest.importorskip("keras")
    from kb.practices.training_tf import TfWay, tf_training

    task = one_batch(Task.of("mlp8", 4))
    training = tf_training(task, "cpu", TfWay(way))
    losses = train(training, STEPS).losses
    assert losses[-1] < 0.1 * losses[0]
    assert training.updates() == STEPS
    np.testing.assert_allclose(losses, train(tf_training(task, "cpu", TfWay.FUNCTION), STEPS).losses, rtol=TOLERANCE)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_every_precision_learns_and_keeps_its_weights_in_float32(precision: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("keras")
    from kb.practices.training_tf import TfWay, tf_training
    from kb.practices.training_torch import TorchWay, torch_training

    task = one_batch(Task.of("mlp8", 4))
    for training in (
        torch_training(task, "cpu", TorchWay(precision)),
        tf_training(task, "cpu", TfWay.FUNCTION, precision),
    ):
        losses = train(training, STEPS).losses
        assert losses[-1] < 0.1 * losses[0]
    module = task.model.torch_module()
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}


class Loud(Mlp8):
    """Inputs so large that a scaled gradient overflows in float16."""

    def inputs(self, batch, seed):
        return {name: array * 1000 for name, array in super().inputs(batch, seed).items()}


def test_steps_that_the_loss_scaler_leaves_out_are_counted() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    from kb.practices.training_tf import TfWay, tf_training
    from kb.practices.training_torch import TorchWay, torch_training

    model = Loud()
    batches = [Batch(model.inputs(4, seed), np.arange(4, dtype=np.int64)) for seed in range(POOL)]
    task = Task(model, 1e-5, batches)
    for training in (
        torch_training(task, "cpu", TorchWay("fp16")),
        tf_training(task, "cpu", TfWay.FUNCTION, "fp16"),
    ):
        train(training, STEPS)
        assert 0 <= training.updates() < STEPS
    exact = torch_training(task, "cpu", TorchWay())
    train(exact, STEPS)
    assert exact.updates() == STEPS


def test_batch_norm_follows_as_fast_as_in_torch() -> None:
    """The running statistics after one step are the same; by Keras's own momentum they would not be."""
    torch = pytest.importorskip("torch")
    keras = pytest.importorskip("keras")
    from kb.models.cnn_s import CnnS
    from kb.practices.training_tf import make_trainable

    model = CnnS()
    inputs = model.inputs(4, 0)
    module = model.torch_module().train()
    with torch.no_grad():
        module(torch.tensor(inputs["image"]))
    network = model.keras_model()
    make_trainable(network)
    assert network.trainable_variables
    network(model.keras_inputs(inputs), training=True)
    means = keras.ops.convert_to_numpy(network.get_layer("stem_norm").moving_mean)
    np.testing.assert_allclose(means, module.stem_norm.running_mean.numpy(), atol=1e-5)
