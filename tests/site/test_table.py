"""Tables can be read by a screen reader, hold hostile text, stay short, and keep everything in the CSV."""

import csv
import io
from html.parser import HTMLParser

from kb.site.table import EMPTY, MAX_ROWS, Cell, Column, Table
from tests.site.sample import HOSTILE

COLUMNS = (Column("Name", "name"), Column("Time", "time_ms", numeric=True, unit="ms"), Column("Why", "why", prose=True))


class Reader(HTMLParser):
    """Tags with their attributes, and the text of each header and cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("th", "td"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data


def table(rows: int = 1) -> Table:
    return Table("Times", COLUMNS, [(Cell("a"), Cell("1.2", 1.23456), Cell(HOSTILE))] * rows)


def test_headers_say_what_they_head() -> None:
    tags = Reader(table().html()).tags
    assert [attributes["scope"] for tag, attributes in tags if tag == "th"] == ["col", "col", "col", "row"]
    assert (
        "div",
        {"class": "kb-scroll", "role": "region", "tabindex": "0", "aria-label": "Times", "data-search-exclude": None},
    ) in tags


def test_no_header_is_empty() -> None:
    assert all(text.strip() for text in Reader(table().html()).texts)


def test_hostile_text_is_text() -> None:
    reader = Reader(table().html())
    assert {tag for tag, _ in reader.tags} == {"div", "table", "thead", "tbody", "tr", "th", "td", "small"}
    assert reader.texts[-1].strip() == HOSTILE
    assert "\n" not in table().html()


def test_a_long_table_is_cut_and_says_where_the_rest_is() -> None:
    html = table(MAX_ROWS + 5).html("data/x.csv")
    assert html.count("<tr>") == MAX_ROWS + 1
    assert '5 more rows in the <a href="data/x.csv" download>CSV</a>' in html


def test_the_csv_has_every_row_every_digit_and_the_hidden_columns() -> None:
    made = Table("x", COLUMNS, [(Cell("a"), Cell("1.2", 1.23456), EMPTY, Cell("more"))] * 99, (Column("H", "hidden"),))
    rows = list(csv.reader(io.StringIO(made.csv().decode())))
    assert rows[0] == ["name", "time_ms", "why", "hidden"]
    assert rows[1:] == [["a", "1.23456", "", "more"]] * 99


def test_search_finds_sentences_and_no_figures() -> None:
    reader = Reader(table().html(searchable=True))
    quiet = [attributes for tag, attributes in reader.tags if "data-search-exclude" in attributes]
    assert len(quiet) == 2
    assert "data-search-exclude" not in dict(reader.tags)["div"]
