"""tf-function: the Keras model traced into a graph, or the serving signature of a SavedModel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kb.models.interface import Array, Model, Source
from kb.records.case import Case
from kb.runtimes.base import common_source
from kb.runtimes.interface import Session
from kb.runtimes.tf_base import KerasBuilt, TfRuntime, TfSession, constants
from kb.runtimes.tf_graph import trace

SIGNATURE = "serving_default"


@dataclass(frozen=True)
class SavedBuilt:
    """A SavedModel. Its signatures only live as long as the object they came with."""

    loaded: Any
    arrange: Any  #: as `KerasBuilt.arrange`
    origin: str

    def signature(self) -> Any:
        """The function to call, by keyword.

        Raises:
            ValueError: the SavedModel has no serving signature.
        """
        signatures = self.loaded.signatures
        if SIGNATURE not in signatures:
            raise ValueError(f"{self.origin} has no signature {SIGNATURE!r}; it has: {', '.join(signatures) or 'none'}")
        return signatures[SIGNATURE]


class TfFunction(TfRuntime):
    """``tf.function(model)(inputs)``, or ``tf.saved_model.load(path).signatures["serving_default"](**inputs)``."""

    name = "tf-function"
    sources = (Source.KERAS, Source.SAVED_MODEL)

    def build(self, model: Model, case: Case) -> Any:
        """The Keras model or the SavedModel."""
        import tensorflow as tf

        if common_source(self.sources, model) is Source.SAVED_MODEL:
            return SavedBuilt(tf.saved_model.load(str(model.path)), model.keras_inputs, str(model.path))
        return super().build(model, case)

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> Session:
        """Trace the Keras model; a SavedModel has its graph already."""
        if isinstance(built, KerasBuilt):
            return trace(built, inputs, case.device, jit_compile=None)
        return _open_signature(built, inputs, case)


def _open_signature(built: SavedBuilt, inputs: Mapping[str, Array], case: Case) -> Session:
    function = built.signature()
    arguments = constants(built.arrange(inputs))
    takes = sorted(function.structured_input_signature[1])
    if takes != sorted(arguments):
        raise ValueError(f"{SIGNATURE} of {built.origin} takes {takes}, but the model's inputs are {sorted(arguments)}")

    def call(owner: Any = built.loaded) -> Any:  # the owner is held as long as the session
        return function(**arguments)

    return TfSession(call, case.device)
