"""What a heading is about: one table of words, no list of headings.

A heading is a category when all of its words are: `Bug fixing and improvements` is one, `Plugin changes` is not. So the
table knows the headings that nobody has written yet, and takes no name of a component for a category.
"""

import re
from collections.abc import Mapping

from kb.changelogs.entry import Category

MAX_WORDS = 10  # a heading with more is a sentence

B, D, F, I = Category.BREAKING, Category.DEPRECATION, Category.FEATURE, Category.IMPROVEMENT  # noqa: E741 a table
C, X, P, S = Category.CHANGE, Category.BUGFIX, Category.PERFORMANCE, Category.SECURITY
K, T, V, R = Category.KNOWN_ISSUE, Category.DOCS, Category.DEVELOPER, Category.DEPENDENCY

#: Say it whatever else the heading says.
_STRONG: dict[str, Category] = {
    **dict.fromkeys(("breaking", "incompatible", "incompatibility", "incompatibilities", "expired"), B),
    **dict.fromkeys(("known", "tracked", "caveats", "limitations"), K),
}

#: The first of these in a heading says it.
_CORE: dict[str, Category] = {
    **dict.fromkeys(
        ("removed", "removal", "removals", "deletion", "deletions", "deleted", "dropped", "compatibility"), B
    ),
    **dict.fromkeys(("deprecation", "deprecations", "deprecated", "deprecate"), D),
    **dict.fromkeys(("feature", "features", "functionality", "functions", "added", "additions", "highlights"), F),
    **dict.fromkeys(("improvement", "improvements", "enhancement", "enhancements", "improved", "enhanced"), I),
    **dict.fromkeys(("change", "changes", "changed", "updates", "update", "modifications", "behavioral"), C),
    **dict.fromkeys(("bug", "bugs", "bugfix", "bugfixes", "fix", "fixes", "fixed", "fixing", "fixings"), X),
    **dict.fromkeys(("performance", "optimization", "optimizations", "speed"), P),
    **dict.fromkeys(("security", "vulnerability", "vulnerabilities"), S),
    **dict.fromkeys(("regression", "regressions", "issues", "problems"), K),
    **dict.fromkeys(("docs", "doc", "documentation", "tutorials", "tutorial"), T),
    **dict.fromkeys(("developer", "developers", "devs", "internal", "internals", "tests", "testing"), V),
    **dict.fromkeys(("requirements", "dependency", "dependencies", "build", "packaging", "versioning"), R),
}

#: Say nothing of their own. `new` alone is a feature, and so is `new functions`.
_FILLERS = frozenset(
    word
    for line in (
        "a an the of to in for and or with what what's happened other others some all misc miscellaneous various",
        "major minor main key notable important new api apis abi c c++ python contrib core public general small big",
        "user users facing behavior behaviour notes note caveat cleanup upgrade function release related",
        "system systems",
        "backward backwards bc compatible",
    )
    for word in line.split()
)

#: Begin a sentence that asks for one thing: `Fix some issues`.
_IMPERATIVE = frozenset({"fix", "update", "deprecate"})

#: Chinese and Japanese: what the heading contains, in the order of asking.
_CONTAINED = {
    **dict.fromkeys(("不兼容", "非兼容", "兼容性变更", "移除", "删除", "削除"), B),
    **dict.fromkeys(("废弃", "弃用", "非推奨"), D),
    **dict.fromkeys(("已知问题",), K),
    **dict.fromkeys(("安全", "漏洞"), S),
    **dict.fromkeys(("修复", "修正"), X),
    **dict.fromkeys(("性能",), P),
    **dict.fromkeys(("新增", "新功能", "新特性", "主要特性", "特性和增强", "追加"), F),
    **dict.fromkeys(("优化", "完善", "增强", "改进", "升级"), I),
    **dict.fromkeys(("文档",), T),
    **dict.fromkeys(("开发者", "代码清理"), V),
    **dict.fromkeys(("依赖",), R),
    **dict.fromkeys(("变更", "更改", "変更"), C),
}

#: All else that a Chinese heading of a category is made of.
_CJK_FILLERS = (
    *("主要", "其他", "其它", "部分", "功能", "特性", "问题", "内容", "接口", "风险", "改善", "加强", "提升"),
    *("相关", "代码", "兼容", "公告", "说明", "和", "与", "及", "の", "点", "项", "類", "类"),
)
_CJK_WORDS = re.compile("|".join((*sorted(_CONTAINED, key=len, reverse=True), *_CJK_FILLERS)))
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_NUMBER = re.compile(r"^\s*(?:\d{1,3}[.)、]\s*)+")
_WORD = re.compile(r"[^\W_]+(?:\+\+|'[a-z]+)?|_+")


def of_heading(words: str, extra: Mapping[str, Category] | None = None, whole: bool = True) -> Category | None:
    """What a heading is about; None where it is the name of something else.

    `extra` has headings of one project, in lower case. `whole` asks that all words are of the table, as in a bullet or
    a paragraph, which may be a sentence; else the last two may do: `PIR New Features`.
    """
    name = _NUMBER.sub("", words).strip(" \t*_:：.!").lower()
    if extra and name in extra:
        return extra[name]
    if _CJK.search(name):
        return _of_contained(name, whole)
    known = [word for word in _WORD.findall(name) if not word.isdecimal()]
    if not known or len(known) > MAX_WORDS:
        return None
    if all(_known(word) for word in known):
        return _of_words(known)
    return None if whole else _of_words(_tail(known))


def _of_contained(name: str, whole: bool) -> Category | None:
    squeezed = "".join(name.split())
    if len(squeezed) > 24 or (whole and _CJK.search(_CJK_WORDS.sub("", squeezed))):
        return None  # a sentence
    return next((category for part, category in _CONTAINED.items() if part in squeezed), None)


def _known(word: str) -> bool:
    return word in _STRONG or word in _CORE or word in _FILLERS


def _tail(words: list[str]) -> list[str]:
    """The last words that are of the table, where they are two at least."""
    count = next((index for index, word in enumerate(reversed(words)) if not _known(word)), len(words))
    return words[-count:] if count > 1 else []


def _of_words(words: list[str]) -> Category | None:
    """`Function optimization` makes a function better, not faster; `compatibility` needs a word for what was done."""
    strong = next((_STRONG[word] for word in words if word in _STRONG), None)
    if strong:
        return strong
    core = [word for word in words if word in _CORE]
    if not core:
        return F if "new" in words else None
    if words[0] in _IMPERATIVE and len(words) > 1:
        return None
    if core[:2] in (["feature", "improvement"], ["feature", "improvements"]) and "and" not in words:
        return I
    if core[0].startswith("optimization") and "function" in words:
        return I
    if core[0] in ("build", "versioning", "compatibility") and len(words) == 1:
        return None
    return _CORE[core[0]]
