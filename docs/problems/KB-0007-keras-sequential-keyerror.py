"""KB-0007: converts a Keras 3 Sequential model by tf2onnx's from_keras."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
try:
    import keras
    import tensorflow as tf
    import tf2onnx
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(2)])
tf2onnx.convert.from_keras(
    model, input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")], output_path="model.onnx"
)
print("gone: a Sequential model was converted")
