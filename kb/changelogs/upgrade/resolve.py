"""Reads the names that Python code uses: a walk over its syntax tree that follows imports, aliases and shadows.

A name means what was last bound to it where the code stands; bodies of functions are read last, because they run after
the module around them.
"""

import ast
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from kb.changelogs.upgrade.scope import Ref, Refs, Scope
from kb.changelogs.upgrade.uses import Certainty, Use

#: Characters of a line up to which columns are counted in characters; beyond it in bytes, which takes no time.
MAX_LINE = 10_000

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Reader:
    """Collects the uses of one file. Cells of a notebook are read one after the other into one module."""

    def __init__(self, file: str) -> None:
        self.uses: list[Use] = []
        self._file = file
        self._cell = 0
        self._lines: Sequence[str] = ()
        self._scope = Scope()
        self._later: deque[Callable[[], None]] = deque()

    def read(self, tree: ast.Module, lines: Sequence[str], cell: int = 0) -> None:
        """Read a module, or a cell of it. `lines` are its source."""
        self._cell, self._lines = cell, lines
        self._statements(tree.body)

    def finish(self) -> None:
        """Read the bodies of functions."""
        while self._later:
            self._later.popleft()()

    # Statements

    def _statements(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        """Those that bind names or branch; of all others only their expressions matter."""
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
            case ast.ClassDef():
                self._class(node)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Delete():
                self._assignment(node)
            case ast.Global():
                if self._scope.parent:
                    self._scope.outer.update(node.names)
            case ast.If() | ast.For() | ast.AsyncFor() | ast.While() | ast.Try() | ast.TryStar() | ast.Match():
                self._branching(node)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self._expression(item.context_expr)
                    if item.optional_vars:
                        self._bind(item.optional_vars, self._resolve(item.context_expr))
                self._statements(node.body)
            case _:
                self._children(node)

    def _branching(self, node: ast.stmt) -> None:
        def way(statements: Sequence[ast.stmt]) -> Callable[[], None]:
            return partial(self._statements, statements)

        match node:
            case ast.If():
                self._expression(node.test)
                self._scope.branches(way(node.body), way(node.orelse))
            case ast.While():
                self._expression(node.test)
                self._scope.branches(way(node.body), way(()))
                self._statements(node.orelse)
            case ast.For() | ast.AsyncFor():
                self._expression(node.iter)
                self._bind(node.target, ())
                self._scope.branches(way(node.body), way(()))
                self._statements(node.orelse)
            case ast.Try() | ast.TryStar():
                handlers = [partial(self._handler, handler) for handler in node.handlers]
                self._scope.branches(way([*node.body, *node.orelse]), *handlers)
                self._statements(node.finalbody)
            case ast.Match():
                self._expression(node.subject)
                self._scope.branches(*(partial(self._case, case) for case in node.cases), way(()))

    def _handler(self, node: ast.ExceptHandler) -> None:
        if node.type:
            self._expression(node.type)
        if node.name:
            self._scope.bind(node.name)
        self._statements(node.body)

    def _case(self, node: ast.match_case) -> None:
        for inner in ast.walk(node.pattern):
            if isinstance(inner, ast.MatchAs | ast.MatchStar) and inner.name:
                self._scope.bind(inner.name)
            elif isinstance(inner, ast.MatchMapping) and inner.rest:
                self._scope.bind(inner.rest)
            elif isinstance(inner, ast.MatchClass):
                self._expression(inner.cls)
            elif isinstance(inner, ast.MatchValue):
                self._expression(inner.value)
        if node.guard:
            self._expression(node.guard)
        self._statements(node.body)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                self._emit(alias, (Ref(alias.name),))
                root = alias.name.partition(".")[0]
                self._scope.bind(alias.asname or root, (Ref(alias.name if alias.asname else root),))
            elif node.level or not node.module:  # from the user's own package
                self._scope.bind(alias.asname or alias.name)
            elif alias.name == "*":
                self._emit(node, (Ref(node.module),))
                self._scope.module.stars.append(node.module)
            else:
                ref = Ref(f"{node.module}.{alias.name}")
                self._emit(alias, (ref,))
                self._scope.bind(alias.asname or alias.name, (ref,))

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Delete) -> None:
        match node:
            case ast.Assign():
                self._expression(node.value)
                for target in node.targets:
                    self._bind_value(target, node.value)
            case ast.AnnAssign():
                self._annotation(node.annotation)
                if node.value:
                    self._expression(node.value)
                self._bind(node.target, self._instances(node.annotation) or self._resolve(node.value))
            case ast.AugAssign():
                self._expression(node.value)
                self._bind(node.target, ())
            case ast.Delete():
                for target in node.targets:
                    self._bind(target, ())

    def _bind_value(self, target: ast.expr, value: ast.expr) -> None:
        """``a = x``, and ``a, b = x, y`` one by one."""
        if (
            isinstance(target, ast.Tuple | ast.List)
            and isinstance(value, ast.Tuple | ast.List)
            and len(target.elts) == len(value.elts)
        ):
            for inner, part in zip(target.elts, value.elts, strict=True):
                self._bind_value(inner, part)
        else:
            self._bind(target, self._resolve(value))

    def _bind(self, target: ast.expr, refs: Refs) -> None:
        match target:
            case ast.Name():
                self._scope.bind(target.id, refs)
            case ast.Tuple() | ast.List():
                for inner in target.elts:
                    self._bind(inner, ())
            case ast.Starred():
                self._bind(target.value, ())
            case _:
                self._expression(target)  # an attribute that is set is used: torch.backends.cudnn.benchmark = True

    def _function(self, node: _FUNCTIONS) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator)
        self._defaults(node.args)
        for argument in (*_single(node.args), *_gathered(node.args)):
            if argument.annotation:
                self._annotation(argument.annotation)
        if node.returns:
            self._annotation(node.returns)
        self._lazy_imports(node)
        self._scope.bind(node.name)
        itself = self._scope.instance  # of the class that this is a method of
        self._later.append(partial(self._body, node, self._scope.enclosing, itself, self._cell, self._lines))

    def _lazy_imports(self, node: _FUNCTIONS) -> None:
        """``def load(): global torch; import torch``: the other functions will find it there."""
        names = {name for inner in node.body if isinstance(inner, ast.Global) for name in inner.names}
        for inner in ast.walk(node) if names else ():
            if isinstance(inner, ast.Import):
                for alias in inner.names:
                    root = alias.name.partition(".")[0]
                    if (alias.asname or root) in names:
                        self._scope.module.add(alias.asname or root, (Ref(alias.name if alias.asname else root),))

    def _body(self, node: _FUNCTIONS, parent: Scope, itself: Refs, cell: int, lines: Sequence[str]) -> None:
        self._cell, self._lines = cell, lines
        with _Inside(self, Scope(parent)):
            for index, argument in enumerate(_single(node.args)):
                refs = itself if index == 0 else ()
                self._scope.bind(argument.arg, self._instances(argument.annotation) or refs)
            for argument in _gathered(node.args):
                self._scope.bind(argument.arg)
            self._statements(node.body)

    def _class(self, node: ast.ClassDef) -> None:
        for expression in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self._expression(expression)
        instance = tuple(ref for base in node.bases for ref in _instances_of(self._resolve(base)))
        with _Inside(self, Scope(self._scope, is_class=True, instance=instance)):
            self._statements(node.body)
        self._scope.bind(node.name)

    # Expressions

    def _expression(self, node: ast.AST, arguments: tuple[str, ...] = ()) -> None:
        match node:
            case ast.Name():
                if isinstance(node.ctx, ast.Load):
                    self._emit(node, self._resolve(node), arguments)
            case ast.Attribute():
                self._attribute(node, arguments)
            case ast.Call():
                self._call(node)
            case ast.NamedExpr():
                self._expression(node.value)
                self._scope.bind(node.target.id, self._resolve(node.value))
            case ast.Lambda():
                self._defaults(node.args)
                with _Inside(self, Scope(self._scope.enclosing)):
                    for argument in (*_single(node.args), *_gathered(node.args)):
                        self._scope.bind(argument.arg)
                    self._expression(node.body)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node)
            case _:
                self._children(node)

    def _children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self._expression(child)

    def _attribute(self, node: ast.Attribute, arguments: tuple[str, ...]) -> None:
        refs = self._resolve(node)
        self._emit(node, refs, arguments)
        if not refs:
            if isinstance(node.ctx, ast.Load) and _last_name(node.value) not in ("self", "cls"):
                self._emit_method(node, arguments)
            self._expression(node.value)
            return
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):  # torch.jit.load(path).eval: what is inside is used as well
            self._expression(root)

    def _call(self, node: ast.Call) -> None:
        arguments = tuple(_keywords(node))
        made = self._named_by_text(node)
        self._emit(node, made)
        first = node.args[:1]
        if first and self._is(node.func, "functools.partial"):
            self._expression(node.func)
            self._expression(first[0], arguments)
            rest = node.args[1:]
        else:
            self._expression(node.func, arguments)
            rest = node.args
        for argument in (*rest, *(keyword.value for keyword in node.keywords)):
            self._expression(argument)

    def _comprehension(self, node: _COMPREHENSIONS) -> None:
        """The names that it binds are its own."""
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        with _Inside(self, Scope(self._scope)):
            for generator in node.generators:
                self._expression(generator.iter)
                self._bind(generator.target, ())
                for condition in generator.ifs:
                    self._expression(condition)
            for part in parts:
                self._expression(part)

    def _defaults(self, arguments: ast.arguments) -> None:
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self._expression(default)

    def _annotation(self, node: ast.expr) -> None:
        """An annotation's strings are code, unless they are literals."""
        match node:
            case ast.Constant(value=str()):
                if parsed := _parsed(node):
                    self._annotation(parsed)
            case ast.Subscript():
                self._expression(node.value)
                if _last_name(node.value) in ("Literal", "Annotated"):
                    self._expression(node.slice)
                else:
                    self._annotation(node.slice)
            case ast.Tuple() | ast.List():
                for part in node.elts:
                    self._annotation(part)
            case ast.BinOp():
                self._annotation(node.left)
                self._annotation(node.right)
            case _:
                self._expression(node)

    # What an expression stands for

    def _resolve(self, node: ast.expr | None) -> Refs:
        match node:
            case ast.Name():
                return self._scope.look_up(node.id)
            case ast.Attribute():
                return tuple(ref.member(node.attr) for ref in self._resolve(node.value))
            case ast.Call():
                return self._named_by_text(node) or _instances_of(self._resolve(node.func))
            case ast.NamedExpr():
                return self._resolve(node.value)
            case ast.IfExp():
                return self._resolve(node.body) + self._resolve(node.orelse)
        return ()

    def _instances(self, annotation: ast.expr | None) -> Refs:
        """What a value with this annotation is; of ``X | None`` and ``Optional[X]`` X."""
        match annotation:
            case ast.Constant(value=str()):
                return self._instances(_parsed(annotation))
            case ast.BinOp():
                return self._instances(annotation.left) + self._instances(annotation.right)
            case ast.Subscript() if _last_name(annotation.value) == "Optional":
                return self._instances(annotation.slice)
            case ast.Name() | ast.Attribute():
                return _instances_of(self._resolve(annotation))
        return ()

    def _named_by_text(self, node: ast.Call) -> Refs:
        """``getattr(torch, "load")`` and ``importlib.import_module("torch.nn")``."""
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(name)), *_]):
                return tuple(ref.member(name) for ref in self._resolve(owner)) if name.isidentifier() else ()
            case ast.Call(func=called, args=[ast.Constant(value=str(name)), *_]):
                dotted = all(part.isidentifier() for part in name.split("."))
                imports = self._is(called, "importlib.import_module") or _last_name(called) == "__import__"
                return (Ref(name),) if dotted and imports else ()
        return ()

    def _is(self, node: ast.expr, symbol: str) -> bool:
        return isinstance(node, ast.Name | ast.Attribute) and any(r.symbol == symbol for r in self._resolve(node))

    # Keeping

    def _emit(self, node: ast.AST, refs: Refs, arguments: tuple[str, ...] = ()) -> None:
        for ref in refs:
            if not ref.instance:
                line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
                self._keep(ref.symbol, ref.certainty, line, offset, arguments)

    def _emit_method(self, node: ast.Attribute, arguments: tuple[str, ...]) -> None:
        line = node.end_lineno or node.lineno
        offset = (node.end_col_offset or 0) - len(node.attr.encode())
        self._keep(f".{node.attr}", Certainty.METHOD, line, offset, arguments)

    def _keep(self, symbol: str, certainty: Certainty, line: int, offset: int, arguments: tuple[str, ...]) -> None:
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        if len(text) <= MAX_LINE and not text.isascii():  # the tree counts bytes
            offset = len(text.encode()[:offset].decode(errors="ignore"))
        self.uses.append(Use(self._file, self._cell, line, offset + 1, symbol, certainty, arguments))


class _Inside:
    """Reads in another scope, and comes back."""

    def __init__(self, reader: Reader, scope: Scope) -> None:
        self._reader, self._scope, self._before = reader, scope, reader._scope

    def __enter__(self) -> None:
        self._reader._scope = self._scope

    def __exit__(self, *_: object) -> None:
        self._reader._scope = self._before


def _single(arguments: ast.arguments) -> list[ast.arg]:
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _gathered(arguments: ast.arguments) -> list[ast.arg]:
    """``*args`` and ``**kwargs``: what is annotated is their items."""
    return [star for star in (arguments.vararg, arguments.kwarg) if star]


def _keywords(node: ast.Call) -> Iterator[str]:
    """Keywords of a call, also those of ``**{"weights_only": True}``."""
    for keyword in node.keywords:
        if keyword.arg:
            yield keyword.arg
        elif isinstance(keyword.value, ast.Dict):
            for key in keyword.value.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value


def _instances_of(refs: Refs) -> Refs:
    """What a call of these gives, where it is known: classes are written with a capital."""
    return tuple(
        replace(ref, instance=True) for ref in refs if not ref.instance and ref.symbol.rpartition(".")[2][:1].isupper()
    )


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
    return ""


def _parsed(node: ast.Constant) -> ast.expr | None:
    """The code in a string annotation, standing where the string does; None where it is none."""
    try:
        parsed = ast.parse(str(node.value).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    for inner in ast.walk(parsed):
        ast.copy_location(inner, node)
    return parsed
