"""All models by name: installed ones, classes of the user's, files of the user's. Nothing is imported to list them."""

import inspect
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from kb.discovery import UnknownPart, load, split_size, targets
from kb.models.artefact import Artefact, ArtefactSettings, ArtefactSpec, LabelledArtefact
from kb.models.errors import ModelError
from kb.models.interface import Model, Source

#: Entry-point group of installed models.
GROUP = "kb.models"

#: What `Model` declares: its data and its methods.
DATA = tuple(Model.__annotations__)
METHODS = tuple(name for name, member in vars(Model).items() if inspect.isfunction(member) and name[0] != "_")


@dataclass(frozen=True)
class ModelSpec:
    """Where one model is found. JSON can hold it, so that worker processes load the model themselves."""

    name: str
    target: str | None = None  #: `module:Class`, called without arguments
    artefact: ArtefactSpec | None = None  #: or a file
    size: int | None = None  #: pixels, tokens or points, given to the class; None: its default
    folder: str | None = None  #: where a user's modules are, besides what is installed

    def load(self) -> Model:
        """Make the model. Imports no framework, unless the user's module does.

        Raises:
            ModelError: the class or the file cannot be found or read, or it is not a model.
        """
        if self.artefact is not None:
            return Artefact(self.artefact) if self.artefact.data is None else LabelledArtefact(self.artefact)
        if self.folder is not None and self.folder not in sys.path:
            sys.path.append(self.folder)
        factory = _find(self)
        model = factory() if self.size is None else _of_size(self, factory, self.size)
        _check(self, model)
        return model  # type: ignore[no-any-return]  # `_check` has looked at every member

    def as_dict(self) -> dict[str, Any]:
        artefact = None if self.artefact is None else self.artefact.as_dict()
        return {
            "name": self.name, "target": self.target, "artefact": artefact, "size": self.size, "folder": self.folder,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        artefact = values["artefact"]
        return cls(**{**values, "artefact": None if artefact is None else ArtefactSpec.from_dict(artefact)})


def catalogue(
    extra_models: Mapping[str, str] | None = None,
    artefacts: Iterable[ArtefactSettings] = (),
    folder: Path | None = None,
) -> dict[str, ModelSpec]:
    """Every known model by name.

    Args:
        extra_models: the user's own, name -> `module:Class`.
        artefacts: the user's files.
        folder: where the user's modules are looked for, besides what is installed.

    Raises:
        ModelError: two models have the same name.
    """
    own = None if folder is None else str(folder)
    specs = [ModelSpec(name, target) for name, target in targets(GROUP).items()]
    specs += [ModelSpec(name, target, folder=own) for name, target in (extra_models or {}).items()]
    specs += [ModelSpec(settings.name, artefact=ArtefactSpec.of(settings)) for settings in artefacts]
    found: dict[str, ModelSpec] = {}
    for spec in specs:
        if spec.name in found:
            raise ModelError(f"two models are called {spec.name!r}: rename one of them in [tool.kb]")
        found[spec.name] = spec
    return found


def spec_of(specs: Mapping[str, ModelSpec], name: str) -> ModelSpec:
    """Where the model of that name is found; `resnet50@96` is `resnet50` at size 96.

    Raises:
        KeyError: there is none.
        ModelError: a file was asked for at another size.
    """
    base, size = split_size(name)
    if size is None or name in specs:
        return specs[name]
    if specs[base].artefact is not None:
        raise ModelError(f"model {base!r} is a file, which has the size that it was saved with: leave '@{size}' away")
    return replace(specs[base], size=size)


def _of_size(spec: ModelSpec, factory: Any, size: int) -> Any:
    """The model at a size, by the one argument that its class takes.

    Raises:
        ModelError: the class takes none, or cannot do that size.
    """
    try:
        inspect.signature(factory).bind(size)
    except TypeError:
        raise ModelError(f"model {spec.name!r} ({spec.target}) comes in one size: leave '@{size}' away") from None
    return factory(size)


def _find(spec: ModelSpec) -> Any:
    """The class that the target names, or another callable that needs no arguments."""
    where = f"model {spec.name!r} ({spec.target})"
    try:
        factory = load(spec.target or "")
    except (ImportError, UnknownPart) as error:
        raise ModelError(f"{where} cannot be imported: {error}") from error
    if not callable(factory):
        raise ModelError(f"{where} is of type {type(factory).__name__}; expected a class")
    needed = [
        parameter.name
        for parameter in inspect.signature(factory).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed:
        raise ModelError(f"{where} must be made without arguments, but needs {', '.join(needed)}: give them defaults")
    if missing := sorted(getattr(factory, "__abstractmethods__", ())):
        raise ModelError(f"{where} lacks {', '.join(missing)}, which every model has")
    return factory


def _check(spec: ModelSpec, model: Any) -> None:
    """Raise ModelError where something that every model has is missing, or is not what it should be."""
    where = f"model {spec.name!r} ({spec.target})"
    missing = [f"{name}()" if name in METHODS else name for name in (*DATA, *METHODS) if not hasattr(model, name)]
    if missing:
        raise ModelError(f"{where} lacks {', '.join(missing)}, which every model has")
    uncallable = [name for name in METHODS if not callable(getattr(model, name))]
    if uncallable:
        raise ModelError(
            f"{where}: {uncallable[0]} must be a method, not a {type(getattr(model, uncallable[0])).__name__}"
        )
    if model.name != spec.name:
        raise ModelError(f"{where} calls itself {model.name!r}: the name in [tool.kb.models] must be the same")
    sources = model.sources
    if not isinstance(sources, frozenset) or not sources or not all(isinstance(source, Source) for source in sources):
        raise ModelError(f"{where}: sources must be a frozenset of kb.models.interface.Source, not {sources!r}")
