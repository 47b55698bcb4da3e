"""Answers of the web kept for the next time, so that what has not changed is not sent again."""

import json
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from kb.records.atomic import write_whole


@dataclass(frozen=True)
class Answer:
    """The body of a good answer, and what its headers say."""

    body: bytes
    content_type: str = ""
    next_url: str = ""  #: of the next page; empty where there is none
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Cache:
    """One file per address: a line of JSON, then the body. It may be deleted at any time, and damage is the same."""

    folder: Path

    def load(self, url: str) -> Answer | None:
        """The answer that was kept; None where there is none, or not as it was written."""
        try:
            head, _, body = self._path(url).read_bytes().partition(b"\n")
            fields = json.loads(head)
            if fields.pop("url") != url or fields.pop("sha256") != sha256(body).hexdigest():
                return None
            return Answer(body, **fields)
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            return None

    def save(self, url: str, answer: Answer) -> None:
        """Keep the answer if the server can be asked whether it is still current. A cache that fails is no error."""
        if not answer.etag and not answer.last_modified:
            return
        head = {
            "url": url,
            "sha256": sha256(answer.body).hexdigest(),
            "content_type": answer.content_type,
            "next_url": answer.next_url,
            "etag": answer.etag,
            "last_modified": answer.last_modified,
        }
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # a token may have opened private texts
            write_whole(self._path(url), json.dumps(head).encode() + b"\n" + answer.body)

    def drop(self, url: str) -> None:
        with suppress(OSError):
            self._path(url).unlink(missing_ok=True)

    def _path(self, url: str) -> Path:
        return self.folder / sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32]
