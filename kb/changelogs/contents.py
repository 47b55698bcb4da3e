"""What an entry is about by its own words, where they contradict the heading that it stands under."""

import re

from kb.changelogs.entry import Category

B, D, F = Category.BREAKING, Category.DEPRECATION, Category.FEATURE
C, X, P, S = Category.CHANGE, Category.BUGFIX, Category.PERFORMANCE, Category.SECURITY
K, T, V, R = Category.KNOWN_ISSUE, Category.DOCS, Category.DEVELOPER, Category.DEPENDENCY

#: Verbs that begin an entry, or end a sentence of it, and what they make of it.
_FUTURE = r"(?:will|to|would|may|might|can|should|going to|plans? to|planned|scheduled)(?: \w+){0,3} "
_DEPRECATED = re.compile(
    r"(?<!previously )(?<!previously-)(?<!formerly )\bdeprecat(?:ed?|es|ing|ions?)\b"
    r"(?! (?:api|apis|function|functions|method|module|symbol|argument|arguments|option|feature|alias)\w*\b)"
    rf"|\b{_FUTURE}be (?:removed|deleted|dropped|deprecated)"
    r"|last (?:tensorflow |minor )?(?:release|version) (?:to|that|supporting)"
    r"|已?经?被?(?:废弃|弃用)"
)
_REMOVED = re.compile(
    r"^(?:\W*\([^)]{1,40}\) )?(?:completely |finally )?(?:removed?|removes|removing|deleted?|dropped|drops?)\b"
    r"(?! (?:an? |the |some |unnecessary |redundant |unused |extra |spurious |internal |private )*"
    r"(?:bug|restriction|limitation|limit|warning|unnecessary|redundant|unused|unneeded|extra|dead|spurious|copy|copies"
    r"|overhead|references?|private|internal|requirement|dependency|dependencies|imports?)\b)"
    r"|\b(?:has|have|had|was|were|is|are|been) (?:now |also |all |both |completely |entirely |finally )?"
    r"(?:removed|deleted|dropped|discontinued)\b"
    r"|\bno longer (?:support|supports|supported|available|accepts?|exists?)\b|\bends? support\b"
    r"|\bdropp(?:ed|ing) support\b|\bremoved? support\b|\bsupport for\b.{1,80}\b(?:removed|dropped)\b|移除|删除了"
)
_DEPRECATED_STEMS = ("deprecat", "be removed", "be deleted", "be dropped", "last ", "废弃", "弃用")
_REMOVED_STEMS = ("remov", "delet", "drop", "discontinued", "no longer", "support", "移除", "删除了")
_DEPRECATED_WAS_REMOVED = re.compile(
    r"(?:the |all |some |many )?deprecated\b[^.]{1,100}\b(?:has|have|was|were|are|is)(?: been)?(?: now)? "
    r"(?:removed|deleted|dropped)"
)
_FIXED = re.compile(
    r"^(?:\W*\([^)]{1,40}\) )?(?:bug ?fix|fix|fixed|fixes|fixing|resolved?|resolves|corrected|corrects?|repaired)\b"
    r"|^修复"
)
_FASTER = re.compile(
    r"\b(?:performance|latency|throughput)\b.{0,40}\b(?:optimi[sz]|improve|better|boost|increase)"
    r"|\b(?:optimi[sz]ed?|improved?|improves|better|boost|enhanced?|speed up|speeds up|sped up)\b.{0,40}\b"
    r"(?:performance|speed|latency|throughput)|\b(?:significantly |much )?faster\b|\bspeed-?ups?\b"
    r"|\b(?:decreased?|reduced?|reduces|reduction in|lower)\b.{0,30}\b(?:memory|time|latency|overhead)|^performance\b"
)
_ADDED = re.compile(
    r"^(?:\W*\([^)]{1,40}\) )?(?:adds?|added|adding|introduc(?:e|es|ed|ing)|new|support|supports|supported|enabled?)\b"
    r"|\b(?:support|supports)\b.{1,80}\b(?:is|was|has been|have been) added\b|\bwhich is a new\b"
    r"|\bnow supports?\b|^新增"
)
_VULNERABLE = re.compile(r"\bcve-\d{4}-\d{4,}|\bvulnerabilit(?:y|ies)\b")
_CHANGED = re.compile(r"^(?:\W*\([^)]{1,40}\) )?(?:updated?|upgraded?|changed?|changes|moved?|renamed?|migrated)\b")

#: What the titles of pull requests begin with, where a project has such a custom: `fix(api): `, `DOC: `.
_PREFIXED = re.compile(r"\[?([a-z]{2,9})(?:\([^()]{1,40}\))?!?\]?: ")
_PREFIXES: dict[str, Category] = {
    **dict.fromkeys(("feat", "feature", "enh", "new"), F),
    **dict.fromkeys(("fix", "bug", "bugfix", "hotfix"), X),
    **dict.fromkeys(("perf", "performance"), P),
    **dict.fromkeys(("doc", "docs"), T),
    **dict.fromkeys(("dep", "deprecate"), D),
    **dict.fromkeys(("maint", "chore", "ci", "test", "tst", "tests", "refactor", "ref", "style", "typ", "dev"), V),
    **dict.fromkeys(("build", "bld", "deps"), R),
    **dict.fromkeys(("security", "sec"), S),
}

#: Characters of an entry that say what it is about: its first sentence or two.
_SAYING = 400

#: Headings that are filled with whatever is left.
_LOOSE = frozenset({Category.UNCATEGORIZED, Category.BUGFIX, Category.CHANGE})


def of_content(words: str, heading: Category) -> Category:
    """What an entry is about, by the words of its first paragraph where they contradict the heading it stands under.

    A heading is believed unless the words are plain: a removal among the deprecations, a deprecation among the fixes.
    What stands under a breaking heading stays breaking, unless its first word is that it deprecates.
    """
    said = words[:_SAYING].lower()
    found = _said(said, heading)
    return heading if found is None else found


def of_item(words: str, heading: Category) -> Category | None:
    """What an item below an entry is about by its words; None where they do not contradict the heading."""
    found = of_content(words, heading)
    return found if found in (B, D) and found is not heading else None


def _said(said: str, heading: Category) -> Category | None:
    if heading in (K, T, V, S):
        return None
    # Most entries have none of the stems, which are found ten times as fast as the patterns.
    removed = any(stem in said for stem in _REMOVED_STEMS) and bool(_REMOVED.search(said))
    deprecated = any(stem in said for stem in _DEPRECATED_STEMS) and bool(_DEPRECATED.search(said))
    if heading is B:
        return D if said.startswith(("deprecate", "弃用", "废弃")) and not removed else None
    if heading is D:
        return B if removed and not _deprecates_first(said) else None
    if not _FIXED.search(said):
        if removed and not (heading is F and _ADDED.search(said)):
            return B
        if deprecated:
            return D
    if heading not in _LOOSE:
        return None
    return _of_verb(said, heading)


def _deprecates_first(said: str) -> bool:
    """Whether a removal is only the reason or the consequence of the deprecation that a sentence tells of first."""
    deprecated, removed = _DEPRECATED.search(said), _REMOVED.search(said)
    if not deprecated or not removed or _DEPRECATED_WAS_REMOVED.match(said):
        return False
    return deprecated.start() < removed.start()


def _of_verb(said: str, heading: Category) -> Category | None:
    prefix = _PREFIXED.match(said)
    if prefix and prefix.group(1) in _PREFIXES:
        return _PREFIXES[prefix.group(1)]
    if heading is Category.UNCATEGORIZED and _VULNERABLE.search(said):
        return S
    if _FIXED.search(said):
        return X
    if _ADDED.search(said):
        return F
    if _FASTER.search(said):
        return P
    return C if heading is Category.UNCATEGORIZED and _CHANGED.search(said) else None
