"""A user's file as a model: inputs from its own signature or from samples, outputs judged by the best it offers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from kb.models.errors import ModelError
from kb.models.formats.interface import Format
from kb.models.formats.keras_file import KerasFile
from kb.models.formats.onnx_file import OnnxFile
from kb.models.formats.saved_model import SavedModel
from kb.models.formats.torch_export import TorchExport
from kb.models.formats.torchscript import TorchScript
from kb.models.interface import Array, Weights
from kb.models.origin import find_origin, run_origin
from kb.models.samples import Samples, read_labelled, read_samples
from kb.models.signature import TensorSpec, check_batch, check_samples, completed, draw
from kb.models.trained.interface import Labels, Split

if TYPE_CHECKING:
    import keras
    import torch

FORMATS: dict[str, Format] = {
    ".onnx": OnnxFile(),
    ".pt": TorchScript(),
    ".ts": TorchScript(),
    ".pt2": TorchExport(),
    ".keras": KerasFile(),
}
FOLDER: Format = SavedModel()


class InputSettings(Protocol):
    """What the settings say of one input; a named axis may have any length."""

    @property
    def shape(self) -> Sequence[int | str]: ...
    @property
    def dtype(self) -> str: ...


class ArtefactSettings(Protocol):
    """What the settings say of one file."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def reference(self) -> Path | None: ...
    @property
    def inputs(self) -> Mapping[str, InputSettings]: ...


@dataclass(frozen=True)
class ArtefactSpec:
    """One file and what was said about it, in a form that JSON can hold."""

    name: str
    path: str
    reference: str | None = None  #: an .npz with samples
    inputs: tuple[TensorSpec, ...] = ()
    target: str | None = None  #: `module:attribute` of what the file was made from: a module, a model, a function
    data: str | None = None  #: an .npz with labelled samples

    @classmethod
    def of(cls, settings: ArtefactSettings) -> Self:
        """From what the settings say; an axis that bears a name may have any length."""
        inputs = tuple(
            TensorSpec(name, tuple(axis if isinstance(axis, int) else None for axis in given.shape), given.dtype)
            for name, given in settings.inputs.items()
        )
        reference = None if settings.reference is None else str(settings.reference)
        return cls(settings.name, str(settings.path), reference, inputs)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        inputs = tuple(
            TensorSpec(
                given["name"],
                None if given["shape"] is None else tuple(given["shape"]),
                given["dtype"],
                tuple(given["usual"]),
            )
            for given in values["inputs"]
        )
        return cls(**{**values, "inputs": inputs})


class Artefact:
    """A model that is a file. Constructing it looks at the file but imports no framework."""

    def __init__(self, spec: ArtefactSpec) -> None:
        """
        Raises:
            ModelError: the file is missing, empty, cut off or of a kind that kb does not know.
        """
        self.name = spec.name
        self.path: Path | None = Path(spec.path)
        self._file = self.path
        self._given = spec.inputs
        self._target = spec.target
        self._samples_path = None if spec.reference is None else Path(spec.reference)
        with self._speaking():
            self._format = recognise(self._file)
        self.sources = frozenset({self._format.source})

    def inputs(self, batch: int, seed: int) -> dict[str, Array]:
        """Samples of the reference file, or seeded numbers in the shapes that file and settings give.

        Raises:
            ModelError: the file cannot be read, takes other batches only, or does not say enough of its inputs.
        """
        with self._speaking():
            if self._samples is not None:
                for spec in self._signature:
                    check_batch(spec, batch)
                return self._samples.choose(batch, seed)
            random = np.random.default_rng(seed)
            return {spec.name: draw(spec, batch, random) for spec in self._known()}

    def fixed_batch(self) -> int | None:
        """The one batch size that the file takes; None where it takes any.

        Raises:
            ModelError: the file cannot be read.
        """
        with self._speaking():
            fixed = {spec.shape[0] for spec in self._signature if spec.shape}
            return next((length for length in fixed if length is not None), None)

    def original(self) -> Any:
        """What the file is said to be made from; None where nothing is said.

        Raises:
            ModelError: it cannot be found.
        """
        with self._speaking():
            return None if self._target is None else find_origin(self._target)

    def weights(self) -> Weights:
        """None: they are in the file."""
        return {}

    def torch_module(self) -> "torch.nn.Module":
        raise ModelError(f"model {self.name!r} is {self._format.words}, not a torch module")

    def keras_model(self, dtype: str = "float32") -> "keras.Model":
        if isinstance(self._format, KerasFile):
            with self._speaking():
                return self._format.model(self._file, dtype)
        raise ModelError(f"model {self.name!r} is {self._format.words}, not a Keras model")

    def keras_inputs(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The inputs as they are: a file's layout is its own."""
        return dict(inputs)

    def reference(self, inputs: Mapping[str, Array]) -> tuple[list[Array], str]:
        """The outputs to judge by, and their origin.

        `module:attribute`: from what the file is said to be made from. `file`: from the reference file. `float64`: the
        file in double precision. `onnx-reference`: ONNX's evaluator in NumPy. `self`: the file's own first run in the
        precision it was saved in, where nothing better is to be had.
        """
        with self._speaking():
            if self._target is not None:
                return run_origin(self._target, inputs), self._target
            if self._samples is not None and self._samples.expected:
                return self._samples.outputs_for(inputs), "file"
            return self._format.reference(self._file, inputs)

    @cached_property
    def _signature(self) -> list[TensorSpec]:
        """The inputs, as far as the file and the settings tell."""
        return completed(self._format.signature(self._file), self._given)

    def _known(self) -> list[TensorSpec]:
        """The signature, of which nothing may be unknown any more."""
        for spec in self._signature:
            if spec.shape is None or spec.dtype is None:
                raise ModelError(
                    f"{self._file.name} does not say the shape of {spec.name!r}: add to its [[tool.kb.artefacts]] "
                    f'inputs = {{ {spec.name} = {{ shape = ["batch", ...], dtype = "float32" }} }}, or a reference .npz'
                )
        return self._signature

    @cached_property
    def _samples(self) -> Samples | None:
        """The reference file, in the order of the signature, checked against it."""
        if self._samples_path is None:
            return None
        samples = read_samples(self._samples_path)
        names = [spec.name for spec in self._signature]
        if sorted(names) != sorted(samples.inputs):
            raise ModelError(f"{samples.path} has inputs {', '.join(samples.inputs)}; expected {', '.join(names)}")
        for spec in self._signature:
            check_samples(spec, samples.inputs[spec.name])
        return Samples(samples.path, {name: samples.inputs[name] for name in names}, samples.expected)

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Put the model's name in front of every complaint."""
        try:
            yield
        except ModelError as error:
            raise ModelError(f"model {self.name!r}: {error}") from error


class LabelledArtefact(Artefact):
    """A file with labelled samples, so that its accuracy can be measured."""

    def __init__(self, spec: ArtefactSpec) -> None:
        """
        Raises:
            ModelError: as of `Artefact`.
        """
        super().__init__(spec)
        self._data = Path(spec.data or "")

    def labelled(self, split: Split) -> tuple[dict[str, Array], Labels]:
        """The samples and their classes. There is one set: what is calibrated with it has seen it.

        Raises:
            ModelError: the file cannot be read, or does not fit the model.
        """
        with self._speaking():
            samples, labels = read_labelled(self._data)
            names = [spec.name for spec in self._signature]
            if sorted(names) != sorted(samples):
                raise ModelError(f"{self._data} has inputs {', '.join(samples)}; expected {', '.join(names)}")
            return {name: samples[name] for name in names}, labels


def recognise(path: Path) -> Format:
    """The kind of a model file.

    Raises:
        ModelError: there is no such file, it is empty, plainly damaged, or of a kind that kb does not know.
    """
    known = f"{', '.join(FORMATS)} or {FOLDER.words}"
    if not path.exists():
        raise ModelError(f"{path}: no such file; expected {known}")
    kind = FOLDER if path.is_dir() else FORMATS.get(path.suffix.lower())
    if kind is None:
        raise ModelError(f"{path}: not a kind of model file that kb knows; expected {known}")
    if path.is_file() and not path.stat().st_size:
        raise ModelError(f"{path}: is empty; expected {kind.words}")
    kind.check(path)
    return kind
