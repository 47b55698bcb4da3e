"""tf-eager: the Keras model called directly, operator by operator."""

from collections.abc import Mapping
from typing import Any

from kb.models.interface import Array
from kb.records.case import Case
from kb.runtimes.interface import Session
from kb.runtimes.tf_base import TfRuntime, TfSession, constants, structured


class TfEager(TfRuntime):
    """``model(inputs, training=False)``."""

    name = "tf-eager"

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> Session:
        """Nothing to prepare but the inputs."""
        model = built.model
        arguments = structured(model, constants(built.arrange(inputs)))
        return TfSession(lambda: model(arguments, training=False), case.device)
