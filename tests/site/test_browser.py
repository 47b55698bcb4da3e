"""What a reader sees: at two widths, in both palettes, from a folder, with and without scripts, on paper."""

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kb.site.palette import COLOURS, TEXT_CONTRAST

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}")]

WIDTHS = (1280, 390)
PALETTES = ("light", "dark")
PAGES = (
    *("index.html", "generated/benchmarks.html", "generated/models/cnn_s.html", "generated/machines.html"),
    *("generated/runs.html", "generated/method.html", "models.html"),
    *("generated/start.html", "generated/batch-and-threads.html", "generated/code-size.html"),
    *("generated/conversions.html", "generated/conversions/digits_cnn-keras-export-int8-static-o18.html"),
    *(
        "generated/changelogs.html",
        "generated/changelogs/plainlib.html",
        "generated/changelogs/plainlib-1.1-to-2.0.html",
    ),
    *("generated/changelogs/2026-11.html", "generated/changelogs/security.html"),
    *("generated/changelogs/hostilelib-1.0-to-1.1.html",),
    "generated/problems.html",
    *("practices/index.html", "practices/mixed-precision.html", "practices/custom-operators.html"),
)


@dataclass
class Visit:
    """A page that is open, what it asked for and what it complained about."""

    page: "Page"
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def site(knowledge_base: Path) -> str:
    return (knowledge_base / "site").as_uri()


@pytest.fixture
def served(knowledge_base: Path) -> Iterator[str]:
    """The same site over HTTP on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(knowledge_base / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def visit(browser: "Browser", url: str, width: int = 1280, palette: str = "light", **options: Any) -> Visit:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=palette, **options)
    made = Visit(context.new_page())
    made.page.on("request", lambda request: made.requests.append(request.url))
    made.page.on(
        "console", lambda line: made.complaints.append(line.text) if line.type in ("error", "warning") else None
    )
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.page.goto(url)
    return made


def close(visited: Visit) -> None:
    visited.page.context.close()


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_ask_no_other_host_and_do_not_complain(
    browser: "Browser", site: str, width: int, palette: str
) -> None:
    visited = visit(browser, f"{site}/index.html", width, palette)
    for path in PAGES:
        visited.page.goto(f"{site}/{path}")
        visited.page.wait_for_selector("html.js")
        overflow = visited.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"{path} is {overflow} px too wide"
    assert visited.complaints == []
    assert [url for url in visited.requests if not url.startswith(("file://", "data:"))] == []
    close(visited)


CONTRASTS = """(minimum) => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const found = channels(getComputedStyle(e).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const texts = "p, li, th, td, small, a, dt, dd, span, h1, h2, h3, summary, button, code";
  for (const element of document.querySelectorAll(`article :is(${texts})`)) {
    if (element.matches(".headerlink")) continue; // appears when pointed at
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const pair = [light(channels(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < minimum) faint.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""


@pytest.mark.parametrize("palette", PALETTES)
def test_all_text_can_be_read(browser: "Browser", site: str, palette: str) -> None:
    visited = visit(browser, f"{site}/index.html", palette=palette)
    for path in PAGES:
        visited.page.goto(f"{site}/{path}")
        assert visited.page.evaluate(CONTRASTS, TEXT_CONTRAST) == [], path
    close(visited)


def shown_drawings(page: "Page") -> list[dict[str, float]]:
    """Size of each drawing on the page that is visible, and how much larger or smaller than made its letters are."""
    found: list[dict[str, float]] = page.evaluate(
        """() => [...document.querySelectorAll(".kb-plot svg")].filter((svg) => svg.checkVisibility()).map((svg) => ({
            width: svg.getBoundingClientRect().width, height: svg.getBoundingClientRect().height,
            scale: svg.getBoundingClientRect().width / svg.viewBox.baseVal.width}))"""
    )
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_each_chart_shows_one_drawing_at_a_size_that_can_be_read(browser: "Browser", site: str, width: int) -> None:
    for path in ("generated/benchmarks.html", "generated/models/cnn_s.html"):
        visited = visit(browser, f"{site}/{path}", width)
        drawings = shown_drawings(visited.page)
        assert len(drawings) == visited.page.locator(".kb-chart").count() > 0
        assert all(drawing["height"] > 40 for drawing in drawings)
        assert all(drawing["scale"] > 0.8 for drawing in drawings), "letters of 11 px would be under 9"
        close(visited)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_label_of_a_chart_lies_on_another(browser: "Browser", site: str, width: int) -> None:
    for path in ("generated/benchmarks.html", "generated/models/cnn_s.html"):
        visited = visit(browser, f"{site}/{path}", width)
        overlaps = visited.page.evaluate(
            """() => [...document.querySelectorAll(".kb-plot svg")].flatMap((svg) => {
              if (!svg.checkVisibility()) return [];
              const boxes = [...svg.querySelectorAll("text")].filter((t) => t.textContent.trim())
                .map((t) => [t.textContent, t.getBoundingClientRect()]);
              return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) =>
                Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1.5 &&
                Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 3).map(([b]) => `${a} / ${b}`));
            })"""
        )
        assert overlaps == [], path
        close(visited)


def fills(page: "Page") -> set[str]:
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(".kb-plot svg :is(path, text, circle)")]
            .filter((mark) => mark.checkVisibility()).map((mark) => getComputedStyle(mark).fill)"""
    )
    return set(found)


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_the_palette_switch_recolours_the_drawings(browser: "Browser", site: str) -> None:
    visited = visit(browser, f"{site}/generated/benchmarks.html")
    light, dark = rgb(COLOURS["q7"].light), rgb(COLOURS["q7"].dark)
    fast, slow = rgb(COLOURS["q1"].light), rgb(COLOURS["q1"].dark)
    assert fast in fills(visited.page)
    visited.page.locator("label[title='Switch to the light palette']").click()
    visited.page.locator("label[title='Switch to the dark palette']").click()
    visited.page.wait_for_selector("body[data-md-color-scheme=slate]")
    assert slow in fills(visited.page)
    assert not {fast, light} & fills(visited.page)
    assert light != dark
    close(visited)


def test_vega_is_fetched_only_when_a_reader_explores(browser: "Browser", site: str) -> None:
    visited = visit(browser, f"{site}/generated/models/cnn_s.html", palette="dark")
    page = visited.page
    assert not [url for url in visited.requests if "vega" in url or "/charts/" in url]
    button = page.get_by_role("button", name="Explore").first
    button.click()
    live = page.locator(".kb-plot .vega-embed svg").first
    live.wait_for()
    assert [url for url in visited.requests if url.endswith("assets/vega.js")]
    assert rgb(COLOURS["fast"].dark) in fills(page)
    live.locator(".mark-symbol path").last.hover()
    page.locator("#vg-tooltip-element.visible").wait_for()
    assert "verdict" in page.locator("#vg-tooltip-element").inner_text()
    page.get_by_role("button", name="Back to the drawing").click()
    assert page.locator(".vega-embed").count() == 0
    assert page.locator(".kb-plot .kb-wide svg").first.is_visible()
    assert visited.complaints == []
    close(visited)


def test_a_chart_that_cannot_be_explored_stays_a_drawing(browser: "Browser", served: str) -> None:
    visited = visit(browser, f"{served}/generated/models/cnn_s.html")
    visited.page.route("**/vega.js", lambda route: route.abort())
    visited.page.get_by_role("button", name="Explore").first.click()
    visited.page.get_by_text("The chart stays a drawing").wait_for()
    assert visited.page.locator(".kb-plot .kb-wide svg").first.is_visible()
    close(visited)


def test_without_scripts_everything_but_exploring_is_there(browser: "Browser", site: str) -> None:
    visited = visit(browser, f"{site}/generated/models/cnn_s.html", java_script_enabled=False)
    page = visited.page
    assert page.locator(".kb-plot .kb-wide svg").first.is_visible()
    assert page.locator(".kb-table").first.is_visible()
    assert page.get_by_role("button", name="Explore").count() == 0
    page.locator("details.kb-data summary").first.click()
    assert page.locator("details.kb-data table").first.is_visible()
    close(visited)


def search(page: "Page", query: str) -> str:
    """Type a query as a reader does, once the index is there, and read what is found."""
    page.locator(".md-search__input").click()
    page.get_by_text("Type to start searching").wait_for()
    page.locator(".md-search__input").press_sequentially(query, delay=20)
    page.locator(".md-search-result__link").first.wait_for()
    return page.locator(".md-search-result__list").inner_text()


def test_search_works_from_a_folder(browser: "Browser", site: str) -> None:
    visited = visit(browser, f"{site}/index.html")
    assert "Method" in search(visited.page, "interquartile")
    assert visited.complaints == []
    close(visited)


def test_over_http_search_and_exploring_stay_on_this_host(browser: "Browser", served: str) -> None:
    visited = visit(browser, f"{served}/generated/benchmarks.html")
    visited.page.get_by_role("button", name="Explore").first.click()
    visited.page.locator(".kb-plot .vega-embed svg").first.wait_for()
    assert "Benchmarks" in search(visited.page, "crashed")
    assert [url for url in visited.requests if not url.startswith((served, "data:", "blob:"))] == []
    assert visited.complaints == []
    close(visited)


def test_on_paper_the_chart_and_its_numbers_are_dark_on_light(browser: "Browser", site: str) -> None:
    visited = visit(browser, f"{site}/generated/benchmarks.html", palette="dark")
    visited.page.emulate_media(media="print")
    assert rgb(COLOURS["q1"].light) in fills(visited.page)
    assert visited.page.locator(".kb-tools").first.is_hidden()
    assert visited.page.locator(".kb-plot svg").first.is_visible()
    close(visited)


#: What of a page of somebody else's text is alive, or was not made by kb.
ALIVE = """() => {
  const article = document.querySelector("article");
  const kinds = "script, iframe, object, embed, form, input, img, style, link, math, base, meta, details";
  const found = [...article.querySelectorAll(kinds)].map((e) => e.outerHTML);
  for (const e of article.querySelectorAll("*")) {
    for (const {name, value} of e.attributes) {
      if (name.startsWith("on") || /^\\s*(javascript|data|vbscript):/i.test(value)) found.push(e.outerHTML);
    }
    if (e.id === "planted" || (e.tagName === "SVG" && !e.closest(".md-content__button"))) found.push(e.outerHTML);
  }
  return found;
}"""


def test_a_hostile_changelog_puts_nothing_alive_into_a_page(browser: "Browser", site: str) -> None:
    pages = ("changelogs/hostilelib", "changelogs/hostilelib-1.0-to-1.1", "changelogs/2026-11", "problems/hostile")
    for page in pages:
        visited = visit(browser, f"{site}/generated/{page}.html")
        assert visited.page.evaluate(ALIVE) == [], page
        assert "pwned" not in visited.page.title()
        headings = visited.page.locator("article :is(h1, h2, h3)").all_inner_texts()
        assert not [text for text in headings if "Planted" in text or "Not a heading" in text]
        text = visited.page.locator("article").inner_text()
        assert "site_name" not in text, "a snippet was included"
        assert not set(text) & set("\u202e\u202c\u200b")
        close(visited)
    visited = visit(browser, f"{site}/generated/changelogs/hostilelib-1.0-to-1.1.html")
    text = visited.page.locator("article").inner_text()
    assert "{{ 7*7 }}" in text
    assert "Tensor<T>" in text
    assert "[TOC]" in text
    hosts = {url.split("/")[2] for url in visited.requests if url.startswith("http")}
    assert hosts == set()
    close(visited)


def test_the_search_dialog_has_a_name(browser: "Browser", site: str) -> None:
    visited = visit(browser, f"{site}/index.html")
    assert visited.page.locator(".md-search[role=dialog]").get_attribute("aria-label") == "Search"
    close(visited)


def test_the_threshold_of_the_narrow_drawing_is_the_same_in_style_and_script(repo_root: Path) -> None:
    assets = repo_root / "kb/site/assets"
    script = re.search(r"const NARROW = (\d+);", (assets / "kb.js").read_text())
    style = re.search(r"@container \(max-width: (\d+)px\)", (assets / "kb.css").read_text())
    assert script is not None
    assert style is not None
    assert script[1] == style[1]
