"""The operator in TensorFlow: composed in Python, with a gradient attached in two ways, and in C++."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from kb.measure.protocol import timed
from kb.models.interface import Array
from kb.practices.custom_operators.building import build, compile_library, find_compiler, source
from kb.practices.custom_operators.written import Written
from kb.runtimes.onnx_export import KERAS_OPSET

if TYPE_CHECKING:
    import tensorflow as tf

#: How TensorFlow executes an operator: call by call, as a graph, or as a graph that XLA has compiled.
Mode = Literal["eager", "graph", "xla"]
#: Of the C++: the optimisation of TensorFlow's own guide, one step up, for the processor that it is built on.
CPP_FLAGS = ("-std=c++17", "-shared", "-fPIC", "-O3", "-march=native", "-w")


def composite(folder: Path) -> Written:
    """Two operators and a product; TensorFlow knows the gradients of all three."""
    return Written(_compose)


def custom_gradient(folder: Path) -> Written:
    """`tf.custom_gradient` around the composite."""
    import tensorflow as tf

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def relu_sigmoid(x: "tf.Tensor") -> Any:
        def backward(grad: "tf.Tensor") -> "tf.Tensor":
            return _gradient(grad, x)

        return _compose(x), backward

    return Written(relu_sigmoid, _gradient)


def registered_alone(folder: Path) -> Written:
    """A gradient registered under a name, and the composite called: nothing ties the two together."""
    _register_override()
    return Written(_compose, _gradient)


def overridden(folder: Path) -> Written:
    """The registered gradient put in place of IdentityN's while the graph is built, which carries input and value.

    It needs a graph (`tf.function` or `tf.Graph`), and `tf.gradients` or a tape outside of it: a tape inside the
    function that is traced goes by the type of the operator and never sees the override.
    """
    import tensorflow as tf

    name = _register_override()

    def relu_sigmoid(x: "tf.Tensor") -> "tf.Tensor":
        graph = tf.compat.v1.get_default_graph()
        with graph.gradient_override_map({"IdentityN": name}):
            value, _ = tf.identity_n([_compose(x), x])
        return value

    return Written(relu_sigmoid, _gradient)


def op_library(folder: Path) -> Written:
    """C++ built by the compiler with the flags of `tf.sysconfig`, loaded by `tf.load_op_library`.

    Its gradient is registered for the type of the operator: here RegisterGradient is all that it takes, eager or not.
    """
    library, seconds = timed(lambda: build(lambda: _load(folder)))
    backward = _register_gradient(library)
    return Written(library.kb_relu_sigmoid, backward, {"KbReluSigmoid": (_translate, [])}, seconds)


def _load(folder: Path) -> Any:
    import tensorflow as tf

    built = folder / "relu_sigmoid.so"
    compile_library([
        *shlex.split(find_compiler()),
        *CPP_FLAGS,
        str(source("relu_sigmoid_tf.cpp")),
        *("-o", str(built)),
        *tf.sysconfig.get_compile_flags(),
        *tf.sysconfig.get_link_flags(),
    ])  # fmt: skip
    return tf.load_op_library(str(built))


def _register_gradient(library: Any) -> Callable[..., Any]:
    import tensorflow as tf

    @tf.RegisterGradient("KbReluSigmoid")  # type: ignore[untyped-decorator]
    def backward(op: Any, grad: "tf.Tensor") -> "tf.Tensor":
        return library.kb_relu_sigmoid_grad(grad, op.inputs[0])

    return backward  # type: ignore[no-any-return]


@cache
def _register_override() -> str:
    """Register the gradient of a value that comes with its input, once per process, and say its name."""
    import tensorflow as tf

    name = "KbReluSigmoidOfPair"

    @tf.RegisterGradient(name)  # type: ignore[untyped-decorator]
    def backward(op: Any, grad: "tf.Tensor", _: "tf.Tensor") -> "tuple[None, tf.Tensor]":
        return None, _gradient(grad, op.inputs[1])

    return name


def _compose(x: "tf.Tensor") -> "tf.Tensor":
    import tensorflow as tf

    return tf.nn.relu(x) * tf.math.sigmoid(x)


def _gradient(grad: "tf.Tensor", x: "tf.Tensor") -> "tf.Tensor":
    import tensorflow as tf

    s = tf.math.sigmoid(x)
    return grad * tf.where(x > 0, s * (1 + x * (1 - s)), 0.0)


def _translate(context: Any, node: Any, name: str, _: Any) -> None:
    """The operator in operators of ONNX, for the `custom_op_handlers` of tf2onnx."""
    inputs, outputs = list(node.input), list(node.output)
    shapes, types = node.output_shapes, node.output_dtypes
    context.remove_node(node.name)
    relu = context.make_node("Relu", inputs)
    sigmoid = context.make_node("Sigmoid", inputs)
    context.make_node(
        "Mul", [relu.output[0], sigmoid.output[0]], outputs=outputs, name=name, shapes=shapes, dtypes=types
    )


@dataclass(frozen=True)
class TfOperator:
    """One way with its input in place, executed by TensorFlow."""

    written: Written
    x: "tf.Tensor"
    value: Callable[["tf.Tensor"], "tf.Tensor"]
    gradient: Callable[["tf.Tensor"], "tf.Tensor"]

    @classmethod
    def of(cls, written: Written, x: Array, mode: Mode) -> Self:
        import tensorflow as tf

        return cls._over(written, tf.constant(x), mode)

    @classmethod
    def _over(cls, written: Written, x: "tf.Tensor", mode: Mode) -> Self:
        import tensorflow as tf

        function = written.function

        def value(x: "tf.Tensor") -> "tf.Tensor":
            return function(x)

        if mode == "eager":
            return cls(written, x, value, lambda x: _by_tape(function, x))

        def gradient(x: "tf.Tensor") -> "tf.Tensor":
            return tf.gradients(function(x), x)[0]

        # AutoGraph would call copies of the functions; there is no control flow here that it could rewrite.
        graphs = [tf.function(part, autograph=False, jit_compile=mode == "xla") for part in (value, gradient)]
        return cls(written, x, *graphs)

    def forward(self) -> "tf.Tensor":
        """See `Operator.forward`."""
        return self.value(self.x)

    def both(self) -> "tf.Tensor":
        """See `Operator.both`: eager by a tape, in a graph by `tf.gradients`."""
        return self.gradient(self.x)

    def host(self, tensor: "tf.Tensor") -> Array:
        """See `Operator.host`."""
        return tensor.numpy()  # type: ignore[no-any-return]

    def compiled(self) -> Self:
        """By `tf.function(jit_compile=True)`: XLA."""
        return self._over(self.written, self.x, "xla")

    def export(self, path: Path, translated: bool) -> None:
        """By tf2onnx, with the translation as its `custom_op_handlers`."""
        import tensorflow as tf
        import tf2onnx

        tf2onnx.convert.from_function(
            tf.function(self.written.function, autograph=False),
            input_signature=[tf.TensorSpec(self.x.shape, self.x.dtype, name="x")],
            opset=KERAS_OPSET,
            custom_op_handlers=self.written.translation if translated else None,
            output_path=str(path),
        )


def _by_tape(function: Callable[["tf.Tensor"], "tf.Tensor"], x: "tf.Tensor") -> "tf.Tensor":
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x)
