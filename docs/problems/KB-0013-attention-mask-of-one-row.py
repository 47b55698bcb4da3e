"""KB-0013: exports attention whose mask has one row for all queries, at opset 23, and runs it."""

import sys

try:
    import onnxruntime
    import onnxscript  # noqa: F401  (the exporter imports it)
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)


class Masked(torch.nn.Module):
    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        heads = x.view(x.shape[0], x.shape[1], 2, 8).transpose(1, 2)
        seen = (mask != 0)[:, None, None, :]  # (batch, 1, 1, key)
        return torch.nn.functional.scaled_dot_product_attention(heads, heads, heads, attn_mask=seen)


given = {"x": torch.randn(2, 5, 16), "mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])}
torch.onnx.export(
    Masked(),
    tuple(given.values()),
    "model.onnx",
    dynamo=True,
    opset_version=23,
    input_names=list(given),
    external_data=False,
    verbose=False,
)
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
answer = session.run(None, {name: value.numpy() for name, value in given.items()})[0]
difference = float(abs(answer - Masked()(*given.values()).numpy()).max())
print(f"gone: the Attention node runs, max abs diff {difference:.1e}")
