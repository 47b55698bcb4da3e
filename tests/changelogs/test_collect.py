"""Reading every project: what is found is stored, and what fails leaves the old entries and one clear line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kb.changelogs.collect import Outcome, State, age, collect
from kb.changelogs.entry import Notice, Reading, Span, Stage
from kb.changelogs.sources.cache import Cache
from kb.changelogs.sources.interface import Document
from kb.changelogs.sources.web import Web
from kb.changelogs.store import read_checked, read_versions, version_path
from kb.config import ChangelogSettings, ConfigError, Settings, load_settings
from kb.known_changelogs import BUILT_IN_CHANGELOGS
from tests.changelogs.made_up import sections
from tests.changelogs.webserver import Answer, Request, Site, serving

NOW = datetime(2026, 11, 27, 5, tzinfo=UTC)
LOG = "= next\nReads tars.\n= 2.0 2026-10-15\n!Loads lazily.\nIs fast.\n= 1.0\nExists.\n"
PROJECT = """
[tool.kb.changelogs.sample]
packages = ["sample"]
source = "raw"
location = "{base}/LOG.md"
page = "https://example.org/log"
index = "{base}"
api = "{base}"
repository = "owner/sample"
"""
RELEASES = PROJECT.replace('"raw"', '"github"')


def read(document: Document, project: str, settings: ChangelogSettings) -> Reading:
    """The reader of the samples; of a release it is told the version, which the text need not state."""
    text = f"= {document.version}\n{document.text}" if document.version else document.text
    return Reading(tuple(sections(text, settings.packages[0])), ())


def index(**versions: tuple[str, bool]) -> Answer:
    """An index's answer: version (`_` for a dot) -> day of its upload and whether it was yanked."""
    files = {
        version.strip("v").replace("_", "."): [{"upload_time_iso_8601": f"{day}T01:00:00Z", "yanked": yanked}]
        for version, (day, yanked) in versions.items()
    }
    return Answer(json.dumps({"releases": files}).encode(), headers={"ETag": '"index"'})


@pytest.fixture
def base(site: Site) -> Site:
    """A site that has everything."""
    site.routes["/LOG.md"] = Answer(LOG.encode(), headers={"ETag": '"log"'})
    site.routes["/pypi/sample/json"] = index(v1_0=("2026-01-02", False), v2_0=("2026-10-16", False))
    return site


class Base:
    """A knowledge base with changelogs, and what is collected in it."""

    def __init__(self, root: Path, site: Site, settings: str) -> None:
        self.root = root
        self.root.mkdir(exist_ok=True)
        self.site = site
        self.configure(settings)

    def configure(self, settings: str) -> None:
        table = "\n".join(f"[tool.kb.changelogs.{name}]\nenabled = false" for name in BUILT_IN_CHANGELOGS)
        (self.root / "pyproject.toml").write_text(
            f"[tool.kb]\n{table}\n{settings.replace('{base}', self.site.base)}", encoding="utf-8"
        )

    @property
    def settings(self) -> Settings:
        return load_settings(self.root)

    def collect(
        self, *names: str, days: int = 0, reader: Callable[..., Reading] = read, **options: Any
    ) -> list[Outcome]:
        web = Web(Cache(self.root / "cache"), wait_s=0)
        return collect(self.settings, names, read=reader, now=NOW + timedelta(days=days), web=web, **options)

    def only(self, *names: str, **options: Any) -> Outcome:
        (outcome,) = self.collect(*names, **options)
        return outcome

    def files(self) -> dict[str, bytes]:
        folder = self.root / "results"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.csv")}

    def versions(self) -> dict[str, tuple[str, str, Stage]]:
        kept = read_versions(self.root / "results", "sample")
        return {name: (each.date, each.date_source, each.stage) for name, each in kept.items()}

    def texts(self, version: str) -> list[str]:
        kept = read_versions(self.root / "results", "sample")[version]
        return [each.entry.text[0].text for each in kept.entries]


@pytest.fixture
def kb(tmp_path: Path, base: Site) -> Base:
    return Base(tmp_path, base, PROJECT)


class TestReading:
    def test_entries_are_stored_with_their_dates(self, kb: Base) -> None:
        outcome = kb.only()
        assert outcome.line == "sample: 3 versions, 4 new entries"
        assert (outcome.state, outcome.versions, outcome.new_entries) == (State.READ, 3, 4)
        assert kb.versions() == {
            "1.0": ("2026-01-02", "index", Stage.RELEASED),
            "2.0": ("2026-10-15", "text", Stage.RELEASED),
            "next": ("", "", Stage.UPCOMING),
        }
        assert sorted(path.name for path in outcome.written) == ["1.0.csv", "2.0.csv", "next.csv", "sample.csv"]

    def test_reading_twice_writes_nothing(self, kb: Base) -> None:
        kb.collect()
        before = kb.files()
        outcome = kb.only()
        assert (outcome.line, outcome.written, outcome.removed) == ("sample: 3 versions, 0 new entries", (), ())
        assert kb.files() == before
        assert all("if-none-match" in request.headers for request in kb.site.requests[2:])

    def test_a_month_later_only_the_day_of_reading_is_written(self, kb: Base) -> None:
        kb.collect()
        outcome = kb.only(days=30)
        assert [path.name for path in outcome.written] == ["sample.csv"]

    def test_a_version_that_got_its_number_replaces_what_was_to_come(self, kb: Base) -> None:
        kb.collect()
        kb.site.routes["/LOG.md"] = Answer(LOG.replace("= next", "= 2.1").encode())
        outcome = kb.only(days=3)
        assert [path.name for path in outcome.removed] == ["next.csv"]
        assert sorted(kb.versions()) == ["1.0", "2.0", "2.1"]

    def test_all_that_stands_under_several_headings_of_a_version_is_kept(self, kb: Base) -> None:
        kb.site.routes["/LOG.md"] = Answer(b"= 2.0\nOne.\n= 1.0\nTwo.\n= 2.0 2026-10-15\nThree.\n")
        kb.collect()
        assert kb.texts("2.0") == ["One.", "Three."]
        assert kb.versions()["2.0"][0] == "2026-10-15"

    def test_another_package_in_the_file_is_left_out_and_told(self, kb: Base) -> None:
        def stranger(document: Document, project: str, settings: ChangelogSettings) -> Reading:
            mine = read(document, project, settings)
            return Reading(
                (*mine.sections, *sections("= 9.0\nOther.\n", "other")), trouble="cut at 4,000,000 characters"
            )

        outcome = kb.only(reader=stranger)
        assert sorted(kb.versions()) == ["1.0", "2.0", "next"]
        assert outcome.notices == ("cut at 4,000,000 characters", "sections of other packages were left out: other")
        checked = read_checked(kb.root / "results", "sample")
        assert checked is not None
        assert checked.notices == outcome.notices

    def test_a_version_that_is_said_to_be_skipped_is_a_withdrawn_one(self, kb: Base) -> None:
        def skipping(document: Document, project: str, settings: ChangelogSettings) -> Reading:
            said = Notice("sample", ("1.1", "2.0"), (Span("1.1 was never built."),), line=5)
            return Reading(read(document, project, settings).sections, (said,))

        kb.collect(reader=skipping)
        kept = read_versions(kb.root / "results", "sample")
        assert (kept["1.1"].stage, kept["1.1"].heading) == (Stage.WITHDRAWN, "1.1 was never built.")
        assert kept["2.0"].stage is Stage.RELEASED

    def test_a_file_is_read_offline_too(self, kb: Base) -> None:
        (kb.root / "LOG.md").write_text(LOG)
        kb.configure(PROJECT.replace('"raw"', '"file"').replace("{base}/LOG.md", "LOG.md"))
        outcome = kb.only(offline=True)
        assert outcome.line == "sample: 3 versions, 4 new entries"
        assert outcome.notices == ("dates: index: not asked, kb is offline",)
        assert kb.site.requests == []


class TestReleases:
    def answer(self, site: Site, *releases: tuple[str, str | None]) -> None:
        values = [
            {
                "tag_name": tag,
                "body": body,
                "published_at": "2026-10-15T00:00:00Z",
                "html_url": f"https://example.org/{tag}",
            }
            for tag, body in releases
        ]
        site.routes["/repos/owner/sample/releases"] = Answer(json.dumps(values).encode())

    def test_a_release_is_a_version_even_where_it_says_nothing(self, kb: Base) -> None:
        kb.configure(RELEASES)
        self.answer(kb.site, ("v2.1", "Is fast.\r\n"), ("v2.0", ""), ("nightly", "x"), ("v1.0", None))
        outcome = kb.only()
        assert outcome.line == "sample: 3 versions, 1 new entry"
        assert outcome.notices == ("a tag that is no version was left out: nightly",)
        assert kb.versions()["2.0"] == ("2026-10-15", "releases", Stage.RELEASED)

    def test_only_tags_that_are_no_versions_are_as_nothing(self, kb: Base) -> None:
        kb.collect()
        before = kb.files()
        kb.configure(RELEASES)
        self.answer(kb.site, ("nightly", "x"))
        assert kb.only().line == (
            "sample: unreachable: no version was found in what it gives; what is shown is less than a day old"
        )
        assert kb.files() == before

    def test_they_give_dates_to_a_file(self, kb: Base) -> None:
        kb.configure(PROJECT + 'dates = ["releases"]\n')
        self.answer(kb.site, ("v1.0", "x"), ("nightly", "x"))
        kb.collect()
        assert kb.versions()["1.0"] == ("2026-10-15", "releases", Stage.RELEASED)


def cut(answer: Answer) -> Answer:
    return Answer(answer.body[:-5], length=len(answer.body))


class TestUnreachable:
    """Whatever goes wrong: one line, and the old entries stay as they are."""

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (Answer(status=500), "answers 500, a fault of the server"),
            (Answer(status=404), "answers 404 (there is no such page)"),
            (Answer(status=429, headers={"Retry-After": "60"}), "no more requests are allowed until"),
            (Answer(status=302, headers={"Location": "http://example.org/LOG.md"}), "which is not https"),
            (Answer(status=302, headers={"Location": "/LOG.md"}), "redirects more than 5 times"),
            (Answer(b"x" * 2**20, repeat=200), "more than 50 MiB"),
            (Answer(b"x" * 2**20, repeat=200, length=-1), "more than 50 MiB"),
            (cut(Answer(LOG.encode())), "cannot be read ("),
            (Answer(b""), "is empty"),
            (Answer(b"\xff\xfe"), "is not UTF-8"),
            (Answer(b"<p>Sign in", headers={"Content-Type": "text/html"}), "is a web page"),
            (Answer(b"Nothing here.\n"), "no version was found in what it gives"),
        ],
    )
    def test_a_page_that_fails(self, kb: Base, answer: Answer, said: str) -> None:
        kb.collect()
        before = kb.files()
        kb.site.routes["/LOG.md"] = answer
        outcome = kb.only(days=12)
        assert outcome.state is State.UNREACHABLE
        assert outcome.line.startswith("sample: unreachable: ")
        assert said in outcome.line
        assert outcome.line.endswith("; what is shown is 12 days old")
        assert outcome.line.isprintable()
        assert (outcome.written, outcome.removed) == ((), ())
        assert kb.files() == before

    @pytest.mark.parametrize("body", [b"", b'[{"tag_name": "v2.0", "bo', b"{}", b"[]", b"[1]"])
    def test_releases_that_fail(self, kb: Base, body: bytes) -> None:
        kb.collect()
        before = kb.files()
        kb.configure(RELEASES)
        kb.site.routes["/repos/owner/sample/releases"] = Answer(body, headers={"ETag": '"1"'})
        assert kb.only(days=1).line.endswith("; what is shown is 1 day old")
        assert kb.files() == before

    def test_no_network(self, kb: Base) -> None:
        kb.collect()
        with serving() as gone:
            pass
        kb.configure(PROJECT.replace("{base}/LOG", f"{gone.base}/LOG"))
        assert kb.only(days=100).line.endswith("; what is shown is 3 months old")

    def test_offline_asks_nobody(self, kb: Base) -> None:
        kb.collect()
        asked = len(kb.site.requests)
        outcome = kb.only(offline=True, days=2)
        assert (outcome.state, outcome.line) == (State.OFFLINE, "sample: offline; what is shown is 2 days old")
        assert len(kb.site.requests) == asked

    def test_the_first_time_nothing_is_shown_yet(self, kb: Base) -> None:
        kb.site.routes["/LOG.md"] = Answer(status=500)
        assert kb.only().line.endswith("; nothing is shown yet")
        assert kb.files() == {}


class TestDates:
    def test_a_withdrawn_version_is_told(self, kb: Base) -> None:
        kb.site.routes["/pypi/sample/json"] = index(v1_0=("2026-01-02", False), v2_0=("2026-10-16", True))
        kb.collect()
        assert kb.versions()["2.0"] == ("2026-10-15", "text", Stage.WITHDRAWN)

    @pytest.mark.parametrize(
        "answer", [Answer(status=503), Answer(b"{"), Answer(b"[]"), Answer(b'{"releases": {"1.0": 1}}')]
    )
    def test_what_was_known_stays_while_the_index_is_out_of_reach(self, kb: Base, answer: Answer) -> None:
        kb.site.routes["/pypi/sample/json"] = index(v1_0=("2026-01-02", True))
        kb.collect()
        before = kb.versions()
        kb.site.routes["/pypi/sample/json"] = answer
        outcome = kb.only()
        assert outcome.state is State.READ
        (notice,) = outcome.notices
        assert notice.startswith("dates: ")
        assert kb.versions() == before
        assert before["1.0"] == ("2026-01-02", "index", Stage.WITHDRAWN)

    def test_a_table_comes_before_the_index_if_it_is_named_before(self, kb: Base) -> None:
        (kb.root / "released.csv").write_text("package,version,date,source\nSample,1.0.0,2025-12-24,press release\n")
        kb.configure(PROJECT + 'dates = ["released.csv", "index"]\n')
        kb.collect()
        assert kb.versions()["1.0"][:2] == ("2025-12-24", "press release")

    def test_a_table_that_cannot_be_read_is_told(self, kb: Base) -> None:
        kb.configure(PROJECT + 'dates = ["released.csv"]\n')
        outcome = kb.only()
        assert outcome.state is State.READ
        assert "released.csv cannot be read: No such file" in outcome.notices[0]

    def test_a_month_becomes_a_day_only_where_they_agree(self, kb: Base) -> None:
        kb.site.routes["/LOG.md"] = Answer(b"= 2.0 2026-10\nOne.\n= 1.0 2026-03\nTwo.\n")
        kb.collect()
        assert kb.versions()["2.0"][:2] == ("2026-10-16", "index")
        assert kb.versions()["1.0"][:2] == ("2026-03", "text")


class TestOneFilePerVersion:
    def test_the_index_says_which_versions_there_are(self, kb: Base) -> None:
        kb.configure(PROJECT.replace("/LOG.md", "/{version}-notes.rst").replace("org/log", "org/{version}"))
        kb.site.routes["/pypi/sample/json"] = index(
            v1_0=("2026-01-02", False),
            v2_0rc1=("2026-09-01", False),
            v2_0=("2026-10-16", False),
            v2_1=("2026-11-01", False),
        )
        kb.site.routes["/1.0-notes.rst"] = Answer(b"Exists.\n")
        kb.site.routes["/2.0-notes.rst"] = Answer(b"Is fast.\n")
        assert kb.only().line == "sample: 2 versions, 2 new entries"
        assert read_versions(kb.root / "results", "sample")["2.0"].source_url == "https://example.org/2.0"
        assert "/2.0rc1-notes.rst" not in kb.site.paths()

    def test_one_that_fails_fails_the_whole(self, kb: Base) -> None:
        kb.configure(PROJECT.replace("/LOG.md", "/{version}-notes.rst"))
        kb.site.routes["/1.0-notes.rst"] = Answer(b"Exists.\n")
        kb.site.routes["/2.0-notes.rst"] = Answer(status=500)
        assert "/2.0-notes.rst answers 500" in kb.only().line

    def test_none_at_all_is_told(self, kb: Base) -> None:
        kb.configure(PROJECT.replace("/LOG.md", "/{version}-notes.rst"))
        assert "there is no such file for any version of sample" in kb.only().line


class TestIsolation:
    @pytest.fixture
    def two(self, kb: Base) -> Base:
        (kb.root / "OWN.md").write_text("= 1.0\nExists.\n")
        own = '[tool.kb.changelogs.own]\npackages = ["own-lib"]\nsource = "file"\nlocation = "OWN.md"\ndates = []\n'
        kb.configure(PROJECT + own)
        return kb

    def test_one_project_that_fails_does_not_stop_the_other(self, two: Base) -> None:
        two.site.routes["/LOG.md"] = Answer(status=500)
        states = {outcome.project: outcome.state for outcome in two.collect()}
        assert states == {"sample": State.UNREACHABLE, "own": State.READ}

    def test_a_fault_of_a_reader_is_told_and_does_not_stop_the_other(self, two: Base) -> None:
        def faulty(document: Document, project: str, settings: ChangelogSettings) -> Reading:
            if project == "sample":
                raise RecursionError("too\ndeep")
            return read(document, project, settings)

        first, second = sorted(two.collect(reader=faulty), key=lambda outcome: outcome.state)
        assert first.line == "sample: a fault of kb, please report it: RecursionError: too deep"
        assert "Traceback" in first.fault
        assert second.state is State.READ

    def test_a_damaged_file_is_told_and_left_alone(self, two: Base) -> None:
        two.collect()
        path = version_path(two.root / "results", "sample", "2.0")
        path.write_bytes(path.read_bytes().replace(b"fast", b"slow"))
        before = two.files()
        asked = len(two.site.requests)
        outcomes = {outcome.project: outcome for outcome in two.collect()}
        assert outcomes["sample"].state is State.FAILED
        assert f"{path}:4: column `check`: expected" in outcomes["sample"].line
        assert outcomes["own"].state is State.READ
        assert two.files() == before
        assert len(two.site.requests) == asked

    def test_a_folder_that_cannot_be_written_is_told(self, two: Base) -> None:
        (two.root / "results").write_text("in the way")
        assert {outcome.state for outcome in two.collect()} == {State.FAILED}

    def test_projects_are_chosen_by_their_name_or_a_package(self, two: Base) -> None:
        assert two.only("own").project == "own"
        assert two.only("Own_Lib").project == "own"
        assert [outcome.project for outcome in two.collect("sample", "own")] == ["sample", "own"]
        with pytest.raises(ConfigError, match="no changelog is configured for 'sampel'; did you mean sample"):
            two.collect("sampel")

    def test_without_names_those_that_are_not_of_interest_are_left_out(self, two: Base) -> None:
        assert {outcome.project for outcome in two.collect()} == {"sample", "own"}


def test_a_redirect_is_followed(kb: Base) -> None:
    kb.site.routes["/NEW.md"] = kb.site.routes["/LOG.md"]
    kb.site.routes["/LOG.md"] = Answer(status=301, headers={"Location": "/NEW.md"})
    assert kb.only().state is State.READ


def test_snapshots_read_in_turn_leave_what_the_newest_alone_does(tmp_path: Path, base: Site) -> None:
    snapshots = [LOG, LOG.replace("= next", "= 2.1").replace("Is fast.", "Is faster."), "= 3.0\nIs new.\n" + LOG]
    every, newest = Base(tmp_path / "every", base, PROJECT), Base(tmp_path / "newest", base, PROJECT)
    for days, text in enumerate(snapshots):
        base.routes["/LOG.md"] = Answer(text.encode())
        every.collect(days=days)
    newest.collect(days=len(snapshots))
    assert every.versions() == newest.versions()
    for version in every.versions():
        assert every.texts(version) == newest.texts(version)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-11-27", "less than a day"),
        ("2026-12-31", "less than a day"),
        ("2026-11-26", "1 day"),
        ("2026-09-28", "60 days"),
        ("2026-08-27", "3 months"),
    ],
)
def test_ages(day: str, words: str) -> None:
    assert age(day, NOW.date()) == words


def test_what_was_asked_is_asked_once(kb: Base) -> None:
    """The index is asked for dates; with a file per version it was asked for those as well, and then says 304."""
    kb.configure(PROJECT.replace("/LOG.md", "/{version}-notes.rst"))
    kb.site.routes["/1.0-notes.rst"] = Answer(b"Exists.\n")
    full = kb.site.routes["/pypi/sample/json"]
    assert isinstance(full, Answer)

    def answer(request: Request) -> Answer:
        return Answer(status=304) if request.headers.get("if-none-match") == '"index"' else full

    kb.site.routes["/pypi/sample/json"] = answer
    assert kb.only().state is State.READ
