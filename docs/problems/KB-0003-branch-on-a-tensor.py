"""KB-0003: exports a model whose `if` asks for the value of a tensor."""

import sys

try:
    import onnxscript  # noqa: F401  (the exporter imports it)
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)


class Branch(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 0:
            return x * 2
        return x - 1


torch.onnx.export(Branch(), (torch.ones(4),), "model.onnx", dynamo=True, verbose=False)
print("gone: a branch on a tensor's value was exported")
