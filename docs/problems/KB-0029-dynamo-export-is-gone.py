"""KB-0029: calls torch.onnx.dynamo_export, as texts of 2023 and 2024 say."""

import sys

try:
    import onnxscript  # noqa: F401
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

torch.onnx.dynamo_export(torch.nn.Linear(4, 4), torch.randn(1, 4)).save("model.onnx")
print("gone: torch.onnx.dynamo_export is there")
