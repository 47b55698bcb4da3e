"""KB-0028: exports adaptive pooling to a size that does not divide the input, and counts the nodes."""

import sys
import time

try:
    import onnx
    import onnxscript  # noqa: F401  (the exporter imports it)
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

SIDE = 32  # with 224 the export took four minutes
begin = time.monotonic()
torch.onnx.export(
    torch.nn.AdaptiveAvgPool2d((5, 3)), (torch.randn(1, 3, SIDE, SIDE),), "model.onnx", dynamo=True, verbose=False
)
seconds = time.monotonic() - begin
nodes = len(onnx.load("model.onnx").graph.node)
if nodes > 50:
    sys.exit(f"AdaptiveAvgPool2d((5, 3)) of {SIDE}x{SIDE}: {nodes} nodes, {seconds:.1f} s")
print(f"gone: {nodes} nodes, {seconds:.1f} s")
