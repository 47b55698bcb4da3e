"""What the pages of changelogs say: what is new, what breaks first, and where each entry comes from."""

import csv
import io
import re

import pytest

from tests.site.changelog_sample import LATER

pytest.importorskip("vl_convert")


def text(files: dict[str, bytes], path: str) -> str:
    return files[path].decode()


def headings(page: str) -> list[str]:
    return re.findall(r"^##+ (.+?) \{", page, re.MULTILINE)


def test_the_overview_has_each_package_and_the_day_on_which_its_source_was_read(files: dict[str, bytes]) -> None:
    page = text(files, "changelogs.md")
    assert "changelogs/plainlib.html" in page
    assert re.search(r"plainlib</a></th> <td>2\.0\.0</td> <td>2026-11-19</td>", page), (
        "upcoming versions are not newest"
    )
    assert page.count(LATER) == 2
    assert "sections of other packages were left out: otherlib" in page


def test_an_entry_is_news_in_the_month_in_which_it_was_first_seen(files: dict[str, bytes]) -> None:
    november, august = text(files, "changelogs/2026-11.md"), text(files, "changelogs/2026-08.md")
    assert "it is slow on Mondays" in november, "an old section that grows is news"
    assert "is deprecated" in august, "of what was there at first, the date of the version decides"
    assert "is deprecated" not in november
    assert headings(november)[0] == "Breaking"


def test_an_upgrade_has_the_entries_of_the_new_line_with_what_breaks_first(files: dict[str, bytes]) -> None:
    page = text(files, "changelogs/plainlib-1.1-to-2.0.md")
    assert headings(page) == ["Beyond the headings", "Breaking", "Security", "New"]
    assert "kb upgrade plainlib==1.1.0 plainlib==2.0.0 --scan src/" in page
    assert "under “Deprecations”" in page, "where the content contradicts its heading, both are told"


def test_each_entry_can_be_linked_to_and_leads_to_its_source(files: dict[str, bytes]) -> None:
    page = text(files, "changelogs/plainlib-1.1-to-2.0.md")
    ids = re.findall(r'<li id="([^"]+)">', page)
    assert len(ids) == len(set(ids)) == 3
    assert all(each.startswith("plainlib-2.0.0-") for each in ids)
    source = "https&#58;&#47;&#47;example&#46;org&#47;plainlib&#47;CHANGELOG&#46;md&#35;release&#45;200"
    assert f'<a href="{source}" rel="noopener nofollow">source</a>' in page


def test_looks_links_and_samples_of_code_are_kept(files: dict[str, bytes]) -> None:
    page = text(files, "changelogs/plainlib-1.1-to-2.0.md")
    assert '<a href="https&#58;&#47;&#47;example&#46;org&#47;load" rel="noopener nofollow"><code>load' in page
    assert "<strong> for good</strong>" in page
    assert "<pre><code>open&#40;&#10;    &#39;x&#39;&#41;</code></pre>" in page


def test_a_vulnerability_stands_once_with_every_version_that_fixes_it(files: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(text(files, "data/changelog-security.csv"))))
    assert [(row["cve"], row["fixed_in"]) for row in rows] == [
        ("CVE-2026-1111", "1.1.0, 2.0.0"),
        ("CVE-2025-0002", "2.0.0"),
    ]


def test_what_is_not_released_is_told_apart(files: dict[str, bytes]) -> None:
    page = text(files, "changelogs/plainlib.md")
    assert "## Upcoming" in page
    assert "Soon" in page.partition("## Upcoming")[2]
    assert not [path for path in files if path.startswith("changelogs/plainlib-2.0-to-2.1")]


def test_nothing_of_a_hostile_changelog_is_markup(files: dict[str, bytes]) -> None:
    for path, content in files.items():
        if path.startswith("changelogs/"):
            page = content.decode()
            for live in ("<script", "<img", "<iframe", "javascript:", "onerror=", "{{", "{%", "--8<--", "[TOC]", "{:"):
                assert live not in page, (path, live)
    assert "Tensor&#60;T&#62;" in text(files, "changelogs/hostilelib-1.0-to-1.1.md")


def test_deprecations_that_expire_on_the_way_are_told_with_the_upgrade(files: dict[str, bytes]) -> None:
    page = text(files, "changelogs/plainlib-1.1-to-2.0.md").partition("## Beyond the headings")[2]
    assert "is deprecated and will be removed in version 2&#46;0" in page.partition("## Breaking")[0]
