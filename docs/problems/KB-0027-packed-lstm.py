"""KB-0027: exports an LSTM over packed sequences by the dynamo exporter."""

import sys

try:
    import onnxscript  # noqa: F401  (the exporter imports it)
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
except ImportError as error:
    print(f"cannot be tried here: {error}")
    sys.exit(77)


class Packed(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(3, 4, batch_first=True)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]


torch.onnx.export(
    Packed().eval(), (torch.randn(2, 5, 3), torch.tensor([5, 3])), "model.onnx", dynamo=True, verbose=False
)
print("gone: the packed LSTM was exported")
