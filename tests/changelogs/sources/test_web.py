"""Asking a server: politely, within bounds, and with one clear line where it fails."""

import gzip
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.changelogs.sources import web as module
from kb.changelogs.sources.cache import Answer as Kept
from kb.changelogs.sources.cache import Cache
from kb.changelogs.sources.interface import MAX_BYTES, SourceUnreachable
from kb.changelogs.sources.web import MAX_REDIRECTS, TRIES, Web
from tests.changelogs.webserver import Answer, Request, Site, serving

MIB = b"x" * 2**20


def body(answer: Kept) -> bytes:
    return answer.body


def complaint(web: Web, url: str, parse: Callable[[Kept], object] = body, **options: str) -> str:
    """What is said where there is no good answer: one line."""
    with pytest.raises(SourceUnreachable) as caught:
        web.get(url, parse, **options)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 400
    return message


def changing(text: bytes, **headers: str) -> Callable[[Request], Answer]:
    """A page that answers 304 to who has it already."""

    def answer(request: Request) -> Answer:
        asked = (request.headers.get("if-none-match"), request.headers.get("if-modified-since"))
        known = any(value and value in headers.values() for value in asked)
        return Answer(status=304, headers=headers) if known else Answer(text, headers=headers)

    return answer


class TestConditional:
    @pytest.mark.parametrize(
        "headers",
        [{"ETag": 'W/"abc"'}, {"Last-Modified": "Fri, 27 Nov 2026 05:00:00 GMT"}, {"ETag": '"1"', "Date": "x"}],
    )
    def test_what_has_not_changed_is_not_sent_again(self, site: Site, web: Web, headers: dict[str, str]) -> None:
        site.routes["/notes"] = changing(b"text", **headers)
        assert [web.get(f"{site.base}/notes", body) for _ in range(3)] == [b"text"] * 3
        asked = [request.headers for request in site.requests]
        assert not {"if-none-match", "if-modified-since"} & set(asked[0])
        assert {"if-none-match", "if-modified-since"} & set(asked[1])

    def test_a_later_process_knows_it_too(self, site: Site, tmp_path: Path) -> None:
        site.routes["/notes"] = changing(b"text", ETag='"1"')
        for _ in range(2):
            with Web(Cache(tmp_path)) as web:
                assert web.get(f"{site.base}/notes", body) == b"text"
        assert site.requests[1].headers["if-none-match"] == '"1"'

    def test_what_has_changed_is_taken(self, site: Site, web: Web) -> None:
        site.routes["/notes"] = changing(b"old", ETag='"1"')
        web.get(f"{site.base}/notes", body)
        site.routes["/notes"] = changing(b"new", ETag='"2"')
        assert web.get(f"{site.base}/notes", body) == b"new"

    def test_an_answer_that_was_refused_is_not_kept(self, site: Site, web: Web) -> None:
        def refuse(answer: Kept) -> None:
            raise SourceUnreachable("half an answer")

        site.routes["/notes"] = changing(b"half", ETag='"1"')
        assert complaint(web, f"{site.base}/notes", refuse) == "half an answer"
        assert web.get(f"{site.base}/notes", body) == b"half"
        assert "if-none-match" not in site.requests[1].headers

    def test_a_kept_answer_that_is_refused_now_is_asked_for_anew(self, site: Site, web: Web) -> None:
        def only_new(answer: Kept) -> bytes:
            if answer.body == b"old":
                raise SourceUnreachable("old")
            return answer.body

        site.routes["/notes"] = changing(b"old", ETag='"1"')
        web.get(f"{site.base}/notes", body)
        site.routes["/notes"] = lambda request: (
            Answer(status=304) if "if-none-match" in request.headers else Answer(b"new")
        )
        assert web.get(f"{site.base}/notes", only_new) == b"new"

    @pytest.mark.parametrize("damage", [b"", b"{}\nhalf", b"\xff\xfe", b"null\n", b'{"url": 1}\n', b"[" * 10_000])
    def test_a_damaged_cache_is_as_none(self, site: Site, web: Web, tmp_path: Path, damage: bytes) -> None:
        site.routes["/notes"] = changing(b"text", ETag='"1"')
        web.get(f"{site.base}/notes", body)
        (kept,) = [path for path in tmp_path.rglob("*") if path.is_file()]
        kept.write_bytes(damage)
        assert web.get(f"{site.base}/notes", body) == b"text"

    def test_a_cache_that_cannot_be_written_is_no_error(self, site: Site, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        site.routes["/notes"] = changing(b"text", ETag='"1"')
        with Web(Cache(tmp_path / "file" / "cache")) as web:
            assert [web.get(f"{site.base}/notes", body) for _ in range(2)] == [b"text"] * 2

    def test_an_unasked_304_is_an_error(self, site: Site, web: Web) -> None:
        site.routes["/notes"] = Answer(status=304)
        assert "answers 304" in complaint(web, f"{site.base}/notes")


class TestFailures:
    def test_offline(self, web: Web) -> None:
        with serving() as gone:
            pass
        assert "cannot be read (" in complaint(web, f"{gone.base}/notes")

    def test_a_name_that_nobody_has(self, web: Web) -> None:
        assert complaint(web, "https://kb.invalid/notes").startswith("kb.invalid/notes cannot be read (")

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            (401, "a token is needed"),
            (403, "forbidden"),
            (404, "there is no such page"),
            (410, "answers 410"),
            (206, "206"),
        ],
    )
    def test_a_refusal(self, site: Site, web: Web, status: int, said: str) -> None:
        site.routes["/notes"] = Answer(status=status)
        assert said in complaint(web, f"{site.base}/notes?secret=1")
        assert len(site.requests) == 1

    def test_the_server_is_broken(self, site: Site, web: Web) -> None:
        site.routes["/notes"] = Answer(status=500)
        assert "answers 500, a fault of the server" in complaint(web, f"{site.base}/notes")
        assert len(site.requests) == TRIES

    def test_a_fault_that_passes_is_waited_for(self, site: Site, web: Web) -> None:
        answers = iter([Answer(status=502), Answer(b"text")])
        site.routes["/notes"] = lambda request: next(answers)
        assert web.get(f"{site.base}/notes", body) == b"text"

    def test_no_answer_in_time(self, site: Site, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "ANSWER_S", 0.05)
        site.routes["/notes"] = Answer(pause_s=5)
        assert "does not answer in time" in complaint(web, f"{site.base}/notes")

    def test_a_body_that_trickles(self, site: Site, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "BODY_S", -1.0)
        site.routes["/notes"] = Answer(MIB)
        assert "is not whole after" in complaint(web, f"{site.base}/notes")

    def test_a_body_that_is_cut_off(self, site: Site, web: Web) -> None:
        site.routes["/notes"] = Answer(b"half", length=8, headers={"ETag": '"1"'})
        assert "cannot be read (" in complaint(web, f"{site.base}/notes")

    def test_a_body_that_is_packed_wrongly(self, site: Site, web: Web) -> None:
        site.routes["/notes"] = Answer(b"no gzip", headers={"Content-Encoding": "gzip"})
        assert "cannot be read (" in complaint(web, f"{site.base}/notes")

    def test_neither_user_nor_password_nor_query_is_told(self, site: Site, web: Web) -> None:
        address = site.base.replace("//", "//user:password@")
        assert complaint(web, f"{address}/notes?key=secret") == (
            f"{site.base.removeprefix('http://')}/notes answers 404 (there is no such page)"
        )


class TestRateLimit:
    def test_the_reset_is_told_and_what_to_do(self, site: Site, web: Web) -> None:
        reset = int(time.time()) + 600
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
        site.routes["/notes"] = Answer(status=403, headers=headers)
        at = time.strftime("%H:%M", time.gmtime(reset))
        said = complaint(web, f"{site.base}/notes")
        assert said.endswith(f"no more requests are allowed until {at} UTC; set GITHUB_TOKEN to be allowed more")
        assert "set GITHUB_TOKEN" not in complaint(web, f"{site.base}/notes", token="t")
        assert len(site.requests) == 2  # it is not asked again and again

    def test_a_time_to_wait_is_told(self, site: Site, web: Web) -> None:
        site.routes["/notes"] = Answer(status=429, headers={"Retry-After": "86400"})
        assert "until 20" in complaint(web, f"{site.base}/notes")

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Retry-After": "soon"},
            {"Retry-After": "9" * 40},
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "never"},
        ],
    )
    def test_without_a_time_the_status_is_told(self, site: Site, web: Web, headers: dict[str, str]) -> None:
        site.routes["/notes"] = Answer(status=429, headers=headers)
        assert "answers 429 (too many requests)" in complaint(web, f"{site.base}/notes")


class TestRedirects:
    def test_are_followed(self, site: Site, web: Web) -> None:
        site.routes["/old"] = Answer(status=301, headers={"Location": "/new"})
        site.routes["/new"] = Answer(b"text")
        assert web.get(f"{site.base}/old", body) == b"text"

    def test_are_bounded(self, site: Site, web: Web) -> None:
        site.routes["/old"] = Answer(status=302, headers={"Location": "/old"})
        assert f"redirects more than {MAX_REDIRECTS} times" in complaint(web, f"{site.base}/old")
        assert len(site.requests) == MAX_REDIRECTS + 1

    @pytest.mark.parametrize("target", ["http://example.org/", "file:///etc/passwd", "ftp://example.org/", "http://["])
    def test_never_lead_to_anything_but_https(self, site: Site, web: Web, target: str) -> None:
        site.routes["/old"] = Answer(status=302, headers={"Location": target})
        assert "which is not https" in complaint(web, f"{site.base}/old")

    @pytest.mark.parametrize("target", ["javascript:x", "//", "https://", "\x80"])
    def test_to_what_is_no_address_are_an_error(self, site: Site, web: Web, target: str) -> None:
        site.routes["/old"] = Answer(status=302, headers={"Location": target})
        assert complaint(web, f"{site.base}/old").startswith(f"{site.base.removeprefix('http://')}/old ")

    def test_without_a_target_are_an_error(self, site: Site, web: Web) -> None:
        site.routes["/old"] = Answer(status=302)
        assert "redirects to nowhere" in complaint(web, f"{site.base}/old")

    def test_do_not_take_the_token_to_another_host(self, site: Site, web: Web) -> None:
        with serving() as other:
            other.routes["/new"] = Answer(b"text")
            site.routes["/old"] = Answer(status=302, headers={"Location": f"{other.base}/new"})
            assert web.get(f"{site.base}/old", body, token="t0ken") == b"text"
            assert "authorization" not in other.requests[0].headers
        assert site.requests[0].headers["authorization"] == "Bearer t0ken"

    @pytest.mark.parametrize(
        "url", ["http://example.org/notes", "ftp://127.0.0.1/", "/notes", "http://127.0.0.1.example.org/"]
    )
    def test_nor_does_the_first_address(self, web: Web, url: str) -> None:
        assert "is not https" in complaint(web, url)


class TestSize:
    def test_a_body_that_says_it_is_too_large_is_not_begun(self, site: Site, web: Web) -> None:
        site.routes["/notes"] = Answer(MIB, length=200 * 2**20)
        assert "more than 50 MiB" in complaint(web, f"{site.base}/notes")

    def test_a_body_that_does_not_say_is_left_where_it_becomes_so(self, site: Site, web: Web) -> None:
        site.routes["/notes"] = Answer(MIB, length=-1, repeat=200)
        assert "more than 50 MiB" in complaint(web, f"{site.base}/notes")
        assert len(site.requests) == 1

    def test_a_small_body_that_unpacks_to_a_large_one_is_too(self, site: Site, web: Web) -> None:
        packed = gzip.compress(b"\0" * (MAX_BYTES + 1))
        assert len(packed) < MAX_BYTES / 100
        site.routes["/notes"] = Answer(packed, headers={"Content-Encoding": "gzip"})
        assert "more than 50 MiB" in complaint(web, f"{site.base}/notes")
