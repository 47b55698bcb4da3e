"""Biases that centre the logits of networks with a thousand classes: measured once, kept beside the code.

Features of a random network share a large mean, so without a bias one class would win for every input. A network with
ten classes keeps the ten numbers in its source; a thousand are kept in a file. `python -m kb.models.centring NAME`
measures them again.
"""

import sys
from importlib import resources

import numpy as np
from numpy.typing import NDArray

#: Samples over which the mean logits are taken, in batches of `BATCH`.
SAMPLES, BATCH = 256, 16
SEED = 0


def centring_bias(name: str, classes: int) -> NDArray[np.float32]:
    """(classes,): minus the mean logits of the model of that name without a bias; zeros where none were measured."""
    path = resources.files("kb.models").joinpath(f"centring_{name}.npy")
    if not path.is_file():
        return np.zeros(classes, np.float32)
    with path.open("rb") as file:
        return np.asarray(np.load(file, allow_pickle=False), np.float32)


def measure(name: str) -> NDArray[np.float32]:
    """The bias for a model, from its torch network in single precision."""
    import torch

    from kb.models.catalogue import catalogue

    model = catalogue()[name].load()
    weights = dict(model.weights())
    classes = weights["classifier.bias"].shape[0]
    total = np.zeros(classes, np.float64)
    module = model.torch_module()
    module.classifier.bias.data.zero_()
    with torch.inference_mode():
        for start in range(0, SAMPLES, BATCH):
            inputs = model.inputs(BATCH, SEED + start)
            logits = module(*(torch.from_numpy(array) for array in inputs.values()))
            total += logits.double().sum(dim=0).numpy()
    return (-total / SAMPLES).round(3).astype(np.float32)


def main(names: list[str]) -> None:
    """Write the files of these models into the package."""
    folder = resources.files("kb.models")
    for name in names:
        with resources.as_file(folder.joinpath(f"centring_{name}.npy")) as path:
            np.save(path, measure(name), allow_pickle=False)


if __name__ == "__main__":
    main(sys.argv[1:])
