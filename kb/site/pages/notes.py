"""A page per problem note: what it says, which versions have it, and what its reproducer showed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.analysis.problems import Fix, referenced_by
from kb.changelogs import markdown
from kb.changelogs.clean import clean
from kb.outside_text import safe_url
from kb.problems.endings import GONE, REPRODUCES
from kb.problems.note import Affected, Note, Severity, State
from kb.problems.outcomes import Standing, names_of
from kb.problems.versions import in_words
from kb.site.prose import shown, shown_blocks
from kb.site.render import Page, front_matter, render
from kb.site.text import slugs

FOLDER = "problems"
#: Characters of an entry of a changelog that are shown with a note.
FIX_SHOWN = 300
TONES = {
    State.OPEN: "bad",
    State.WORKAROUND: "warn",
    State.FIXED: "good",
    State.WONTFIX: "muted",
    State.WITHDRAWN: "hollow",
}
SEVERITY_TONES = {
    Severity.MINOR: "muted",
    Severity.MODERATE: "warn",
    Severity.MAJOR: "bad",
    Severity.CRITICAL: "bad",
}
STANDING_TONES = {GONE: "good", REPRODUCES: "bad"}


@dataclass(frozen=True)
class _Around:
    """What is known of a note beside it."""

    shown: Sequence[Standing]
    back: Sequence[str]  #: ids of notes that name it
    fixes: Sequence[Fix]


def pages(
    notes: Sequence[Note], verified: Mapping[str, Sequence[Standing]], fixes: Mapping[str, Sequence[Fix]]
) -> list[Page]:
    """The pages of all notes.

    Args:
        verified: what reproducers showed, by the names of `kb.problems.outcomes.names_of`.
        fixes: id -> entries of changelogs that may have fixed it.
    """
    names = names_of(notes)
    titles = {note.id: note for note in notes}
    back = referenced_by(notes)

    def around(note: Note) -> _Around:
        return _Around(verified.get(names[note.path], ()), back.get(note.id, ()), fixes.get(note.id, ()))

    return [_page(note, around(note), titles) for note in notes]


def path_of(note: Note) -> str:
    """Of a note's page, below the generated folder."""
    return f"{FOLDER}/{note.path.stem}.md"


def _page(note: Note, around: _Around, titles: Mapping[str, Note]) -> Page:
    script = note.path.with_name(note.reproducer) if note.reproducer else None
    content = script.read_bytes() if script is not None and script.is_file() else None
    anchors = slugs(note.sections)
    data = f"data/problems/{note.path.stem}.py.txt"
    text = render(
        "note.md",
        matter=front_matter(note.title, f"{note.kind}: {note.title}", (), source=f"docs/problems/{note.path.name}"),
        note=note,
        tones=(TONES[note.status], SEVERITY_TONES[note.severity]),
        affected=[affected_words(each) for each in note.affected],
        standings=[(each.sentence, STANDING_TONES.get(each.outcome, "hollow")) for each in around.shown],
        sections=[
            (name, anchors[name], shown_blocks(markdown.read(clean(body).text).blocks))
            for name, body in note.sections.items()
            if body.strip()
        ],
        references=[each for each in note.references if safe_url(each.url)],
        related=[(each, _href(titles[each]), titles[each].title) for each in note.related if each in titles],
        back=[(each, _href(titles[each]), titles[each].title) for each in around.back if each in titles],
        fixes=[
            (fix.noted.version, shown(fix.noted.record.entry.text, FIX_SHOWN), fix.by, fix.sure, _source(fix))
            for fix in around.fixes
        ],
        script=f"../{data}" if content is not None else "",
    )
    return Page(path_of(note), text, {data: content} if content is not None else {})


def _source(fix: Fix) -> str:
    return fix.noted.version.link(fix.noted.record.entry)


def _href(note: Note) -> str:
    return f"{note.path.stem}.html"


def affected_words(each: Affected) -> str:
    """``torch from 2.4 to before 2.6, with onnxruntime of any version, where opset is >=17``"""
    ranges = ", with ".join(in_words(part) for part in each.ranges)
    conditions = " and ".join(f"{name} is {value}" for name, value in each.when.items())
    return f"{ranges}, where {conditions}" if conditions else ranges
