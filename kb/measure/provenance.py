"""Which source a figure comes from: a change in the model's or the protocol's code starts a new series."""

import ast
import inspect
import sys
from pathlib import Path
from types import ModuleType

from kb.models.interface import Model
from kb.records.fingerprints import file_hash, joined_hash, source_hash
from kb.runtimes.interface import Runtime

#: Modules of classes that every model may derive from and that hold nothing of it.
NOT_OF_A_MODEL = frozenset({"builtins", "abc", "typing", "kb.models.interface"})

#: Modules whose code decides what is timed and how.
PROTOCOL = ("kb.measure.protocol", "kb.measure.replicate")


def model_hash(model: Model) -> str:
    """Hash of the model's source, of what it derives from and of their siblings that are imported, or of its file."""
    if model.path is not None:
        return "-".join(file_hash(path) for path in (model.path, *_external_data(model.path)))
    modules = {kind.__module__ for kind in type(model).__mro__} - NOT_OF_A_MODEL
    return source_hash(*sorted({path for module in modules for path in sources_of(module)}))


def _external_data(path: Path) -> list[Path]:
    """Files beside an ONNX file that hold its weights, by the names that the exporters give them."""
    return [beside for suffix in (".data", "_data") if (beside := path.with_name(path.name + suffix)).is_file()]


def protocol_hash(runtime: Runtime) -> str:
    """Hash of the runtime's source, of its siblings that it imports, and of the timing protocol."""
    protocol = [Path(inspect.getfile(sys.modules[name])) for name in PROTOCOL]
    return source_hash(*protocol, *sources_of(type(runtime).__module__))


def practice_hash(module_name: str) -> str:
    """Hash of a practice's source, of its siblings that it imports, of its C++, and of the timing protocol.

    Raises:
        KeyError: the module is not imported.
    """
    sources = [Path(inspect.getfile(sys.modules["kb.measure.protocol"])), *sources_of(module_name)]
    compiled = sorted({path for source in sources for path in source.parent.glob("*.cpp")})
    return joined_hash(source_hash(*sources), *(file_hash(path) for path in compiled))


def sources_of(module_name: str) -> list[Path]:
    """The file of a module and of its siblings (same package) that it imports, directly or through each other.

    Interfaces and catalogues are left out: a new name in them changes no figure.
    """
    package = module_name.rpartition(".")[0]
    found: dict[str, Path] = {}
    waiting = [module_name]
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        if name in found or module is None or not _is_source(module):
            continue
        found[name] = Path(inspect.getfile(module))
        waiting += [other for other in _imported(found[name]) if package and other.startswith(package + ".")]
    return [found[name] for name in sorted(found)]


def _is_source(module: ModuleType) -> bool:
    name = module.__name__.rpartition(".")[2]
    return getattr(module, "__file__", None) is not None and name not in {"interface", "catalogue"}


def _imported(file: Path) -> list[str]:
    """Absolute names of the modules that a file imports, at any depth of its code."""
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names
