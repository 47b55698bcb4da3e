"""The operator in torch: composed in Python, with a backward of its own, as an operator of its own, and in C++."""

# mypy: disallow-subclassing-any=False
# (torch is untyped for the type checker)

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kb.measure.protocol import timed
from kb.models.interface import Array
from kb.practices.custom_operators.building import build, find_compiler, source, torch_tools
from kb.practices.custom_operators.written import Written
from kb.runtimes.onnx_export import TORCH_OPSET
from kb.runtimes.torch_base import on_host

if TYPE_CHECKING:
    import torch

#: What ATen's vector type needs to be told of each capability that torch reports; others have no wider vectors.
VECTOR_FLAGS = {
    "AVX2": ["-mavx2", "-mfma", "-mf16c", "-DCPU_CAPABILITY=AVX2", "-DCPU_CAPABILITY_AVX2"],
    "AVX512": [
        *("-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mfma", "-mf16c"),
        *("-DCPU_CAPABILITY=AVX512", "-DCPU_CAPABILITY_AVX512"),
    ],
}


def composite(folder: Path) -> Written:
    """Two operators and a product; autograd knows the gradients of all three."""
    return Written(_compose)


def autograd_function(folder: Path) -> Written:
    """`torch.autograd.Function` with both directions in Python."""
    import torch

    class ReluSigmoid(torch.autograd.Function):
        @staticmethod
        def forward(x: "torch.Tensor") -> "torch.Tensor":
            return _compose(x)

        @staticmethod
        def setup_context(ctx: Any, inputs: "tuple[torch.Tensor]", output: "torch.Tensor") -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, grad: "torch.Tensor") -> "torch.Tensor":
            return _gradient(grad, *ctx.saved_tensors)

    return Written(ReluSigmoid.apply, ReluSigmoid.backward)


def library_custom_op(folder: Path) -> Written:
    """`torch.library.custom_op`: an operator of its own for the compiler and the exporter, written in Python."""
    import torch

    @torch.library.custom_op("kb_python::relu_sigmoid", mutates_args=())  # type: ignore[untyped-decorator]
    def relu_sigmoid(x: torch.Tensor) -> torch.Tensor:
        return _compose(x)

    relu_sigmoid.register_fake(torch.empty_like)
    backward = _backward_by(_gradient)
    relu_sigmoid.register_autograd(backward, setup_context=_keep)
    return Written(relu_sigmoid, backward, {torch.ops.kb_python.relu_sigmoid.default: _translate})


def cpp_extension(folder: Path) -> Written:
    """C++ built by `torch.utils.cpp_extension.load`; its gradient and its shapes are registered from Python."""
    import torch

    _, seconds = timed(lambda: build(lambda: _load(folder)))
    operators = torch.ops.kb_cpp
    torch.library.register_fake("kb_cpp::relu_sigmoid", _contiguous_like)
    torch.library.register_fake("kb_cpp::relu_sigmoid_backward", lambda grad, x: _contiguous_like(x))
    backward = _backward_by(operators.relu_sigmoid_backward.default)
    torch.library.register_autograd("kb_cpp::relu_sigmoid", backward, setup_context=_keep)
    return Written(operators.relu_sigmoid.default, backward, {operators.relu_sigmoid.default: _translate}, seconds)


def _load(folder: Path) -> None:
    import torch
    from torch.utils import cpp_extension as extensions

    with torch_tools():
        extensions.load(
            "kb_relu_sigmoid",
            [str(source("relu_sigmoid_torch.cpp"))],
            extra_cflags=["-O3", *VECTOR_FLAGS.get(torch.backends.cpu.get_cpu_capability(), [])],
            build_directory=str(folder),
            is_python_module=False,
        )


def _contiguous_like(x: "torch.Tensor") -> "torch.Tensor":
    """What the C++ returns, whatever the strides of its input are."""
    import torch

    return torch.empty_like(x, memory_format=torch.contiguous_format)


def _compose(x: "torch.Tensor") -> "torch.Tensor":
    import torch

    return torch.relu(x) * torch.sigmoid(x)


def _gradient(grad: "torch.Tensor", x: "torch.Tensor") -> "torch.Tensor":
    import torch

    s = torch.sigmoid(x)
    return grad * torch.where(x > 0, s * (1 + x * (1 - s)), 0.0)


def _keep(ctx: Any, inputs: "tuple[torch.Tensor]", output: "torch.Tensor") -> None:
    """`setup_context` of both operators."""
    ctx.save_for_backward(*inputs)


def _backward_by(gradient: Callable[..., Any]) -> Callable[..., Any]:
    def backward(ctx: Any, grad: "torch.Tensor") -> "torch.Tensor":
        (x,) = ctx.saved_tensors
        return gradient(grad, x)

    return backward


def _translate(x: Any) -> Any:
    """The operator in operators of ONNX, for the table of `torch.onnx.export`."""
    from onnxscript import opset20 as onnx

    return onnx.Mul(onnx.Relu(x), onnx.Sigmoid(x))


@dataclass(frozen=True)
class TorchOperator:
    """One way with its input in place, executed by torch."""

    written: Written
    function: Callable[["torch.Tensor"], "torch.Tensor"]
    x: "torch.Tensor"
    trained: "torch.Tensor"  #: the same values, with a gradient to be taken
    ones: "torch.Tensor"

    @classmethod
    def of(cls, written: Written, x: Array) -> Self:
        import torch

        tensor = torch.from_numpy(x)
        return cls(written, written.function, tensor, tensor.clone().requires_grad_(), torch.ones_like(tensor))

    def forward(self) -> "torch.Tensor":
        """See `Operator.forward`: autograd keeps nothing of an input without a gradient."""
        return self.function(self.x)

    def both(self) -> "torch.Tensor":
        """See `Operator.both`."""
        import torch

        (gradient,) = torch.autograd.grad(self.function(self.trained), self.trained, self.ones)
        return gradient

    def host(self, tensor: "torch.Tensor") -> Array:
        """See `Operator.host`."""
        return on_host(tensor)

    def compiled(self) -> Self:
        """By `torch.compile(fullgraph=True)`.

        Raises:
            ToolMissing: Inductor needs a C++ compiler, and there is none.
        """
        import torch

        find_compiler()
        function = self.written.function

        def call(x: "torch.Tensor") -> "torch.Tensor":
            return function(x)

        return replace(self, function=torch.compile(call, fullgraph=True))

    def export(self, path: Path, translated: bool) -> None:
        """By `torch.onnx.export(dynamo=True)`, with the translation as its `custom_translation_table`."""
        import torch

        function = self.function

        class Module(torch.nn.Module):
            def forward(self, x: "torch.Tensor") -> "torch.Tensor":
                return function(x)

        torch.onnx.export(
            Module().eval(),
            (self.x,),
            str(path),
            dynamo=True,
            opset_version=TORCH_OPSET,
            custom_translation_table=self.written.translation if translated else None,
            verbose=False,
        )
