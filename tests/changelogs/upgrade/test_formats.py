"""Each form of the report, and that no text from outside becomes anything but text in it."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from kb.changelogs.entry import Category, Entry, Reference, Section, Span
from kb.changelogs.upgrade.formats import FORMS, rendered
from kb.changelogs.upgrade.markdown import code, escape, inline
from kb.changelogs.upgrade.report import Report, upgrade_report
from kb.changelogs.upgrade.requirements import Question, from_locks, from_words
from kb.changelogs.upgrade.text import linkable
from tests.changelogs.upgrade.samples import entry, section

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "[x]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "<https://evil.example>",
    "https://evil.example and www.evil.example",
    "# Heading",
    "a\n\n# Heading\n\n---\n\n> quote",
    "Title\n=====",
    "@everyone, see #1 and GH-2",
    "someone@evil.example",
    "`unclosed",
    "a `` b ``` c",
    "**bold** _em_ ~~gone~~ $x$",
    "| a | b |\n|---|---|\n| c | d |",
    "<!-- unclosed comment",
    "{{ 7 * 7 }} {% include 'x' %} {: .class } [TOC] !!! note",
    "--8<-- 'secret'",
    "\u202egnp.exe \u200b\x1b[31mred\x07",
    "[red]markup[/red] [link=https://evil.example]x[/link]",
    "&lt;b&gt; &#60;b&#62;",
    "\\",
    "1. one\n2. two",
)


def hostile_entry(text: str) -> Entry:
    """An entry that is hostile wherever text can be."""
    return Entry(
        Category.BREAKING, text, Category.CHANGE, text,
        text=(Span(text), Span(text, code=True), Span(text, strong=True), Span("link", url="javascript:alert(1)")),
        symbols=("torch.foo", text),
        references=(Reference(text, "javascript:alert(1)"),),
        anchor=text,
    )  # fmt: skip


def report(*sections: Section, scan: Path | None = None, question: Question | None = None) -> Report:
    question = question or from_words(["torch==2.7", "torch==2.9"])
    return upgrade_report(question, lambda _: sections, [scan] if scan else [])


@pytest.fixture
def code_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("my code").mkdir()
    path = Path("my code/train.py")
    path.write_text("import torch\n\ntorch.foo(mode=1)\n")
    return path


USUAL = (
    section(
        "2.8",
        entry("`torch.foo` takes no `mode`", numbers=["5"]),
        entry("All is stricter"),
        entry("Dropped support for Python 3.8", Category.FEATURE),
        entry("Reads no further", Category.SECURITY, cves=("CVE-2025-1",)),
    ),
    section("2.9", entry("Crashes on Mondays", Category.KNOWN_ISSUE)),
    section("2.9rc1", entry("Early"), stage=section("1").stage),
)


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_text_form_tells_where_the_code_uses_it(code_file: Path) -> None:
    text = rendered(report(*USUAL, scan=code_file), "text")
    assert "torch 2.7 → 2.9" in text
    assert "my code/train.py:3  certain: torch.foo is named in it, called with mode=" in text
    assert text.index("train.py:3") < text.index("All is stricter")
    assert "CVE-2025-1" in text
    assert "Left out: 2.9rc1" in text
    assert "1 names what the code uses" in text


def test_the_text_form_takes_no_markup(code_file: Path) -> None:
    for text in HOSTILE:
        shown = rendered(report(section("2.8", hostile_entry(text)), scan=code_file), "text")
        assert not set("\x1b\x07\u202e\u200b") & set(shown)
        if text.startswith("[red]"):
            assert "[red]markup[/red]" in shown


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("flavour", ["commonmark", "js-default"])
def test_markdown_becomes_no_element_of_the_texts_own(code_file: Path, text: str, flavour: str) -> None:
    sections = section("2.8", hostile_entry(text)), section(text, entry("Nowhere"))
    written = rendered(report(*sections, scan=code_file), "markdown")
    tags = Page(MarkdownIt(flavour, {"html": True}).render(written)).tags
    assert {tag for tag, _ in tags} <= {"h1", "h2", "h3", "p", "ul", "li", "strong", "em", "code", "blockquote"}
    assert [tag for tag, _ in tags if tag in ("h1", "h2", "h3")] == ["h1", "h2", "h3"]
    assert not any(attributes for _, attributes in tags)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_the_text_as_it_is_written(text: str) -> None:
    page = MarkdownIt("commonmark").render(f"x {escape(text)} y")
    plain = Page(page).text.strip().replace("\u200b", "")
    shown = " ".join("".join(c if c.isprintable() and c != "\u200b" else " " for c in text).split())
    assert plain == f"x {shown} y".replace("  ", " ")


@pytest.mark.parametrize("text", ["@everyone", "#12", "see GH-12"])
def test_markdown_mentions_nobody(text: str) -> None:
    assert text not in MarkdownIt("commonmark").render(escape(text))
    assert "\u200b" in escape(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a\n\n# b", "`a # b`"), ("", ""), (" ", "")],
)
def test_code_spans_hold_any_backticks(text: str, written: str) -> None:
    assert code(text) == written


def test_markdown_keeps_code_and_safe_links() -> None:
    text = (Span("see "), Span("a(b)", code=True), Span(" in "), Span("this", url="https://example.org/a_(b)"))
    assert inline(text) == "see `a(b)` in [this](https://example.org/a_%28b%29)"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a b", ""),
        ("https://example.org/a_(b)?c=d#e", "https://example.org/a_%28b%29?c=d#e"),
        ("HTTP://example.org", "HTTP://example.org"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ('https://example.org/"><script>', "https://example.org/%22%3E%3Cscript%3E"),
        ("https://example.org/{{x}}", "https://example.org/%7B%7Bx%7D%7D"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        (" javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//example.org", ""),
        ("https:", ""),
        ("relative/path", ""),
        ("http://[bad", ""),
        ("", ""),
    ],
)
def test_links_lead_only_where_they_may(url: str, safe: str) -> None:
    assert linkable(url) == safe


def test_json_has_stable_keys(code_file: Path) -> None:
    told = json.loads(rendered(report(*USUAL, scan=code_file), "json"))
    assert list(told) == ["schema", "breaks", "packages", "scan", "remarks"]
    assert (told["schema"], told["breaks"], told["scan"]["files"]) == (1, True, 1)
    (package,) = told["packages"]
    assert list(package) == [
        *("package", "from", "to", "downgrade", "known", "versions", "left_out", "remarks", "findings"),
    ]
    assert [version["version"] for version in package["versions"]] == ["2.8", "2.9"]
    first = package["findings"][0]
    assert list(first) == [
        *("kind", "version", "effective", "reason", "breaks_code", "cve", "fixed_in", "source", "entry", "uses"),
    ]
    assert first["source"] == "https://example.org/pull/5"
    assert first["uses"] == [
        {
            "symbol": "torch.foo", "named": "torch.foo", "confidence": "certain",
            "reason": "torch.foo is named in it, called with mode=", "file": "my code/train.py", "cell": None,
            "line": 3, "column": 1, "arguments": ["mode"],
        }
    ]  # fmt: skip


def test_json_links_nowhere_unsafe() -> None:
    told = rendered(report(section("2.8", hostile_entry("x"))), "json")
    assert '"javascript:' not in told


def run_of(found: Report) -> dict[str, Any]:
    log = json.loads(rendered(found, "sarif"))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    return dict(run)


def test_sarif_has_what_the_standard_asks_for(code_file: Path) -> None:
    run = run_of(report(*USUAL, scan=code_file))
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "kb"
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in rules)
    assert run["invocations"][0]["executionSuccessful"] is True
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert result["level"] in ("error", "warning", "note")
        assert result["partialFingerprints"]


def test_sarif_points_at_the_line_that_uses_it(code_file: Path) -> None:
    first, *others = run_of(report(*USUAL, scan=code_file))["results"]
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "my%20code/train.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 3, "startColumn": 1},
            }
        }
    ]
    assert (first["ruleId"], first["level"]) == ("kb/breaking", "error")
    assert first["properties"]["helpUri"] == "https://example.org/pull/5"
    assert first["message"]["text"].endswith("[Source](https://example.org/pull/5)")
    assert {result["level"] for result in others} == {"note"}


def test_sarif_points_at_the_pin_where_no_code_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("torch==2.7\n")
    Path("b.txt").write_text("# pinned\ntorch==2.9\n")
    found = report(*USUAL, question=from_locks(Path("a.txt"), Path("b.txt")))
    for result in run_of(found)["results"]:
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "b.txt"
        assert location["physicalLocation"]["region"] == {"startLine": 2}


def test_sarif_has_no_place_for_what_was_asked_on_the_command_line() -> None:
    results = run_of(report(*USUAL))["results"]
    assert all(result["locations"] == [] for result in results)
    assert "warning" in {result["level"] for result in results}


def test_sarif_names_the_cell_of_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = {"cell_type": "code", "source": "import torch\ntorch.foo()"}
    Path("a.ipynb").write_text(json.dumps({"cells": [source]}))
    (first, *_) = run_of(report(*USUAL, scan=Path("a.ipynb")))["results"]
    assert first["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "a.ipynb", "uriBaseId": "%SRCROOT%"}}}
    ]
    assert "Cell 1, line 2." in first["message"]["text"]


def test_sarif_messages_hold_no_link_and_no_placeholder_of_the_texts_own() -> None:
    (result,) = run_of(report(section("2.8", entry("[x](https://evil.example) {0} \\"))))["results"]
    assert r"\[x\](https://evil.example) {{0}} \\" in result["message"]["text"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_can_be_given_of_nothing(form: str) -> None:
    assert rendered(report(), form).endswith("\n")
