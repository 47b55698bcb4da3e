"""KB-0004：用跟踪方式导出带分支的模型，再用走另一条分支的输入比较结果。"""

import sys

try:
    import onnx  # noqa: F401
    import onnxruntime
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)


class Branch(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 0:
            return x * 2
        return x - 1


model = Branch()
torch.onnx.export(model, (torch.ones(4),), "model.onnx", dynamo=False, input_names=["x"])
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])


def difference(x: torch.Tensor) -> float:
    return float(abs(session.run(None, {"x": x.numpy()})[0] - model(x).numpy()).max())


here, there = difference(torch.full((4,), 0.5)), difference(torch.full((4,), -0.5))
if there > 1e-5:
    sys.exit(f"same branch as the example: max abs diff {here:.4f}; other branch: max abs diff {there:.4f}")
print("gone: both branches agree with torch")
