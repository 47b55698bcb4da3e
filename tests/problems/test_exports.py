"""The log for programs: every field in kb's own shape, the structure of OSV, and the same bytes for the same log."""

import json
import re
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kb.problems.exports import OSV, OWN, files, in_order, osv_record, own_record
from kb.problems.note import Affected, Kind, Note, Range, Reference, Severity, State
from kb.problems.reading import read_note, read_notes
from tests.problems.notes import GOOD, write_note

LOG = Path(__file__).parents[2] / "docs/problems"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT00:00:00Z")


@pytest.fixture
def note(tmp_path: Path) -> Note:
    found = read_note(write_note(tmp_path)).note
    assert found is not None
    return found


def about(*affected: Affected, **others: Any) -> Note:
    day = date(2026, 11, 27)
    made = Note(Path("KB-0001-x.md"), "KB-0001", "x", Kind.CRASH, State.OPEN, Severity.MAJOR, affected, day, day)
    return replace(made, **others)


class TestOwnShape:
    def test_every_field_of_a_note_is_there(self, note: Note) -> None:
        assert set(own_record(note)) == {field.name for field in fields(Note)} - {"path", "lines"} | {"page"}

    def test_values_are_those_of_the_note(self, note: Note) -> None:
        (found,) = json.loads(files([note])[OWN])["notes"]
        assert (found["kind"], found["created"], found["symbols"]) == (
            "conversion",
            "2026-11-01",
            ["torch.onnx.export"],
        )
        assert found["affected"] == [
            {
                "all": [
                    {"package": "torch", "introduced": "2.4", "fixed": "2.10"},
                    {"package": "onnxruntime-gpu", "introduced": "0"},
                ],
                "when": {"opset": ">=17", "os": "linux"},
            }
        ]
        assert found["sections"]["Cause"] == "It was not written yet."
        assert found["page"] == "problems/KB-0001-opset.html"

    def test_a_page_is_a_link_whatever_the_file_is_called(self) -> None:
        assert own_record(about(path=Path("导出 a#b.md")))["page"] == "problems/%E5%AF%BC%E5%87%BA%20a%23b.html"


class TestFiles:
    def test_utf8_as_it_is_written_and_a_newline_at_the_end(self) -> None:
        for content in files([about(title="量化后精度下降")]).values():
            assert "量化后精度下降" in content.decode()
            assert content.endswith(b"\n")

    def test_the_order_of_the_notes_does_not_matter(self) -> None:
        notes = [about(id=name) for name in ("KB-10000", "KB-0002", "KB-0001")]
        notes += [about(id="KB-0000", path=Path(name)) for name in ("b.md", "a.md")]
        assert files(notes) == files(notes[::-1])
        assert [note.id for note in in_order(notes)][2:] == ["KB-0001", "KB-0002", "KB-10000"]

    def test_an_empty_log_is_an_empty_list(self) -> None:
        assert json.loads(files([])[OSV]) == []
        assert json.loads(files([])[OWN])["notes"] == []


class TestOsv:
    def test_a_note_without_a_number_is_not_published(self) -> None:
        assert json.loads(files([about(id="KB-0000")])[OSV]) == []

    def test_dates_are_midnights(self, note: Note) -> None:
        found = osv_record(note)
        assert (found["published"], found["modified"]) == ("2026-11-01T00:00:00Z", "2026-11-27T00:00:00Z")
        assert "withdrawn" not in found

    def test_a_withdrawn_note_says_since_when(self) -> None:
        assert osv_record(about(status=State.WITHDRAWN))["withdrawn"] == "2026-11-27T00:00:00Z"

    def test_a_package_stands_once_with_all_of_its_ranges(self) -> None:
        old, new, other = Range("torch", "0", "2.1"), Range("Torch", "2.4", last_affected="2.6"), Range("onnx", "1.2")
        found = osv_record(about(Affected((old, other)), Affected((new,)), Affected((old,))))["affected"]
        assert [each["package"] for each in found] == [
            {"ecosystem": "PyPI", "name": "onnx"},
            {"ecosystem": "PyPI", "name": "torch"},
        ]
        assert found[1]["ranges"] == [
            {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]},
            {"type": "ECOSYSTEM", "events": [{"introduced": "2.4"}, {"last_affected": "2.6"}]},
        ]

    def test_a_range_has_one_end(self) -> None:
        (found,) = osv_record(about(Affected((Range("x", "1", "2", "1.9"),))))["affected"]
        assert found["ranges"][0]["events"] == [{"introduced": "1"}, {"fixed": "2"}]

    def test_other_names_of_a_package_are_named(self) -> None:
        gpu, numpy = osv_record(about(Affected((Range("numpy", "0"), Range("keras-nightly", "0")))))["affected"]
        assert gpu["database_specific"] == {"family": ["keras"]}
        assert "database_specific" not in numpy

    def test_what_osv_cannot_say_is_said_beside(self, note: Note) -> None:
        found = osv_record(note)["database_specific"]
        assert (found["kind"], found["status"], found["severity"]) == ("conversion", "workaround", "major")
        assert [part["package"] for part in found["any_of"][0]["all"]] == ["torch", "onnxruntime-gpu"]
        assert found["any_of"][0]["when"] == {"opset": ">=17", "os": "linux"}

    def test_references_have_a_type_of_osv_and_lead_to_the_web(self) -> None:
        kinds = ("report", "fix", "advisory", "discussion", "documentation", "article", "other")
        references = tuple(Reference(kind, f"https://example.org/{kind}") for kind in kinds)
        found = osv_record(about(references=(*references, Reference("fix", "javascript:alert(1)"))))["references"]
        assert [each["type"] for each in found] == ["REPORT", "FIX", "ADVISORY", "DISCUSSION", "WEB", "ARTICLE", "WEB"]

    def test_details_are_the_sections_that_have_text(self, note: Note) -> None:
        details = osv_record(note)["details"]
        assert details.startswith("## Symptom\n\n```\nRuntimeError: Unsupported")
        assert details.endswith("## Workaround\n\nAsk for opset 20.")

    def test_the_real_log_has_the_structure(self) -> None:
        records = json.loads(files(read_notes(LOG).notes)[OSV])
        assert len(records) >= 50
        for record in records:
            assert re.fullmatch(r"KB-\d{4,6}", record["id"])
            assert MOMENT.fullmatch(record["modified"])
            assert MOMENT.fullmatch(record["published"])
            assert "severity" not in record
            for affected in record["affected"]:
                for each in affected["ranges"]:
                    assert [len(event) for event in each["events"]] in ([1], [1, 1])
                    assert "introduced" in each["events"][0]


def test_a_hostile_title_stays_text(tmp_path: Path) -> None:
    hostile = GOOD.replace('"The exporter does not know the opset"', r'"\x01</script>\" {{ 7*7 }}"')
    note = read_note(write_note(tmp_path, hostile)).note
    assert note is not None
    (found,) = json.loads(files([note])[OSV])
    assert found["summary"] == '\x01</script>" {{ 7*7 }}'
