"""Each family of files gives its sections and entries, and no part of a file spoils another."""

import pytest

from kb.changelogs import entries
from kb.changelogs.entry import Category, Stage, plain
from kb.changelogs.projects import RELEASE_BODY
from kb.changelogs.reading import read
from tests.changelogs.samples import PROJECTS, headings_of, sections_of, text_of


@pytest.mark.parametrize("name", [name for name in PROJECTS if name != "hostile.md"])
def test_every_word_of_a_known_layout_finds_its_place(name: str) -> None:
    for section in sections_of(name).values():
        assert section.coverage == 1, section.version
        assert not section.trouble


def test_products_and_categories_make_the_heading_and_a_label_the_component() -> None:
    section = sections_of("tensorflow_like.md")["9.2.0"]
    found = headings_of(section)
    assert {heading: len(entries) for heading, entries in found.items()} == {
        "Gadget > Breaking Changes": 2,
        "Gadget > Bug Fixes and Other Changes": 3,
        "Gizmo > Bug Fixes and Other Changes": 1,
    }
    assert found["Gadget > Breaking Changes"][0].component == "gd.polish"
    assert all(entry.heading_category is Category.BREAKING for entry in found["Gadget > Breaking Changes"])


def test_a_sample_stands_below_its_entry_with_its_lines() -> None:
    entry = headings_of(sections_of("tensorflow_like.md")["9.2.0"])["Gadget > Bug Fixes and Other Changes"][2]
    (sample,) = entry.items
    assert sample.sample
    assert sample.text[0].text == "gd.rinse([])"


def test_a_template_that_nobody_filled_is_upcoming_and_has_no_entries() -> None:
    section = sections_of("tensorflow_like.md")["9.3.0"]
    assert (section.stage, section.entries) == (Stage.UPCOMING, ())


def test_a_sentence_makes_the_bullets_of_a_patch_release_security_fixes() -> None:
    section = sections_of("tensorflow_like.md")["9.1.1"]
    assert [entry.category for entry in section.entries] == [Category.SECURITY] * 2
    assert [entry.cves for entry in section.entries] == [
        ("CVE-2031-11111",),
        ("CVE-2031-22222", "CVE-2031-11111"),
    ]


def test_a_version_is_written_as_pep_440_does_and_a_candidate_is_a_prerelease() -> None:
    section = sections_of("tensorflow_like.md")["9.1.0rc1"]
    assert (section.heading, section.line, section.stage) == ("Release 9.1.0-rc1", 54, Stage.PRERELEASE)


def test_two_packages_share_a_file_and_a_number() -> None:
    sections = read(text_of("jax_like.md"), PROJECTS["jax_like.md"]).sections
    assert [(section.package, section.version, section.date) for section in sections] == [
        ("lathe", "Unreleased", ""),
        ("lathe", "0.5.0", "2031-03-03"),
        ("lathelib", "0.5.0", "2031-09-12"),
        ("lathe", "0.4.0", ""),
        ("lathe", "0.3.9", "2030-01"),
    ]


def test_bullets_can_be_categories_and_a_link_to_commits_is_no_change() -> None:
    sections = read(text_of("jax_like.md"), PROJECTS["jax_like.md"]).sections
    found = {heading: len(entries) for heading, entries in headings_of(sections[1]).items()}
    assert found == {"Breaking changes": 2, "Deprecations & removals": 1, "": 1}


def test_a_removal_among_the_deprecations_is_breaking() -> None:
    sections = read(text_of("jax_like.md"), PROJECTS["jax_like.md"]).sections
    (entry,) = headings_of(sections[1])["Deprecations & removals"]
    assert (entry.heading_category, entry.category) == (Category.DEPRECATION, Category.BREAKING)


def test_a_category_at_the_level_of_a_version_does_not_end_it() -> None:
    found = headings_of(sections_of("kept.md")["1.2.10"])
    assert {heading: len(entries) for heading, entries in found.items()} == {"Changed": 2, "Removed": 1}


def test_versions_that_were_skipped_are_a_notice_and_no_section() -> None:
    reading = read(text_of("kept.md"), PROJECTS["kept.md"])
    (notice,) = reading.notices
    assert (notice.package, notice.versions, notice.line) == ("box", ("1.2.8", "1.2.9"), 11)
    assert [section.version for section in reading.sections] == ["unreleased", "1.2.10", "1.2.1", "0.1.x"]


def test_a_yanked_version_is_withdrawn() -> None:
    assert sections_of("kept.md")["1.2.1"].stage is Stage.WITHDRAWN


def test_an_unreleased_section_is_upcoming_and_its_empty_bullet_no_entry() -> None:
    section = sections_of("kept.md")["unreleased"]
    assert (section.stage, section.date, section.entries) == (Stage.UPCOMING, "", ())


def test_titles_below_the_breaking_changes_are_entries_with_all_that_follows() -> None:
    entries = headings_of(sections_of("release_body.md")["4.1.0"])["Backwards Incompatible Changes"]
    assert [entry.component for entry in entries] == ["Frontend", "Backend"]
    assert [len(entry.items) for entry in entries] == [3, 2]
    assert "motor.idle" in entries[1].symbols


def test_elsewhere_titles_are_components() -> None:
    entries = headings_of(sections_of("release_body.md")["4.1.0"])["Improvements"]
    assert {entry.component for entry in entries} == {"Motor > Gears"}


def test_the_version_of_a_release_is_that_of_its_tag() -> None:
    project = PROJECTS["release_body.md"]
    (section,) = read("* One change\n", project, "v4.2.0-rc1").sections
    assert (section.version, section.stage) == ("4.2.0rc1", Stage.PRERELEASE)
    (section,) = read(text_of("release_body.md"), project, "4.0.9").sections
    assert section.version == "4.0.9"


def test_bullets_can_be_components() -> None:
    entries = headings_of(sections_of("nvidia_like.md")["7.2.0"])["Plugin changes"]
    assert {entry.component for entry in entries} == {"Plugin"}
    assert [entry.category for entry in entries] == [Category.BUGFIX, Category.DEPRECATION]


def test_paragraphs_can_be_headings() -> None:
    found = headings_of(sections_of("numbered.md")["2.4.0"])
    assert list(found) == ["Features", "Fixes", "Deprecations/Removals"]
    assert [entry.component for entry in found["Features"]] == ["Diesel", "Steam, Experimental"]


def test_chinese_headings_are_categories() -> None:
    found = headings_of(sections_of("numbered.md")["2.3"])
    assert {heading: entries[0].heading_category for heading, entries in found.items()} == {
        "兼容性变更": Category.BREAKING,
        "Bug 修复": Category.BUGFIX,
    }
    assert [reference.label for reference in found["Bug 修复"][0].references] == ["#9", "#10"]


def test_a_dash_below_a_sentence_is_an_empty_bullet() -> None:
    (entry,) = sections_of("loose.md")["vNext"].entries
    assert plain(entry.text) == "removed the bell"


def test_a_version_is_not_its_prefix() -> None:
    assert len(sections_of("loose.md")["1.4.2"].entries) == 3
    assert len(sections_of("loose.md")["1.4.20"].entries) == 1


def test_sub_titles_of_rst_are_entries_until_their_references() -> None:
    found = headings_of(sections_of("notes.rst")["3.1.0"])
    assert {heading: len(entries) for heading, entries in found.items()} == {
        "Deprecations": 1,
        "Expired deprecations": 1,
        "New Features": 2,
    }
    threads = found["New Features"][0]
    assert [plain(item.text) for item in threads.items] == [
        "A paragraph with loom.spin.",
        "Inside a directive that nobody knows.",
        "detail of the threads",
        "(gh-12)",
    ]


def test_an_entry_links_to_the_heading_of_its_version_which_stays_where_it_is() -> None:
    first, *_, last = sections_of("tensorflow_like.md")["9.2.0"].entries
    assert (first.anchor, last.anchor) == ("release-920", "release-920")


def test_a_block_that_is_never_closed_hides_no_later_version() -> None:
    sections = sections_of("hostile.md")
    assert list(sections) == ["6.0.0", "5.9.0", "5.8.0", "5.7.0"]
    assert [bool(section.trouble) for section in sections.values()] == [False, True, True, False]
    assert "line 20" in sections["5.9.0"].trouble


def test_a_section_that_cannot_be_read_says_so_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = entries.section_of

    def failing(part: object, project: object) -> object:
        if part.version == "9.2.0":  # type: ignore[attr-defined]
            raise ValueError("broken")
        return whole(part, project)  # type: ignore[arg-type]

    monkeypatch.setattr("kb.changelogs.reading.section_of", failing)
    sections = sections_of("tensorflow_like.md")
    assert sections["9.2.0"].trouble == "ValueError: broken"
    assert (sections["9.2.0"].coverage, sections["9.2.0"].entries) == (0.0, ())
    assert len(sections["9.1.1"].entries) == 2


def test_what_finds_no_place_lowers_the_coverage() -> None:
    text = "# Release 1.0.0\n\n## Bug Fixes\n\n* One.\n\nA paragraph that belongs to nothing at all.\n"
    (section,) = read(text, PROJECTS["tensorflow_like.md"]).sections
    assert 0 < section.coverage < 1


def test_a_text_without_a_version_has_none() -> None:
    assert read("# Nothing\n\nof the kind", PROJECTS["kept.md"]).sections == ()
    (section,) = read("", RELEASE_BODY).sections
    assert (section.version, section.entries) == ("", ())
