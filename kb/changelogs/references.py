"""Pull requests, issues, advisories and CVEs that a text names, from its words and from where its links lead."""

import re
from collections.abc import Iterable

from kb.changelogs.entry import Inline, Reference

_CVE = re.compile(r"\bCVE-\d{4}-\d{4,10}\b", re.IGNORECASE)
_TARGET = re.compile(
    r"https?://(?:www\.)?(?:github|gitlab|gitee|gitcode)\.com/[\w.-]{1,100}/[\w.-]{1,100}/(?:-/)?"
    r"(?P<kind>pulls?|issues|merge_requests|discussions|security/advisories|commit)/(?P<id>[\w-]{1,60})"
)
_ADVISORY = re.compile(r"\bGHSA(?:-[0-9a-z]{4}){3}\b")
_NUMBER = re.compile(r"(?<![\w&/#])(?:#|\bgh-)(?P<id>\d{1,7})\b(?!\.\d)")


def cves(texts: Iterable[Inline]) -> tuple[str, ...]:
    """Each once, in the order of first mention; the targets of links count."""
    found: dict[str, None] = {}
    for text in texts:
        for span in text:
            if span.url or "CVE-" in span.text or "cve-" in span.text:
                for cve in _CVE.findall(f"{span.text} {span.url}"):
                    found[cve.upper()] = None
    return tuple(found)


def references(texts: Iterable[Inline], repository: str) -> tuple[Reference, ...]:
    """Each once, in the order of first mention. `repository` is where a bare number belongs; empty where unknown."""
    found: dict[str, Reference] = {}
    for text in texts:
        for span in text:
            target = _TARGET.match(span.url) if span.url else None
            if target:
                if target.group("kind") != "commit":
                    label = span.text.strip() if span.text != span.url else f"#{target.group('id')}"
                    _keep(found, Reference(label, span.url))
            elif not span.code:
                for reference in _numbers(span.text, repository):
                    _keep(found, reference)
            if "GHSA-" in span.text:
                for advisory in _ADVISORY.findall(span.text):
                    _keep(found, Reference(advisory, f"https://github.com/advisories/{advisory}"))
    return tuple(found.values())


def only_references(text: Inline) -> bool:
    """Whether a paragraph is nothing but references, as those that end a group of paragraphs in NumPy's notes."""
    words = "".join(" " if _TARGET.match(span.url) or span.url else span.text for span in text)
    return bool(text) and not re.search(r"\w", _NUMBER.sub(" ", words))


def _numbers(words: str, repository: str) -> Iterable[Reference]:
    if "#" not in words and "gh-" not in words:
        return
    for number in _NUMBER.finditer(words):
        # GitHub sends the address of an issue on to the pull request where the number is one.
        url = f"{repository}/issues/{number.group('id')}" if repository else ""
        yield Reference(number.group(), url)


def _keep(found: dict[str, Reference], reference: Reference) -> None:
    """The number tells whether it is the same: labels and kinds of address differ within one file."""
    key = re.sub(r"\D", "", reference.url.rpartition("/")[2]) or reference.url or reference.label
    label = reference.label or reference.url
    found.setdefault(
        f"{reference.url.partition('/issues')[0].partition('/pull')[0]} {key}", Reference(label, reference.url)
    )
