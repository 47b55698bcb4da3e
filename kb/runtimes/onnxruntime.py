"""onnxruntime: an ONNX file, or a model exported to one, in an ONNX Runtime session."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kb.models.interface import Array, Model, Source
from kb.records.case import Case
from kb.runtimes.base import common_source, device_index, device_kind, refusal
from kb.runtimes.errors import DeviceMissing
from kb.runtimes.interface import Session
from kb.runtimes.onnx_export import ARRANGEMENT_KEY, export

#: Execution provider for each kind of device: the vendor's general one where ONNX Runtime has several.
PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "mps": "CoreMLExecutionProvider",
    "xpu": "OpenVINOExecutionProvider",
    "npu": "CANNExecutionProvider",
}
#: Providers that are told a device's number.
_NUMBERED = frozenset({"CUDAExecutionProvider", "CANNExecutionProvider"})
#: NumPy types of the graph inputs that ONNX Runtime names in its own way; all others are called alike.
_TYPES = {"float": "float32", "double": "float64"}


class ProviderMissing(RuntimeError):
    """ONNX Runtime fell back to another execution provider than the one asked for, as it does after a mere warning."""


@dataclass(frozen=True)
class OrtSession:
    """A session with its feed. On an accelerator a call copies the inputs there and the outputs back."""

    call: Callable[[], Any]
    intra_op_threads: int

    def wait(self) -> None:
        """Nothing to wait for: `InferenceSession.run` returns arrays on the host."""

    def outputs(self) -> list[Array]:
        """Outputs of one call, in the graph's order."""
        return [np.asarray(array) for array in self.call()]

    def compiles(self) -> int:
        """0: the graph is optimised once, when the session is created."""
        return 0

    def threads(self) -> int | None:
        """Intra-op threads of the session's options."""
        return self.intra_op_threads

    def peak_device_mib(self) -> float | None:
        """None: ONNX Runtime does not tell."""
        return None


class OnnxRuntime:
    """``InferenceSession(path).run(None, feed)``."""

    name = "onnxruntime"
    packages: tuple[str, ...] = ("onnxruntime", "onnxruntime-gpu", "onnx", "torch", "onnxscript")
    sources: tuple[Source, ...] = (Source.ONNX, Source.TORCH, Source.TORCH_EXPORT, Source.KERAS)

    def refuse(self, model: Model, case: Case) -> str | None:
        """See `Runtime.refuse`."""
        if device_kind(case.device) not in PROVIDERS:
            return f"{self.name} knows no execution provider for {case.device}; it has {', '.join(PROVIDERS)}"
        return refusal(self.name, self.sources, model, case)

    def converts(self, model: Model) -> bool:
        """Unless the model is an ONNX file."""
        return common_source(self.sources, model) is not Source.ONNX

    def convert(self, model: Model, inputs: Mapping[str, Array], case: Case, folder: Path) -> Path:
        """Export at the shapes of `inputs`; torch by its dynamo exporter, Keras by `Model.export`."""
        source = common_source(self.sources, model)
        if source is None or source is Source.ONNX:
            raise ValueError(f"{model.name} is not to be exported")
        return export(model, source, inputs, folder)

    def start(self, case: Case) -> None:
        """Import ONNX Runtime and look for the execution provider. Threads belong to the session."""
        import onnxruntime

        provider = PROVIDERS[device_kind(case.device)]
        available = onnxruntime.get_available_providers()
        if provider not in available:
            raise DeviceMissing(
                f"onnxruntime {onnxruntime.__version__} is built without the {provider} that {case.device} needs;"
                f" it has {', '.join(available)}"
            )

    def build(self, model: Model) -> Any:
        """The file's path."""
        return model.path

    def load(self, built: Any, inputs: Mapping[str, Array], case: Case) -> Session:
        """Create the session.

        Raises:
            ProviderMissing: the session runs on another provider than the device's.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = case.threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        provider = PROVIDERS[device_kind(case.device)]
        settings = {"device_id": device_index(case.device)} if provider in _NUMBERED else {}
        session = onnxruntime.InferenceSession(str(built), options, providers=[(provider, settings)])
        got = session.get_providers()
        if got[0] != provider:
            raise ProviderMissing(f"asked for {provider}, the session runs on {', '.join(got)}")
        arrays = feed(session, inputs)
        return OrtSession(lambda: session.run(None, arrays), session.get_session_options().intra_op_num_threads)


def feed(session: Any, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The model's inputs under the names of the graph's inputs: by name, or in their order where no names agree.

    An export from Keras says in its metadata how its inputs come from the model's. An input that the graph does not
    use is left out, as exporters do.

    Raises:
        ValueError: the graph takes other inputs than the model has.
    """
    graph = {node.name: node for node in session.get_inputs()}
    told = session.get_modelmeta().custom_metadata_map.get(ARRANGEMENT_KEY)
    if told is not None:
        origins = {name: origin for name, origin in json.loads(told).items() if name in graph}
        return {
            name: np.ascontiguousarray(inputs[source].transpose(axes), dtype=_dtype(graph[name].type))
            for name, (source, axes) in origins.items()
        }
    if set(graph) <= set(inputs):
        return {name: inputs[name] for name in graph}
    if len(graph) == len(inputs) and not set(graph) & set(inputs):
        return dict(zip(graph, inputs.values(), strict=True))
    raise ValueError(f"the graph takes {', '.join(graph)}, but the model's inputs are {', '.join(inputs)}")


def _dtype(ort_type: str) -> np.dtype[Any]:
    """NumPy's type for ``tensor(float)``."""
    name = ort_type.removeprefix("tensor(").removesuffix(")")
    return np.dtype(_TYPES.get(name, name))
