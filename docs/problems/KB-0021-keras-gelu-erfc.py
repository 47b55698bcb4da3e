"""KB-0021: exports a Keras layer with the exact GELU to ONNX and loads it."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
try:
    import keras
    import onnxruntime
    import tf2onnx  # noqa: F401  (model.export calls it)
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

inputs = keras.Input((4,))
model = keras.Model(inputs, keras.layers.Dense(3, activation="gelu")(inputs))
signature = [keras.InputSpec(shape=(None, 4), dtype="float32", name="x")]
model.export("model.onnx", format="onnx", input_signature=signature, verbose=False)
onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
print("gone: the exported GELU loads")
