"""The settings of one knowledge base: ``[tool.kb]`` of its pyproject.toml, checked word by word and then frozen."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from kb.complaints import Location, first_error, key_path, nearest, show
from kb.discovery import split_size, targets
from kb.known_changelogs import BUILT_IN_CHANGELOGS, https_address, release_dates, repository_name, revision
from kb.profiles import BUILT_IN_PROFILES, REDUCED
from kb.setting_types import Address, Batches, Day, Dimension, Dtype, Name, Patterns, Target, Threads, Why, unlike

TABLE = "tool.kb"
#: Devices by the names PyTorch gives them; each may carry an index (`cuda:1`). A runtime from elsewhere that drives
#: another kind names it under `tool.kb.devices`.
DEVICES = ("cpu", "cuda", "mps", "xpu", "npu", "hpu", "tpu")
#: A device may also be an execution provider of ONNX Runtime, by the name that ONNX Runtime gives it.
PROVIDER_SUFFIX = "ExecutionProvider"
#: Axes of a grid whose names may be globs.
GLOBS = ("models", "runtimes", "routes")
#: Begins a glob that takes names away.
EXCLUDED = "!"
PRECISIONS = ("fp32", "bf16", "fp16", "int8")


class ConfigError(ValueError):
    """The settings cannot be used. One line: file, key, value, and what would be right."""


class _Table(BaseModel):
    """Frozen, strict about unknown keys, and its defaults are checked like a user's values."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class TensorSettings(_Table):
    """Shape and element type of one input of an artefact; a named axis may have any length."""

    shape: tuple[Dimension, ...]
    dtype: Dtype = "float32"


class ArtefactSettings(_Table):
    """A model that is a file: `.onnx`, TorchScript, `.pt2`, or the folder of a SavedModel."""

    name: Name
    path: Path
    reference: Path | None = None  #: `.npz` with inputs and the outputs they should give
    inputs: dict[StrictStr, TensorSettings] = Field(default_factory=dict)  #: where the file does not say


class RepositorySettings(_Table):
    """Where results are pushed to."""

    remote: StrictStr = "origin"
    branch: StrictStr | None = None  #: None: the branch that is checked out


class IgnoreSettings(_Table):
    """A note that `kb audit` passes over for a time."""

    id: StrictStr
    until: Day  #: the last day of it: what is put off for ever is forgotten
    reason: Why


class AuditSettings(_Table):
    """What `kb audit` does not report."""

    ignore: tuple[IgnoreSettings, ...] = ()

    @field_validator("ignore")
    @classmethod
    def _once(cls, ignore: tuple[IgnoreSettings, ...]) -> tuple[IgnoreSettings, ...]:
        unlike(tuple(one.id for one in ignore))
        return ignore


class Grid(_Table):
    """Every combination of what it lists is a cell."""

    models: Patterns = ("*",)  #: names or globs; `!glob` takes away, `name@size` is a model at another size
    runtimes: Patterns = ("*",)  #: names or globs
    devices: Patterns = ("cpu",)
    precisions: Patterns = ("fp32",)
    batches: Batches = (1,)
    threads: Threads = (1,)  #: 0: all usable cores


class ConversionGrid(_Table):
    """Every combination of what it lists is a conversion."""

    models: Patterns = ("*",)  #: as in a grid; the trained models are among them
    routes: Patterns = ("*",)  #: names or globs
    precisions: Patterns = ("fp32",)
    opsets: Annotated[tuple[Annotated[StrictInt, Field(ge=0)], ...], Field(min_length=1), AfterValidator(unlike)] = (
        18,
    )
    #: 0: every one from the oldest that kb asks for to the newest that ONNX Runtime reads


class GateSettings(_Table):
    """What accuracy some conversions may lose; of several that speak of one, the last counts."""

    models: Patterns = ("*",)  #: names or globs
    precisions: Patterns = ("*",)  #: names or globs
    loss_pp: Annotated[StrictFloat, Field(gt=0, le=100)] = 0.5  #: percentage points, for the upper bound of the loss
    min_samples: Annotated[StrictInt, Field(ge=1)] = 3000
    hardest_pct: Annotated[StrictFloat, Field(ge=0, le=100)] = 80.0  #: accuracy before conversion, at least
    easiest_pct: Annotated[StrictFloat, Field(ge=0, le=100)] = 92.0  #: and at most

    def covers(self, model: str, precision: str) -> bool:
        """Whether it speaks of a conversion."""
        pairs = ((split_size(model)[0], self.models), (precision, self.precisions))
        return all(any(fnmatchcase(name, glob) for glob in globs) for name, globs in pairs)

    def limits(self) -> dict[str, Any]:
        """What is allowed, without whom it is for."""
        return self.model_dump(exclude={"models", "precisions"})


class Profile(Grid):
    """What one kind of run measures: a grid, more grids beside it, and how often each cell."""

    description: StrictStr = ""
    also: tuple[Grid, ...] = ()  #: more cells: the profile is the union
    practices: StrictBool = False  #: `kb refresh` also measures the practices
    reproducers: StrictBool = False  #: and runs the reproducers of the problem notes
    conversions: tuple[ConversionGrid, ...] = ()  #: that `kb convert` and `kb refresh` check
    replicates: Annotated[StrictInt, Field(ge=1)] = 3
    memory: StrictBool = True  #: also measure peak memory, in one more process per case
    percentiles: StrictBool = True  #: also time single calls, up to a second more in each process


class ChangelogSettings(_Table):
    """Where the changelog of one project is read, and from where the dates that it does not state."""

    enabled: StrictBool = True
    packages: Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(unlike)]  #: as the index names them
    format: StrictStr = ""  #: how it is written; empty: as the project of this name does
    source: Literal["github", "raw", "file"]  #: releases on GitHub, a plain file on the web, a file on disk
    repository: Annotated[StrictStr, AfterValidator(repository_name)] = ""  #: owner/name on GitHub
    tag_prefix: StrictStr = ""  #: what stands before `v1.2` in the tags of releases
    location: StrictStr = ""  #: address, `{version}` in it for a file per version (raw); path, `*` in its name (file)
    ref: Annotated[StrictStr, AfterValidator(revision)] = ""  #: read the path as it is at this commit, branch or tag
    page: Address = ""  #: where people read it; empty: where kb does
    dates: Annotated[tuple[Annotated[StrictStr, AfterValidator(release_dates)], ...], AfterValidator(unlike)] = (
        "index",
    )  #: tried in this order: the package index, the releases on GitHub, a table of package,version,date,source
    index: Address = "https://pypi.org"
    api: Address = "https://api.github.com"

    @model_validator(mode="after")
    def _source_is_somewhere(self) -> Self:
        if not self.repository and (self.source == "github" or "releases" in self.dates):
            raise ValueError("releases on GitHub need repository = 'owner/name'")
        if not self.location and self.source != "github":
            raise ValueError(f"source = {self.source!r} needs a location")
        if self.source == "raw":
            https_address(self.location)
        return self

    def below(self, root: Path) -> Self:
        """The same with paths that start at `root`."""
        location = str((root / self.location).resolve()) if self.source == "file" else self.location
        dates = tuple(str((root / each).resolve()) if each.endswith(".csv") else each for each in self.dates)
        return self.model_copy(update={"location": location, "dates": dates})


class Settings(_Table):
    """All settings. Paths are absolute; relative ones start at `root`, the folder of the pyproject.toml."""

    root: Path
    results: Path = Path("results")
    docs: Path = Path("docs")
    site: Path = Path("site")
    problems: Path = Path("docs/problems")  #: the notes
    packages: tuple[Name, ...] = ()  #: that notes may name beside those that kb knows
    models: dict[Name, Target] = Field(default_factory=dict)  #: the user's own: name -> module:Class
    runtimes: dict[Name, Target] = Field(default_factory=dict)  #: the user's own: name -> module:Class
    artefacts: tuple[ArtefactSettings, ...] = ()
    devices: tuple[Name, ...] = ()  #: kinds of device beyond `DEVICES` that a runtime from elsewhere drives
    timeout_s: Annotated[StrictFloat, Field(gt=0, allow_inf_nan=False)] = 900.0  #: wall clock of one worker process
    memory_limit_mib: Annotated[StrictInt, Field(ge=1)] | None = None  #: of one worker; None: 90 % of what is free
    pin: StrictBool = True  #: bind workers to cores, where the system can
    seed: Annotated[StrictInt, Field(ge=0)] | None = None  #: of the schedule; None: a new one for each run, recorded
    profiles: dict[Name, Profile] = Field(default_factory=dict)
    gates: tuple[GateSettings, ...] = ()
    changelogs: dict[Name, ChangelogSettings] = Field(default_factory=dict)  #: by the name of the project
    repository: RepositorySettings = RepositorySettings()
    audit: AuditSettings = AuditSettings()

    @field_validator("root")
    @classmethod
    def _absolute(cls, root: Path) -> Path:
        return root.resolve()

    @field_validator("results", "docs", "site", "problems")
    @classmethod
    def _from_root(cls, path: Path, info: ValidationInfo) -> Path:
        return _join(info, path)

    @field_validator("artefacts")
    @classmethod
    def _artefacts_from_root(
        cls, artefacts: tuple[ArtefactSettings, ...], info: ValidationInfo
    ) -> tuple[ArtefactSettings, ...]:
        unlike(tuple(artefact.name for artefact in artefacts))
        return tuple(
            artefact.model_copy(
                update={
                    "path": _join(info, artefact.path),
                    "reference": None if artefact.reference is None else _join(info, artefact.reference),
                }
            )
            for artefact in artefacts
        )

    @field_validator("profiles", "changelogs", mode="before")
    @classmethod
    def _over_the_built_in(cls, tables: object, info: ValidationInfo) -> object:
        """A user's table replaces single keys of the built-in one of that name."""
        if not isinstance(tables, dict):
            return tables
        merged: dict[str, Any] = dict(tables)
        built_in = BUILT_IN_PROFILES if info.field_name == "profiles" else BUILT_IN_CHANGELOGS
        for name, defaults in built_in.items():
            user = tables.get(name, {})
            merged[name] = {**defaults, **user} if isinstance(user, dict) else user
        return merged

    @field_validator("changelogs")
    @classmethod
    def _changelogs_from_root(
        cls, changelogs: dict[str, ChangelogSettings], info: ValidationInfo
    ) -> dict[str, ChangelogSettings]:
        owners: dict[str, str] = {}
        for project, each in changelogs.items():
            for package in each.packages:
                if owners.setdefault(package.lower(), project) != project:
                    raise ValueError(f"package {package!r} is one of {owners[package.lower()]!r} and of {project!r}")
        root: Path = info.data.get("root", Path())
        return {name: each.below(root) for name, each in changelogs.items()}

    @model_validator(mode="after")
    def _site_is_replaceable(self) -> Self:
        """Building replaces the whole site folder, so nothing else may lie in it."""
        for name in ("root", "docs", "results", "problems"):
            kept: Path = getattr(self, name)
            if kept == self.site or self.site in kept.parents:
                raise ValueError(f"site = {str(self.site)!r} would be overwritten with {name} = {str(kept)!r} in it")
        return self

    def model_targets(self) -> dict[str, str]:
        """Name -> `module:Class` of the installed models and the user's own; artefacts are not among them."""
        return {**targets("kb.models"), **self.models}

    def runtime_targets(self) -> dict[str, str]:
        """Name -> `module:Class` of the installed runtimes and the user's own."""
        return {**targets("kb.runtimes"), **self.runtimes}

    def route_targets(self) -> dict[str, str]:
        """Name -> `module:Class` of the installed routes."""
        return targets("kb.converters")

    def convertible_names(self) -> tuple[str, ...]:
        """Every model that can be converted: those of `model_names`, and the trained ones."""
        return (*self.model_names(), *targets("kb.trained"))

    def model_names(self) -> tuple[str, ...]:
        """Every name a model can be asked for by: installed, the user's own, artefacts."""
        return (*self.model_targets(), *(artefact.name for artefact in self.artefacts))

    def profile(self, name: str) -> Profile:
        """The profile of that name.

        Raises:
            ConfigError: there is none.
        """
        if name not in self.profiles:
            raise ConfigError(f"no profile is called {name!r}; {nearest(name, self.profiles)}")
        return self.profiles[name]


def load_settings(start: Path | None = None) -> Settings:
    """The settings of the knowledge base that `start` (default: the working directory) lies in.

    Raises:
        ConfigError: there is no such file, or something in it is wrong.
    """
    path, table = _find((start or Path.cwd()).resolve())
    if "root" in table:  # a field of Settings, but not for the file to say
        raise ConfigError(f"{path}: tool.kb.root is not a key: the root is the folder of this file")
    try:
        settings = Settings.model_validate({**table, "root": path.parent})
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_error(error, TABLE, _keys_at)}") from None
    for complaint in _unknown_names(settings, table):
        raise ConfigError(f"{path}: {complaint}")
    return settings


def _join(info: ValidationInfo, path: Path) -> Path:
    root: Path = info.data.get("root", Path())  # absent only where root itself was refused
    return (root / path).resolve()


def _find(start: Path) -> tuple[Path, dict[str, Any]]:
    """The nearest pyproject.toml upwards that has a [tool.kb], and that table."""
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        if not path.is_file():
            continue
        table = _read(path).get("tool", {})
        if isinstance(table, dict) and "kb" in table:
            if not isinstance(table["kb"], dict):
                raise ConfigError(f"{path}: tool.kb = {show(table['kb'])}: must be a table: [tool.kb]")
            return path, table["kb"]
    raise ConfigError(
        f"no pyproject.toml with a [tool.kb] table in {start} or any folder above it; "
        "run kb inside a knowledge base, or add the line [tool.kb] to its pyproject.toml"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8: byte {error.object[error.start]:#04x} at offset {error.start}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def _at(*location: str | int) -> str:
    return key_path(TABLE, location)


def _keys_at(location: Location) -> Iterable[str]:
    """The keys that are valid in the table at `location`."""
    if not location:
        return [name for name in Settings.model_fields if name != "root"]
    if location[0] == "profiles" and "conversions" in location:
        return ConversionGrid.model_fields
    if location[0] == "profiles":
        return Grid.model_fields if "also" in location else Profile.model_fields
    if location[0] == "gates":
        return GateSettings.model_fields
    if location[0] == "changelogs":
        return ChangelogSettings.model_fields
    if location[0] == "repository":
        return RepositorySettings.model_fields
    if location[0] == "audit":
        return IgnoreSettings.model_fields if "ignore" in location else AuditSettings.model_fields
    return ArtefactSettings.model_fields if len(location) == 2 else TensorSettings.model_fields


def _unknown_names(settings: Settings, table: dict[str, Any]) -> Iterator[str]:
    """Names in the settings that mean nothing here, or two things, as complaints."""
    taken = {"models": targets("kb.models"), "runtimes": targets("kb.runtimes")}
    for kind, own in (("models", settings.models), ("runtimes", settings.runtimes)):
        for name in own:
            if name in taken[kind]:
                yield f"{_at(kind, name)}: {name!r} is the name of an installed one already; choose another"
    for index, artefact in enumerate(settings.artefacts):
        if artefact.name in settings.model_targets():
            yield f"{_at('artefacts', index, 'name')} = {artefact.name!r} is the name of a model already"
    for name, profile in settings.profiles.items():
        if name not in BUILT_IN_PROFILES and not profile.description:
            yield (
                f"{_at('profiles', name)} is a profile of your own and needs a description, "
                f"or it was meant to change a built-in one: {nearest(name, BUILT_IN_PROFILES)}"
            )
        if name in table.get("profiles", {}):
            yield from _unknown_in_profile(settings, name, profile)


def _unknown_in_profile(settings: Settings, name: str, profile: Profile) -> Iterator[str]:
    yield from _unknown_in_grid(settings, ("profiles", name), profile)
    for index, grid in enumerate(profile.also):
        yield from _unknown_in_grid(settings, ("profiles", name, "also", index), grid)
    for index, conversions in enumerate(profile.conversions):
        yield from _unknown_in_conversions(settings, ("profiles", name, "conversions", index), conversions)


Axis = tuple[str, str, tuple[str, ...], Iterable[str]]  #: key, singular, patterns, what they may match


def _unknown_in_conversions(settings: Settings, where: Location, grid: ConversionGrid) -> Iterator[str]:
    yield from _unknown_in_axes(
        where,
        ("models", "model", grid.models, settings.convertible_names()),
        ("routes", "route", grid.routes, settings.route_targets()),
        ("precisions", "precision", grid.precisions, ("fp32", *REDUCED)),
    )


def _unknown_in_grid(settings: Settings, where: Location, grid: Grid) -> Iterator[str]:
    yield from _unknown_in_axes(
        where,
        ("models", "model", grid.models, settings.model_names()),
        ("runtimes", "runtime", grid.runtimes, settings.runtime_targets()),
        ("devices", "device", grid.devices, (*DEVICES, *settings.devices)),
        ("precisions", "precision", grid.precisions, PRECISIONS),
    )


def _unknown_in_axes(where: Location, *axes: Axis) -> Iterator[str]:
    """Only devices and precisions are no globs."""
    for axis, singular, patterns, known in axes:
        for index, pattern in enumerate(patterns):
            wanted = _bare(axis, pattern)
            found = wanted in known or (axis == "devices" and wanted.endswith(PROVIDER_SUFFIX))
            if axis in GLOBS:
                found = any(fnmatchcase(valid, wanted) for valid in known)
            if not found:
                at = _at(*where, axis, index)
                yield f"{at} = {show(pattern)}: no {singular} of that name; {nearest(wanted, known)}"


def _bare(axis: str, pattern: str) -> str:
    """The name or glob in a pattern: without a device's index, a model's size, or the mark that takes away."""
    if axis == "devices":
        return re.sub(r":\d+$", "", pattern)
    return split_size(pattern.removeprefix(EXCLUDED))[0] if axis in GLOBS else pattern
