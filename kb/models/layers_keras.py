"""Loading a weight set in torch's names and layout into a Keras model whose layers are named after torch's modules.

Layouts: a convolution is OIHW in torch and HWIO in Keras, a dense kernel is transposed, attention kernels are split
into heads. What no layout can repair is up to the networks: Keras pads "same" with stride 2 on the far side only
(pad by 1 and use "valid"), and its normalisations have epsilon 1e-3 (torch: 1e-5).
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kb.models.errors import ModelError
from kb.models.interface import Weights

if TYPE_CHECKING:
    import keras

Float32 = NDArray[np.float32]
Pick = Callable[[str], Float32]  #: the array of a layer by its name in torch, e.g. ``weight``


def load_weights(model: "keras.Model", weights: Weights) -> None:
    """Give every layer of `model` the arrays that bear its name.

    Raises:
        ModelError: a layer has no arrays or is of an unknown kind, a shape differs, or an array is left over.
    """
    taken: set[str] = set()
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(_arrays(layer, weights, taken))
    left = sorted(set(weights) - taken)
    if left:
        raise ModelError(f"the Keras model {model.name!r} has no layer for {len(left)} arrays, e.g. {left[0]!r}")


def _arrays(layer: "keras.layers.Layer", weights: Weights, taken: set[str]) -> list[Float32]:
    """The arrays of one layer in Keras' order and layout; their names are added to `taken`."""

    def pick(part: str) -> Float32:
        name = _torch_name(layer.name, part)
        if name not in weights:
            raise ModelError(f"Keras layer {layer.name!r} needs {name!r}, which the weight set does not have")
        taken.add(name)
        return weights[name]

    kinds = [kind.__name__ for kind in type(layer).__mro__]
    loader = next((LOADERS[kind] for kind in kinds if kind in LOADERS), None)
    if loader is None:
        raise ModelError(f"Keras layer {layer.name!r} is a {kinds[0]}; weights can be loaded into {', '.join(LOADERS)}")
    arrays = loader(pick, layer)
    wanted = [tuple(variable.shape) for variable in layer.weights]
    if [array.shape for array in arrays] != wanted:
        raise ModelError(f"Keras layer {layer.name!r} has shapes {wanted}, its weights {[a.shape for a in arrays]}")
    return arrays


#: A Keras layer that is one layer of torch's LSTM: the module's name, and which layer.
_LSTM_LAYER = re.compile(r"(.+)\.l(\d+)")


def _torch_name(layer: str, part: str) -> str:
    """The name of an array in torch; torch numbers the layers of an LSTM behind the part: ``lstm.weight_ih_l0``."""
    numbered = _LSTM_LAYER.fullmatch(layer)
    if numbered is None:
        return f"{layer}.{part}"
    kind, reverse, _ = part.partition("_reverse")
    return f"{numbered[1]}.{kind}_l{numbered[2]}{reverse}"


def _dense(pick: Pick, layer: Any) -> list[Float32]:
    return [pick("weight").T, *([pick("bias")] if layer.use_bias else [])]


def _conv2d(pick: Pick, layer: Any) -> list[Float32]:
    return [pick("weight").transpose(2, 3, 1, 0), *([pick("bias")] if layer.use_bias else [])]


def _conv1d(pick: Pick, layer: Any) -> list[Float32]:
    return [pick("weight").transpose(2, 1, 0), *([pick("bias")] if layer.use_bias else [])]


def _depthwise_conv2d(pick: Pick, layer: Any) -> list[Float32]:
    return [pick("weight").transpose(2, 3, 0, 1), *([pick("bias")] if layer.use_bias else [])]


def _batch_norm(pick: Pick, layer: Any) -> list[Float32]:
    return [pick("weight"), pick("bias"), pick("running_mean"), pick("running_var")]


def _layer_norm(pick: Pick, layer: Any) -> list[Float32]:
    return [pick("weight"), pick("bias")]


def _embedding(pick: Pick, layer: Any) -> list[Float32]:
    return [pick("weight")]


def _attention(pick: Pick, layer: Any) -> list[Float32]:
    """Four dense layers `query`, `key`, `value`, `output` in torch; split into heads in Keras, in the same order."""
    parts = [f"{side}.{kind}" for side in ("query", "key", "value", "output") for kind in ("weight", "bias")]
    return [pick(part).T.reshape(variable.shape) for part, variable in zip(parts, layer.weights, strict=True)]


def _bidirectional_lstm(pick: Pick, layer: Any) -> list[Float32]:
    """One layer of torch's LSTM in both directions; Keras's is called after it: ``lstm.l0``, ``lstm.l1``.

    The gates come in one order on both sides; torch has two biases that are added, Keras has their sum.
    """
    arrays = []
    for direction in ("", "_reverse"):
        arrays += [pick(f"weight_ih{direction}").T, pick(f"weight_hh{direction}").T]
        arrays += [pick(f"bias_ih{direction}") + pick(f"bias_hh{direction}")]
    return arrays


#: By the name of the Keras class, so that this module needs no Keras to be imported.
LOADERS: dict[str, Callable[[Pick, Any], list[Float32]]] = {
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise_conv2d,
    "Conv2D": _conv2d,
    "Conv1D": _conv1d,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _layer_norm,
    "Embedding": _embedding,
    "MultiHeadAttention": _attention,
    "Bidirectional": _bidirectional_lstm,
}
