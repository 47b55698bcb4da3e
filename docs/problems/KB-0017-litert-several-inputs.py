"""KB-0017: converts a Keras 3 model with a dict of two inputs, not in alphabetical order, by TFLiteConverter."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
try:
    import keras
    import tensorflow as tf
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

inputs = {"tokens": keras.Input((4,), name="tokens"), "mask": keras.Input((4,), name="mask")}
model = keras.Model(inputs, keras.layers.Dense(2)(inputs["tokens"] * inputs["mask"]))
written = tf.lite.TFLiteConverter.from_keras_model(model).convert()
print(f"gone: {len(written)} bytes were written")
