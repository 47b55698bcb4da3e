"""keras-predict: `Model.predict`, which users call for one sample as well, though it is made for whole data sets."""

from collections.abc import Mapping
from typing import Any

from kb.models.interface import Array
from kb.records.case import Case
from kb.runtimes.interface import Session
from kb.runtimes.tf_base import TfRuntime, TfSession, structured


class KerasPredict(TfRuntime):
    """``model.predict(arrays, batch_size=batch, verbose=0)``: NumPy in and out, through a new data pipeline each time.

    Whether XLA compiles its step is Keras's own decision (`jit_compile="auto"`).
    """

    name = "keras-predict"

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> Session:
        """Trace. `predict` traces its step when it is first called: that call is made here."""
        model = built.model
        arguments = structured(model, built.arrange(inputs))

        def call() -> Any:
            return model.predict(arguments, batch_size=case.batch, verbose=0)

        def traces() -> int:
            return int(model.predict_function.experimental_get_tracing_count())

        call()
        return TfSession(call, case.device, traces)
