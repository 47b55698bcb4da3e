"""What makes sense in a note that can be read: each check is one function that yields what it finds."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from kb.complaints import nearest
from kb.packages.families import normalised
from kb.problems import codes
from kb.problems.codes import Code
from kb.problems.conditions import fault
from kb.problems.note import UNNUMBERED, Note, State
from kb.problems.sections import FIX, SYMPTOM, WORKAROUND
from kb.problems.versions import in_words, is_empty
from kb.records.damage import quoted

ID = re.compile(r"KB-[0-9]{4,6}")
#: What follows the number in a file name. It becomes part of a link, so no blanks, quotes or slashes.
SLUG = re.compile(r"\w[\w.-]*")
REFERENCE_TYPES = ("report", "fix", "advisory", "discussion", "documentation", "article")
#: A line of the list that the search shows.
MAX_TITLE = 150
#: It is tomorrow already in the east.
SLACK = timedelta(days=1)

#: Whether a signature matches a text; `ValueError` where the signature cannot be used, with what to write instead.
Matches = Callable[[str, str], bool]
#: Field or section, code, message.
Found = tuple[str, Code, str]


@dataclass(frozen=True)
class Surroundings:
    """What a note is checked against beside itself."""

    matches: Matches
    today: date
    packages: frozenset[str]  #: names that need no warning
    ids: frozenset[str]  #: of all notes, also of those that cannot be read
    files: frozenset[str]  #: names of the plain files beside the notes
    contradicted: Callable[[Note], str] = lambda note: (
        ""
    )  #: what its reproducer showed to be wrong in a note, if anything


Check = Callable[[Note, Surroundings], Iterator[Found]]


def check_id(note: Note, around: Surroundings) -> Iterator[Found]:
    """An id is a number, or waits for one."""
    if not ID.fullmatch(note.id):
        message = f"{quoted(note.id)} is no id: write {UNNUMBERED}, and kb problem assign-ids gives it a number"
        yield "id", codes.WRONG_ID, message


def check_file_name(note: Note, around: Surroundings) -> Iterator[Found]:
    """The file can be found by its id, and linked to."""
    if not ID.fullmatch(note.id):
        return
    stem = note.path.stem
    if note.id == UNNUMBERED:
        if not SLUG.fullmatch(stem) or ID.match(stem):
            message = f"{quoted(note.path.name)}: name it short-title.md, in letters, digits and '-', without a number"
            yield "id", codes.FILE_NAME, message
        return
    slug = stem.removeprefix(f"{note.id}-")
    if slug == stem or not SLUG.fullmatch(slug):
        message = f"{quoted(note.path.name)} is not {note.id}-short-title.md: kb problem assign-ids renames it"
        yield "id", codes.FILE_NAME, message


def check_title(note: Note, around: Surroundings) -> Iterator[Found]:
    """The title fits in a list."""
    if len(note.title) > MAX_TITLE or "\n" in note.title:
        message = f"{len(note.title)} characters: write one line of at most {MAX_TITLE}, the rest under ## Symptom"
        yield "title", codes.LONG_TITLE, message


def check_ranges(note: Note, around: Surroundings) -> Iterator[Found]:
    """Some version is in each range, and its package exists."""
    for number, one in enumerate(note.affected):
        for index, part in enumerate(one.ranges):
            where = f"affected[{number}].all[{index}]"
            if part.fixed and part.last_affected:
                message = "both fixed and last_affected: keep fixed if the version with the fix is out, else the other"
                yield f"{where}.last_affected", codes.TWO_ENDS, message
            if is_empty(part):
                end = "fixed" if part.fixed else "last_affected"
                message = f"no version is in {in_words(part)}: introduced must be below {end}"
                yield f"{where}.introduced", codes.EMPTY_RANGE, message
            if normalised(part.package) not in around.packages:
                advice = nearest(normalised(part.package), around.packages)
                message = f"{quoted(part.package)} is in no other note; {_or_add(advice)}"
                yield f"{where}.package", codes.UNKNOWN_PACKAGE, message


def check_conditions(note: Note, around: Surroundings) -> Iterator[Found]:
    """Each condition can be met."""
    for number, one in enumerate(note.affected):
        for name, wanted in one.when.items():
            if wrong := fault(name, wanted):
                yield f"affected[{number}].when.{name}", codes.WRONG_CONDITION, wrong


def check_signatures(note: Note, around: Surroundings) -> Iterator[Found]:
    """Each signature finds the note's own error, and not everybody else's."""
    symptom = note.sections.get(SYMPTOM, "")
    for index, signature in enumerate(note.signatures):
        try:
            matched = around.matches(signature, symptom)
        except ValueError as error:
            yield f"signatures[{index}]", codes.UNUSABLE_SIGNATURE, str(error)
            continue
        if not matched and symptom.strip():  # an empty one is told already
            message = f"{quoted(signature)} does not match the text under ## Symptom: paste there what one really sees"
            yield f"signatures[{index}]", codes.UNMATCHED_SIGNATURE, message


def check_status(note: Note, around: Surroundings) -> Iterator[Found]:
    """What the status promises is there."""
    if note.status is State.FIXED:
        if not any(part.fixed or part.last_affected for one in note.affected for part in one.ranges):
            message = "fixed, but no range ends: add fixed or last_affected to one, or write status: workaround"
            yield "status", codes.NOT_FIXED, message
        if not note.sections.get(FIX, "").strip():
            yield "status", codes.NOT_FIXED, "fixed, but nothing stands under ## Fix: say what one has to do"
    if note.status is State.WORKAROUND and not note.sections.get(WORKAROUND, "").strip():
        message = "workaround, but nothing stands under ## Workaround: write it there, or status: open"
        yield "status", codes.NO_WORKAROUND, message


def check_shown(note: Note, around: Surroundings) -> Iterator[Found]:
    if shown := around.contradicted(note):
        name = note.path.stem if note.id == UNNUMBERED else note.id
        yield "status", codes.CONTRADICTED, f"{shown}: see kb problem propose {name}"


def check_reproducer(note: Note, around: Surroundings) -> Iterator[Found]:
    """The reproducer is a plain file beside the note: nothing else is ever run."""
    name = note.reproducer
    if not name:
        return
    if PurePosixPath(name).name != name or "\\" in name or ":" in name or name[0] == ".":
        message = f"{quoted(name)}: write only the name of a script in the folder of the note"
        yield "reproducer", codes.FOREIGN_REPRODUCER, message
    elif name not in around.files:
        beside = [file for file in around.files if file.endswith(".py")]
        message = f"there is no file {quoted(name)} beside the note; {nearest(name, beside)}"
        yield "reproducer", codes.NO_REPRODUCER, message


def check_references(note: Note, around: Surroundings) -> Iterator[Found]:
    """Each reference can be followed."""
    for index, reference in enumerate(note.references):
        if reference.type not in REFERENCE_TYPES:
            message = f"{quoted(reference.type)} is no type of reference; {nearest(reference.type, REFERENCE_TYPES)}"
            yield f"references[{index}].type", codes.NOT_ONE_OF, message
        if not _is_link(reference.url):
            message = f"{quoted(reference.url)} is no link: write the whole address, from https:// on"
            yield f"references[{index}].url", codes.NOT_A_LINK, message


def check_related(note: Note, around: Surroundings) -> Iterator[Found]:
    """Each related note exists."""
    for index, other in enumerate(note.related):
        if other == UNNUMBERED:
            message = f"{UNNUMBERED} is no note: name the other one here when it has its number"
        elif other == note.id:
            message = f"{quoted(other)} is this note itself: remove it"
        elif other not in around.ids:
            message = f"there is no note {quoted(other)}; {nearest(other, around.ids)}"
        else:
            continue
        yield f"related[{index}]", codes.UNKNOWN_RELATED, message


def check_dates(note: Note, around: Surroundings) -> Iterator[Found]:
    """The days are in order, and past."""
    if note.modified < note.created:
        message = f"modified {note.modified} is before created {note.created}: write the day of the last change"
        yield "modified", codes.MODIFIED_FIRST, message
    for name, day in (("created", note.created), ("modified", note.modified)):
        if day > around.today + SLACK:
            yield name, codes.FUTURE, f"{name} {day} is in the future (today is {around.today}): write the real day"


CHECKS: tuple[Check, ...] = (
    check_id,
    check_file_name,
    check_title,
    check_ranges,
    check_conditions,
    check_signatures,
    check_status,
    check_shown,
    check_reproducer,
    check_references,
    check_related,
    check_dates,
)


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"[\s<>\"]", url)


def _or_add(advice: str) -> str:
    """A list of all packages helps nobody; a near one does."""
    remedy = "a package of your own belongs into tool.kb.packages"
    return f"{advice} If not, {remedy}" if advice.startswith("did you mean") else remedy
