"""onnxruntime: an ONNX file, or a model exported to one, in an ONNX Runtime session."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kb.config import PROVIDER_SUFFIX
from kb.models.interface import Array, Model, Source
from kb.records.case import Case
from kb.runtimes.base import FULL, common_source, device_index, device_kind, refusal
from kb.runtimes.errors import DeviceMissing
from kb.runtimes.interface import DeviceTimer, Session
from kb.runtimes.onnx_export import ARRANGEMENT_KEY, export

CUDA_PROVIDER = "CUDAExecutionProvider"
#: Execution provider for each kind of device: the vendor's general one where ONNX Runtime has several.
PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": CUDA_PROVIDER,
    "mps": "CoreMLExecutionProvider",
    "xpu": "OpenVINOExecutionProvider",
    "npu": "CANNExecutionProvider",
}
#: Providers whose device's memory ONNX Runtime can bind inputs and outputs to, with its name for that memory.
_BINDABLE = {CUDA_PROVIDER: "cuda", "CANNExecutionProvider": "cann"}
#: NumPy types of the graph inputs that ONNX Runtime names in its own way; all others are called alike.
_TYPES = {"float": "float32", "double": "float64"}


class ProviderMissing(RuntimeError):
    """ONNX Runtime fell back to another execution provider than the one asked for, as it does after a mere warning."""


@dataclass(frozen=True)
class OrtSession:
    """A session with its feed, arrays on the host. A provider that is not bound to copies them in every call."""

    call: Callable[[], Any]
    intra_op_threads: int

    def wait(self) -> None:
        """Nothing to wait for: `InferenceSession.run` returns arrays on the host."""

    def outputs(self) -> list[Array]:
        """Outputs of one call, in the graph's order."""
        return [np.asarray(array) for array in self.call()]

    def device_timer(self) -> DeviceTimer | None:
        """None: ONNX Runtime hands out no events of the device."""
        return None

    def compiles(self) -> int:
        """0: the graph is optimised once, when the session is created."""
        return 0

    def threads(self) -> int | None:
        """Intra-op threads of the session's options."""
        return self.intra_op_threads

    def peak_device_mib(self) -> float | None:
        """None: ONNX Runtime does not tell."""
        return None


@dataclass(frozen=True)
class BoundSession(OrtSession):
    """A session whose inputs lie on the device and whose outputs stay there, as in a pipeline on the device."""

    binding: Any

    def wait(self) -> None:
        """Return when the device has finished."""
        self.binding.synchronize_outputs()

    def outputs(self) -> list[Array]:
        """Outputs of one call, copied to the host."""
        self.call()
        self.wait()
        return [np.asarray(array) for array in self.binding.copy_outputs_to_cpu()]


class OnnxRuntime:
    """``InferenceSession(path).run(None, feed)``; with inputs and outputs bound to the device where that can be."""

    name = "onnxruntime"
    packages: tuple[str, ...] = ("onnxruntime", "onnxruntime-gpu", "onnx", "torch", "onnxscript")
    sources: tuple[Source, ...] = (Source.ONNX, Source.TORCH, Source.TORCH_EXPORT, Source.KERAS)
    precisions: tuple[str, ...] = (FULL, "fp16")  #: its CPU provider has no bfloat16 kernels for most operators

    def refuse(self, model: Model, case: Case) -> str | None:
        """See `Runtime.refuse`."""
        if provider_of(case.device) is None:
            return f"{self.name} knows no execution provider for {case.device}; it has {', '.join(PROVIDERS)}"
        return refusal(self.name, self.sources, model, case, self.precisions)

    def converts(self, model: Model) -> bool:
        """Unless the model is an ONNX file."""
        return common_source(self.sources, model) is not Source.ONNX

    def convert(self, model: Model, inputs: Mapping[str, Array], case: Case, folder: Path) -> Path:
        """Export at the shapes of `inputs`; torch by its dynamo exporter, Keras by `Model.export`."""
        source = common_source(self.sources, model)
        if source is None or source is Source.ONNX:
            raise ValueError(f"{model.name} is not to be exported")
        path = export(model, source, inputs, folder)
        return path if case.precision == FULL else to_half(path)

    def start(self, case: Case) -> None:
        """Import ONNX Runtime and look for the execution provider. Threads belong to the session."""
        import onnxruntime

        provider = provider_of(case.device)
        if provider == CUDA_PROVIDER:
            onnxruntime.preload_dlls()  # CUDA's libraries from their Python packages, where they are installed
        available = onnxruntime.get_available_providers()
        if provider not in available:
            raise DeviceMissing(
                f"onnxruntime {onnxruntime.__version__} is built without the {provider} that {case.device} needs;"
                f" it has {', '.join(available)}"
            )

    def build(self, model: Model, case: Case) -> Any:
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
        provider = provider_of(case.device)
        offered = [(provider, provider_options(case.device))]
        session = onnxruntime.InferenceSession(str(built), options, providers=offered)
        got = session.get_providers()
        if got[0] != provider:
            raise ProviderMissing(f"asked for {provider}, the session runs on {', '.join(got)}")
        arrays = feed(session, inputs)
        threads = session.get_session_options().intra_op_num_threads
        if provider in _BINDABLE:
            return bound(session, arrays, threads, _BINDABLE[provider], device_index(case.device))
        return OrtSession(lambda: session.run(None, arrays), threads)


def provider_of(device: str) -> str | None:
    """The execution provider for a device: by its kind, or the device is a provider's own name. None: there is none."""
    kind = device_kind(device)
    return kind if kind.endswith(PROVIDER_SUFFIX) else PROVIDERS.get(kind)


def provider_options(device: str) -> dict[str, Any]:
    """What the execution provider is told: the device's number, and that float32 keeps all its bits.

    OpenVINO takes a CPU unless it is told otherwise, and CUDA rounds to TF32. A provider that was asked for by its own
    name has its defaults, but for TF32.
    """
    index = device_index(device)
    options: dict[str, dict[str, Any]] = {
        CUDA_PROVIDER: {"device_id": index, "use_tf32": 0},
        "CANNExecutionProvider": {"device_id": index},
        "OpenVINOExecutionProvider": {"device_type": f"GPU.{index}"} if device_kind(device) == "xpu" else {},
    }
    return options.get(provider_of(device) or "", {})


def bound(session: Any, arrays: Mapping[str, Array], threads: int, memory: str, index: int) -> BoundSession:
    """A session with its inputs copied to the memory of a device once, and its outputs left there."""
    import onnxruntime

    binding = session.io_binding()
    for name, array in arrays.items():
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array, memory, index))
    for node in session.get_outputs():
        binding.bind_output(node.name, memory, index)
    return BoundSession(lambda: session.run_with_iobinding(binding), threads, binding)


def to_half(path: Path) -> Path:
    """Rewrite an ONNX file to float16 weights and operators, with float32 inputs and outputs, in place.

    By the converter in the onnxruntime package; operators that have no float16 kernel stay in float32.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(str(path)), keep_io_types=True), str(path))
    return path


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
