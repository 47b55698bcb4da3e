"""On the real changelogs, where they are here: the score holds its bounds, and time changes no entry."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.changelogs.entry import Entry, Section
from kb.changelogs.reading import read
from kb.changelogs.record import VersionRecord
from kb.changelogs.store import CHANGELOGS_FOLDER, Stored, read_versions, replace_versions
from tests.changelogs.score import Score, score
from tests.changelogs.shared import GOLD, ROOT, files, needs_shared, project_of, text_of

pytestmark = [needs_shared, pytest.mark.slow]

EXACT = 1.0


@pytest.fixture(scope="module")
def result() -> Score:
    pytest.importorskip("docutils")
    return score(GOLD)


def test_all_versions_are_found_and_no_others(result: Score) -> None:
    assert result.versions.share == EXACT, result.versions.wrong
    assert result.false_versions == []


@pytest.mark.parametrize(
    ("what", "bound"),
    [
        ("dates", EXACT),
        ("counts", 0.95),
        ("breaking_headings", EXACT),
        ("by_heading", 0.95),
        ("by_content", 0.75),
        ("precision", 0.9),
        ("recall", 0.9),
        ("cves", EXACT),
    ],
)
def test_the_score_holds_its_bounds(result: Score, what: str, bound: float) -> None:
    count = getattr(result, what)
    assert count.share >= bound, count.wrong


def test_every_file_is_read_without_trouble() -> None:
    pytest.importorskip("docutils")
    for file in files():
        reading = read(text_of(file), project_of(file))
        assert not reading.trouble, file
        assert not [section.trouble for section in reading.sections if section.trouble], file


def ids(sections: tuple[Section, ...]) -> dict[tuple[str, str], list[tuple[str, str]]]:
    return {
        (section.package, section.version): [(entry.category, entry.id) for entry in section.entries]
        for section in sections
    }


@pytest.mark.parametrize(
    "file", ["tensorflow/RELEASE.md", "jax/CHANGELOG.md", "nncf/ReleaseNotes.md", "pyg/CHANGELOG.md"]
)
def test_line_ends_and_a_re_flow_change_no_entry(file: str) -> None:
    text, project = text_of(file).replace("\r\n", "\n"), project_of(file)
    before = ids(read(text, project).sections)
    assert ids(read(text.replace("\n", "\r\n"), project).sections) == before
    assert ids(read("\n".join(reflowed(text)), project).sections) == before


def test_the_last_snapshot_alone_gives_the_sections_that_reading_them_all_does() -> None:
    """What no one has touched since has the same entries, whatever was put around it."""
    older = ids(read(text_of("tensorflow/RELEASE.2025-04-19.md"), project_of("tensorflow/")).sections)
    newest = ids(read(text_of("tensorflow/RELEASE.md"), project_of("tensorflow/")).sections)
    changed = {key for key, entries in older.items() if newest[key] != entries}
    assert changed == {("tensorflow", "2.20.0")}  # filled in since; all 11,622 line ends were changed, too


def kept(results: Path, file: str, today: str) -> Stored:
    """What a snapshot says, put over what the ones before it said."""
    found: dict[str, list[VersionRecord]] = {}
    for section in read(text_of(file), project_of(file)).sections:
        record = VersionRecord.of(section, date_source="text", source_url="https://example.org/notes", today=today)
        found.setdefault(section.package, []).append(record)
    stored = [replace_versions(results, name, read_versions(results, name), each) for name, each in found.items()]
    return Stored(tuple(path for each in stored for path in (*each.written, *each.removed)))


def without_days(results: Path) -> dict[str, dict[str, list[tuple[str, Entry]]]]:
    """Package -> version -> entries by their ids, without the days on which they were seen."""
    return {
        folder.name: {
            version: [(record.id, record.entry) for record in each.entries]
            for version, each in read_versions(results, folder.name).items()
        }
        for folder in sorted((results / CHANGELOGS_FOLDER).iterdir())
    }


@pytest.mark.parametrize("folder", ["tensorflow", "jax"])
def test_every_snapshot_in_turn_leaves_what_the_newest_alone_does_and_reading_twice_writes_nothing(
    folder: str, tmp_path: Path
) -> None:
    snapshots = {
        "tensorflow": json.loads(GOLD.read_text(encoding="utf-8"))["meta"]["incremental"]["order"],
        "jax": ["jax/CHANGELOG.2025-06-01.md", "jax/CHANGELOG.2026-01-01.md", "jax/CHANGELOG.md"],
    }[folder]
    assert all((ROOT / file).exists() for file in snapshots)
    for day, file in enumerate(snapshots, start=1):
        kept(tmp_path / "all", file, f"2026-01-{day:02}")
    kept(tmp_path / "newest", snapshots[-1], "2026-02-01")
    assert without_days(tmp_path / "all") == without_days(tmp_path / "newest")
    assert kept(tmp_path / "all", snapshots[-1], "2026-03-01").written == ()


def reflowed(text: str, width: int = 60) -> Iterator[str]:
    """The text with its paragraphs in narrow lines: a list item's words stay behind its mark."""
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        bare = line.lstrip()
        mark = next((mark for mark in ("*   ", "*  ", "* ", "- ") if bare.startswith(mark)), "")
        if fenced or not mark or len(line) <= width or "`" in line or "<" in line or "](" in line:
            yield line
            continue
        indent = line[: len(line) - len(bare)]
        words = textwrap.wrap(bare[len(mark) :], width, break_long_words=False, break_on_hyphens=False)
        # A word that begins a list, a heading or a quote at the begin of a line would be one.
        if not words or any(part[0] in "-+*#>=_|~1234567890<" for part in words):
            yield line
            continue
        yield indent + mark + words[0]
        yield from (indent + " " * len(mark) + part for part in words[1:])
