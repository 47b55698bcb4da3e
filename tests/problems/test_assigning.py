"""Numbers for notes: free on every branch that was fetched, and a new one for whoever comes second. Real git."""

from pathlib import Path

import pytest

from kb.problems.assigning import Change, apply, plan, slug, still_naming
from kb.problems.errors import ProblemError
from kb.problems.reading import read_notes
from kb.repository import RepositoryError
from tests.problems.notes import GOOD, told, with_change, write_note
from tests.repository.clones import git, new_clone, new_remote

NEW = with_change("KB-0001", "KB-0000  # given on merging")
NOTES = "docs/problems"


def assign(folder: Path) -> dict[str, str]:
    """Carry out what is planned; old name -> new name."""
    changes = plan(folder).changes
    apply(changes)
    return {change.note.path.name: change.target.name for change in changes}


def numbered(note_id: str) -> str:
    return with_change("KB-0001", note_id)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.md"))


def commit(clone: Path, message: str = "Notes") -> None:
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", f"--message={message}")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return new_remote(tmp_path)


def clone_of(remote: Path, name: str, branch: str = "") -> Path:
    clone = new_clone(remote, remote.parent / name)
    if branch:
        git(clone, "checkout", "--quiet", "-b", branch)
    (clone / NOTES).mkdir(parents=True, exist_ok=True)
    return clone


class TestInOneFolder:
    def test_a_note_gets_the_next_number_and_its_name(self, tmp_path: Path) -> None:
        write_note(tmp_path, numbered("KB-0011"), "KB-0011-old.md")
        write_note(tmp_path, NEW, "Bad Opset.md")
        assert assign(tmp_path) == {"Bad Opset.md": "KB-0012-bad-opset.md"}
        assert names(tmp_path) == ["KB-0011-old.md", "KB-0012-bad-opset.md"]
        assert told(tmp_path) == []

    def test_nothing_but_the_id_changes_in_the_file(self, tmp_path: Path) -> None:
        odd = "\ufeff" + NEW.replace("\n", "\r\n") + "KB-0000 \t \u2028 no line end"
        write_note(tmp_path, odd, "x.md")
        assign(tmp_path)
        kept = (tmp_path / "KB-0001-x.md").read_bytes()
        assert kept == odd.encode().replace(b"id: KB-0000", b"id: KB-0001")

    def test_the_next_number_is_above_all_and_a_gap_stays_one(self, tmp_path: Path) -> None:
        write_note(tmp_path, numbered("KB-0099"), "KB-0099-x.md")
        for name in ("b.md", "a.md", "三.md"):
            write_note(tmp_path, NEW, name)
        assert list(assign(tmp_path).values()) == ["KB-0100-a.md", "KB-0101-b.md", "KB-0102-三.md"]

    def test_a_second_time_there_is_nothing_to_do(self, tmp_path: Path) -> None:
        write_note(tmp_path, NEW, "x.md")
        assign(tmp_path)
        assert plan(tmp_path).changes == ()

    def test_a_note_with_mistakes_gets_its_number_and_keeps_it(self, tmp_path: Path) -> None:
        write_note(tmp_path, with_change("kind: conversion", "kind: [", NEW), "broken.md")
        write_note(tmp_path, with_change("kind: conversion", "kind: [", numbered("KB-0005")), "KB-0005-too.md")
        assert assign(tmp_path) == {"broken.md": "KB-0006-broken.md"}

    def test_an_id_in_the_text_of_a_note_is_not_its_id(self, tmp_path: Path) -> None:
        text = with_change("id: KB-0001\n", "")
        write_note(tmp_path, text + "\nid: KB-0000\n", "x.md")
        assert plan(tmp_path).changes == ()

    def test_a_run_that_was_cut_off_is_completed(self, tmp_path: Path) -> None:
        """The id was written, and the file has its old name still."""
        write_note(tmp_path, numbered("KB-0007"), "x.md")
        assert assign(tmp_path) == {"x.md": "KB-0007-x.md"}

    def test_a_file_is_never_overwritten(self, tmp_path: Path) -> None:
        write_note(tmp_path, numbered("KB-0007"), "x.md")
        write_note(tmp_path, "not a note", "KB-0007-x.md")
        with pytest.raises(
            ProblemError, match=r"^x\.md is to become KB-0007-x\.md, which is there already: rename one"
        ):
            plan(tmp_path)
        assert names(tmp_path) == ["KB-0007-x.md", "x.md"]

    def test_a_note_that_changes_in_the_meantime_is_left_alone(self, tmp_path: Path) -> None:
        path = write_note(tmp_path, NEW, "x.md")
        changes = plan(tmp_path).changes
        path.write_text("somebody else's")
        with pytest.raises(ProblemError, match="was changed while it got its number"):
            apply(changes)
        assert path.read_text() == "somebody else's"

    def test_of_two_with_one_id_the_first_keeps_it_and_who_names_it_is_told(self, tmp_path: Path) -> None:
        for name in ("KB-0001-a.md", "KB-0001-b.md"):
            write_note(tmp_path, GOOD, name)
        other = with_change("related: []", "related: [KB-0001]", numbered("KB-0002"))
        write_note(tmp_path, other, "KB-0002-c.md")
        changes = plan(tmp_path).changes
        assert [change.sentence for change in changes] == [
            "KB-0001-b.md: KB-0001 -> KB-0003, as KB-0003-b.md, since KB-0001 is KB-0001-a.md"
        ]
        apply(changes)
        assert list(still_naming(tmp_path, changes)) == [("KB-0002-c.md", "KB-0001", 26)]

    def test_no_folder_means_nothing_to_do(self, tmp_path: Path) -> None:
        assert plan(tmp_path / "missing").changes == ()


class TestAcrossBranches:
    def test_two_branches_that_fetch_between_get_two_numbers(self, remote: Path) -> None:
        first, second = clone_of(remote, "first", "one"), clone_of(remote, "second", "two")
        write_note(first / NOTES, NEW, "a.md")
        assert assign(first / NOTES) == {"a.md": "KB-0001-a.md"}
        commit(first)
        git(first, "push", "--quiet", "origin", "one")
        write_note(second / NOTES, NEW, "b.md")
        git(second, "fetch", "--quiet")
        assert assign(second / NOTES) == {"b.md": "KB-0002-b.md"}

    def test_a_local_branch_that_is_not_checked_out_counts(self, remote: Path) -> None:
        clone = clone_of(remote, "clone", "one")
        write_note(clone / NOTES, numbered("KB-0041"), "KB-0041-a.md")
        commit(clone)
        git(clone, "checkout", "--quiet", "-b", "two", "main")
        write_note(clone / NOTES, NEW, "b.md")
        assert assign(clone / NOTES) == {"b.md": "KB-0042-b.md"}

    def both_assigned(self, remote: Path) -> tuple[Path, Path]:
        """Two branches gave one number without a fetch between; the first is merged, and the second knows it now."""
        first, second = clone_of(remote, "first", "one"), clone_of(remote, "second", "two")
        for clone, name in ((first, "a.md"), (second, "b.md")):
            write_note(clone / NOTES, NEW, name)
            assign(clone / NOTES)
            commit(clone)
        git(first, "push", "--quiet", "origin", "one:main")
        git(second, "fetch", "--quiet")
        return first, second

    def test_the_branch_that_is_not_merged_yet_gives_way(self, remote: Path) -> None:
        first, second = self.both_assigned(remote)
        assert plan(first / NOTES).changes == ()
        [change] = plan(second / NOTES).changes
        assert change.sentence == (
            "KB-0001-b.md: KB-0001 -> KB-0002, as KB-0002-b.md, since KB-0001 is KB-0001-a.md on origin/main"
        )

    def test_after_the_merge_too(self, remote: Path) -> None:
        _, second = self.both_assigned(remote)
        git(second, "merge", "--quiet", "--no-edit", "origin/main")
        assert assign(second / NOTES) == {"KB-0001-b.md": "KB-0002-b.md"}
        assert [note.id for note in read_notes(second / NOTES).notes] == ["KB-0001", "KB-0002"]

    def test_after_the_merge_the_alphabet_does_not_matter(self, remote: Path) -> None:
        first, second = clone_of(remote, "first", "one"), clone_of(remote, "second", "two")
        for clone, name in ((first, "z.md"), (second, "a.md")):
            write_note(clone / NOTES, NEW, name)
            assign(clone / NOTES)
            commit(clone)
        git(first, "push", "--quiet", "origin", "one:main")
        git(second, "pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
        assert assign(second / NOTES) == {"KB-0001-a.md": "KB-0002-a.md"}

    def test_a_note_that_a_branch_renames_keeps_its_number(self, remote: Path) -> None:
        first = clone_of(remote, "first")
        write_note(first / NOTES, GOOD, "KB-0001-old.md")
        commit(first)
        git(first, "push", "--quiet", "origin", "main")
        git(first, "checkout", "--quiet", "-b", "rename")
        (first / NOTES / "KB-0001-old.md").rename(first / NOTES / "KB-0001-new.md")
        assert plan(first / NOTES).changes == ()

    def test_a_knowledge_base_below_the_root_of_the_repository(self, remote: Path) -> None:
        clone = clone_of(remote, "clone", "one")
        write_note(clone / "team" / NOTES, numbered("KB-0003"), "KB-0003-a.md")
        commit(clone)
        (clone / "team" / NOTES / "KB-0003-a.md").unlink()
        write_note(clone / "team" / NOTES, NEW, "b.md")
        assert assign(clone / "team" / NOTES) == {"b.md": "KB-0004-b.md"}

    def test_it_says_how_many_branches_were_read(self, remote: Path) -> None:
        clone = clone_of(remote, "clone", "one")
        elsewhere = plan(clone / NOTES).elsewhere
        assert (elsewhere.branches, elsewhere.main) == (3, "origin/main")  # main, one, origin/main

    def test_what_is_staged_and_changed_stays_so(self, remote: Path) -> None:
        clone = clone_of(remote, "clone", "one")
        write_note(clone / NOTES, NEW, "a.md")
        git(clone, "add", "--all")
        (clone / "README.md").write_text("changed\n")
        before = git(clone, "diff", "--cached"), git(clone, "diff", "README.md")
        assign(clone / NOTES)
        assert (git(clone, "diff", "--cached"), git(clone, "diff", "README.md")) == before

    def test_a_repository_that_git_cannot_read_is_an_error_and_no_reason_to_guess(self, remote: Path) -> None:
        clone = clone_of(remote, "clone", "one")
        write_note(clone / NOTES, NEW, "a.md")
        (clone / ".git" / "HEAD").write_text("damaged")
        with pytest.raises(RepositoryError):
            plan(clone / NOTES)
        assert names(clone / NOTES) == ["a.md"]


@pytest.mark.parametrize(
    ("stem", "kept"),
    [
        ("opset", "opset"),
        ("KB-0000-opset", "opset"),
        ("KB-0012-Opset 24 (torch)", "opset-24-torch"),
        ("KB-0012", "note"),
        ("精度丢失", "精度丢失"),
        ("it's", "it-s"),
        ("kb-like-thing", "kb-like-thing"),
    ],
)
def test_a_name_keeps_what_can_stand_in_a_link(stem: str, kept: str) -> None:
    assert slug(stem) == kept


def test_changes_can_be_told_apart_from_renames(tmp_path: Path) -> None:
    path = write_note(tmp_path, numbered("KB-0007"), "x.md")
    [change] = plan(tmp_path).changes
    assert isinstance(change, Change)
    assert change.sentence == f"{path.name}: renamed to KB-0007-x.md, since its id is KB-0007"
