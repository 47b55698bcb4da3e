"""The order in which notes answer: signatures that match, then notes with all words, then some with most of them.

The page of the site ranks by the same steps (assets/problems.js), and a test compares the two; whoever changes one
changes both. So that rounding cannot tell them apart, scores are compared to a millionth.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from kb.problems.index import FIELDS, Entry, Index, Version, canonical, covers, ordered
from kb.problems.normal import PLACEHOLDERS, Line, cleaned, messages, normalised
from kb.problems.signature import Squeezed, compile_signature, found_in, squeeze
from kb.problems.spelling import corrections
from kb.problems.tokens import Word, is_cjk, words

#: Parameters of BM25 (Robertson, Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond"): the values
#: that it names as good in most circumstances.
K1, B = 1.2, 0.75

#: Share of what the query says, weighed by how rare its words are, that a note must have to be found without all. A
#: person who searches leaves out and adds words; an error has its own words, and sharing a third of them says nothing.
MIN_SHARE = 0.3
MIN_SHARE_OF_PASTE = 0.4

#: With this many notes that have all words, notes that have only some are not asked for.
ENOUGH = 3

#: Most notes shown that have only some of the words: behind them stand notes that share an everyday word.
MAX_PARTIAL = 10

#: Different words of a query that are looked at; a pasted error has its say in its first lines.
MAX_WORDS = 64

#: Entries of the index that one query may read, the rarest words first: 0.05 s. The words left out stand in most notes.
MAX_POSTINGS = 30_000

#: A word that is not there counts by words that begin with it, or by words that it may be a slip of, for less.
PREFIX_WORTH, SLIP_WORTH = 0.7, 0.5
MIN_PREFIX, MAX_PREFIXED = 3, 12

#: What a note's score is multiplied by where its versions cover the one that the query names.
COVERED = 1.5

#: Notes among which the versions are looked at.
MAX_RERANKED = 200

#: Words that a hit gives as its reasons, those that weigh most.
MAX_REASONS = 8


class Tier(IntEnum):
    """What kind of match it is; each kind stands before the next."""

    SIGNATURE = 0
    ALL_WORDS = 1
    SOME_WORDS = 2


@dataclass(frozen=True)
class Reason:
    """One word of the query that a note has."""

    word: str  #: as the query has it
    found: str  #: as the index has it
    fields: tuple[str, ...]  #: where


@dataclass(frozen=True)
class Hit:
    """One note that answers, and why."""

    entry: Entry
    tier: Tier
    score: float
    signatures: tuple[str, ...]  #: those that match, the longest first
    reasons: tuple[Reason, ...]
    covered: tuple[str, ...]  #: `torch 2.13`: named by the query, and within the note's versions


@dataclass(frozen=True)
class Group:
    """One word of the query as the index knows it: alternatives that are worth the same or less."""

    word: str
    worths: Mapping[str, float]  #: indexed word -> what it is worth; empty: the index knows nothing like it
    asked: bool  #: must be there for "all words"; the whole of a compound word is not, its parts are
    rarity: float = 0.0  #: its weight


#: Note -> its score for one group, the word of the index that gave it, and the fields that have it.
Scores = Mapping[int, tuple[float, str, int]]


@dataclass
class Found:
    """What looking up the words gave."""

    by_group: list[Scores] = field(default_factory=list)  #: in the order of the groups
    score: dict[int, float] = field(default_factory=dict)  #: by note, added up


def explain(index: Index, text: str, limit: int = 10) -> list[Hit]:
    """Notes about a pasted error, the likeliest first."""
    lines = cleaned(text)
    said = "\n".join(_without_placeholders(normalised(line)) for line in messages(lines))
    return _ranked(index, list(words(said)), squeeze(lines), limit, pasted=True)


def search(index: Index, text: str, limit: int = 10) -> list[Hit]:
    """Notes that have these words, the best first."""
    return _ranked(index, list(words(text)), squeeze([Line(text)]), limit, pasted=False)


def _ranked(index: Index, said: list[Word], squeezed: Squeezed, limit: int, pasted: bool) -> list[Hit]:
    versions, rest = _packages(index, said)
    groups = _affordable(index, _groups(index, rest))
    found = _look_up(index, groups)
    signatures = _matching(index, squeezed)
    tiers = _tiers(groups, found, signatures, pasted)
    order = {
        number: _order(tier, signatures.get(number, ()), found.score.get(number, 0.0)) for number, tier in tiers.items()
    }
    best = _first(order, max(limit, MAX_RERANKED if versions else 0))
    hits = [_hit(index, number, tiers[number], groups, found, signatures.get(number, ()), versions) for number in best]
    return sorted(hits, key=lambda hit: (order_of(hit), hit.entry.id, hit.entry.path))[:limit]


def order_of(hit: Hit) -> tuple[int, int, int]:
    """What hits are ordered by; of equal ones the id decides, then the file's name."""
    return _order(hit.tier, hit.signatures, hit.score)


def _order(tier: Tier, signatures: Iterable[str], score: float) -> tuple[int, int, int]:
    return (tier, -max(map(_weight, signatures), default=0), -_round(score))


def _packages(index: Index, said: Sequence[Word]) -> tuple[dict[str, Version], list[Word]]:
    """The versions that the query gives for packages, and its words without these versions."""
    versions: dict[str, Version] = {}
    rest: list[Word] = []
    package = None
    for word in said:
        version = ordered(word.written) if "." in word.written and word.written.lstrip("v")[:1].isdigit() else None
        if package is not None and version is not None:
            versions[package] = version
            package = None
            continue
        package = index.families.get(canonical(word.written))
        rest.append(word)
    return versions, rest


def _groups(index: Index, said: Sequence[Word]) -> list[Group]:
    """The query's words as the index knows them, each once."""
    groups: dict[str, Group] = {}
    for word in said:
        family = index.families.get(canonical(word.written))
        for group in [_package(index, word, family)] if family else _parts(index, word):
            if group.word not in groups or (group.asked and not groups[group.word].asked):
                groups[group.word] = group
        if len(groups) >= MAX_WORDS:
            break
    return list(groups.values())


def _package(index: Index, word: Word, family: str) -> Group:
    """A package is one word, and the other packages of its family are as good."""
    names = {word.tokens[0], *(token for named in words(family) for token in named.tokens[:1])}
    return Group(word.tokens[0], {name: 1.0 for name in sorted(names) if index.postings(name)}, asked=True)


def _parts(index: Index, word: Word) -> Iterator[Group]:
    """Every part must be there, in itself or in something like it; the whole counts where it is known.

    Pairs of Chinese characters that no note has are most often the seam between two words, and say nothing.
    """
    for token in word.tokens:
        asked = token in word.parts
        worths = {token: 1.0} if index.postings(token) else _like(index, token) if asked else {}
        if worths or (asked and not is_cjk(token)):
            yield Group(token, worths, asked)


def _affordable(index: Index, groups: Iterable[Group]) -> list[Group]:
    """The groups with their weights, the rarest first, without those that take too long to read."""
    weighed = sorted(
        (_weighed(index, group) for group in groups), key=lambda group: (-_round(group.rarity), group.word)
    )
    kept: list[Group] = []
    left = MAX_POSTINGS
    for group in weighed:
        left -= sum(len(index.postings(word)) for word in group.worths)
        if left < 0 and kept:
            break
        kept.append(group)
    return kept


def _like(index: Index, token: str) -> dict[str, float]:
    """Indexed words that a word may stand for that is not there itself: longer ones, or it is a slip of the pen."""
    if len(token) >= MIN_PREFIX:
        longer = index.beginning(token, len(token), len(token) + 20)[:MAX_PREFIXED]
        if longer:
            return dict.fromkeys(longer, PREFIX_WORTH)
    return dict.fromkeys(corrections(index, token), SLIP_WORTH)


def _weighed(index: Index, group: Group) -> Group:
    """Weighed by how few notes have it (the idf of BM25, in the form that is never negative)."""
    frequency = min((len(index.postings(word)) for word in group.worths), default=0)
    return replace(group, rarity=math.log(1 + (index.size - frequency + 0.5) / (frequency + 0.5)))


def _look_up(index: Index, groups: Sequence[Group]) -> Found:
    """Every note that has a word of the query. The sums are made in the order of the groups, here and on the page."""
    found = Found()
    for group in groups:
        scores = _best(index, group)
        found.by_group.append(scores)
        for note, (score, _, _) in scores.items():
            found.score[note] = found.score.get(note, 0.0) + score
    return found


def _best(index: Index, group: Group) -> Scores:
    """Per note the score of the group's best word."""
    best: dict[int, tuple[float, str, int]] = {}
    lengths, fixed, per_word = index.lengths, K1 * (1 - B), K1 * B / index.mean_length
    for word, worth in group.worths.items():
        most = worth * group.rarity * (K1 + 1)
        for note, count, fields in index.postings(word):
            score = most * count / (count + fixed + per_word * lengths[note])
            if note not in best or score > best[note][0]:
                best[note] = (score, word, fields)
    return best


def _matching(index: Index, squeezed: Squeezed) -> dict[int, list[str]]:
    """Note -> its signatures that match, those with the most literal text first."""
    matching: dict[int, list[str]] = {}
    for number, text in index.signatures(squeezed):
        if found_in(compile_signature(text), squeezed):
            matching.setdefault(number, []).append(text)
    return {number: sorted(texts, key=lambda text: (-_weight(text), text)) for number, texts in matching.items()}


def _tiers(groups: Sequence[Group], found: Found, signatures: Iterable[int], pasted: bool) -> dict[int, Tier]:
    """The notes that answer."""
    tiers = dict.fromkeys(signatures, Tier.SIGNATURE)
    looked_up = zip(groups, found.by_group, strict=True)
    asked = [(group.rarity, scores) for group, scores in looked_up if group.asked]
    if asked and not pasted:
        whole = set.intersection(*(set(scores) for _, scores in asked))
        tiers |= dict.fromkeys(whole.difference(tiers), Tier.ALL_WORDS)
    if len(tiers) >= ENOUGH:
        return tiers
    partial = _partial(asked, MIN_SHARE_OF_PASTE if pasted else MIN_SHARE)
    scores = {note: (-_round(found.score[note]),) for note in partial if note not in tiers}
    return tiers | dict.fromkeys(_first(scores, MAX_PARTIAL), Tier.SOME_WORDS)


def _partial(asked: Sequence[tuple[float, Scores]], least: float) -> list[int]:
    """Notes that have at least this share of what is asked."""
    shares: dict[int, float] = {}
    for rarity, scores in asked:
        for note in scores:
            shares[note] = shares.get(note, 0.0) + rarity
    bound = _round(least * sum(rarity for rarity, _ in asked))
    return [note for note, share in shares.items() if _round(share) >= bound > 0]


def _hit(
    index: Index,
    number: int,
    tier: Tier,
    groups: Sequence[Group],
    found: Found,
    signatures: Sequence[str],
    versions: Mapping[str, Version],
) -> Hit:
    entry = index.entry(number)
    covered = tuple(
        f"{span.package} {'.'.join(map(str, versions[span.package][0]))}"
        for span in entry.spans
        if span.package in versions and covers(span, versions[span.package])
    )
    return Hit(
        entry=entry,
        tier=tier,
        score=found.score.get(number, 0.0) * (COVERED if covered else 1.0),
        signatures=tuple(signatures),
        reasons=_reasons(number, groups, found),
        covered=tuple(dict.fromkeys(covered)),
    )


def _reasons(number: int, groups: Sequence[Group], found: Found) -> tuple[Reason, ...]:
    """The words of the query that the note has, those that weigh most first."""
    has = [
        (scores[number], group.word) for group, scores in zip(groups, found.by_group, strict=True) if number in scores
    ]
    has.sort(key=lambda each: (-_round(each[0][0]), each[1]))
    return tuple(Reason(word, as_found, _names(fields)) for (_, as_found, fields), word in has[:MAX_REASONS])


def _first(order: Mapping[int, tuple[int, ...]], count: int) -> list[int]:
    """The first by their order, and those that are equal to the last of them: what decides between them comes later."""
    ranked = sorted(order, key=lambda number: order[number])
    if len(ranked) <= count:
        return ranked
    return [number for number in ranked if order[number] <= order[ranked[count - 1]]]


def _round(score: float) -> int:
    return math.floor(score * 1e6 + 0.5)


def _weight(signature: str) -> int:
    return compile_signature(signature).weight


def _names(fields: int) -> tuple[str, ...]:
    return tuple(name for bit, name in enumerate(FIELDS) if fields >> bit & 1)


def _without_placeholders(line: str) -> str:
    for placeholder in PLACEHOLDERS:
        line = line.replace(f"{{{placeholder}}}", " ")
    return line
