"""A Keras model as a graph of TensorFlow: what tf-function and tf-xla share."""

from collections.abc import Mapping
from typing import Any

from kb.models.interface import Array
from kb.runtimes.tf_base import KerasBuilt, TfSession, constants, structured


def trace(built: KerasBuilt, inputs: Mapping[str, Array], device: str, jit_compile: bool | None) -> TfSession:
    """Trace the model into a `tf.function` for exactly the shapes of the inputs.

    Args:
        jit_compile: True has XLA compile the graph at its first call; None is TensorFlow's default, which does not.
    """
    import tensorflow as tf

    model = built.model
    arguments = structured(model, constants(built.arrange(inputs)))
    signature = tf.nest.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), arguments)

    def infer(given: Any) -> Any:
        return model(given, training=False)

    function = tf.function(infer, input_signature=[signature], jit_compile=jit_compile)
    function.get_concrete_function()
    return TfSession(lambda: function(arguments), device, lambda: int(function.experimental_get_tracing_count()))
