"""The built site: strict, whole, on its own, and never half replaced."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from kb.site.build import build_pages, generate
from kb.site.engine import EngineError, check_ready, engine_environment, repository_of, run_mkdocs
from tests.site.sample import HOSTILE, copy_pages

pytest.importorskip("mkdocs")

#: Foreign addresses that stand in the theme's and Vega's scripts without ever being asked: names of formats, words of
#: documentation, and what only a diagram, a repository link or an ancient browser would load. The browser tests see to
#: it that none is.
INERT = (
    *("http://www.w3.org/", "https://vega.github.io/", "https://github.com/vega", "http://lunrjs.com"),
    *("https://clipboardjs.com/", "http://tartarus.org/", "https://bit.ly/2s3ChXG", "https://developer.mozilla.org/"),
    *("https://unpkg.com/mermaid", "https://unpkg.com/resize-observer-polyfill", "https://api.github.com/"),
    *("https://${", "https://github.com/", "https://d3js.org", "http://github.com/"),
)


class Page(HTMLParser):
    """The links, the loaded addresses, the anchors and the elements of one built page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.tags: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag in ("a", "area"):
            self.links += [found["href"]] if "href" in found else []
        elif tag == "link":
            self.loaded += [found.get("href", "")] if found.get("rel") not in ("canonical", "prev", "next") else []
        else:
            self.loaded += [found[name] for name in ("src", "srcset", "data", "action", "poster") if found.get(name)]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def pages(knowledge_base: Path) -> dict[Path, Page]:
    site = knowledge_base / "site"
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_built(pages: dict[Path, Page], knowledge_base: Path) -> None:
    built = {str(path.relative_to(knowledge_base / "site")) for path in pages}
    assert {"index.html", "generated/benchmarks.html", "generated/machines.html", "generated/method.html"} <= built
    assert sum(name.startswith("generated/models/") for name in built) == 4
    assert not any("parts" in name or "overrides" in name for name in built)


def test_every_link_leads_somewhere(pages: dict[Path, Page]) -> None:
    dead = [
        f"{path.name}: {link}" for path, page in pages.items() for link in page.links if not leads(path, link, pages)
    ]
    assert dead == []


def leads(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    """Whether a link within the site has a file, and its anchor an element; other hosts are not asked."""
    if link.startswith(("mailto:", "javascript:void(0)", "https://", "http://")):
        return True
    target, anchor = urldefrag(urljoin(path.as_uri(), link))
    file = Path(unquote(target.removeprefix("file://")))
    if file.is_dir():
        file = file / "index.html"
    if not target.startswith("file://") or not file.is_file():
        return path.name == "404.html" and link.startswith("/")
    return not anchor or file not in pages or unquote(anchor) in pages[file].anchors


def test_nothing_is_loaded_from_another_host(pages: dict[Path, Page], knowledge_base: Path) -> None:
    foreign = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)
    assert [url for page in pages.values() for url in page.loaded if foreign.match(url)] == []
    for sheet in (knowledge_base / "site").rglob("*.css"):
        addresses = re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", sheet.read_text(encoding="utf-8"))
        assert [url for url in addresses if foreign.match(url)] == [], sheet.name


def test_scripts_name_no_unknown_host(knowledge_base: Path) -> None:
    unknown = {
        f"{script.name}: {address}"
        for script in (knowledge_base / "site").rglob("*.js")
        if script.name != "search_index.js" and "lunr" not in script.parts  # of lunr, licences in comments
        for address in re.findall(r"https?://[^\s\"'`\\)<>]+", script.read_text(encoding="utf-8"))
        if not address.startswith(INERT)
    }
    assert unknown == set()
    own = [path for path in (knowledge_base / "docs/generated").rglob("*.js") if path.name not in ("vega.js",)]
    assert not [path for path in own if re.search(r"https?://(?!vega\.github\.io/schema)", path.read_text())]


def test_no_page_has_what_would_make_the_theme_ask_another_host(pages: dict[Path, Page], knowledge_base: Path) -> None:
    for path in pages:
        html = path.read_text(encoding="utf-8")
        assert 'class="mermaid"' not in html
        assert "md-source" not in html


def test_hostile_names_and_reasons_are_text(pages: dict[Path, Page]) -> None:
    for path in pages:
        html = path.read_text(encoding="utf-8")
        assert "<script>alert" not in html, path
        assert 'href="javascript:alert' not in html, path
    shown = [page for page in pages.values() if HOSTILE in " ".join(page.text.split())]
    assert len(shown) >= 4


def test_a_page_of_a_hostile_model_has_its_name_as_title(knowledge_base: Path) -> None:
    (path,) = (knowledge_base / "site/generated/models").glob("script*.html")
    title = re.search(r"<title>(.*?)</title>", path.read_text(encoding="utf-8"), re.DOTALL)
    assert title is not None
    assert title[1].startswith("&lt;script&gt;alert(")


def search_index(knowledge_base: Path) -> list[dict[str, str]]:
    documents: list[dict[str, str]] = json.loads((knowledge_base / "site/search/search_index.json").read_text())["docs"]
    return documents


def test_search_knows_reasons_and_statuses_but_no_chart(knowledge_base: Path) -> None:
    documents = search_index(knowledge_base)
    every = " ".join(document["text"] for document in documents)
    assert "made up for tests" in every
    assert "Interquartile range over median" in every
    for drawn in ("ms per call", "Vega-Lite", "load or compile", "var(--kb"):
        assert drawn not in every


def test_search_works_from_a_folder(knowledge_base: Path) -> None:
    script = (knowledge_base / "site/search/search_index.js").read_text()
    assert json.loads(script.removeprefix("var __index = ").removesuffix(";\n"))["docs"] == search_index(knowledge_base)


def edit_links(site: Path) -> Iterator[str]:
    for path in sorted(site.rglob("*.html")):
        if 'rel="edit"' in path.read_text(encoding="utf-8"):
            yield str(path.relative_to(site))


def test_only_what_people_wrote_can_be_edited(knowledge_base: Path, tmp_path: Path) -> None:
    config = (knowledge_base / "mkdocs.yml").read_text()
    address = "edit_uri_template: https://git.example.org/edit/{path}\n"
    with_links = knowledge_base / "with-links.yml"
    with_links.write_text(config + address)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(with_links)]
    environment = engine_environment()
    subprocess.run([*command, "--site-dir", str(tmp_path / "site")], cwd=knowledge_base, env=environment, check=True)
    with_links.unlink()
    docs = knowledge_base / "docs"
    below = [path.relative_to(docs) for path in docs.rglob("*.md")]
    written = [path for path in below if path.parts[0] not in ("generated", "problems")]  # notes: see mkdocs.yml
    assert len(written) > 6
    assert list(edit_links(tmp_path / "site")) == sorted(str(path.with_suffix(".html")) for path in written)
    assert list(edit_links(knowledge_base / "site")) == []


def test_a_site_without_results_builds_as_strictly(repo_root: Path, tmp_path: Path) -> None:
    copy_pages(repo_root, tmp_path)
    generate(tmp_path / "results", tmp_path / "docs")
    run_mkdocs(tmp_path, tmp_path / "site")
    assert "There are no results yet." in (tmp_path / "site/index.html").read_text()


def test_a_failed_build_leaves_the_old_site(repo_root: Path, tmp_path: Path) -> None:
    copy_pages(repo_root, tmp_path)
    generate(tmp_path / "results", tmp_path / "docs")
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("the old site")
    (tmp_path / "docs/index.md").write_text("# Home\n\n[gone](gone.md)\n")
    with pytest.raises(EngineError, match=r"mkdocs build --strict failed[\s\S]*gone\.md"):
        run_mkdocs(tmp_path, site)
    assert (site / "index.html").read_text() == "the old site"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_folder_that_is_no_knowledge_base_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no mkdocs\.yml in"):
        run_mkdocs(tmp_path, tmp_path / "site")


@pytest.mark.parametrize(("module", "package"), [("jieba", "jieba"), ("vl_convert", "vl-convert-python")])
def test_a_missing_part_is_named_with_the_remedy(
    knowledge_base: Path, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == module else object())
    for attempt in (lambda: check_ready(knowledge_base), lambda: build_pages(knowledge_base / "results")):
        with pytest.raises(EngineError, match=rf"^{package} not installed: run pip install"):
            attempt()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("extra:\n  repository: https://github.com/team/kb\n", "https://github.com/team/kb"),
        (
            "site_name: x\nextra:\n  slots: !!python/name:os.system\n  repository: https://x.example/y\n",
            "https://x.example/y",
        ),
        ("extra:\n  repository: [1]\n", ""),
        ("extra: 3\n", ""),
        ("- : : {", ""),
        ("", ""),
    ],
)
def test_the_address_of_the_repository_is_read_from_the_configuration(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "mkdocs.yml").write_text(text)
    assert repository_of(tmp_path) == expected


def test_without_a_configuration_there_is_no_address(tmp_path: Path) -> None:
    assert repository_of(tmp_path) == ""
