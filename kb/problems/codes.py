"""Every complaint that kb makes about a note: its code, how bad it is, and what it means, in one table."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a complaint is. Errors fail `kb problem lint`; warnings are shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Code:
    """One kind of complaint."""

    name: str  #: never given to another meaning, since people write it into their own scripts
    level: Level
    meaning: str
    fatal: bool = False  #: no note can be made of the file; after other complaints it is still found and shown


def _error(name: str, meaning: str) -> Code:
    return Code(name, Level.ERROR, meaning)


def _fatal(name: str, meaning: str) -> Code:
    return Code(name, Level.ERROR, meaning, fatal=True)


def _warning(name: str, meaning: str) -> Code:
    return Code(name, Level.WARNING, meaning)


# The file itself.
UNREADABLE = _fatal("KB001", "the file cannot be read, or is no regular file")
TOO_LARGE = _fatal("KB002", "the file is larger than a note may be")
NOT_UTF8 = _fatal("KB003", "the file is not UTF-8")
BYTE_ORDER_MARK = _warning("KB004", "the file begins with a byte order mark")
CONTROL_CHARACTER = _fatal("KB005", "a control character, such as the colours of a terminal")
# Front matter as YAML.
NO_FRONT_MATTER = _fatal("KB010", "no front matter, or its end is missing")
WRONG_YAML = _fatal("KB011", "the front matter is not YAML")
TAB = _fatal("KB012", "a tab in the indentation of the front matter")
REFUSED_YAML = _fatal("KB013", "an anchor, alias or tag of YAML, a second document, or too deep nesting")
REPEATED_KEY = _fatal("KB014", "a key is there twice")
CUT_OFF = _fatal("KB015", "text that YAML takes for a comment, such as ` #123` at the end of a title")
# The fields.
UNKNOWN_KEY = _fatal("KB020", "a key that a note does not have")
MISSING_KEY = _fatal("KB021", "a key that every note has is missing or empty")
WRONG_TYPE = _fatal("KB022", "a value of the wrong type: text, list or table")
NOT_ONE_OF = _fatal("KB023", "a value that is not among the valid ones")
UNQUOTED_NUMBER = _fatal("KB024", "text that YAML takes for a number, date or truth value: it needs quotes")
NOT_A_DATE = _fatal("KB025", "not a date of the form 2026-11-27")
NOT_A_VERSION = _fatal("KB026", "not a version of a Python package")
# The sections.
MISSING_SECTION = _error("KB030", "one of the four sections is missing")
REPEATED_SECTION = _error("KB031", "a section is there twice")
UNKNOWN_SECTION = _warning("KB032", "a section beside the four")
TEXT_BEFORE_SECTIONS = _warning("KB033", "text before the first section, which nobody will find")
OPEN_FENCE = _error("KB034", "a code block is never closed")
EMPTY_SYMPTOM = _error("KB035", "the Symptom section is empty")
# Names and numbers.
WRONG_ID = _error("KB040", "an id that is not KB- and at least four digits")
REPEATED_ID = _error("KB041", "two notes have one id")
FILE_NAME = _error("KB042", "the file name does not begin with the id, or is hard to link to")
UNKNOWN_RELATED = _error("KB043", "a related note does not exist")
LONG_TITLE = _error("KB044", "a title that is too long, or more than one line")
# What is affected.
EMPTY_RANGE = _error("KB050", "a range that no version is in")
TWO_ENDS = _error("KB051", "a range with both `fixed` and `last_affected`")
UNKNOWN_PACKAGE = _warning("KB052", "a package that kb and the other notes do not know")
WRONG_CONDITION = _error("KB053", "a condition under `when` that nothing can meet")
# Signatures.
UNUSABLE_SIGNATURE = _error("KB060", "a signature that would match almost anything, is too long, or cannot be read")
UNMATCHED_SIGNATURE = _error("KB061", "a signature that does not match the note's own Symptom")
# Status.
NOT_FIXED = _error("KB070", "status fixed, but no range with `fixed` or `last_affected`, or no text under Fix")
NO_WORKAROUND = _error("KB071", "status workaround, but no text under Workaround")
CONTRADICTED = _warning("KB072", "the reproducer showed something else than the status says")
# What it points to.
NO_REPRODUCER = _error("KB080", "the reproducer is not there")
FOREIGN_REPRODUCER = _error("KB081", "the reproducer is not a file beside the note")
NOT_A_LINK = _error("KB082", "a reference that is no http or https URL")
# Time.
MODIFIED_FIRST = _error("KB090", "modified before it was created")
FUTURE = _error("KB091", "a date in the future")
# What is left to do.
TO_DO = _error("KB099", "a TODO is left")

#: All of them, by name.
CODES: dict[str, Code] = {code.name: code for code in list(globals().values()) if isinstance(code, Code)}


def table() -> str:
    """The codes as a Markdown table, as it stands in docs/problems/README.md."""
    rows = (f"| {code.name} | {code.level} | {code.meaning} |" for code in CODES.values())
    return "\n".join(("| code | level | what is wrong |", "|---|---|---|", *rows))
