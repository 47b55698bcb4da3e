"""Where a link may lead, and what it refers to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.changelogs.entry import Reference, Span
from kb.changelogs.links import resolved, with_links
from kb.changelogs.references import cves, only_references, references

BASE = "https://github.com/example/box/blob/v1"


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("https://a.b/c", "https://a.b/c"),
        ("mailto:a@b.c", "mailto:a@b.c"),
        ("docs/a.md#part", f"{BASE}/pkg/docs/a.md#part"),
        ("/docs/a.md", f"{BASE}/docs/a.md"),
        ("../a.md", f"{BASE}/a.md"),
        ("../../a.md", ""),
        ("//evil.example", ""),
        ("\\\\evil.example", ""),
        ("#part", ""),
        ("javascript:alert(1)", ""),
        ("JavaScript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("https:evil", ""),
        ("http://[", ""),
        ("%2e%2e/%2e%2e/x", ""),
        ("%252e%252e/x", ""),
        ("", ""),
    ],
)
def test_where_a_link_leads(url: str, where: str) -> None:
    assert resolved(url, BASE, "pkg") == where


@given(st.text())
def test_no_text_leads_elsewhere(url: str) -> None:
    where = resolved(url, BASE)
    assert where == "" or where.startswith(("http://", "https://", "mailto:"))
    assert not set(where) & set('<>"` \n')


def test_an_address_in_the_words_is_a_link_without_the_full_stop() -> None:
    text = with_links((Span("See https://a.b/c_(d). Then"),), "")
    assert text == (Span("See "), Span("https://a.b/c_(d)", url="https://a.b/c_(d)"), Span(". Then"))


def test_references_are_links_and_numbers_each_once() -> None:
    repository = "https://github.com/example/box"
    text = (
        Span("(#12, gh-13, "),
        Span("14", url=f"{repository}/pull/14"),
        Span(", "),
        Span("#6066", url=f"{repository}/pull/60661"),
        Span(", #12) in a#b &#39; "),
        Span("#15", code=True),
    )
    assert references([text], repository) == (
        Reference("#12", f"{repository}/issues/12"),
        Reference("gh-13", f"{repository}/issues/13"),
        Reference("14", f"{repository}/pull/14"),
        Reference("#6066", f"{repository}/pull/60661"),
    )
    assert references([(Span("#12"),)], "") == (Reference("#12", ""),)


def test_an_advisory_is_a_reference() -> None:
    (reference,) = references([(Span("see GHSA-aaaa-bbbb-cccc"),)], "")
    assert reference.url.endswith("/GHSA-aaaa-bbbb-cccc")


def test_cves_are_found_in_words_and_targets_each_once() -> None:
    text = (Span("CVE-2031-1234 and cve-2031-99999"), Span("x", url="https://c.d/CVE-2031-1234"), Span("CVE-2031-12"))
    assert cves([text]) == ("CVE-2031-1234", "CVE-2031-99999")


def test_a_paragraph_of_references() -> None:
    assert only_references((Span("("), Span("gh-1", url="https://github.com/a/b/pull/1"), Span(")")))
    assert only_references((Span("(#1, #2)"),))
    assert not only_references((Span("see #1"),))
