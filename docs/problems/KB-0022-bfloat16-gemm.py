"""KB-0022: exports a linear layer with bfloat16 weights and loads it on the CPU."""

import sys

try:
    import onnxruntime
    import onnxscript  # noqa: F401  (the exporter imports it)
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

model = torch.nn.Linear(8, 4).to(torch.bfloat16).eval()
torch.onnx.export(model, (torch.randn(1, 8, dtype=torch.bfloat16),), "model.onnx", dynamo=True, verbose=False)
onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
print("gone: the CPU has a kernel for bfloat16")
