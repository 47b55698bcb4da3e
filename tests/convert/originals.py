"""What the files of users are made from, in these tests: a network with the layers that exports get wrong."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras
    import torch

#: Of the LSTM's state.
HIDDEN = 7


def layers() -> "torch.nn.Module":
    """A convolution, a BatchNorm with statistics of its own, an LSTM over the rows, a product.

    Takes images (batch, 3, 6, 6), gives (batch, 4).
    """
    import torch

    class Net(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 5, 3, padding=1)
            self.norm = torch.nn.BatchNorm2d(5)
            self.lstm = torch.nn.LSTM(30, HIDDEN, batch_first=True)
            self.head = torch.nn.Linear(HIDDEN, 4)

        def forward(self, image: "torch.Tensor") -> "torch.Tensor":
            x = torch.relu(self.norm(self.conv(image)))
            rows, _ = self.lstm(x.permute(0, 2, 1, 3).flatten(2))
            answer: torch.Tensor = self.head(torch.tanh(rows[:, -1]))
            return answer

    torch.manual_seed(0)
    net = Net()
    net.norm.running_mean.uniform_(-0.5, 0.5)
    net.norm.running_var.uniform_(0.005, 0.02)
    return net.eval()


#: Weights of the products of `dense`.
FIRST, SECOND = (np.random.default_rng(seed).standard_normal((6, 6)).astype(np.float32) for seed in (1, 2))


def dense() -> "keras.Model":
    """Two products with a hyperbolic tangent between them, from (batch, 6) to (batch, 6)."""
    import keras

    first: Any = keras.layers.Dense(6, activation="tanh", use_bias=False)
    second: Any = keras.layers.Dense(6, use_bias=False)
    net: keras.Model = keras.Sequential([keras.Input((6,), name="x"), first, second])
    first.set_weights([FIRST])
    second.set_weights([SECOND])
    return net
