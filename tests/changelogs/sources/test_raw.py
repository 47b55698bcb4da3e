"""One plain file on the web."""

import pytest

from kb.changelogs.sources.interface import SourceUnreachable
from kb.changelogs.sources.raw import RawFile
from kb.changelogs.sources.web import Web
from tests.changelogs.webserver import Answer, Site

TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def test_is_one_document(site: Site, web: Web) -> None:
    site.routes["/CHANGELOG.md"] = Answer("\ufeff# 2.0\r\n\r\n- 新\r\n".encode(), headers=TEXT)
    (document,) = RawFile(web, f"{site.base}/CHANGELOG.md", page="https://example.org/log").fetch().documents
    assert document.text == "# 2.0\n\n- 新\n"
    assert (document.origin_url, document.version) == ("https://example.org/log", None)


def test_its_address_is_where_it_is_read_unless_another_is_given(site: Site, web: Web) -> None:
    site.routes["/log"] = Answer(b"text")
    assert RawFile(web, f"{site.base}/log").fetch().documents[0].origin_url == f"{site.base}/log"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"", headers=TEXT), "is empty"),
        (Answer(b" \r\n\t", headers=TEXT), "is empty"),
        (Answer(b"<html>sign in</html>", headers={"Content-Type": "Text/HTML; charset=utf-8"}), "is a web page"),
        (Answer(b"\x89PNG\xff\xfe", headers=TEXT), "is not UTF-8 (byte 0)"),
        (Answer(b"a\0b", headers=TEXT), "is no text"),
        (Answer(status=503), "a fault of the server"),
    ],
)
def test_what_is_no_text_is_told(site: Site, web: Web, answer: Answer, said: str) -> None:
    site.routes["/log"] = answer
    with pytest.raises(SourceUnreachable) as caught:
        RawFile(web, f"{site.base}/log").fetch()
    assert said in str(caught.value)
