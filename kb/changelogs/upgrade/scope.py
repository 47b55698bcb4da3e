"""What a name means at a point of the code: scopes, and the branches in which they differ."""

import builtins
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from kb.changelogs.upgrade.uses import Certainty

_BUILT_IN = frozenset(dir(builtins))


@dataclass(frozen=True)
class Ref:
    """What a name may stand for: something of a package, or an instance of a class of it."""

    symbol: str
    certainty: Certainty = Certainty.CERTAIN
    instance: bool = False

    def member(self, name: str) -> "Ref":
        inferred = self.instance and self.certainty is Certainty.CERTAIN
        return Ref(f"{self.symbol}.{name}", Certainty.INFERRED if inferred else self.certainty)


#: All that a name may stand for. Empty: it is bound, to something that is no package's.
Refs = tuple[Ref, ...]


@dataclass
class Scope:
    """The names of a module, a class or a function. One layer of them per branch that is being read."""

    parent: "Scope | None" = None
    layers: list[dict[str, Refs]] = field(default_factory=lambda: [{}])
    stars: list[str] = field(default_factory=list)  #: modules of star imports; Python allows them in a module only
    is_class: bool = False
    instance: Refs = ()  #: what an instance of this class also is, by its bases
    outer: set[str] = field(default_factory=set)  #: names that `global` gives to the module

    @property
    def module(self) -> "Scope":
        return self.parent.module if self.parent else self

    @property
    def enclosing(self) -> "Scope":
        """The scope that functions defined here see: a class shows its names to none."""
        return self.parent.enclosing if self.is_class and self.parent else self

    def bind(self, name: str, refs: Iterable[Ref] = ()) -> None:
        if name in self.outer:
            self.module.add(name, refs)
        else:
            self.layers[-1][name] = tuple(dict.fromkeys(refs))

    def add(self, name: str, refs: Iterable[Ref]) -> None:
        """Let a name stand for these as well: they are bound at a time that nobody knows."""
        self.layers[0][name] = tuple(dict.fromkeys([*(self._own(name) or ()), *refs]))

    def look_up(self, name: str) -> Refs:
        scope: Scope | None = self
        while scope is not None:
            if name not in scope.outer and (refs := scope._own(name)) is not None:
                return refs
            scope = scope.parent
        if name in _BUILT_IN:
            return ()
        return tuple(Ref(f"{star}.{name}", Certainty.POSSIBLE) for star in self.module.stars)

    def branches(self, *ways: Callable[[], None]) -> None:
        """Go each way from the same start; afterwards a name may stand for what it does at the end of any."""
        ends = []
        for way in ways:
            with self._layer() as layer:
                way()
            ends.append(layer)
        for name in dict.fromkeys(name for end in ends for name in end):
            before = self._own(name) or ()
            self.layers[-1][name] = tuple(dict.fromkeys(ref for end in ends for ref in end.get(name, before)))

    @contextmanager
    def _layer(self) -> Iterator[dict[str, Refs]]:
        layer: dict[str, Refs] = {}
        self.layers.append(layer)
        try:
            yield layer
        finally:
            self.layers.pop()

    def _own(self, name: str) -> Refs | None:
        return next((layer[name] for layer in reversed(self.layers) if name in layer), None)
