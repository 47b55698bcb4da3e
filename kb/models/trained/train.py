"""Training the trained models again: `python -m kb.models.trained.train [NAME...]` writes their weights and records.

It takes seconds to a minute each, in one thread and in double precision. There, a disturbance of the last bits, as by
another processor, changed no accuracy (first weights of the three digit models, 1e-15); in single precision it moved
that of the one with BatchNorm by 0.5 percentage points (3e-7).
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from kb.complaints import nearest
from kb.models.arrays import widened
from kb.models.errors import ModelError
from kb.models.interface import Array, Weights
from kb.models.trained.catalogue import trained_models
from kb.models.trained.interface import Labels, Split
from kb.models.trained.trained_model import Record, TrainedModel
from kb.records.atomic import write_whole
from kb.records.fingerprints import weights_hash

if TYPE_CHECKING:
    import torch

#: Of BatchNorm, counted while training and used by nothing in eval mode.
COUNTER = "num_batches_tracked"


def fit(model: TrainedModel) -> "torch.nn.Module":
    """A torch network fitted to the training split, float32, in eval mode: cross-entropy, AdamW, one cycle of steps.

    Sources: Loshchilov & Hutter 2017 (arXiv:1711.05101), Smith & Topin 2017 (arXiv:1708.07120).
    """
    import torch

    samples, labels = model.labelled(Split.TRAIN)
    tensors, targets = [torch.from_numpy(widened(array)) for array in samples.values()], torch.from_numpy(labels)
    recipe, random = model.recipe, np.random.default_rng(model.recipe.seed)
    with _reproducible(recipe.seed):
        network = model.torch_network().double().train()
        optimiser = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
        steps = recipe.epochs * (len(labels) // recipe.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, total_steps=steps)
        for _ in range(recipe.epochs):
            order = random.permutation(len(labels))
            for start in range(0, len(labels) - recipe.batch + 1, recipe.batch):
                rows = order[start : start + recipe.batch]
                loss = torch.nn.functional.cross_entropy(network(*(tensor[rows] for tensor in tensors)), targets[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
    return network.float().eval().requires_grad_(False)


@contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    """One thread, deterministic operators and a seed of torch's own; all as before afterwards."""
    import torch

    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)


def accuracy(network: "torch.nn.Module", samples: dict[str, Array], labels: Labels) -> float:
    """Share of samples whose largest logit is that of the right class."""
    import torch

    with torch.inference_mode():
        logits = network(*(torch.from_numpy(array) for array in samples.values()))
    return float((logits.argmax(dim=1).numpy() == labels).mean())


def trained(model: TrainedModel) -> tuple[Weights, Record]:
    """Weights fitted anew, and what they reach on the test split."""
    import torch

    network = fit(model)
    samples, labels = model.labelled(Split.TEST)
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items() if not name.endswith(COUNTER)}
    data = weights_hash({**samples, "labels": labels})
    reached = round(accuracy(network, samples, labels), 6)
    return weights, Record(reached, len(labels), model.recipe.seed, torch.__version__, data)


def write(model: TrainedModel, weights: Weights, record: Record) -> None:
    """Both files, beside the module of the model."""
    packed, arrays = io.BytesIO(), dict[str, Any](weights)
    np.savez_compressed(packed, **arrays)
    path = model.weights_path()
    path.parent.mkdir(exist_ok=True)
    write_whole(path, packed.getvalue())
    write_whole(path.with_suffix(".json"), record.as_json().encode())


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Train the models NAMES, or all, and write their weights and records beside their code."""
    try:
        kinds = trained_models()
        for name in names or kinds:
            if name not in kinds:
                raise ModelError(f"no trained model is called {name!r}: {nearest(name, kinds)}")
        for name in names or kinds:
            model = kinds[name]()
            weights, record = trained(model)
            write(model, weights, record)
            click.echo(f"{name}: {100 * record.accuracy:.2f} % of {record.n}")
    except ModelError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
