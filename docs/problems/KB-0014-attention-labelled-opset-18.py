"""KB-0014: asks the dynamo exporter for an opset beyond 25, and onnx whether the file is valid."""

import sys

try:
    import onnx
    import onnxscript  # noqa: F401  (the exporter imports it)
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)

ASKED = 26
if onnx.defs.onnx_opset_version() < ASKED:
    print(f"cannot be tried here: onnx {onnx.__version__} knows no opset {ASKED}")
    sys.exit(77)


class Attention(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(x, x, x)


torch.onnx.export(
    Attention(),
    (torch.randn(1, 2, 4, 8),),
    "model.onnx",
    dynamo=True,
    opset_version=ASKED,
    external_data=False,
    verbose=False,
)
model = onnx.load("model.onnx")
print(f"opset asked for: {ASKED}, opset in the file: {model.opset_import[0].version}")
onnx.checker.check_model(model)
print("gone: the file is valid")
