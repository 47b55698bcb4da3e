"""KB-0002: exports a small model with the defaults, moves the .onnx file alone to another folder, and loads it."""

import sys
from pathlib import Path

try:
    import onnxruntime
    import onnxscript  # noqa: F401  (the exporter imports it)
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

torch.onnx.export(torch.nn.Linear(64, 64), (torch.randn(1, 64),), "model.onnx", dynamo=True, verbose=False)
print("written:", *sorted(path.name for path in Path().glob("model.onnx*")))
moved = Path("elsewhere", "model.onnx")
moved.parent.mkdir(exist_ok=True)
Path("model.onnx").replace(moved)
onnxruntime.InferenceSession(str(moved), providers=["CPUExecutionProvider"])
print("gone: the moved file loads without the other")
