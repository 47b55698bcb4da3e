"""What a project says of each version in its releases on GitHub."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from packaging.version import InvalidVersion, Version

from kb.changelogs.entry import Stage
from kb.changelogs.record import is_day
from kb.changelogs.sources.cache import Answer
from kb.changelogs.sources.interface import MAX_BYTES, Document, Fetched, SourceUnreachable
from kb.changelogs.sources.web import Web, origin, shown
from kb.outside_text import safe_url

API = "https://api.github.com"
ACCEPT = "application/vnd.github+json"
#: Releases in a page: as many as GitHub gives; and pages: ten times what the busiest of the projects has.
PER_PAGE, MAX_PAGES = 100, 50
#: Tags named in one notice.
MAX_NAMED = 5


@dataclass(frozen=True)
class Release:
    """One published release."""

    tag: str
    text: str
    url: str  #: of its page; empty where the answer names none that is safe
    date: str  #: day of publication, ISO 8601, or empty
    prerelease: bool  #: as the project says


@dataclass(frozen=True)
class GithubReleases:
    """The releases of one repository."""

    web: Web
    repository: str  #: owner/name
    tag_prefix: str = ""  #: what stands before the version in a tag, beside a `v`, e.g. `jax-`
    api: str = API

    def fetch(self) -> Fetched:
        """One document per version; a tag that is no version is left out with a notice.

        Raises:
            SourceUnreachable: the releases cannot be read whole, or there are none.
        """
        now = datetime.now(UTC)
        documents: dict[str, Document] = {}
        strange: list[str] = []
        for release in self.releases():
            version = version_of(release.tag, self.tag_prefix)
            if version is None:
                strange.append(release.tag)
            elif str(version) not in documents:  # `v1.0` and `1.0`: the newer one comes first
                stage = Stage.PRERELEASE if release.prerelease or version.is_prerelease else Stage.RELEASED
                documents[str(version)] = Document(
                    release.text, release.url, now, str(version), release.date or None, stage
                )
        return Fetched(tuple(documents.values()), tuple(_notices(strange)))

    def releases(self) -> tuple[Release, ...]:
        """All that are published, the newest first; raises as `fetch` does."""
        found = tuple(self._pages())
        if not found:
            raise SourceUnreachable(f"{self.repository} has no releases on {shown(self.api)}")
        return found

    def _pages(self) -> Iterator[Release]:
        url = f"{self.api}/repos/{self.repository}/releases?per_page={PER_PAGE}"
        token = token_from_environment()
        size = 0
        for _ in range(MAX_PAGES):
            releases, next_url, length = self.web.get(url, self._page, accept=ACCEPT, token=token)
            yield from releases
            size += length
            if size > MAX_BYTES:
                raise SourceUnreachable(f"{shown(url)} has more than {MAX_BYTES // 2**20} MiB in all its pages")
            if not next_url:
                return
            if origin(next_url) != origin(self.api):
                raise SourceUnreachable(f"{shown(url)} names a next page elsewhere: {shown(next_url)}")
            url = next_url
        raise SourceUnreachable(f"{shown(url)} has more than {MAX_PAGES} pages")

    def _page(self, answer: Answer) -> tuple[list[Release], str, int]:
        what = f"{shown(self.api)}: the releases of {self.repository}"
        values = parsed_json(answer.body, what)
        if not isinstance(values, list):
            raise SourceUnreachable(f"{what} are no JSON list")
        releases = [_release(value, what) for value in values if not _is_draft(value)]
        return releases, answer.next_url, len(answer.body)


def token_from_environment() -> str:
    """The token in GITHUB_TOKEN or GH_TOKEN; empty where there is none.

    Raises:
        SourceUnreachable: it is none that could be sent; it is not shown.
    """
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        if token := os.environ.get(name, "").strip():
            if not (token.isascii() and token.isprintable()) or " " in token:
                raise SourceUnreachable(f"the token in {name} has characters that no token has: set it again")
            return token
    return ""


def version_of(tag: str, prefix: str = "") -> Version | None:
    """The version that a tag names; None where it is none. A lone number is none: it may be a day or a build."""
    try:
        version = Version(tag.removeprefix(prefix)) if tag.startswith(prefix) else None
    except InvalidVersion:
        return None
    return version if version and len(version.release) > 1 else None


def parsed_json(body: bytes, what: str) -> Any:
    """The value of a body.

    Raises:
        SourceUnreachable: it is empty, cut off, or no JSON.
    """
    if not body.strip():
        raise SourceUnreachable(f"{what}: the answer is empty")
    try:
        return json.loads(body)
    except RecursionError:
        raise SourceUnreachable(f"{what}: the answer is nested too deeply to be read") from None
    except ValueError as error:
        raise SourceUnreachable(f"{what}: the answer is no JSON, or cut off ({error})") from None


def _is_draft(value: object) -> bool:
    """Drafts are shown to those who may write to the repository, and are not published."""
    return isinstance(value, dict) and value.get("draft") is True


def _release(value: object, what: str) -> Release:
    """One element of the list; its name is not asked, it is null or another version's too often."""
    tag = value.get("tag_name") if isinstance(value, dict) else None
    body = value.get("body") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(tag, str) or not isinstance(body, str | None):
        raise SourceUnreachable(f"{what} have another shape: expected objects with a tag_name and a body")
    url = value.get("html_url")
    published = str(value.get("published_at") or "")[:10]
    return Release(
        tag,
        _text(body or ""),
        url if isinstance(url, str) and safe_url(url) else "",
        published if is_day(published) else "",
        value.get("prerelease") is True,
    )


def _text(body: str) -> str:
    """JSON may hold halves of characters, which no file can."""
    whole = body.encode("utf-8", "replace").decode()
    return whole.replace("\r\n", "\n").replace("\r", "\n")


def _notices(tags: Iterable[str]) -> Iterator[str]:
    left_out = list(tags)
    if left_out:
        named = ", ".join(left_out[:MAX_NAMED])
        more = f" and {len(left_out) - MAX_NAMED} more" if len(left_out) > MAX_NAMED else ""
        noun = (
            "a tag that is no version was" if len(left_out) == 1 else f"{len(left_out)} tags that are no versions were"
        )
        yield f"{noun} left out: {named}{more}"
