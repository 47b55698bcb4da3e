"""How much code each framework needs for the same network: lines and tokens of the builders, counted in the source."""

import ast
import importlib.util
import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

#: The builders that are compared, by framework.
BUILDERS = {"torch": "torch_network", "keras": "keras_network"}

#: Tokens that are layout, not code.
_LAYOUT = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


@dataclass(frozen=True)
class Size:
    """Lines that hold code, and tokens; comments, blank lines and docstrings are neither."""

    lines: int
    tokens: int

    def __add__(self, other: "Size") -> "Size":
        return Size(self.lines + other.lines, self.tokens + other.tokens)


@dataclass(frozen=True)
class CodeSize:
    """What one model's two builders take, the functions that they call included."""

    torch: Size
    keras: Size


@dataclass(frozen=True)
class _Function:
    """A function with the module that it stands in."""

    module: str
    name: str
    node: ast.FunctionDef
    text: str  #: of the module


def code_size(target: str) -> CodeSize | None:
    """The size of both builders of a model; None where its class has only one, or is not written in a module.

    A function of the same package that only one builder calls, directly or through others, counts for that builder;
    one that both call counts for neither.

    Args:
        target: ``module:Class``.
    """
    module, _, class_name = target.partition(":")
    found = {side: _method(module, class_name, name) for side, name in BUILDERS.items()}
    methods = {side: method for side, method in found.items() if method is not None}
    if len(methods) < len(BUILDERS):
        return None
    used = {side: _reached(method) for side, method in methods.items()}
    shared = set(used["torch"]) & set(used["keras"])
    sizes = {
        side: sum((_size(used[side][key]) for key in used[side].keys() - shared), start=_size(methods[side]))
        for side in methods
    }
    return CodeSize(sizes["torch"], sizes["keras"])


def _method(module: str, class_name: str, name: str) -> _Function | None:
    source = _source(module)
    if source is None:
        return None
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == class_name]
    nodes = [
        node for owner in classes for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return _Function(module, name, nodes[0], source) if nodes else None


def _source(module: str) -> str | None:
    """The text of a module. Its package is imported to find it, the module is not."""
    try:
        spec = importlib.util.find_spec(module)
    except ImportError:  # of the user's package: no such one, or it cannot be imported here
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin).read_text(encoding="utf-8")


def _reached(start: _Function) -> dict[tuple[str, str], _Function]:
    """Functions of the same package that `start` calls, directly or through others."""
    found: dict[tuple[str, str], _Function] = {}
    waiting = [start]
    while waiting:
        function = waiting.pop()
        for callee in _callees(function):
            if (key := (callee.module, callee.name)) not in found:
                found[key] = callee
                waiting.append(callee)
    return found


def _callees(function: _Function) -> Iterator[_Function]:
    names = {node.id for node in ast.walk(function.node) if isinstance(node, ast.Name)}
    tree = ast.parse(function.text)
    here = _functions(function.module, tree, function.text)
    imported = _imported(function.module, tree)
    for name in sorted(names):
        if name in here:
            yield here[name]
        elif name in imported and (source := _source(imported[name])) is not None:
            there = _functions(imported[name], ast.parse(source), source)
            if name in there:
                yield there[name]


def _functions(module: str, tree: ast.Module, text: str) -> Mapping[str, _Function]:
    nodes = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    return {node.name: _Function(module, node.name, node, text) for node in nodes}


def _imported(module: str, tree: ast.Module) -> Mapping[str, str]:
    """Names imported from modules of the same package, with their modules."""
    package = module.rpartition(".")[0]
    nodes = (node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module)
    inside = (node for node in nodes if package and str(node.module).startswith(f"{package}."))
    return {alias.asname or alias.name: str(node.module) for node in inside for alias in node.names}


def _size(function: _Function) -> Size:
    """Of one function, its signature included."""
    lines = function.text.splitlines(keepends=True)[function.node.lineno - 1 : function.node.end_lineno]
    indent = len(lines[0]) - len(lines[0].lstrip())
    text = "".join(line[indent:] if line.strip() else line for line in lines)
    documented = _docstring_lines(ast.parse(text))
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in _LAYOUT and token.start[0] not in documented
    ]
    return Size(len({line for token in tokens for line in range(token.start[0], token.end[0] + 1)}), len(tokens))


def _docstring_lines(tree: ast.Module) -> set[int]:
    """Lines of the docstrings of a function and of what is defined in it."""
    documented: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            documented |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return documented
