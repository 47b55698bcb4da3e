"""Notes that name a note, and changes that may have solved its problem: the sure ones first, the newest first."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from kb.analysis.problems import MAX_FIXES, Fix, maybe_fixed_by, referenced_by
from kb.changelogs.entry import Category, Reference, Stage
from kb.changelogs.library import Package, in_order
from kb.changelogs.record import VersionRecord
from kb.problems import note as notes
from kb.problems.note import Affected, Note, Range
from kb.problems.reading import read_notes
from tests.changelogs.made_up import entry, section

DAY = date(2026, 11, 27)
LOG = Path(__file__).parents[2] / "docs/problems"
ISSUE = "https://github.com/pytorch/pytorch/issues/12"


def note(number: int = 1, *ranges: Range, **others: Any) -> Note:
    name, affected = f"KB-{number:04}", (Affected(ranges or (Range("torch", "2.4"),)),)
    kinds = (notes.Kind.CRASH, notes.State.OPEN, notes.Severity.MAJOR)
    return replace(Note(Path(f"{name}.md"), name, "x", *kinds, affected, DAY, DAY), **others)


def version(number: str, *entries: Any, package: str = "torch", **fields: Any) -> VersionRecord:
    made = section(number, package=package, entries=entries, **fields)
    return VersionRecord.of(made, date_source="", source_url="", today="2026-11-27")


def package(*versions: VersionRecord, name: str = "torch") -> Package:
    return Package(name, in_order({each.version: each for each in versions}))


def change(text: str, category: Category = Category.BUGFIX, **fields: Any) -> Any:
    """An entry that names nothing but what is given."""
    return entry(text, category, **{"symbols": (), "references": (), "cves": (), **fields})


def issue(text: str, url: str = ISSUE, **fields: Any) -> Any:
    return change(text, references=(Reference("#12", url),), **fields)


def found_for(asked: Note, *packages: Package) -> list[tuple[str, str, bool]]:
    """Version, what it names, and whether that is sure."""
    fixes: tuple[Fix, ...] = maybe_fixed_by([asked], packages).get(asked.id, ())
    return [(fix.noted.version.version, fix.by, fix.sure) for fix in fixes]


class TestReferencedBy:
    def test_by_the_field_and_by_the_text_each_once(self) -> None:
        log = [
            note(1),
            note(2, related=("KB-0001",), sections={"Fix": "As in KB-0001 (and KB-0003)."}),
            note(3, sections={"Cause": "See KB-0001."}),
        ]
        assert referenced_by(log) == {"KB-0001": ("KB-0002", "KB-0003"), "KB-0003": ("KB-0002",)}

    def test_not_by_itself_nor_of_one_that_is_not_there(self) -> None:
        assert referenced_by([note(1, sections={"Fix": "KB-0001, KB-0009, XKB-00021"}), note(2)]) == {}

    def test_a_note_without_a_number_is_not_told_apart(self) -> None:
        assert referenced_by([note(1, related=("KB-0000",)), note(0, related=("KB-0001",))]) == {}

    def test_in_the_order_of_their_numbers(self) -> None:
        log = [note(number, related=("KB-0001",)) for number in (10000, 3, 2)]
        expected = {"KB-0001": ("KB-0002", "KB-0003", "KB-10000")}
        assert referenced_by([*log, note(1)]) == referenced_by([note(1), *log[::-1]]) == expected

    def test_the_real_log_is_joined(self) -> None:
        found = referenced_by(read_notes(LOG).notes)
        assert "KB-0001" in found["KB-0014"]


class TestSure:
    def test_an_alias_however_the_change_writes_it(self) -> None:
        asked = note(aliases=("PyTorch/pytorch#12",))
        pull = "https://github.com/pytorch/pytorch/pull/12#issuecomment-1"
        torch = package(version("2.5", issue("a")), version("2.6", issue("b", pull)))
        assert found_for(asked, torch) == [("2.6", "PyTorch/pytorch#12", True), ("2.5", "PyTorch/pytorch#12", True)]

    def test_a_reference(self) -> None:
        asked = note(references=(notes.Reference("fix", "https://github.com/pytorch/pytorch/pull/12"),))
        assert found_for(asked, package(version("2.5", issue("a")))) == [("2.5", asked.references[0].url, True)]

    def test_a_vulnerability_or_an_advisory(self) -> None:
        advisory = Reference("GHSA-aaaa-bbbb-cccc", "https://github.com/advisories/GHSA-aaaa-bbbb-cccc")
        torch = package(version("2.5", change("a", cves=("CVE-2026-1000",)), change("b", references=(advisory,))))
        assert len(found_for(note(aliases=("CVE-2026-1000", "GHSA-aaaa-bbbb-cccc")), torch)) == 2

    def test_the_number_of_another_repository_is_another_problem(self) -> None:
        torch = package(version("2.5", issue("a"), change("b", references=(Reference("#12", ""),))))
        assert found_for(note(aliases=("pytorch/vision#12", "pytorch/pytorch#123", "#12", "")), torch) == []

    def test_a_change_of_any_category_counts(self) -> None:
        asked = note(aliases=("pytorch/pytorch#12",))
        assert found_for(asked, package(version("2.5", issue("a", category=Category.FEATURE))))


class TestPossible:
    ASKED = note(symbols=("torch.onnx.export",))

    def test_a_symbol_in_a_change_that_mends_or_breaks(self) -> None:
        entries = [change(each, each, symbols=("torch.onnx.export()",)) for each in Category]
        found = maybe_fixed_by([self.ASKED], [package(version("2.5", *entries))])["KB-0001"]
        assert {fix.noted.category for fix in found} == {Category.BUGFIX, Category.BREAKING}
        assert not any(fix.sure for fix in found)

    def test_part_of_a_symbol_is_another_one(self) -> None:
        entries = [change(each, symbols=(each,)) for each in ("torch.onnx", "export", "torch.onnx.export.x")]
        assert found_for(self.ASKED, package(version("2.5", *entries))) == []

    def test_comes_after_the_sure_ones_and_no_change_twice(self) -> None:
        both = issue("both", symbols=("torch.onnx.export",))
        torch = package(version("2.5", both), version("2.9", change("late", symbols=("torch.onnx.export",))))
        asked = replace(self.ASKED, aliases=("pytorch/pytorch#12",))
        assert found_for(asked, torch) == [("2.5", "pytorch/pytorch#12", True), ("2.9", "torch.onnx.export", False)]

    def test_no_more_than_a_reader_reads_the_newest_of_them(self) -> None:
        versions = [version(f"2.{minor}", change("a", symbols=("torch.onnx.export",))) for minor in range(4, 30)]
        found = found_for(self.ASKED, package(*versions))
        assert [each[0] for each in found] == [f"2.{minor}" for minor in range(29, 29 - MAX_FIXES, -1)]


class TestVersions:
    ASKED = note(aliases=("pytorch/pytorch#12",))

    def test_from_the_first_affected_on(self) -> None:
        torch = package(*(version(each, issue("a")) for each in ("2.3.1", "2.4.0rc1", "2.4.0", "2.5")))
        assert [each[0] for each in found_for(self.ASKED, torch)] == ["2.5", "2.4.0"]

    def test_the_lowest_of_several_ranges_counts(self) -> None:
        affected = (Affected((Range("torch", "2.4"),)), Affected((Range("torch", "0"),)))
        assert found_for(replace(self.ASKED, affected=affected), package(version("0.4", issue("a"))))

    def test_an_upcoming_version_is_the_newest_and_a_withdrawn_one_is_none(self) -> None:
        torch = package(
            version("next", issue("a"), stage=Stage.UPCOMING),
            version("2.6", issue("a")),
            version("2.7", issue("a"), stage=Stage.WITHDRAWN),
            version("of old", issue("a")),
        )
        assert [each[0] for each in found_for(self.ASKED, torch)] == ["next", "2.6"]

    def test_of_the_family_and_of_no_other_package(self) -> None:
        asked = replace(self.ASKED, affected=(Affected((Range("onnxruntime-gpu", "1.20"),)),))
        ort = package(version("1.21", issue("a"), package="onnxruntime"), name="onnxruntime")
        assert [each[0] for each in found_for(asked, package(version("2.5", issue("a"))), ort)] == ["1.21"]


def test_notes_come_in_the_order_of_their_numbers_without_those_that_nothing_names() -> None:
    log = [note(number, aliases=("pytorch/pytorch#12",)) for number in (3, 2, 0)]
    assert list(maybe_fixed_by([*log, note(4)], [package(version("2.5", issue("a")))])) == ["KB-0002", "KB-0003"]
