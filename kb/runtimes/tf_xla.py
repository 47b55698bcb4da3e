"""tf-xla: the Keras model traced into a graph that XLA compiles."""

from collections.abc import Mapping
from typing import Any

from kb.models.interface import Array
from kb.records.case import Case
from kb.runtimes.interface import Session
from kb.runtimes.tf_base import TfRuntime
from kb.runtimes.tf_graph import trace


class TfXla(TfRuntime):
    """``tf.function(model, jit_compile=True)(inputs)``."""

    name = "tf-xla"

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> Session:
        """Trace and compile. XLA compiles when the function is first called: that call is made here."""
        session = trace(built, inputs, case.device, jit_compile=True)
        session.call()
        session.wait()
        return session
