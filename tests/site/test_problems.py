"""The problem log in a browser: the order of the command, reasons, facets, a link that keeps it all, and no markup."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kb.problems.index import MemoryIndex, build, covers, ordered
from kb.problems.normal import cleaned, messages, normalised
from kb.problems.ranking import Hit, explain, search
from kb.problems.tokens import words
from kb.site.pages import problems
from tests.problems.synthetic import FAMILIES, SKETCHES
from tests.problems.test_normal import CHAINED, NORMALISED, PREFIXED
from tests.problems.test_ranking import QUERIES, UNRELATED, traceback_of, varied
from tests.site.sample import HOSTILE, PROBLEMS
from tests.site.test_browser import CHROMIUM, FLAGS, Visit, close, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}")]

PASTES = [
    *(traceback_of(sketch) for sketch in SKETCHES),
    *(varied(traceback_of(sketch)) for sketch in SKETCHES),
    *PREFIXED.values(),
    *UNRELATED,
    CHAINED,
    *NORMALISED,
    "constructor __proto__ toString",
    "量化后 onnxruntime 精度",
    "",
]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def index() -> MemoryIndex:
    """As the page has it."""
    return build(sorted(PROBLEMS.notes, key=lambda note: (note.id, note.path.name)), FAMILIES)


@pytest.fixture
def address(knowledge_base: Path) -> str:
    return (knowledge_base / "site/generated/problems.html").as_uri()


def asked(visited: Visit, verb: str, texts: list[str]) -> list[list[dict[str, Any]]]:
    """What the page's own ranking gives, without the page around it."""
    found: list[list[dict[str, Any]]] = visited.page.evaluate(
        """async ([verb, texts]) => {
          await kbSearch.load();
          return texts.map((text) => kbSearch[verb](text, 10).map((hit) => ({
            id: hit.note.id, path: hit.note.path, tier: hit.tier, score: hit.score, signatures: hit.signatures,
            words: hit.reasons.map(({said, word, fields}) => [said, word, fields]), covered: hit.covered})));
        }""",
        [verb, texts],
    )
    return found


def told(hit: Hit) -> tuple[Any, ...]:
    reasons = [(reason.word, reason.found) for reason in hit.reasons]
    return hit.entry.id, hit.entry.path, int(hit.tier), list(hit.signatures), reasons, list(hit.covered)


def told_by_page(hit: dict[str, Any]) -> tuple[Any, ...]:
    reasons = [(said, word) for said, word, _ in hit["words"]]
    return hit["id"], hit["path"], hit["tier"], hit["signatures"], reasons, hit["covered"]


def test_page_and_command_read_a_paste_alike(browser: "Browser", address: str) -> None:
    visited = visit(browser, address)
    script = "async (texts) => { await kbSearch.load(); return texts.map((text) => kbSearch.messages(text)); }"
    assert visited.page.evaluate(script, PASTES) == [
        [normalised(message) for message in messages(cleaned(paste))] for paste in PASTES
    ]
    script = "(texts) => texts.map((text) => kbSearch.words(text).map((word) => word.tokens))"
    assert visited.page.evaluate(script, PASTES) == [[list(word.tokens) for word in words(paste)] for paste in PASTES]
    close(visited)


@pytest.mark.parametrize("verb", ["explain", "search"])
def test_page_and_command_answer_in_the_same_order_for_the_same_reasons(
    browser: "Browser", address: str, index: MemoryIndex, verb: str
) -> None:
    texts = PASTES if verb == "explain" else [query["query"] for query in QUERIES] + ["", "the", "torch 2.9", *PASTES]
    find = explain if verb == "explain" else search
    visited = visit(browser, address)
    for text, hits in zip(texts, asked(visited, verb, texts), strict=True):
        expected = find(index, text, 10)
        assert [told_by_page(hit) for hit in hits] == [told(hit) for hit in expected], text
        assert [hit["score"] for hit in hits] == pytest.approx([hit.score for hit in expected])
    assert visited.complaints == []
    close(visited)


def test_of_the_queries_nine_in_ten_find_their_note_among_the_first_three(browser: "Browser", address: str) -> None:
    visited = visit(browser, address)
    found = asked(visited, "search", [query["query"] for query in QUERIES])
    right = [
        query["expect"] in [hit["path"][:-3] for hit in hits[:3]] for query, hits in zip(QUERIES, found, strict=True)
    ]
    assert sum(right) / len(right) >= 0.9
    close(visited)


def status(visited: Visit, text: str) -> None:
    visited.page.locator("#kb-problems-said", has_text=text).wait_for()


def test_a_pasted_error_is_answered_with_reasons(browser: "Browser", address: str) -> None:
    visited = visit(browser, address)
    page = visited.page
    page.get_by_label("Error or traceback").fill(traceback_of(SKETCHES[9]))
    status(visited, "found")
    first = page.locator("#kb-problems-hits li").first
    assert "KB-0010" in first.inner_text()
    assert "NOT_IMPLEMENTED : Could not find an implementation" in first.locator("code").inner_text()
    assert first.get_by_role("link").get_attribute("href") == "problems/bf16-gemm.html"
    assert page.locator("#kb-problems-all").is_hidden()
    assert visited.complaints == []
    assert [url for url in visited.requests if not url.startswith(("file://", "data:"))] == []
    close(visited)


def test_the_index_is_fetched_only_when_a_reader_asks(browser: "Browser", address: str) -> None:
    visited = visit(browser, address)
    visited.page.get_by_label("or words").wait_for()
    assert not [url for url in visited.requests if problems.INDEX in url]
    close(visited)


def test_a_link_keeps_the_question_and_the_facets(browser: "Browser", address: str) -> None:
    visited = visit(browser, address)
    visited.page.get_by_label("or words").fill("export operator")
    visited.page.get_by_label("Package").select_option("torch")
    visited.page.wait_for_function(
        """() => {
            const told = [...document.querySelectorAll("#kb-problems-hits li > .kb-note")].map((e) => e.textContent);
            return location.hash.includes("package=torch") && told.length && told.every((e) => e.includes("torch"));
        }"""
    )
    shown = visited.page.locator("#kb-problems-hits li").all_inner_texts()
    again = visit(browser, visited.page.url)
    status(again, "found")
    assert again.page.locator("#kb-problems-hits li").all_inner_texts() == shown
    assert again.page.get_by_label("Package").input_value() == "torch"
    assert all("torch" in text for text in shown)
    close(visited)
    close(again)


def test_a_long_paste_does_not_go_into_the_link(browser: "Browser", address: str) -> None:
    visited = visit(browser, address)
    visited.page.get_by_label("Error or traceback").fill("secret words\n" * 1000 + SKETCHES[9].error)
    status(visited, "found")
    assert "secret" not in visited.page.url
    close(visited)


def test_facets_narrow_the_list_without_a_question(browser: "Browser", address: str) -> None:
    visited = visit(browser, address)
    visited.page.get_by_label("Kind").select_option("crash")
    status(visited, "of")
    shown = visited.page.locator("#kb-problems-all li:visible")
    assert 0 < shown.count() < len(PROBLEMS.notes)
    assert all("crash" in text for text in shown.all_inner_texts())
    visited.page.locator("#kb-problems").get_by_role("button", name="Clear").click()
    visited.page.wait_for_function(
        "count => document.querySelectorAll('#kb-problems-all li:not([hidden])').length === count",
        arg=len(PROBLEMS.notes),
    )
    close(visited)


def test_a_version_narrows_to_the_notes_whose_ranges_cover_it(browser: "Browser", address: str) -> None:
    entries = build(PROBLEMS.notes, FAMILIES)
    found = [entries.entry(number) for number in range(entries.size)]

    def about(text: str) -> set[str]:
        version = ordered(text)
        assert version is not None
        return {e.id for e in found if any(span.package == "torch" and covers(span, version) for span in e.spans)}

    every = {e.id for e in found if "torch" in e.packages}
    wanted = next(text for text in ("1.0", "1.9", "2.0", "2.4", "2.12") if 0 < len(about(text)) < len(every))
    expected = about(wanted)
    visited = visit(browser, address)
    visited.page.get_by_label("Package").select_option("torch")
    visited.page.get_by_label("Version").fill(wanted)
    visited.page.wait_for_function(
        "count => document.querySelectorAll('#kb-problems-all li:not([hidden])').length === count", arg=len(expected)
    )
    shown = visited.page.locator("#kb-problems-all li:visible a").all_inner_texts()
    assert {text.split()[0] for text in shown} == expected
    assert f"version={wanted}" in visited.page.url
    visited.page.get_by_label("or words").fill("export")
    status(visited, "found")
    hits = visited.page.locator("#kb-problems-hits li > a").all_inner_texts()
    assert {text.split()[0] for text in hits} <= expected
    close(visited)


def test_where_nothing_is_found_a_note_can_be_written(browser: "Browser", address: str) -> None:
    visited = visit(browser, address)
    visited.page.get_by_label("or words").fill("zzzz qqqq")
    status(visited, "No note is about this")
    assert "kb problem new" in visited.page.locator("#kb-problems-none").inner_text()
    close(visited)


def test_with_a_repository_the_form_for_a_note_is_filled_in(browser: "Browser", tmp_path: Path) -> None:
    (page,) = problems.pages(PROBLEMS.notes, FAMILIES, "https://github.com/team/kb/")
    assert 'data-new="https://github.com/team/kb/new/main/docs/problems"' in page.text
    body = page.text.partition("---\n")[2].partition("---\n")[2]
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/problems.js").write_bytes(
        Path(problems.__file__).parents[1].joinpath("assets/problems.js").read_bytes()
    )
    (tmp_path / problems.INDEX).write_bytes(page.files[problems.INDEX])
    (tmp_path / "problems.html").write_text(f"<!doctype html><meta charset=utf-8><body>{body}", encoding="utf-8")
    visited = visit(browser, (tmp_path / "problems.html").as_uri())
    visited.page.get_by_label("Error or traceback").fill('OddError: qqqq zzzz <b>& "quoted"')
    status(visited, "No note is about this")
    link = visited.page.get_by_role("link", name="write one").get_attribute("href") or ""
    assert link.startswith(
        "https://github.com/team/kb/new/main/docs/problems?filename=odderror-qqqq-zzzz-b-quoted.md&value="
    )
    assert "OddError%3A+qqqq+zzzz+%3Cb%3E%26+%22quoted%22" in link
    close(visited)


def test_nothing_of_a_note_or_a_question_becomes_markup(browser: "Browser", address: str) -> None:
    visited = visit(browser, address)
    alerts: list[str] = []
    visited.page.on("dialog", lambda dialog: alerts.append(dialog.message))
    for text in (f"HostileError: {HOSTILE}", "</script><img src=x onerror=alert(1)> 3"):
        visited.page.get_by_label("Error or traceback").fill(text)
        status(visited, "found")
        first = visited.page.locator("#kb-problems-hits li").first
        assert "KB-0666" in first.inner_text()
        assert first.locator("script, img, b, [onerror]").count() == 0
    page_of_list = visited.page.locator("#kb-problems-all li", has_text="KB-0666")
    assert page_of_list.locator("script, img, b").count() == 0
    assert alerts == []
    close(visited)


def test_without_scripts_every_note_is_a_link(browser: "Browser", address: str) -> None:
    visited = visit(browser, address, java_script_enabled=False)
    links = visited.page.locator("#kb-problems-all li a")
    assert links.count() == len(PROBLEMS.notes)
    assert links.first.is_visible()
    assert visited.page.locator("#kb-problems").is_hidden()
    close(visited)


def test_every_field_has_a_label_and_the_count_is_announced(browser: "Browser", address: str) -> None:
    visited = visit(browser, address)
    visited.page.locator("#kb-problems").wait_for()
    unnamed = visited.page.evaluate(
        """() => [...document.querySelectorAll("#kb-problems :is(input, textarea, select)")]
            .filter((field) => !field.labels.length).map((field) => field.name)"""
    )
    assert unnamed == []
    ids = visited.page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    assert visited.page.get_by_role("status").count() >= 1
    visited.page.get_by_label("or words").focus()
    visited.page.keyboard.type("gelu")
    status(visited, "found")
    for _ in range(7):  # facets and the button to clear
        visited.page.keyboard.press("Tab")
    assert visited.page.evaluate("document.activeElement.closest('#kb-problems-hits') !== null")
    close(visited)


def test_the_index_is_ascii_and_assigns_one_variable() -> None:
    (page,) = problems.pages(PROBLEMS.notes, FAMILIES)
    script = page.files[problems.INDEX].decode("ascii")
    assert script.startswith("window.kbProblems = JSON.parse('")
    assert script.endswith("');\n")
    assert script.count("\n") == 1


def test_a_log_without_notes_has_a_page() -> None:
    (page,) = problems.pages([], {})
    assert "There are no notes yet" in page.text
