"""KB-0030: exports with an example of one sample and asks for two."""

import sys

try:
    import numpy as np
    import onnxruntime
    import onnxscript  # noqa: F401  (the exporter imports it)
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

torch.onnx.export(
    torch.nn.Linear(4, 2), (torch.randn(1, 4),), "model.onnx", dynamo=True, input_names=["x"], verbose=False
)
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
session.run(None, {"x": np.zeros((2, 4), np.float32)})
print("gone: any batch size is taken")
