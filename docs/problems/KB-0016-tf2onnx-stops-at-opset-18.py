"""KB-0016: asks tf2onnx for opset 19."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
try:
    import tensorflow as tf
    import tf2onnx
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

tf2onnx.convert.from_function(
    tf.function(lambda x: tf.nn.relu(x)),
    input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")],
    opset=19,
    output_path="model.onnx",
)
print("gone: opset 19 was written")
