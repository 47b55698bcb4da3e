"""custom-operators: one operator and its gradient, written in each way that teams are told to write their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kb.practices.custom_operators import tf_ways, torch_ways
from kb.practices.custom_operators.building import BuildFailed, ToolMissing
from kb.practices.custom_operators.figures import compiles, exports, gradient_used, speeds
from kb.practices.custom_operators.operator import SIZES, elements
from kb.practices.custom_operators.written import Operator, Written
from kb.practices.interface import Arm, Measure, Reading
from kb.runtimes.tf_base import start_tensorflow
from kb.runtimes.torch_base import set_threads
from kb.workers.stages import enter


@dataclass(frozen=True)
class Way:
    """One arm's way: who executes it, how it is written, and the arm that it is compared with."""

    executed: Literal["torch", "eager", "graph"]  #: by torch, or by TensorFlow in one of its modes
    write: Callable[[Path], Written]
    baseline: str = ""  #: name of an arm; empty: it is one itself


TORCH, TF_EAGER, TF_GRAPH = "torch composite", "TF composite", "TF composite in tf.function"
#: By the name of the arm. What is called in a graph is compared with the composite in a graph.
WAYS = {
    TORCH: Way("torch", torch_ways.composite),
    "torch.autograd.Function": Way("torch", torch_ways.autograd_function, TORCH),
    "torch.library.custom_op": Way("torch", torch_ways.library_custom_op, TORCH),
    "torch C++ extension": Way("torch", torch_ways.cpp_extension, TORCH),
    TF_EAGER: Way("eager", tf_ways.composite),
    "tf.custom_gradient": Way("eager", tf_ways.custom_gradient, TF_EAGER),
    "tf.RegisterGradient alone": Way("eager", tf_ways.registered_alone, TF_EAGER),
    "TF C++ operator": Way("eager", tf_ways.op_library, TF_EAGER),
    TF_GRAPH: Way("graph", tf_ways.composite),
    "tf.RegisterGradient with override map": Way("graph", tf_ways.overridden, TF_GRAPH),
    "TF C++ operator in tf.function": Way("graph", tf_ways.op_library, TF_GRAPH),
}


class CustomOperators:
    """y = relu(x) · sigmoid(x) and its gradient, on the CPU."""

    name = "custom-operators"
    title = "Custom operators"
    advice = "Write an operator that is missing as a C++ extension in PyTorch, in TensorFlow with tf.RegisterGradient."
    replicates = 3
    measures = (
        Measure("call_us", "Forward", "µs per call", better="lower"),
        Measure("both_us", "Forward and backward", "µs", better="lower"),
        Measure("compiled_us", "Forward, compiled", "µs per call", better="lower"),
        Measure("builds", "Builds", yes_no=True),
        Measure("build_s", "Build", "s", better="lower"),
        Measure("forward_error", "Forward error", "largest, absolute", better="lower"),
        Measure("gradient_error", "Gradient error", "largest, absolute", better="lower"),
        Measure("own_gradient", "Its gradient is used", yes_no=True),
        Measure("compiles", "Compiles", yes_no=True),
        Measure("exports", "Exports to ONNX", yes_no=True),
        Measure("exports_translated", "Exports with a translation", yes_no=True),
    )

    def arms(self) -> Sequence[Arm]:
        """Every way at every size."""
        return [Arm(subject, way) for subject in SIZES for way in WAYS]

    def baseline(self, arm: Arm) -> Arm | None:
        """The composite of the same framework, called in the same way."""
        name = WAYS[arm.name].baseline
        return Arm(arm.subject, name, arm.device, arm.threads) if name else None

    def refuse(self, arm: Arm) -> str | None:
        """Nothing: whether there is a compiler is found out by building."""
        return None

    def run(self, arm: Arm, folder: Path) -> Sequence[Reading]:
        """Build, check both directions, time them, then compile and export. Only what fails has no figure."""
        way = WAYS[arm.name]
        enter("import")
        if way.executed == "torch":
            set_threads(arm.threads)
        else:
            start_tensorflow(arm.threads, arm.device)
        enter("build")
        try:
            written = way.write(folder)
        except (ToolMissing, BuildFailed) as error:
            return [Reading(measure, None, error.status, str(error)) for measure in ("call_us", "builds")]
        x = elements(arm.subject)
        operator: Operator = (
            torch_ways.TorchOperator.of(written, x)
            if way.executed == "torch"
            else tf_ways.TfOperator.of(written, x, way.executed)
        )
        enter("measure")
        readings = [*gradient_used(operator), *speeds(operator, x)]
        if written.build_s is not None:
            readings += [Reading("builds", 1.0), Reading("build_s", written.build_s)]
        return [*readings, *compiles(operator, x), *exports(operator, x, folder)]
