"""Which entries name something that the code uses, and how sure that is. No single common word matches anything."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from kb.changelogs.entry import Entry
from kb.changelogs.upgrade.naming import Naming, Parts
from kb.changelogs.upgrade.symbols import Named, is_class, is_distinctive, parse
from kb.changelogs.upgrade.uses import Certainty, Use
from kb.changelogs.upgrade.words import asides

#: Attributes that values of many kinds have: that one is read somewhere says nothing of whose it is.
_COMMON_ATTRIBUTES = frozenset(
    name for kind in (str, bytes, list, dict, set, tuple, int, float, object) for name in dir(kind)
) | {
    *(
        "apply",
        "call",
        "close",
        "compile",
        "config",
        "data",
        "device",
        "dtype",
        "eval",
        "fit",
        "flush",
        "forward",
        "grad",
    ),
    *(
        "load",
        "mean",
        "model",
        "name",
        "names",
        "ndim",
        "open",
        "parameters",
        "path",
        "read",
        "reset",
        "reshape",
        "run",
    ),
    *("save", "shape", "size", "start", "step", "stop", "sum", "train", "type", "value", "view", "write"),
}


class Confidence(IntEnum):
    """How sure it is that the entry is about what the code uses. Only the two higher ones make an upgrade fail."""

    POSSIBLE = 0  #: the names end alike; it may be another thing
    LIKELY = 1  #: one step between what the entry names and what the code uses
    CERTAIN = 2  #: the entry names exactly what the code uses

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Match:
    """A use that an entry is about."""

    use: Use
    written: str  #: the name, as the entry writes it
    confidence: Confidence
    reason: str  #: what connects the two


#: What a use is worth by itself.
_WORTH = {
    Certainty.CERTAIN: Confidence.CERTAIN,
    Certainty.INFERRED: Confidence.LIKELY,
    Certainty.POSSIBLE: Confidence.POSSIBLE,
    Certainty.METHOD: Confidence.POSSIBLE,
}
_DOUBTS = {
    Certainty.INFERRED: "by what kind of value it is called on",
    Certainty.POSSIBLE: "if the star import brings it",
}


@dataclass(frozen=True)
class _Target:
    """A name that uses are compared with, and how much it is worth that one has it."""

    parts: Parts
    confidence: Confidence
    reason: str


class UseIndex:
    """The uses of one project's names, ready to be asked for."""

    def __init__(self, uses: Iterable[Use], naming: Naming) -> None:
        self.naming = naming
        self._exact: dict[Parts, list[tuple[Use, bool]]] = defaultdict(list)  # (use, whether its name was rewritten)
        self._below: dict[Parts, set[Parts]] = defaultdict(set)
        self._ends: dict[Parts, set[Parts]] = defaultdict(set)
        self._methods: dict[str, list[Use]] = defaultdict(list)
        for use in uses:
            if use.certainty is Certainty.METHOD:
                self._methods[use.symbol[1:]].append(use)
            else:
                self._add(use)

    def matches(self, entry: Entry) -> tuple[Match, ...]:
        """The uses that an entry is about, each once, by the best of its names; the surest first."""
        best: dict[Use, Match] = {}
        for match in self._all(entry):
            if match.use not in best or match.confidence > best[match.use].confidence:
                best[match.use] = match
        return tuple(sorted(best.values(), key=_order))

    def _all(self, entry: Entry) -> Iterator[Match]:
        named = [name for symbol in entry.symbols if (name := parse(symbol))]
        aside = {name.parts for written in asides(entry) if (name := parse(written))}
        arguments = {name.parts[0] for name in named if len(name.parts) == 1} | {a for n in named for a in n.arguments}
        context = _Context.of(entry, named, self.naming)
        for name in named:
            for match in self._of(name, context):
                called = [argument for argument in match.use.arguments if argument in arguments]
                reason = match.reason + "".join(f", called with {argument}=" for argument in called)
                if name.parts in aside:
                    yield Match(match.use, name.written, Confidence.POSSIBLE, f"{reason}; perhaps only in passing")
                else:
                    yield Match(match.use, name.written, match.confidence, reason)

    def _of(self, name: Named, context: "_Context") -> Iterator[Match]:
        targets = list(context.targets(name))
        for target in targets:
            for use, rewritten in self._exact.get(target.parts, ()):
                yield _match(use, name, target.confidence, target.reason, rewritten)
        absolute = self.naming.absolute(name.parts)
        if absolute and len(absolute) > 1:
            yield from self._uses_below(name, absolute, context)
        yield from self._ending_alike(name, absolute, {target.parts for target in targets})
        yield from self._method(name, targets)

    def _uses_below(self, name: Named, module: Parts, context: "_Context") -> Iterator[Match]:
        """The entry names a module or a class, and the code uses something in it."""
        if context.names_more_below(module):
            return  # the entry is about that, and the module is only where it lives
        confidence = Confidence.POSSIBLE if context.has_loose_names else Confidence.LIKELY
        for parts in self._below.get(module, ()):
            for use, rewritten in self._exact[parts]:
                if use.certainty is not Certainty.INFERRED:
                    yield _match(use, name, confidence, f"is below {'.'.join(module)}, which it names", rewritten)

    def _ending_alike(self, name: Named, absolute: Parts | None, known: set[Parts]) -> Iterator[Match]:
        """At least two parts at the end are the same, and one of the two names ends there."""
        tail = absolute[1:] if absolute else name.parts
        if len(tail) < 2:
            return
        alike = set(self._ends.get(tail, ()))
        for start in range(1, len(tail) - 1):
            alike |= {parts for parts in self._ends.get(tail[start:], ()) if parts[1:] == tail[start:]}
        for parts in alike - known:
            if absolute and parts[: len(absolute)] == absolute:
                continue
            for use, rewritten in self._exact[parts]:
                yield _match(use, name, Confidence.POSSIBLE, "ends like a name in it", rewritten)

    def _method(self, name: Named, targets: Sequence[_Target]) -> Iterator[Match]:
        """An attribute of an unknown value is called like a member of a class that the entry names."""
        last = name.parts[-1]
        owned = any(map(_is_member, (name.parts, *(target.parts for target in targets))))
        if (name.member or owned) and last not in _COMMON_ATTRIBUTES:
            for use in self._methods.get(last, ()):
                yield _match(use, name, Confidence.POSSIBLE, "is called like a member that it names", False)

    def _add(self, use: Use) -> None:
        self._index(use, use.symbol, False)
        if own := self.naming.rewritten(use.symbol):
            self._index(use, own, True)

    def _index(self, use: Use, symbol: str, rewritten: bool) -> None:
        parts = tuple(symbol.split("."))
        if parts not in self._exact:
            for length in range(2, len(parts)):
                self._below[parts[:length]].add(parts)
            if parts[0] in self.naming.packages:
                for start in range(1, len(parts) - 1):
                    self._ends[parts[start:]].add(parts)
        self._exact[parts].append((use, rewritten))


@dataclass(frozen=True)
class _Context:
    """What else an entry names: it says where a name belongs that stands alone."""

    naming: Naming
    owners: tuple[Parts, ...]  #: modules and classes that it names
    absolutes: tuple[Parts, ...]
    has_loose_names: bool  #: names that may be members of those

    @classmethod
    def of(cls, entry: Entry, named: Sequence[Named], naming: Naming) -> "_Context":
        absolutes = [full for name in named if (full := naming.absolute(name.parts))]
        component = parse(entry.component)
        around = naming.absolute(component.parts) if component else None
        owners = [parts for parts in (*absolutes, *([around] if around else [])) if len(parts) > 1]
        loose = any(naming.absolute(name.parts) is None for name in named)
        return cls(naming, tuple(dict.fromkeys(owners)), tuple(absolutes), loose)

    def names_more_below(self, module: Parts) -> bool:
        return any(len(full) > len(module) and full[: len(module)] == module for full in self.absolutes)

    def targets(self, name: Named) -> Iterator[_Target]:
        """What a name may mean."""
        if full := self.naming.absolute(name.parts):
            yield _Target(full, Confidence.CERTAIN, "is named in it")
            return
        if len(name.parts) > 1 or is_distinctive(name.parts[0]):
            yield _Target(self.naming.expanded(name.parts), Confidence.LIKELY, "is named in it without the package")
        for owner in self.owners:
            yield _Target(owner + name.parts, Confidence.LIKELY, f"is named in it together with {'.'.join(owner)}")


def _is_member(parts: Parts) -> bool:
    """Whether a name is one of a class: those are written with a capital, but for NumPy's."""
    return len(parts) > 1 and (is_class(parts[-2]) or parts[-2] == "ndarray")


def _match(use: Use, name: Named, confidence: Confidence, reason: str, rewritten: bool) -> Match:
    """The weaker of two kinds of evidence counts; of two that both leave a doubt, neither does."""
    worth = min(_WORTH[use.certainty], Confidence.LIKELY) if rewritten else _WORTH[use.certainty]
    both_doubtful = worth is Confidence.LIKELY and confidence is Confidence.LIKELY
    level = Confidence.POSSIBLE if both_doubtful else min(worth, confidence)
    told = f"{use.symbol} {reason}"
    if doubt := _DOUBTS.get(use.certainty):
        told += f", {doubt}"
    return Match(use, name.written, level, told)


def _order(match: Match) -> tuple[int, bool, Use]:
    return -match.confidence, ", called with " not in match.reason, match.use
