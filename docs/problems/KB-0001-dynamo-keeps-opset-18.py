"""KB-0001: asks the dynamo exporter for opset 15 and reads from the file which one it wrote."""

import sys

try:
    import onnx
    import onnxscript  # noqa: F401  (the exporter imports it)
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

ASKED = 15
model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.LayerNorm(8)).eval()
torch.onnx.export(
    model, (torch.randn(2, 8),), "model.onnx", dynamo=True, opset_version=ASKED, external_data=False, verbose=False
)
written = onnx.load("model.onnx").opset_import[0].version
if written != ASKED:
    sys.exit(f"opset asked for: {ASKED}, opset in the file: {written}")
print(f"gone: opset {ASKED} was asked for and written")
