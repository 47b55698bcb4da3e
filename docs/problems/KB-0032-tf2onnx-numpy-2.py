"""KB-0032: converts a function by tf2onnx with the installed NumPy."""

import logging
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
try:
    import numpy as np
    import tensorflow as tf
    import tf2onnx
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

messages = []


class Keep(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        messages.append(record.getMessage())


logging.getLogger("tf2onnx").addHandler(Keep())
print(f"tf2onnx {tf2onnx.__version__}, numpy {np.__version__}")
tf2onnx.convert.from_function(
    tf.function(lambda x: tf.cast(tf.nn.relu(x) * 2.0 + tf.constant([1.0, 2.0, 3.0, 4.0]), tf.float16)),
    input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")],
    opset=15,
    output_path="model.onnx",
)
lost = [message for message in messages if "removed in the NumPy 2.0 release" in message]
if lost:
    sys.exit("\n".join(lost))
print("gone: the function was converted, and no rewriter was left out")
