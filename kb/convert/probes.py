"""The inputs that a conversion is asked: those it was exported with, other numbers, turned signs, other shapes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from kb.models.artefact import Artefact
from kb.models.errors import ModelError
from kb.models.interface import Array, Model

#: Samples of the inputs that are exported with. More than one, which exporters take for a constant.
EXPORT_BATCH = 2
#: Other batch sizes: one sample, and more than were exported with.
OTHER_BATCHES = (1, 5)
#: Seeds beyond the first.
OTHER_SEEDS = 2


class Kind(StrEnum):
    """How a probe differs from what the model was exported with: it decides what a failure means."""

    EXPORTED = "as exported"
    VALUES = "other values"
    SHAPE = "another shape"


@dataclass(frozen=True)
class Probe:
    """One question, with its answer."""

    name: str
    kind: Kind
    inputs: Mapping[str, Array]
    expected: Sequence[Array]  #: of the model in double precision, where it can be had


def probes_of(model: Model, seed: int) -> tuple[list[Probe], str]:
    """Every probe of a model, and where their answers come from.

    Signs are turned where the model still gives finite numbers: it takes a graph through the other branch of most
    conditions on the data.
    """
    origin = ""
    found: list[Probe] = []
    for name, kind, inputs in _questions(model, seed):
        try:
            expected, origin = model.reference(inputs)
        except ModelError:
            if kind is Kind.EXPORTED:
                raise
            continue  # a file of expected outputs answers nothing but its own inputs
        if all(np.isfinite(array).all() for array in expected) or kind is Kind.EXPORTED:
            found.append(Probe(name, kind, inputs, expected))
    return found, origin


def fixed_batch(model: Model) -> int | None:
    """The one batch size that a user's file takes; None where any is taken."""
    return model.fixed_batch() if isinstance(model, Artefact) else None


def examples_of(model: Model, seed: int) -> dict[str, Array]:
    """What a model is exported with."""
    return model.inputs(fixed_batch(model) or EXPORT_BATCH, seed)


def _questions(model: Model, seed: int) -> Iterator[tuple[str, Kind, dict[str, Array]]]:
    exported = examples_of(model, seed)
    batch = len(next(iter(exported.values())))
    yield f"batch {batch}", Kind.EXPORTED, exported
    for number in range(1, OTHER_SEEDS + 1):
        yield f"seed {number}", Kind.VALUES, model.inputs(batch, seed + number)
    turned = turned_signs(exported)
    if turned is not None:
        yield "signs turned", Kind.VALUES, turned
    for batch in OTHER_BATCHES if fixed_batch(model) is None else ():
        yield f"batch {batch}", Kind.SHAPE, model.inputs(batch, seed)


def turned_signs(inputs: Mapping[str, Array]) -> dict[str, Array] | None:
    """The inputs with the signs of their floating-point numbers turned; None where there are none."""
    if not any(np.issubdtype(array.dtype, np.floating) for array in inputs.values()):
        return None
    return {
        name: np.negative(array) if np.issubdtype(array.dtype, np.floating) else array for name, array in inputs.items()
    }


def save(probes: Sequence[Probe], path: Path) -> None:
    """Write probes to an ``.npz`` file."""
    arrays: dict[str, Array] = {}
    for place, probe in enumerate(probes):
        head = f"{place}/{probe.kind.name}/{probe.name}"
        arrays |= {f"{head}/in/{name}": array for name, array in probe.inputs.items()}
        arrays |= {f"{head}/out/{index}": array for index, array in enumerate(probe.expected)}
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its stubs know no mapping


def read(path: Path) -> list[Probe]:
    """What `save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    heads = list(dict.fromkeys(name.rsplit("/", 2)[0] if "/out/" in name else name.split("/in/")[0] for name in arrays))
    return [_probe(head, arrays) for head in heads]


def _probe(head: str, arrays: Mapping[str, Array]) -> Probe:
    _, kind, name = head.split("/", 2)
    inputs = {key.removeprefix(f"{head}/in/"): array for key, array in arrays.items() if key.startswith(f"{head}/in/")}
    expected = [array for key, array in arrays.items() if key.startswith(f"{head}/out/")]
    return Probe(name, Kind[kind], inputs, expected)
