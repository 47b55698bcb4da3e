"""A heading is a category when all of its words are; anything else is the name of something."""

import pytest

from kb.changelogs.categories import of_heading
from kb.changelogs.entry import Category

HEADINGS = {
    Category.BREAKING: [
        "Breaking Changes",
        "BC breaking",
        "Backwards-Incompatible Changes",
        "Removed",
        "API removals",
        "Expired deprecations",
        "Compatibility notes",
        "📢 Announcements & Breaking Changes",
        "不兼容升级",
        "非兼容性变更",
    ],
    Category.DEPRECATION: ["Deprecations", "Deprecations/Removals", "Deprecated", "废弃功能"],
    Category.FEATURE: [
        "New features",
        "Major Features and Improvements",
        "Added",
        "New functions",
        "主要特性和增强",
        "新增 API 功能",
    ],
    Category.IMPROVEMENT: ["Improvements", "Feature improvements", "Enhancements", "功能优化", "Function Optimization"],
    Category.CHANGE: ["Changes", "Changed", "C API changes", "API Change", "What's Changed", "API变更"],
    Category.BUGFIX: [
        "Bug Fixes and Other Changes",
        "Fixed",
        "Bugfixes",
        "Bug fixing and improvements",
        "2.1 Bug 修复",
    ],
    Category.PERFORMANCE: ["Performance improvements and changes", "Performance", "性能优化"],
    Category.SECURITY: ["Security", "Security fixes", "安全改善", "漏洞修复"],
    Category.KNOWN_ISSUE: ["Known Caveats", "Known Bugs", "Tracked Regressions", "已知问题"],
    Category.DOCS: ["Documentation", "docs", "Tutorials"],
    Category.DEVELOPER: ["Developers", "devs"],
    Category.DEPENDENCY: ["Requirements", "Dependencies"],
}
NAMES = [
    "Plugin changes",
    "Fix some issues",
    "torch.compile",
    "Keras",
    "Sparse Frontend",
    "Build Frontend",
    "CUDA",
    "New C++ parser for the old files",
]


@pytest.mark.parametrize(
    ("heading", "category"), [(name, category) for category, names in HEADINGS.items() for name in names]
)
def test_categories(heading: str, category: Category) -> None:
    assert of_heading(heading, whole=heading[0].isascii()) is category


@pytest.mark.parametrize(
    "heading", [*NAMES, "", "修复了 a 的问题", "A sentence that tells of bug fixes and new features in the tool"]
)
def test_names_and_sentences_are_none(heading: str) -> None:
    assert of_heading(heading) is None


def test_the_last_words_of_a_heading_may_do() -> None:
    assert of_heading("Parser New Features") is None
    assert of_heading("Parser New Features", whole=False) is Category.FEATURE
    assert of_heading("Parser changes", whole=False) is None


def test_a_project_has_headings_of_its_own() -> None:
    assert of_heading("Loose Ends:", {"loose ends": Category.KNOWN_ISSUE}) is Category.KNOWN_ISSUE
