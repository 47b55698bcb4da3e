"""Small entries written for the tests, and a reader for them: one line is one entry."""

from collections.abc import Iterable

from kb.changelogs.entry import Category, Entry, Item, Reference, Section, Span, Stage

_CATEGORIES = {"!": Category.BREAKING, "+": Category.FEATURE}


def entry(text: str, category: Category = Category.CHANGE, **fields: object) -> Entry:
    """An entry that has something in every field, so that a test sees a field that is lost."""
    whole = Entry(
        category=category,
        heading="Runtime > Changes",
        heading_category=Category.CHANGE,
        component="runtime",
        text=(Span(text + " "), Span("load()", code=True), Span("guide", em=True, url="https://example.org/guide")),
        items=(Item((Span("More of it"),), items=(Item((Span("x = 1\ny = 2", code=True),), sample=True),)),),
        symbols=("runtime.load",),
        references=(Reference("#12", "https://example.org/12"), Reference("#13", "")),
        cves=("CVE-2026-0001",),
        anchor="runtime",
    )
    return Entry(**{**vars(whole), **fields})


def section(version: str, *texts: str, package: str = "sample", date: str = "", **fields: object) -> Section:
    """A version with one entry per text."""
    plain = {"package": package, "version": version, "heading": f"Release {version}", "line": 1, "date": date}
    return Section(**{**plain, "entries": tuple(entry(text) for text in texts), **fields})  # type: ignore[arg-type]


def sections(text: str, package: str) -> Iterable[Section]:
    """`= VERSION [DATE]` begins a version, each other line is an entry; `!` before it makes it a breaking one."""
    version, date, entries = "", "", list[Entry]()
    for line in [*text.splitlines(), "="]:
        if line.startswith("="):
            if version:
                stage = Stage.UPCOMING if version == "next" else Stage.RELEASED
                yield section(version, package=package, date=date, entries=tuple(entries), stage=stage)
            version, date, entries = *(*line[1:].split(), "", "")[:2], []
        elif line.strip():
            category = _CATEGORIES.get(line[0], Category.CHANGE)
            entries.append(Entry(category, "", category, "", (Span(line.lstrip("!+ ")),)))
