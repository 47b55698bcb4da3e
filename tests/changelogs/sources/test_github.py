"""Releases on GitHub: what counts as a version, and every shape that an answer has been seen in."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from kb.changelogs.entry import Stage
from kb.changelogs.sources.github import MAX_PAGES, PER_PAGE, GithubReleases, version_of
from kb.changelogs.sources.interface import Document, SourceUnreachable
from kb.changelogs.sources.web import Web
from tests.changelogs.webserver import Answer, Request, Site

PATH = "/repos/owner/sample/releases"


def release(tag: str, **fields: Any) -> dict[str, Any]:
    whole = {
        "tag_name": tag,
        "name": None,
        "body": f"- What {tag} does\r\n- More\r\n",
        "html_url": f"https://example.org/releases/{tag}",
        "published_at": "2026-10-15T08:00:00Z",
        "prerelease": False,
        "draft": False,
    }
    return {**whole, **fields}


def page(*releases: object, **headers: str) -> Answer:
    return Answer(json.dumps(releases).encode(), headers={"Content-Type": "application/json", **headers})


def source(site: Site, web: Web, **fields: str) -> GithubReleases:
    return GithubReleases(web, "owner/sample", api=site.base, **fields)


def documents(site: Site, web: Web, *releases: object, **fields: str) -> Mapping[str | None, Document]:
    site.routes[PATH] = page(*releases)
    return {document.version: document for document in source(site, web, **fields).fetch().documents}


def complaint(site: Site, web: Web, answer: Answer) -> str:
    site.routes[PATH] = answer
    with pytest.raises(SourceUnreachable) as caught:
        source(site, web).fetch()
    message = str(caught.value)
    assert message.isprintable()
    return message


class TestReleases:
    def test_a_release_is_one_document(self, site: Site, web: Web) -> None:
        (document,) = documents(site, web, release("v2.0.0")).values()
        assert document.text == "- What v2.0.0 does\n- More\n"
        assert document.origin_url == "https://example.org/releases/v2.0.0"
        assert (document.version, document.date, document.stage) == ("2.0.0", "2026-10-15", Stage.RELEASED)

    def test_the_tag_says_the_version_whatever_the_name_says(self, site: Site, web: Web) -> None:
        assert list(documents(site, web, release("v1.8.0", name="v1.7.0"), release("1.9", name=""))) == ["1.8.0", "1.9"]

    def test_drafts_are_left_out(self, site: Site, web: Web) -> None:
        assert list(documents(site, web, release("v3.0", draft=True), release("v2.0"))) == ["2.0"]

    def test_prereleases_are_told_by_flag_or_version(self, site: Site, web: Web) -> None:
        found = documents(site, web, release("v3.0", prerelease=True), release("v2.0-rc1"), release("v2.0.0.post1"))
        assert {version: document.stage for version, document in found.items()} == {
            "3.0": Stage.PRERELEASE,
            "2.0rc1": Stage.PRERELEASE,
            "2.0.0.post1": Stage.RELEASED,
        }

    @pytest.mark.parametrize("body", [None, "", "\r\n"])
    def test_an_empty_body_is_a_version_that_says_nothing(self, site: Site, web: Web, body: str | None) -> None:
        assert documents(site, web, release("v2.0", body=body))["2.0"].text.strip() == ""

    def test_halves_of_characters_do_not_come_in(self, site: Site, web: Web) -> None:
        assert documents(site, web, release("v2.0", body="a \ud83d b"))["2.0"].text == "a ? b"

    @pytest.mark.parametrize("fields", [{"html_url": "javascript:x"}, {"html_url": None}, {"published_at": "soon"}])
    def test_what_is_not_as_it_should_be_is_left_empty(self, site: Site, web: Web, fields: dict[str, Any]) -> None:
        document = documents(site, web, release("v2.0", **fields))["2.0"]
        assert "javascript" not in document.origin_url
        assert document.date in (None, "2026-10-15")

    def test_of_two_tags_of_one_version_the_newer_counts(self, site: Site, web: Web) -> None:
        found = documents(site, web, release("v2.0", body="new"), release("2.0", body="old"))
        assert [document.text for document in found.values()] == ["new"]


class TestTags:
    @pytest.mark.parametrize(
        "tag",
        [
            "jr-6-3-1",
            "Sample.Http.2.4.0",
            "plugin@5.0.0",
            "nightly",
            "ciflow/mps/195373",
            "20261127",
            "",
            "v",
            "1.0 beta!",
        ],
    )
    def test_these_are_no_versions(self, tag: str) -> None:
        assert version_of(tag) is None

    @pytest.mark.parametrize(
        ("tag", "version"), [("v2.8.0", "2.8.0"), ("2.8", "2.8"), ("V1.0-rc.1", "1.0rc1"), ("v1.0.0-beta", "1.0.0b0")]
    )
    def test_these_are(self, tag: str, version: str) -> None:
        assert str(version_of(tag)) == version

    def test_a_prefix_tells_a_package_from_its_neighbours(self, site: Site, web: Web) -> None:
        releases = [release("sample-v2.0"), release("other-v3.0"), release("v1.0")]
        assert list(documents(site, web, *releases, tag_prefix="sample-")) == ["2.0"]

    def test_what_is_left_out_is_told_in_a_line(self, site: Site, web: Web) -> None:
        site.routes[PATH] = page(release("v1.0"), *(release(f"build-{number}") for number in range(8)))
        (notice,) = source(site, web).fetch().notices
        assert notice.startswith("8 tags that are no versions were left out: build-0, ")
        assert notice.endswith("build-4 and 3 more")
        site.routes[PATH] = page(release("v1.0"), release("nightly"))
        assert source(site, web).fetch().notices == ("a tag that is no version was left out: nightly",)


class TestPages:
    def pages(self, site: Site, count: int) -> None:
        def answer(request: Request) -> Answer:
            number = int(request.path.partition("&page=")[2] or 1)
            more = {"Link": f'<{site.base}{PATH}?per_page=100&page={number + 1}>; rel="next"'} if number < count else {}
            headers = {"ETag": f'"{number}"', **more}
            if request.headers.get("if-none-match") == f'"{number}"':
                return Answer(status=304)
            return page(release(f"v1.{count - number}"), **headers)

        site.routes[PATH] = answer

    def test_all_are_read_in_order(self, site: Site, web: Web) -> None:
        self.pages(site, 3)
        assert [document.version for document in source(site, web).fetch().documents] == ["1.2", "1.1", "1.0"]
        assert site.paths()[0] == f"{PATH}?per_page={PER_PAGE}"

    def test_what_has_not_changed_leads_to_its_next_page_too(self, site: Site, web: Web) -> None:
        self.pages(site, 3)
        first = source(site, web).fetch().documents
        again = source(site, web).fetch().documents
        assert [document.version for document in again] == [document.version for document in first]
        assert all("if-none-match" in request.headers for request in site.requests[3:])

    def test_their_number_is_bounded(self, site: Site, web: Web) -> None:
        self.pages(site, 10**6)
        with pytest.raises(SourceUnreachable, match=f"more than {MAX_PAGES} pages"):
            source(site, web).fetch()

    def test_a_page_that_fails_fails_the_whole(self, site: Site, web: Web) -> None:
        site.routes[PATH] = page(release("v2.0"), Link=f'<{site.base}/gone>; rel="next"')
        with pytest.raises(SourceUnreachable, match="/gone answers 404"):
            source(site, web).fetch()

    def test_the_next_one_is_of_the_same_server(self, site: Site, web: Web) -> None:
        answer = page(release("v2.0"), Link='<https://example.org/steal>; rel="next"')
        assert "names a next page elsewhere: example.org/steal" in complaint(site, web, answer)


class TestAnswers:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b"", "the answer is empty"),
            (b" \r\n", "the answer is empty"),
            (json.dumps([release("v2.0")]).encode()[:-20], "is no JSON, or cut off"),
            (b"<html>", "is no JSON"),
            (b"\xff\xfe\x00", "is no JSON"),
            (b"[" * 200_000, "nested too deeply"),
            (b'{"message": "Moved"}', "are no JSON list"),
            (b"null", "are no JSON list"),
            (b"[]", "has no releases"),
            (b"[null]", "another shape"),
            (b'[{"name": "v2.0"}]', "another shape"),
            (b'[{"tag_name": 2.0}]', "another shape"),
            (b'[{"tag_name": "v2.0", "body": ["a"]}]', "another shape"),
        ],
    )
    def test_what_is_not_as_expected_is_told(self, site: Site, web: Web, body: bytes, said: str) -> None:
        assert said in complaint(site, web, Answer(body, headers={"ETag": '"1"'}))

    def test_half_an_answer_is_not_kept_for_the_next_time(self, site: Site, web: Web) -> None:
        complaint(site, web, Answer(b'[{"tag_name": "v2', headers={"ETag": '"1"'}))
        assert list(documents(site, web, release("v2.0"))) == ["2.0"]
        assert "if-none-match" not in site.requests[-1].headers


class TestToken:
    @pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GH_TOKEN"])
    def test_is_sent_if_set(self, site: Site, web: Web, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(name, " t0ken\n")
        documents(site, web, release("v2.0"))
        assert site.requests[0].headers["authorization"] == "Bearer t0ken"

    def test_is_not_needed(self, site: Site, web: Web) -> None:
        documents(site, web, release("v2.0"))
        assert "authorization" not in site.requests[0].headers

    def test_that_is_refused_is_told(self, site: Site, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GH_TOKEN", "t0ken")
        assert "refuses the token (401)" in complaint(site, web, Answer(status=401))

    @pytest.mark.parametrize("token", ["to\nken", "to ken", "tökén"])
    def test_is_never_shown(self, site: Site, web: Web, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
        monkeypatch.setenv("GITHUB_TOKEN", token)
        said = complaint(site, web, page())
        assert "the token in GITHUB_TOKEN has characters that no token has" in said
        assert token not in said
        assert not site.requests
