"""The items behind torch's DataLoader and behind tf.data, set up as their documentation shows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kb.practices.loading_items import REACH, SCALE, SHIFT, CheapItems, Draw, Image, Items

if TYPE_CHECKING:
    import tensorflow as tf

#: What an epoch's batch is turned into where it is looked at: images and their numbers.
Batch = tuple[Image, NDArray[np.int64]]


@dataclass(frozen=True)
class Loader:
    """What is gone through once per epoch."""

    batches: Iterable[Any]
    arrays: Callable[[Any], Batch]


@dataclass(frozen=True)
class TorchWay:
    """How a DataLoader works."""

    workers: int = 0
    start: str | None = None  #: method by which worker processes begin; None where there are none
    persistent: bool = False  #: workers live until the loader goes, instead of until the end of an epoch

    def open(self, items: Items, threads: int) -> Loader:
        """The DataLoader. Processes begin with each iteration over it, persistent ones with the first."""
        import torch
        from torch.utils.data import DataLoader

        from kb.runtimes.torch_base import set_threads

        set_threads(threads)
        loader = DataLoader(
            items,
            batch_size=items.sizes.batch,
            num_workers=self.workers,
            multiprocessing_context=self.start,
            persistent_workers=self.persistent,
        )

        def arrays(batch: "list[torch.Tensor]") -> Batch:
            images, numbers = batch
            return images.numpy(), numbers.numpy()

        return Loader(loader, arrays)


@dataclass(frozen=True)
class TfWay:
    """How a tf.data pipeline works. Its parallelism is threads of one process."""

    native: bool = False  #: TensorFlow's own operators instead of the NumPy function
    parallel: bool = False  #: as many items at once as tf.data finds best
    prefetch: bool = False  #: batches are made ahead

    def open(self, items: Items, threads: int) -> Loader:
        """The pipeline: elements, map, batch, prefetch."""
        import tensorflow as tf

        _start_tensorflow(threads)
        parallel = tf.data.AUTOTUNE if self.parallel else None
        function: Callable[..., Any]
        if self.native:
            elements = tf.data.Dataset.from_tensor_slices((items.images, np.arange(len(items))))
            function = _scale if isinstance(items, CheapItems) else _augment
        else:
            elements, function = tf.data.Dataset.range(len(items)), _call(items)
        pipeline = elements.map(function, num_parallel_calls=parallel).batch(items.sizes.batch)
        if self.prefetch:
            pipeline = pipeline.prefetch(tf.data.AUTOTUNE)

        def arrays(batch: "tuple[tf.Tensor, tf.Tensor]") -> Batch:
            images, numbers = batch
            return images.numpy(), numbers.numpy()

        return Loader(pipeline, arrays)


Way = TorchWay | TfWay


def _start_tensorflow(threads: int) -> None:
    """Threads for both pools: tf.data works in the one that runs operators side by side, so one thread would not do."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.set_visible_devices([], "GPU")


def _call(items: Items) -> Callable[["tf.Tensor"], "tuple[tf.Tensor, tf.Tensor]"]:
    """The NumPy function as an operator. It runs in this process, and needs the interpreter's lock."""
    import tensorflow as tf

    shape = items.images.shape[1:]

    def load(index: "tf.Tensor") -> "tuple[tf.Tensor, tf.Tensor]":
        image, number = tf.numpy_function(items.__getitem__, [index], (tf.float32, tf.int64))
        return tf.ensure_shape(image, shape), tf.ensure_shape(number, ())

    return load


def _scale(image: "tf.Tensor", number: "tf.Tensor") -> "tuple[tf.Tensor, tf.Tensor]":
    import tensorflow as tf

    return tf.cast(image, tf.float32) * SCALE, number


def _augment(image: "tf.Tensor", number: "tf.Tensor") -> "tuple[tf.Tensor, tf.Tensor]":
    """`kb.practices.loading_items.augment`, in TensorFlow."""
    import tensorflow as tf

    draw = Draw.of(number)
    x = tf.pad(tf.cast(image, tf.float32) * SCALE, [[SHIFT, SHIFT], [SHIFT, SHIFT], [0, 0]], mode="REFLECT")
    x = tf.slice(x, [draw.down, draw.right, 0], image.shape)
    x = tf.cond(draw.flip, lambda: tf.reverse(x, axis=[1]), lambda: x)
    x = _blur(x, draw.width)
    mean = tf.reduce_mean(x)
    x = tf.clip_by_value((x - mean) * tf.cast(draw.contrast, tf.float32) + mean, 0.0, 1.0)
    return x ** tf.cast(draw.gamma, tf.float32), number


def _blur(x: "tf.Tensor", width: "tf.Tensor") -> "tf.Tensor":
    """Down the columns, then along the rows, as convolutions of each channel with itself."""
    import tensorflow as tf

    weights = tf.exp(-0.5 * (tf.range(-REACH, REACH + 1, dtype=tf.float64) / width) ** 2)
    weights = tf.cast(weights / tf.reduce_sum(weights), tf.float32)
    channels = x.shape[-1]
    padded = tf.pad(x, [[REACH, REACH], [REACH, REACH], [0, 0]], mode="REFLECT")[tf.newaxis]
    down = tf.tile(weights[:, tf.newaxis, tf.newaxis, tf.newaxis], [1, 1, channels, 1])
    along = tf.transpose(down, [1, 0, 2, 3])
    tall = tf.nn.depthwise_conv2d(padded, down, [1, 1, 1, 1], "VALID")
    return tf.nn.depthwise_conv2d(tall, along, [1, 1, 1, 1], "VALID")[0]
