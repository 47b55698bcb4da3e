"""KB-0015: asks the exporter that traces for opset 24."""

import sys

try:
    import onnx  # noqa: F401
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

torch.onnx.export(torch.nn.Linear(4, 4), (torch.randn(1, 4),), "model.onnx", dynamo=False, opset_version=24)
print("gone: opset 24 was written")
