"""Training in Keras on TensorFlow: AdamW on cross-entropy under a dtype policy, eager, traced or compiled by XLA."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kb.models.interface import Array
from kb.practices.timing import steady
from kb.practices.training import EPSILON, WEIGHT_DECAY, Answer, Task, Training
from kb.runtimes.tf_base import POLICIES, KerasBuilt, TfSession, constants, structured
from kb.runtimes.tf_graph import trace

if TYPE_CHECKING:
    import keras

#: Share of the old running statistics that a BatchNorm keeps per step: torch's default. Keras's own is 0.99, with
#: which they need hundreds of steps to follow.
MOMENTUM = 0.9


class TfWay(StrEnum):
    """How the steps are made."""

    TAPE = "tape"  #: GradientTape, operator by operator
    FUNCTION = "function"  #: the same in a tf.function
    XLA = "xla"  #: the same with jit_compile=True
    TRAIN_ON_BATCH = "train_on_batch"  #: compile() and train_on_batch(), with Keras's defaults


def tf_training(task: Task, device: str, way: TfWay, precision: str = "fp32") -> Training:
    """The network with the model's weights, ready for its first step. Tracing and compiling happen in that step."""
    import keras
    import tensorflow as tf

    model = task.model.keras_model(POLICIES[precision])
    make_trainable(model)
    inner = keras.optimizers.AdamW(task.learning_rate, weight_decay=WEIGHT_DECAY, epsilon=EPSILON)
    optimizer = keras.optimizers.LossScaleOptimizer(inner) if precision == "fp16" else inner
    optimizer.build(model.trainable_variables)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    batches = [
        (structured(model, constants(task.model.keras_inputs(b.inputs))), tf.constant(b.labels)) for b in task.batches
    ]
    learn = _learner(model, optimizer, cross_entropy, way)
    session = TfSession(lambda: None, device)
    return Training(
        lambda number: learn(*batches[number]), session.wait, lambda: int(inner.iterations), session.peak_device_mib
    )


def make_trainable(model: "keras.Model") -> None:
    """Undo what the model's builder froze, and let BatchNorm follow as fast as in torch."""
    import keras

    model.trainable = True
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM


def _learner(
    model: "keras.Model", optimizer: "keras.Optimizer", cross_entropy: "keras.Loss", way: TfWay
) -> Callable[[Any, Any], Any]:
    """A step from inputs and labels to the loss."""
    import tensorflow as tf

    if way is TfWay.TRAIN_ON_BATCH:
        model.compile(optimizer=optimizer, loss=cross_entropy)
        return lambda inputs, labels: model.train_on_batch(inputs, labels)

    def learn(inputs: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = cross_entropy(labels, model(inputs, training=True))
            scaled = optimizer.scale_loss(loss)
        optimizer.apply(tape.gradient(scaled, model.trainable_variables), model.trainable_variables)
        return loss

    if way is TfWay.TAPE:
        return learn
    traced: Callable[[Any, Any], Any] = tf.function(learn, jit_compile=True if way is TfWay.XLA else None)
    return traced


def tf_answer(task: Task, inputs: Mapping[str, Array], device: str, precision: str) -> Answer:
    """Time the network in inference, as a `tf.function`."""
    built = KerasBuilt(task.model.keras_model(POLICIES[precision]), task.model.keras_inputs)
    session = trace(built, inputs, device, jit_compile=None)
    latency_ms = steady(session.call, session.wait).latency_p50_ms
    return Answer(session.outputs(), latency_ms)
