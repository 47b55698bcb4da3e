"""KB-0045: exports a singular value decomposition by the dynamo exporter."""

import sys

try:
    import onnxscript  # noqa: F401  (the exporter imports it)
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)


class Decompose(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.svd(x, full_matrices=False)[1]


torch.onnx.export(Decompose(), (torch.randn(4, 4),), "model.onnx", dynamo=True, verbose=False)
print("gone: the decomposition was exported")
