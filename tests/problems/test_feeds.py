"""Feeds: what a reader parses is what the note says, ids stay, the newest come first, and no clock is asked."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kb.problems.feeds import ALL, ATOM, MAX_NOTES, MAX_TEXT, files
from kb.problems.note import Affected, Kind, Note, Range, Severity, State
from kb.problems.reading import read_notes

LOG = Path(__file__).parents[2] / "docs/problems"
DAY = date(2026, 11, 27)
#: The id of KB-0007, for ever.
PUBLISHED = "urn:uuid:30aa604d-3c3b-564d-9fd2-9419e2bfbb01"
HOSTILE = "]]></title><script>alert(1)</script> & \x01\ufffe \"'"


def about(number: int = 1, *packages: str, **others: Any) -> Note:
    name = f"KB-{number:04}"
    affected = tuple(Affected((Range(package, "2.4"),)) for package in packages or ("torch",))
    made = Note(Path(f"{name}-x.md"), name, "x", Kind.CRASH, State.OPEN, Severity.MAJOR, affected, DAY, DAY)
    return replace(made, **others)


def entries(feed: bytes) -> list[ET.Element]:
    return ET.fromstring(feed).findall(f"{{{ATOM}}}entry")


def text(element: ET.Element, tag: str) -> str:
    found = element.findtext(f"{{{ATOM}}}{tag}")
    assert found is not None
    return found


def href(element: ET.Element) -> str:
    found = element.find(f"{{{ATOM}}}link")
    assert found is not None
    return found.attrib["href"]


def titles_of(feed: bytes) -> list[str]:
    return [text(entry, "title") for entry in entries(feed)]


class TestWhichFeeds:
    def test_one_of_all_and_two_of_each_family(self) -> None:
        found = files([about(1, "onnxruntime-gpu", "ONNXRuntime"), about(2, "torch")])
        assert list(found) == [
            "problems/all.atom",
            *("problems/onnxruntime.atom", "problems/onnxruntime.json"),
            *("problems/torch.atom", "problems/torch.json"),
        ]
        assert len(entries(found["problems/onnxruntime.atom"])) == 1

    @pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", "<b>", "all"])
    def test_a_name_that_is_no_package_or_is_taken_makes_no_file(self, name: str) -> None:
        assert list(files([about(1, name)])) == ["problems/all.atom"]

    def test_a_note_without_a_number_waits(self) -> None:
        assert files([about(0)]) == {}

    def test_no_notes_no_feeds(self) -> None:
        assert files([]) == {}


class TestOrder:
    def test_the_last_modified_first_then_the_highest_number(self) -> None:
        old = about(3, title="old", modified=DAY - timedelta(days=1))
        notes = [old, about(1, title="low"), about(2, title="high")]
        assert titles_of(files(notes)["problems/all.atom"]) == ["high", "low", "old"]
        assert files(notes) == files(notes[::-1])

    def test_only_the_newest(self) -> None:
        notes = [about(number, title=str(number)) for number in range(1, MAX_NOTES + 6)]
        found = files(notes)
        assert titles_of(found["problems/all.atom"])[-1] == "6"
        assert len(json.loads(found["problems/torch.json"])["items"]) == MAX_NOTES

    def test_updated_is_the_newest_change_and_not_now(self) -> None:
        feed = ET.fromstring(files([about(1, modified=date(2026, 1, 2)), about(2, modified=DAY)])["problems/all.atom"])
        assert text(feed, "updated") == "2026-11-27T00:00:00Z"


class TestIds:
    def test_they_stay_when_all_else_changes(self) -> None:
        before = files([about(7)])
        after = files(
            [about(7, "torch", title="y", path=Path("KB-0007-y.md"), modified=date(2027, 1, 1))], "https://x.org"
        )
        for feed in (f"problems/{ALL}.atom", "problems/torch.atom"):
            assert text(entries(before[feed])[0], "id") == text(entries(after[feed])[0], "id")
            assert text(ET.fromstring(before[feed]), "id") == text(ET.fromstring(after[feed]), "id")

    def test_they_are_those_that_were_published(self) -> None:
        found = files([about(7)])
        assert text(entries(found["problems/all.atom"])[0], "id") == PUBLISHED
        assert json.loads(found["problems/torch.json"])["items"][0]["id"] == PUBLISHED

    def test_no_two_are_the_same(self) -> None:
        found = files([about(number) for number in range(1, 9)])
        roots = [ET.fromstring(found[name]) for name in ("problems/all.atom", "problems/torch.atom")]
        ids = [text(each, "id") for each in (*roots, *entries(found["problems/all.atom"]))]
        assert len(set(ids)) == 10


class TestLinks:
    def test_without_a_base_they_lead_from_the_feeds_own_folder(self) -> None:
        found = files([about(1, path=Path("a:b.md"))])
        assert href(entries(found["problems/torch.atom"])[0]) == "a%3Ab.html"
        assert href(ET.fromstring(found["problems/torch.atom"])) == "torch.atom"
        assert json.loads(found["problems/torch.json"])["items"][0]["url"] == "a%3Ab.html"

    @pytest.mark.parametrize("base", ["https://kb.example.org/generated", "https://kb.example.org/generated/"])
    def test_with_a_base_they_are_whole(self, base: str) -> None:
        found = files([about(1)], base)
        whole = "https://kb.example.org/generated/problems/"
        assert href(entries(found["problems/all.atom"])[0]) == f"{whole}KB-0001-x.html"
        assert json.loads(found["problems/torch.json"])["feed_url"] == f"{whole}torch.json"


class TestContent:
    def test_a_hostile_note_is_text_again(self) -> None:
        note = about(1, title=HOSTILE, sections={"Symptom": HOSTILE})
        (entry,) = entries(files([note])["problems/all.atom"])
        shown = HOSTILE.replace("\x01", "\ufffd").replace("\ufffe", "\ufffd")
        assert (text(entry, "title"), text(entry, "content")) == (shown, shown)
        assert len(entry.findall(".//*")) == len(list(entry))
        (item,) = json.loads(files([note])["problems/torch.json"])["items"]
        assert item["title"] == HOSTILE
        assert "content_html" not in item

    def test_the_summary_says_what_it_is_about(self) -> None:
        affected = Affected((Range("torch", "2.4", "2.6"), Range("onnx", "0")), {"opset": "<=16"})
        (entry,) = entries(files([about(1, affected=(affected,))])["problems/all.atom"])
        assert text(entry, "summary") == (
            "KB-0001: crash, open, major; torch from 2.4 to before 2.6 with onnx of any version (opset <=16)"
        )

    def test_a_long_symptom_is_cut_and_a_missing_one_is_the_title(self) -> None:
        long, none = about(1, sections={"Symptom": "x" * (2 * MAX_TEXT)}), about(2, title="a title")
        shorter, title = (
            each["content_text"] for each in json.loads(files([none, long])["problems/torch.json"])["items"][::-1]
        )
        assert (len(shorter), title) == (MAX_TEXT + 2, "a title")

    def test_the_real_log_is_read_again(self) -> None:
        notes = read_notes(LOG).notes
        found = files(notes)
        by_id = {note.id: note.title for note in notes}
        assert set(titles_of(found["problems/all.atom"])) <= set(by_id.values())
        for name, content in found.items():
            if name.endswith(".json"):
                feed = json.loads(content)
                assert feed["version"] == "https://jsonfeed.org/version/1.1"
                assert all({"id", "url", "content_text"} <= set(item) for item in feed["items"])
            else:
                assert ET.fromstring(content).tag == f"{{{ATOM}}}feed"
