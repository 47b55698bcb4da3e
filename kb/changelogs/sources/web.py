"""Getting a page politely and safely: conditional, over https, bounded in size, time and redirects."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urljoin, urlsplit

from kb import __version__
from kb.changelogs.sources.cache import Answer, Cache
from kb.changelogs.sources.interface import MAX_BYTES, NotThere, SourceUnreachable
from kb.records.damage import printable

if TYPE_CHECKING:
    import httpx

#: A server that is up answers within these; a whole body within the last, or the month's job would hang on it.
CONNECT_S, ANSWER_S, BODY_S = 10.0, 30.0, 300.0
#: A project that moved is one redirect, its host's new name another.
MAX_REDIRECTS = 5
#: For what passes by itself, waiting twice as long each time: a gateway that restarts, a line that breaks.
TRIES, WAIT_S = 3, 1.0

_PASSING = frozenset({500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LIMITED = frozenset({403, 429})
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Raw:
    """What came over the line."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    next_url: str = ""  #: of the next page


class Web:
    """Asks servers. Use as a context manager, or call `close`."""

    def __init__(self, cache: Cache, *, wait_s: float = WAIT_S) -> None:
        self._cache = cache
        self._wait_s = wait_s
        self._client: httpx.Client | None = None

    def get(self, url: str, parse: Callable[[Answer], _T], *, accept: str = "*/*", token: str = "") -> _T:
        """What `parse` makes of the page; the token is shown to the host of `url` only.

        An answer is kept for the next time once `parse` has taken it, so that half an answer is never kept.

        Raises:
            NotThere: the server has no such page.
            SourceUnreachable: there is no good answer, or `parse` refused it.
        """
        headers = {"Accept": accept, "User-Agent": f"kb/{__version__}"}
        kept = self._cache.load(url)
        if kept is not None:
            raw = self._follow(url, {**headers, **_conditions(kept)}, token)
            if raw.status == 304:
                try:
                    return parse(kept)
                except SourceUnreachable:  # kept by an older kb that asked less of it
                    self._cache.drop(url)
                    raw = self._follow(url, headers, token)
        else:
            raw = self._follow(url, headers, token)
        answer = _good(url, raw, token)
        parsed = parse(answer)
        self._cache.save(url, answer)
        return parsed

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _follow(self, url: str, headers: Mapping[str, str], token: str) -> _Raw:
        """The answer at the end of the redirects."""
        start = url
        if not _secure(url):
            raise SourceUnreachable(f"{shown(url)} is not https; plain http is only for this machine")
        for _ in range(MAX_REDIRECTS + 1):
            authorization = {"Authorization": f"Bearer {token}"} if token and origin(url) == origin(start) else {}
            raw = self._patiently(url, {**headers, **authorization})
            if raw.status not in _REDIRECTS:
                return raw
            target = _joined(url, raw.headers.get("location", ""))
            if not _secure(target) or (target.startswith("http:") and not start.startswith("http:")):
                raise SourceUnreachable(f"{shown(start)} redirects to {shown(target) or 'nowhere'}, which is not https")
            url = target
        raise SourceUnreachable(f"{shown(start)} redirects more than {MAX_REDIRECTS} times")

    def _patiently(self, url: str, headers: Mapping[str, str]) -> _Raw:
        """One answer; what passes by itself is tried again."""
        import httpx

        for attempt in range(TRIES):
            if attempt:
                time.sleep(self._wait_s * 2 ** (attempt - 1))
            try:
                raw = self._ask(url, headers)
            except httpx.TimeoutException:
                problem = f"{shown(url)} does not answer in time"
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                reason = printable(str(error))[:200] or type(error).__name__
                problem = f"{shown(url)} cannot be read ({reason})"
            else:
                if raw.status not in _PASSING:
                    return raw
                problem = f"{shown(url)} answers {raw.status}, a fault of the server"
        raise SourceUnreachable(problem)

    def _ask(self, url: str, headers: Mapping[str, str]) -> _Raw:
        """One request; the body of a good answer is read, as far as it may go."""
        end = time.monotonic() + BODY_S
        with self._open().stream("GET", url, headers=dict(headers)) as response:
            if response.status_code != 200:
                return _Raw(response.status_code, response.headers)
            _require_room(url, response.headers.get("content-length", ""))
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise _too_large(url)
                if time.monotonic() > end:
                    raise SourceUnreachable(f"{shown(url)} is not whole after {BODY_S:g} s")
            next_url = response.links.get("next", {}).get("url", "")
            return _Raw(200, response.headers, bytes(body), _joined(url, next_url))

    def _open(self) -> "httpx.Client":
        import httpx

        if self._client is None:
            timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
            self._client = httpx.Client(timeout=timeout, follow_redirects=False)
        return self._client


def _conditions(kept: Answer) -> dict[str, str]:
    both = {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
    return {name: value for name, value in both.items() if value}


def _good(url: str, raw: _Raw, token: str) -> Answer:
    """The answer, if it is one.

    Raises:
        SourceUnreachable: saying what the status means.
    """
    headers = raw.headers
    if raw.status == 200:
        content_type, etag, modified = (headers.get(name, "") for name in ("content-type", "etag", "last-modified"))
        return Answer(raw.body, content_type, raw.next_url, etag, modified)
    if raw.status in _LIMITED and (until := _limited_until(headers)):
        more = "" if token else "; set GITHUB_TOKEN to be allowed more" if "x-ratelimit-reset" in headers else ""
        raise SourceUnreachable(f"{shown(url)}: no more requests are allowed until {until}{more}")
    if raw.status == 401 and token:
        raise SourceUnreachable(f"{shown(url)} refuses the token (401): renew GITHUB_TOKEN or GH_TOKEN, or unset it")
    meaning = {401: "a token is needed", 403: "forbidden", 404: "there is no such page", 429: "too many requests"}
    note = f" ({meaning[raw.status]})" if raw.status in meaning else ""
    kind = NotThere if raw.status in (404, 410) else SourceUnreachable
    raise kind(f"{shown(url)} answers {raw.status}{note}")


def _limited_until(headers: Mapping[str, str]) -> str:
    """When a rate limit ends, in UTC; empty where the answer names none."""
    now = datetime.now(UTC)
    end = None
    with suppress(ValueError, OverflowError, OSError):
        if after := headers.get("retry-after", ""):
            end = now + timedelta(seconds=int(after)) if after.isdecimal() else parsedate_to_datetime(after)
        elif headers.get("x-ratelimit-remaining") == "0":
            end = datetime.fromtimestamp(int(headers.get("x-ratelimit-reset", "")), UTC)
    if end is None:
        return ""
    return f"{end:%H:%M} UTC" if abs(end.astimezone(UTC) - now) < timedelta(hours=20) else f"{end:%Y-%m-%d %H:%M} UTC"


def _require_room(url: str, length: str) -> None:
    if length.isdecimal() and int(length[:20]) > MAX_BYTES:
        raise _too_large(url)


def _too_large(url: str) -> SourceUnreachable:
    return SourceUnreachable(f"{shown(url)} has more than {MAX_BYTES // 2**20} MiB, which no changelog has")


def _secure(url: str) -> bool:
    """Whether it is https, or does not leave this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def is_loopback(host: str) -> bool:
    """Whether the name of a host is this machine's."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> tuple[str, str]:
    """Scheme and host with port: to whom a token is shown."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _joined(base: str, target: str) -> str:
    try:
        return urljoin(base, target) if target else ""
    except ValueError:
        return ""


def shown(url: str) -> str:
    """Host and path of an address: what stands before and behind them may be secret."""
    try:
        parts = urlsplit(url)
        return printable(f"{parts.netloc.rpartition('@')[2]}{parts.path}")[:120]
    except ValueError:
        return "an address that is none"
