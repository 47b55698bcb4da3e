"""What a misspelt word may have been: indexed words one or two slips away, out of few that can be."""

from kb.problems.index import Index

#: Shortest word that is corrected, and from which length on two slips are allowed: `onxn` may be `onnx`, but two slips
#: turn half of all short words into one another.
MIN_LENGTH, TWO_SLIPS = 4, 7

#: Words of one correction: of equally near ones those that most notes have.
MAX_CORRECTIONS = 3


def corrections(index: Index, word: str) -> list[str]:
    """Indexed words that are nearest to this one, at most two slips away.

    Only words that begin or end like it are looked at: slips at both ends at once are rare, and comparing with every
    word would take longer than the search.
    """
    if len(word) < MIN_LENGTH or not word.replace("_", "").isalpha() or not word.isascii():
        return []
    most = 2 if len(word) >= TWO_SLIPS else 1
    same = max(2, len(word) // 3)
    bounds = (len(word) - most, len(word) + most)
    candidates = {*index.beginning(word[:same], *bounds), *index.ending(word[-same:], *bounds)}
    slips = {candidate: distance(word, candidate, most) for candidate in candidates}
    nearest = min(slips.values(), default=most + 1)
    if nearest > most:
        return []
    found = [candidate for candidate, count in slips.items() if count == nearest]
    return sorted(found, key=lambda candidate: (-len(index.postings(candidate)), candidate))[:MAX_CORRECTIONS]


def distance(one: str, other: str, most: int) -> int:
    """Letters changed, left out, added or swapped with their neighbour; `most + 1` where it is more than `most`.

    (The optimal string alignment distance: Damerau 1964, "A technique for computer detection and correction of spelling
    errors", no letter touched twice.)
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        previous, row = row, [i] + [0] * len(other)
        for j, against in enumerate(other, 1):
            row[j] = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                row[j] = min(row[j], before[j - 2] + 1)
        if min(row) > most:
            return most + 1
        before = previous
    return min(row[-1], most + 1)
