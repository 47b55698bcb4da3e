"""The tables under results/changelogs, and a version's record as rows of its table and back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kb.changelogs.compact import (
    MAX_JSON,
    BadJson,
    dump_items,
    dump_names,
    dump_references,
    dump_text,
    load_items,
    load_names,
    load_references,
    load_text,
)
from kb.changelogs.entry import Category, Entry, Stage
from kb.changelogs.record import EntryRecord, VersionRecord, is_date, is_day
from kb.outside_text import safe_url
from kb.records.cells import Cell
from kb.records.schema import CHECK, ROW, Column, Rule, Table

#: Kinds of rows. The version has one of its own, so that a version without entries is there too.
VERSION, ENTRY = "version", "entry"

_OF_ENTRY = ("id", "category", "heading_category", "text")
_OF_ENTRY_OR_EMPTY = ("component", "items", "symbols", "references", "cves", "anchor")
_JSON = "compact JSON"

VERSIONS = Table(
    name="<package>/<version>",
    description="One version of one package: the first row is the version, each other row an entry of its changelog.",
    key=("category", "id"),
    rules=(
        Rule("An entry has a text and says what it is about.", (("kind", (ENTRY,)),), _OF_ENTRY, filled=True),
        Rule("Only the version has these.", (("kind", (ENTRY,)),), ("entries", "coverage", "trouble"), filled=False),
        Rule("A version is no entry.", (("kind", (VERSION,)),), (*_OF_ENTRY, *_OF_ENTRY_OR_EMPTY), filled=False),
        Rule("A version has these.", (("kind", (VERSION,)),), ("entries", "coverage"), filled=True),
    ),
    columns=(
        ROW,
        Column("kind", "string", "What the row is.", required=True, values=(VERSION, ENTRY)),
        Column("id", "string", "Hash of the text without its layout; unique with the category."),
        Column("package", "string", "Name of the package.", required=True),
        Column("version", "string", "As PEP 440 writes it; as written where it is none.", required=True),
        Column("date", "string", "Day of the release, ISO 8601; `YYYY-MM` where no day is known."),
        Column("date_source", "string", "Where the date is from: `text`, `index`, `releases`, or a table."),
        Column("stage", "string", "What became of the version.", required=True, values=tuple(Stage)),
        Column("category", "string", "What the entry is about, by its content.", values=tuple(Category)),
        Column("heading", "string", "Headings that the entry stands under; of a version, its own as written."),
        Column("heading_category", "string", "What the heading says it is about.", values=tuple(Category)),
        Column("component", "string", "Part of the package."),
        Column("text", "string", f"The text, {_JSON}: each span a string, or [text, looks, link].", limit=MAX_JSON),
        Column("items", "string", f"What stands below it, {_JSON}.", limit=MAX_JSON),
        Column("symbols", "string", f"Names of APIs, {_JSON}.", limit=MAX_JSON),
        Column(
            "references", "string", f"Pull requests, issues and advisories, {_JSON}: [label, link].", limit=MAX_JSON
        ),
        Column("cves", "string", f"Ids of CVEs, {_JSON}.", limit=MAX_JSON),
        Column("source_url", "string", "Where a person reads it."),
        Column("anchor", "string", "Heading in the source to link to."),
        Column("first_seen", "string", "Day on which kb first read it.", required=True),
        Column("last_changed", "string", "Day on which kb last found it different.", required=True),
        Column("entries", "integer", "How many entries the version has: a file that lost some is found.", minimum=0),
        Column("coverage", "number", "Share of the version's text that is accounted for, 0 to 1.", minimum=0),
        Column("trouble", "string", "Why the version's text could not be read."),
        CHECK,
    ),
)

PROJECTS = Table(
    name="<project>",
    description="When a project's changelog was last read whole, and what was noticed.",
    key=("project",),
    columns=(
        ROW,
        Column("project", "string", "Name in the settings.", required=True),
        Column("checked", "string", "Day on which its source was last read, ISO 8601.", required=True),
        Column("notices", "string", f"What was noticed about it, {_JSON}.", limit=MAX_JSON),
        CHECK,
    ),
)


class BadValue(ValueError):
    """A value in a row that means nothing. `column` is where; the message says what was expected."""

    def __init__(self, column: str, expected: str) -> None:
        super().__init__(expected)
        self.column = column


def rows_of(record: VersionRecord) -> Iterator[dict[str, object]]:
    """The version's rows, in order."""
    empty = dict.fromkeys(column.name for column in VERSIONS.data_columns)
    shared = {
        **empty,
        "package": record.package,
        "version": record.version,
        "date": record.date,
        "date_source": record.date_source,
        "stage": record.stage.value,
        "source_url": record.source_url,
    }
    yield {
        **shared,
        "kind": VERSION,
        "heading": record.heading,
        "first_seen": record.first_seen,
        "last_changed": record.last_changed,
        "entries": len(record.entries),
        "coverage": record.coverage,
        "trouble": record.trouble,
    }
    for each in record.entries:
        yield {**shared, "kind": ENTRY, **_cells_of(each)}


def _cells_of(record: EntryRecord) -> dict[str, object]:
    entry = record.entry
    return {
        "id": record.id,
        "category": entry.category.value,
        "heading": entry.heading,
        "heading_category": entry.heading_category.value,
        "component": entry.component,
        "text": dump_text(entry.text),
        "items": dump_items(entry.items) if entry.items else None,
        "symbols": dump_names(entry.symbols) if entry.symbols else None,
        "references": dump_references(entry.references) if entry.references else None,
        "cves": dump_names(entry.cves) if entry.cves else None,
        "anchor": entry.anchor,
        "first_seen": record.first_seen,
        "last_changed": record.last_changed,
    }


def version_of(row: Mapping[str, Cell], entries: Sequence[EntryRecord]) -> VersionRecord:
    """The record of a version's own row and its entries, of which it has the number.

    Raises:
        BadValue: a cell is valid by itself but means nothing.
    """
    if row["entries"] != len(entries):
        raise BadValue("entries", f"expected {len(entries)}, the rows that follow")
    return VersionRecord(
        package=_text(row, "package"),
        version=_text(row, "version"),
        heading=_text(row, "heading"),
        date=_date(row, "date"),
        date_source=_text(row, "date_source"),
        stage=Stage(_text(row, "stage")),
        coverage=float(row["coverage"] or 0.0),
        trouble=_text(row, "trouble"),
        source_url=_link(row, "source_url"),
        first_seen=day(row, "first_seen"),
        last_changed=day(row, "last_changed"),
        entries=tuple(entries),
    )


def entry_of(row: Mapping[str, Cell]) -> EntryRecord:
    """The record of an entry's row; raises as `version_of` does."""
    entry = Entry(
        category=Category(_text(row, "category")),
        heading=_text(row, "heading"),
        heading_category=Category(_text(row, "heading_category")),
        component=_text(row, "component"),
        text=_json(row, "text", load_text),
        items=_json(row, "items", load_items),
        symbols=_json(row, "symbols", load_names),
        references=_json(row, "references", load_references),
        cves=_json(row, "cves", load_names),
        anchor=_text(row, "anchor"),
    )
    return EntryRecord(_text(row, "id"), entry, day(row, "first_seen"), day(row, "last_changed"))


def day(row: Mapping[str, Cell], column: str) -> str:
    """The day in a cell, ISO 8601; raises as `version_of` does."""
    text = _text(row, column)
    if not is_day(text):
        raise BadValue(column, "expected a day, e.g. 2026-11-27")
    return text


def names(row: Mapping[str, Cell], column: str) -> tuple[str, ...]:
    """The names in a cell of JSON; raises as `version_of` does."""
    return _json(row, column, load_names)


def _text(row: Mapping[str, Cell], column: str) -> str:
    return str(row[column] or "")


def _date(row: Mapping[str, Cell], column: str) -> str:
    text = _text(row, column)
    if text and not is_date(text):
        raise BadValue(column, "expected a day or a month, e.g. 2026-11-27 or 2026-11")
    return text


def _link(row: Mapping[str, Cell], column: str) -> str:
    text = _text(row, column)
    if text and not safe_url(text):
        raise BadValue(column, "expected an http, https or mailto link")
    return text


def _json(row: Mapping[str, Cell], column: str, load: Callable[[str], tuple[Any, ...]]) -> tuple[Any, ...]:
    text = _text(row, column)
    try:
        return load(text) if text else ()
    except BadJson as error:
        raise BadValue(column, str(error)) from None
