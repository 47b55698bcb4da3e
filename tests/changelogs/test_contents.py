"""What an entry says of itself counts where it contradicts its heading, and only where it is plain."""

import pytest

from kb.changelogs.contents import of_content, of_item
from kb.changelogs.entry import Category as C

SAID = [
    ("The method `a` has been removed.", C.BUGFIX, C.BREAKING),
    ("Removed support for Python 3.6.", C.DEPRECATION, C.BREAKING),
    ("The previously-deprecated `a` was removed.", C.DEPRECATION, C.BREAKING),
    ("`a` is deprecated and will be removed in 3.0.", C.DEPRECATION, C.DEPRECATION),
    ("`a` is deprecated, as it no longer supports `b`.", C.DEPRECATION, C.DEPRECATION),
    ("`a` is deprecated in favour of `b`.", C.CHANGE, C.DEPRECATION),
    ("Fixed a crash when a deprecated option was removed.", C.BUGFIX, C.BUGFIX),
    ("Removed an unnecessary copy.", C.IMPROVEMENT, C.IMPROVEMENT),
    ("Added `a`.", C.BUGFIX, C.FEATURE),
    ("Added a check for `a`.", C.BREAKING, C.BREAKING),
    ("Wheels of `a` are being deprecated.", C.BREAKING, C.BREAKING),
    ("Deprecated `a`.", C.BREAKING, C.DEPRECATION),
    ("Performance of `a` is better.", C.BUGFIX, C.PERFORMANCE),
    ("Decreased memory usage of `a`.", C.UNCATEGORIZED, C.PERFORMANCE),
    ("Fixed `a`.", C.UNCATEGORIZED, C.BUGFIX),
    ("Updated `a`.", C.UNCATEGORIZED, C.CHANGE),
    ("Cures CVE-2031-12345.", C.UNCATEGORIZED, C.SECURITY),
    ("docs: say more", C.UNCATEGORIZED, C.DOCS),
    ("feat(api)!: a", C.CHANGE, C.FEATURE),
    ("`a` 已经被废弃", C.CHANGE, C.DEPRECATION),
    ("A word on `a`.", C.UNCATEGORIZED, C.UNCATEGORIZED),
    ("Removed `a` from the list.", C.KNOWN_ISSUE, C.KNOWN_ISSUE),
]


@pytest.mark.parametrize(("words", "heading", "category"), SAID)
def test_category_by_content(words: str, heading: C, category: C) -> None:
    assert of_content(words, heading) is category


def test_an_item_tells_only_of_what_breaks_or_will() -> None:
    assert of_item("`a` was removed.", C.BUGFIX) is C.BREAKING
    assert of_item("Added `a`.", C.BUGFIX) is None
    assert of_item("`a` was removed.", C.BREAKING) is None
