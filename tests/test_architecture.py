"""The rules of the house that no single room can keep alone, each checked on the code as it is."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "kb").rglob("*.py"))
MAX_LINES = 450  # one idea fits in it; the longest module of a tool that nobody dares to change begins here

#: Imported only inside the function that needs them: each costs from a tenth of a second to three, and the site must
#: build, and `kb --help` answer, where no framework is installed.
HEAVY = frozenset(
    {"torch", "tensorflow", "keras", "onnx", "onnxruntime", "onnxscript", "tf2onnx", "tf_keras"}
    | {
        "httpx",
        "pandas",
        "pyarrow",
        "altair",
        "vl_convert",
        "scipy",
        "sklearn",
        "git",
        "psutil",
        "cpuinfo",
        "pynvml",
        "mkdocs",
    }
)

every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def at_import_time(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: not the bodies of functions, nor `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for statement in child.orelse:
                yield statement
                yield from at_import_time(statement)
            continue
        yield child
        yield from at_import_time(child)


def imported(node: ast.AST) -> set[str]:
    """Top-level packages that this statement imports."""
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return {node.module.partition(".")[0]}
    return set()


def catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(name is None or ast.unparse(name) in ("Exception", "BaseException") for name in names)


def test_imports_go_down_the_floors() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@every_module
def test_a_module_says_first_why_it_exists(path: Path) -> None:
    first_line = (ast.get_docstring(parse(path)) or "").partition("\n")[0]
    assert len(first_line) > 20, f"{path}: begin with a docstring that says why this module exists"


@every_module
def test_a_module_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@every_module
def test_heavy_parts_are_imported_only_where_they_are_used(path: Path) -> None:
    early = {name for node in at_import_time(parse(path)) for name in imported(node)} & HEAVY
    assert not early, f"{path}: import {', '.join(sorted(early))} inside the function that needs it"


@every_module
def test_imports_are_absolute(path: Path) -> None:
    relative = [node.lineno for node in ast.walk(parse(path)) if isinstance(node, ast.ImportFrom) and node.level]
    assert not relative, f"{path}: relative import in line {relative}"


@every_module
def test_no_error_is_swallowed(path: Path) -> None:
    """Who catches everything must raise again or hand the exception on; all else is caught by its name."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ExceptHandler) and catches_everything(node):
            inner = [inner for statement in node.body for inner in ast.walk(statement)]
            raised = any(isinstance(inner, ast.Raise) for inner in inner)
            handed_on = any(isinstance(inner, ast.Name) and inner.id == node.name for inner in inner)
            assert raised or handed_on, f"{path}:{node.lineno}: name the exceptions, raise again, or report the error"


def test_importing_the_whole_house_imports_no_heavy_part() -> None:
    """The same as above, but followed through every library in between."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in MODULES]
    names = [name for name in names if not name.endswith("__main__")]
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *names], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not HEAVY & {module.partition(".")[0] for module in done.stdout.split()}


@pytest.mark.parametrize("group", ["kb.models", "kb.runtimes"])
def test_every_part_that_is_declared_can_be_loaded(group: str) -> None:
    declared = list(entry_points(group=group))
    assert declared, f"the group {group} is empty: is the package installed?"
    for point in declared:
        assert point.load().name == point.name


def test_the_command_is_installed() -> None:
    (command,) = entry_points(group="console_scripts", name="kb")
    assert callable(command.load())
