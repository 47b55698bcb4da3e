"""KB-0026: exports a Fourier transform by the exporter that traces."""

import sys

try:
    import onnx  # noqa: F401
    import torch
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)


class Spectrum(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.rfft(x).abs()


torch.onnx.export(Spectrum(), (torch.randn(1, 16),), "model.onnx", dynamo=False, opset_version=20)
print("gone: the transform was exported")
