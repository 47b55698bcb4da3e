"""Changelogs that are plain files on the web, such as a repository's own: one file, or one for each version."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from kb.changelogs.sources.cache import Answer
from kb.changelogs.sources.index import PackageIndex
from kb.changelogs.sources.interface import Document, Fetched, NotThere, SourceUnreachable, decoded
from kb.changelogs.sources.web import Web, shown

#: Stands in an address for each version that the package index has.
PLACE = "{version}"


@dataclass(frozen=True)
class RawFile:
    """The file at an address."""

    web: Web
    url: str
    page: str = ""  #: where a person reads it, if not there

    def fetch(self) -> Fetched:
        """The file as one document.

        Raises:
            SourceUnreachable: it cannot be read, or is no text.
        """
        text = self.web.get(self.url, self._text)
        return Fetched((Document(text, self.page or self.url, datetime.now(UTC)),))

    def _text(self, answer: Answer) -> str:
        if answer.content_type.partition(";")[0].strip().lower() == "text/html":
            raise SourceUnreachable(f"{shown(self.url)} is a web page, not a text: give the address of the raw file")
        return decoded(answer.body, shown(self.url))


@dataclass(frozen=True)
class RawFiles:
    """The files at the addresses that a pattern gives for the released versions of a package."""

    web: Web
    pattern: str  #: address with `{version}` in it
    package: str
    index: PackageIndex
    page: str = ""  #: where a person reads them, with `{version}` in it

    def fetch(self) -> Fetched:
        """One document per version that has a file.

        Raises:
            SourceUnreachable: the index or a file cannot be read, or there is none.
        """
        documents = tuple(self._documents())
        if not documents:
            raise SourceUnreachable(f"{shown(self.pattern)}: there is no such file for any version of {self.package}")
        return Fetched(documents)

    def _documents(self) -> Iterator[Document]:
        for published in self.index.versions(self.package):
            version = str(published.version)
            if published.version.is_prerelease:
                continue  # its changes are in the notes of the release
            file = RawFile(self.web, self.pattern.replace(PLACE, version), self.page.replace(PLACE, version))
            try:
                (document,) = file.fetch().documents
            except NotThere:
                continue
            yield Document(document.text, document.origin_url, document.fetched_at, version)
