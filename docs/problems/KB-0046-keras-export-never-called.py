"""KB-0046: exports to ONNX a Keras Sequential model that has an Input and was never called."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
try:
    import keras
    import tf2onnx  # noqa: F401  (model.export calls it)
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
model.export("model.onnx", format="onnx", verbose=False)
print("gone: a model that was never called was exported")
