"""Executing an export: an ONNX file in ONNX Runtime, a LiteRT file in its interpreter, fed with the model's inputs."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kb.convert.interface import Form
from kb.models.interface import Array

#: Gives the outputs to the model's inputs, both in the model's names and layout.
Execute = Callable[[Mapping[str, Array]], list[Array]]

#: Levels of ONNX Runtime's graph optimisation, from none to its default.
LEVELS = ("ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL")
DEFAULT_LEVEL = LEVELS[-1]
#: Beside a LiteRT file: how its inputs come from the model's.
ARRANGEMENT_SUFFIX = ".inputs.json"


def open_export(path: Path, form: Form, level: str = DEFAULT_LEVEL) -> Execute:
    """Load an export on one thread of the CPU.

    Raises:
        Exception: whatever the runtime raises for a file that it cannot load.
    """
    return _open_tflite(path) if form is Form.TFLITE else _open_onnx(path, level)


def refusals() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises for a graph that it does not take, at loading or in a call."""
    from onnxruntime.capi import onnxruntime_pybind11_state as runtime

    kinds = (getattr(runtime, name, None) for name in dir(runtime))
    return (ValueError, *(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Exception)))


def _open_onnx(path: Path, level: str) -> Execute:
    import onnxruntime

    from kb.runtimes.onnxruntime import feed

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # warnings about unused initializers and shapes belong to whoever wrote the file
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def execute(inputs: Mapping[str, Array]) -> list[Array]:
        return [np.asarray(array) for array in session.run(None, feed(session, inputs))]

    return execute


def _open_tflite(path: Path) -> Execute:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    origins = json.loads(path.with_name(path.name + ARRANGEMENT_SUFFIX).read_text())
    details = {_plain(entry["name"]): entry for entry in interpreter.get_input_details()}

    def execute(inputs: Mapping[str, Array]) -> list[Array]:
        arranged = {name: inputs[source].transpose(axes) for name, (source, axes) in origins.items()}
        for name, array in arranged.items():
            interpreter.resize_tensor_input(details[name]["index"], array.shape)
        interpreter.allocate_tensors()
        for name, array in arranged.items():
            interpreter.set_tensor(details[name]["index"], np.ascontiguousarray(array, details[name]["dtype"]))
        interpreter.invoke()
        return [_copy(interpreter, entry) for entry in interpreter.get_output_details()]

    return execute


def _copy(interpreter: Any, entry: Mapping[str, Any]) -> Array:
    array: Array = interpreter.get_tensor(entry["index"])
    return array


def _plain(name: str) -> str:
    return name.removeprefix("serving_default_").partition(":")[0]
