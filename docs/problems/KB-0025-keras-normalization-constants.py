"""KB-0025: exports a Keras Normalization layer with its statistics to ONNX and runs it on its one input."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
try:
    import keras
    import numpy as np
    import onnxruntime
    import tf2onnx  # noqa: F401  (model.export calls it)
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

layer = keras.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0])
inputs = keras.Input((3,))
model = keras.Model(inputs, layer(inputs))
signature = [keras.InputSpec(shape=(None, 3), dtype="float32", name="x")]
model.export("model.onnx", format="onnx", input_signature=signature, verbose=False)
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
print("inputs of the file:", *(value.name for value in session.get_inputs()))
session.run(None, {session.get_inputs()[0].name: np.ones((2, 3), np.float32)})
print("gone: the statistics are constants of the file")
