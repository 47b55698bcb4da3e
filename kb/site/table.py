"""A table, once: as HTML that a screen reader and a phone can read, and as CSV with every digit."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from kb.site.text import clean

#: Most rows shown on a page; the CSV has all. Twenty charts with long tables made a page of 24,000 elements.
MAX_ROWS = 60

#: Rows from which a table scrolls in a window of its own instead of making the page long.
LONG_ROWS = 20

#: Characters from which the name of a row may break: no runtime's does, a path may have to.
LONG_NAME = 24


@dataclass(frozen=True)
class Column:
    """One column: what stands over it, its name in the CSV, and whether it holds numbers."""

    header: str
    key: str
    numeric: bool = False
    prose: bool = False  #: holds sentences, which may wrap; other values stay on one line
    unit: str = ""  #: shown under the header, and part of the CSV name already


@dataclass(frozen=True)
class Cell:
    """One value: as it is shown, and as the CSV keeps it (default: the same text)."""

    text: str
    value: str | int | float | None = None
    href: str = ""
    note: str = ""  #: a second, smaller line
    tone: str = ""  #: good, bad, warn, muted, hollow: a class of the style sheet

    @property
    def kept(self) -> str | int | float:
        return self.text if self.value is None else self.value


EMPTY = Cell("", value="")


@dataclass(frozen=True)
class Table:
    """Columns and rows; the first column names the row."""

    caption: str  #: what a screen reader announces
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    hidden: Sequence[Column] = field(default=())  #: columns of the CSV alone, after the others

    def csv(self) -> bytes:
        """All rows and columns, full precision, UTF-8, `\\n` line ends."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([column.key for column in (*self.columns, *self.hidden)])
        writer.writerows([cell.kept for cell in row] for row in self.rows)
        return out.getvalue().encode()

    def html(self, csv_href: str = "", searchable: bool = False) -> Markup:
        """The table in a region of its own that scrolls sideways, on one line (a blank line would end raw HTML).

        Args:
            csv_href: where the whole table is; named under a table that is cut.
            searchable: whether the engine's search should index its columns of prose; figures would drown the words.
        """
        head = Markup("").join(_head(column) for column in self.columns)
        body = Markup("").join(self._row(row, searchable) for row in self.rows[:MAX_ROWS])
        quiet = Markup("") if searchable else Markup(" data-search-exclude")
        long = Markup(" kb-long") if len(self.rows) > LONG_ROWS else Markup("")
        made = Markup(
            '<div class="kb-scroll{}" role="region" tabindex="0" aria-label="{}"{}><table class="kb-table">'
            "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
        ).format(long, self.caption, quiet, head, body)
        return made + self._rest(csv_href)

    def _row(self, row: Sequence[Cell], searchable: bool) -> Markup:
        shown: Iterable[Markup] = (
            _cell(cell, column, index == 0, quiet=searchable and not column.prose)
            for index, (column, cell) in enumerate(zip(self.columns, row, strict=False))
        )
        return Markup("<tr>{}</tr>").format(Markup(" ").join(shown))

    def _rest(self, csv_href: str) -> Markup:
        left = len(self.rows) - MAX_ROWS
        if left <= 0:
            return Markup("")
        where = Markup(' in the <a href="{}" download>CSV</a>').format(csv_href) if csv_href else ""
        return Markup('<p class="kb-note">{} more rows{}.</p>').format(f"{left:,}", where)


def _head(column: Column) -> Markup:
    numeric = Markup(' class="kb-num"') if column.numeric else ""
    unit = Markup("<small>{}</small>").format(column.unit) if column.unit else ""
    return Markup('<th scope="col"{}>{}{}</th>').format(numeric, column.header, unit)


def _cell(cell: Cell, column: Column, names_the_row: bool, quiet: bool) -> Markup:
    classes = " ".join(
        name
        for name in (
            "kb-num" if column.numeric else "kb-prose" if column.prose else "",
            "kb-name" if names_the_row and len(cell.text) > LONG_NAME else "",
            f"kb-{cell.tone}" if cell.tone else "",
        )
        if name
    )
    attributes = Markup(' class="{}"').format(classes) if classes else Markup("")
    if quiet:
        attributes += Markup(" data-search-exclude")
    text = escape(clean(cell.text))
    if cell.href:
        text = Markup('<a href="{}">{}</a>').format(cell.href, text)
    if cell.note:
        text += Markup("<small>{}</small>").format(clean(cell.note))
    if names_the_row:
        return Markup('<th scope="row"{}>{}</th>').format(attributes, text)
    return Markup("<td{}>{}</td>").format(attributes, text)
