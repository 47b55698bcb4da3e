"""What runtimes have in common whatever their framework: reasons to refuse a case, and needing no artefact."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from kb.models.interface import Array, Model, Source
from kb.records.case import Case

#: What a model is handed over in, and what every runtime executes.
FULL = "fp32"
#: Mixed precision: weights stay in float32, and the framework's own rules say which operators run in 16 bits.
MIXED = ("bf16", "fp16")

_PHRASES = {
    Source.TORCH: "a torch module",
    Source.KERAS: "a Keras model",
    Source.ONNX: "an ONNX file",
    Source.TORCHSCRIPT: "a TorchScript file",
    Source.TORCH_EXPORT: "a .pt2 file of torch.export",
    Source.SAVED_MODEL: "a TensorFlow SavedModel",
}


def common_source(sources: tuple[Source, ...], model: Model) -> Source | None:
    """The form in which the model is taken: the first of `sources` that it has, or None."""
    return next((source for source in sources if source in model.sources), None)


def refusal(
    name: str, sources: tuple[Source, ...], model: Model, case: Case, precisions: tuple[str, ...] = (FULL,)
) -> str | None:
    """Why a runtime called `name` that takes `sources` in `precisions` cannot execute this case, or None."""
    source = common_source(sources, model)
    if source is None:
        have = [source for source in Source if source in model.sources]
        return f"{model.name} is {_listed(have)}; {name} takes {_listed(sources)}"
    if case.precision not in precisions:
        return f"{name} runs {', '.join(precisions)} only, not {case.precision}"
    if case.precision != FULL and source not in (Source.TORCH, Source.KERAS):
        return f"{model.name} is {_PHRASES[source]}, which keeps the precision that it was saved in"
    return None


def device_kind(device: str) -> str:
    """``cuda`` of ``cuda:1``."""
    return device.partition(":")[0]


def device_index(device: str) -> int:
    """1 of ``cuda:1``, 0 where there is no index."""
    return int(device.partition(":")[2] or 0)


class Direct:
    """Base of the runtimes that execute a model as it is handed to them."""

    name: str
    packages: tuple[str, ...]
    sources: tuple[Source, ...]
    precisions: tuple[str, ...] = (FULL,)

    def refuse(self, model: Model, case: Case) -> str | None:
        """See `Runtime.refuse`."""
        return refusal(self.name, self.sources, model, case, self.precisions)

    def converts(self, model: Model) -> bool:
        """Never: there is no artefact."""
        return False

    def convert(self, model: Model, inputs: Mapping[str, Array], case: Case, folder: Path) -> Path:
        """Not to be called, since nothing is converted."""
        raise NotImplementedError(f"{self.name} executes {model.name} without converting it")


def _listed(sources: Iterable[Source]) -> str:
    """``a torch module or a Keras model``."""
    return " or ".join(_PHRASES[source] for source in sources)
