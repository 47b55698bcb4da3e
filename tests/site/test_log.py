"""The log of this repository in a browser: sixty questions and real tracebacks, in the order of the command."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kb.packages.families import FAMILY_OF
from kb.problems.index import MemoryIndex, build
from kb.problems.normal import cleaned, messages, normalised
from kb.problems.ranking import explain, search
from kb.site.pages import problems
from tests.problems.test_log import AMONG_THREE, FIRST, QUERIES, TRACEBACKS, id_of, is_variant, notes_of, recalled
from tests.site.test_browser import CHROMIUM, FLAGS, Visit, close, visit
from tests.site.test_problems import asked, told, told_by_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}")]

ASKED = [query.query for query in QUERIES]
TEXTS = [path.read_text(encoding="utf-8") for path in TRACEBACKS]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def index(repo_root: Path) -> MemoryIndex:
    return build(notes_of(repo_root), FAMILY_OF)


@pytest.fixture(scope="module")
def address(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the real notes with what it needs beside it, without the site around it."""
    (page,) = problems.pages(notes_of(repo_root), FAMILY_OF)
    folder = tmp_path_factory.mktemp("log")
    (folder / "assets").mkdir()
    script = Path(problems.__file__).parents[1] / "assets/problems.js"
    (folder / "assets/problems.js").write_bytes(script.read_bytes())
    (folder / problems.INDEX).write_bytes(page.files[problems.INDEX])
    body = page.text.partition("---\n")[2].partition("---\n")[2]
    (folder / "problems.html").write_text(f"<!doctype html><meta charset=utf-8><body>{body}", encoding="utf-8")
    return (folder / "problems.html").as_uri()


@pytest.fixture
def visited(browser: "Browser", address: str) -> Iterator[Visit]:
    visited = visit(browser, address)
    yield visited
    assert visited.complaints == []
    close(visited)


def test_the_page_reads_real_errors_as_the_command_does(visited: Visit) -> None:
    script = "async (texts) => { await kbSearch.load(); return texts.map((text) => kbSearch.messages(text)); }"
    assert visited.page.evaluate(script, TEXTS) == [
        [normalised(message) for message in messages(cleaned(text))] for text in TEXTS
    ]


def test_questions_are_answered_in_the_order_of_the_command(visited: Visit, index: MemoryIndex) -> None:
    found = asked(visited, "search", ASKED)
    for text, hits in zip(ASKED, found, strict=True):
        assert [told_by_page(hit) for hit in hits] == [told(hit) for hit in search(index, text, 10)], text
    assert recalled("page", QUERIES, [[hit["id"] for hit in hits] for hits in found]) >= AMONG_THREE


def test_errors_are_answered_in_the_order_of_the_command(visited: Visit, index: MemoryIndex) -> None:
    found = asked(visited, "explain", TEXTS)
    for path, text, hits in zip(TRACEBACKS, TEXTS, found, strict=True):
        assert [told_by_page(hit) for hit in hits] == [told(hit) for hit in explain(index, text, 10)], path.name
    for variants in (False, True):
        first = [
            [hit["id"] for hit in hits[:1]] == [id_of(path)]
            for path, hits in zip(TRACEBACKS, found, strict=True)
            if is_variant(path) == variants
        ]
        assert sum(first) / len(first) >= FIRST


def test_the_boxes_show_what_the_ranking_gives(visited: Visit, index: MemoryIndex) -> None:
    """A reader's way through the page: paste, look at the list; clear, ask in words, look again."""
    page = visited.page
    shown = page.locator("#kb-problems-hits > li")
    for label, text, hits in (
        ("Error or traceback", TEXTS[0], explain(index, TEXTS[0])),
        ("or words", ASKED[-1], search(index, ASKED[-1])),
    ):
        page.get_by_label(label).fill(text)
        shown.filter(has_text=hits[0].entry.id).first.wait_for()
        assert hits[0].entry.id in shown.first.inner_text()
        page.locator("#kb-problems").get_by_role("button", name="Clear").click()
        page.locator("#kb-problems-all").wait_for()
