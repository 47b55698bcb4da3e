"""Dates that a changelog does not state: who is believed, and a table that is read strictly."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from packaging.version import Version

from kb.changelogs.entry import Section, Stage
from kb.changelogs.record import VersionRecord
from kb.changelogs.release_dates import KnownDates, ReleaseDate, dated, table_dates
from kb.changelogs.sources.interface import Document, SourceUnreachable
from tests.changelogs.made_up import section

HEADER = "package,version,date,source\n"
PAGE = Document("", "", datetime(2026, 11, 27, tzinfo=UTC))
RELEASE = replace(PAGE, version="2.0", date="2026-10-15", stage=Stage.RELEASED)
INDEX = KnownDates({Version("2.0.0"): ReleaseDate("2026-10-16", "index")})
YANKED = KnownDates({Version("2.0"): ReleaseDate("2026-10-16", "index", withdrawn=True)})
NOTHING = KnownDates({})
OUT_OF_REACH = KnownDates({}, ("dates: the index is out of reach",))


def told(
    found: Section, document: Document, known: KnownDates, old: VersionRecord | None = None
) -> tuple[str, str, Stage]:
    whole, source = dated(found, document, known, old)
    return whole.date, source, whole.stage


def before(date: str, stage: Stage = Stage.RELEASED) -> VersionRecord:
    found = section("2.0", date=date, stage=stage)
    return VersionRecord.of(found, date_source="index", source_url="", today="2026-11-01")


class TestWho:
    def test_the_text_before_the_release_before_the_index(self) -> None:
        stated = section("2.0", date="2026-10-14")
        assert told(stated, RELEASE, INDEX) == ("2026-10-14", "text", Stage.RELEASED)
        assert told(section("2.0"), RELEASE, INDEX) == ("2026-10-15", "releases", Stage.RELEASED)
        assert told(section("2.0"), PAGE, INDEX) == ("2026-10-16", "index", Stage.RELEASED)
        assert told(section("2.0"), PAGE, NOTHING) == ("", "", Stage.RELEASED)

    def test_a_month_is_made_a_day_by_who_agrees(self) -> None:
        assert told(section("2.0", date="2026-10"), PAGE, INDEX)[:2] == ("2026-10-16", "index")
        assert told(section("2.0", date="2026-09"), PAGE, INDEX)[:2] == ("2026-09", "text")

    def test_what_is_to_come_has_no_date(self) -> None:
        assert told(section("2.0", stage=Stage.UPCOMING), PAGE, YANKED) == ("", "", Stage.UPCOMING)

    def test_what_is_no_version_has_none_either(self) -> None:
        assert told(section("Unreleased"), PAGE, INDEX)[:2] == ("", "")


class TestStage:
    def test_a_release_says_that_it_is_a_prerelease(self) -> None:
        early = replace(RELEASE, stage=Stage.PRERELEASE)
        assert told(section("2.0"), early, NOTHING)[2] is Stage.PRERELEASE

    def test_a_yanked_version_is_withdrawn_whatever_its_text_says(self) -> None:
        assert told(section("2.0", date="2026-10-14"), RELEASE, YANKED)[2] is Stage.WITHDRAWN


class TestOutOfReach:
    def test_what_was_known_stays(self) -> None:
        assert told(section("2.0"), PAGE, OUT_OF_REACH, before("2026-10-16")) == ("2026-10-16", "index", Stage.RELEASED)
        assert told(section("2.0"), PAGE, OUT_OF_REACH, before("", Stage.WITHDRAWN))[2] is Stage.WITHDRAWN

    def test_what_is_known_no_more_goes_where_all_could_be_asked(self) -> None:
        assert told(section("2.0"), PAGE, NOTHING, before("2026-10-16", Stage.WITHDRAWN)) == ("", "", Stage.RELEASED)


class TestTable:
    def test_each_date_has_its_source(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text(f"{HEADER}Own_Lib,v2.0,2025-12-24,our wiki\n\nother,1.0,2025-01-01,me\n")
        dates = table_dates(tmp_path / "t.csv")
        assert dates["own-lib"] == {Version("2.0"): ReleaseDate("2025-12-24", "our wiki")}
        assert set(dates) == {"own-lib", "other"}

    @pytest.mark.parametrize(
        ("table", "said"),
        [
            ("version,date\n", "t.csv:1: expected the columns package,version,date,source"),
            (f"{HEADER}\nsample,1.0,24.12.2025,me\n", "t.csv:3: column `date`: expected a day"),
            (f"{HEADER}sample,1.0,2025-02-30,me\n", "t.csv:2: column `date`: expected a day"),
            (f"{HEADER}sample,one,2025-12-24,me\n", "t.csv:2: column `version`: expected a version"),
            (f"{HEADER}sample,1.0,2025-12-24,\n", "t.csv:2: column `source`: expected who says so"),
            (f"{HEADER}sample,1.0\n", "t.csv:2: expected 4 columns, found 2"),
            (f'{HEADER}"sample"x,1.0,a,b\n', "t.csv:2: not a line of CSV"),
            ("", "t.csv is empty"),
        ],
    )
    def test_is_read_strictly(self, tmp_path: Path, table: str, said: str) -> None:
        (tmp_path / "t.csv").write_text(table)
        with pytest.raises(SourceUnreachable) as caught:
            table_dates(tmp_path / "t.csv")
        assert said in str(caught.value)
