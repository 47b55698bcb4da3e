"""KB-0005: exports a transformer encoder without gradients by the exporter that traces."""

import sys

try:
    import onnx  # noqa: F401
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

layer = torch.nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
encoder = torch.nn.TransformerEncoder(layer, 2).eval()
with torch.no_grad():
    torch.onnx.export(encoder, (torch.randn(1, 4, 16),), "model.onnx", dynamo=False, opset_version=17)
print("gone: the encoder was exported")
