"""Sentences that say of versions without a section what became of them."""

import re
from collections.abc import Iterable

from kb.changelogs import versions
from kb.changelogs.blocks import paragraphs
from kb.changelogs.entry import Notice, plain
from kb.changelogs.links import with_links
from kb.changelogs.projects import Project
from kb.changelogs.sections import Part

_WORDS = ("skipped", "yanked", "withdrawn", "retracted", "pulled", "never released")

_SAID = re.compile(
    r"\b(?:versions?|releases?) (?P<versions>v?\d[\w.]*(?:(?:, ?(?:and )?| and | & )v?\d[\w.]*){0,20}) "
    r"(?:was|were|is|are|has been|have been) (?:\w+ ){0,2}?"
    rf"(?:{'|'.join(_WORDS)})\b",
    re.IGNORECASE,
)


def notices(parts: Iterable[Part], project: Project) -> tuple[Notice, ...]:
    found = []
    for part in parts:
        for paragraph in paragraphs(part.blocks):
            words = plain(paragraph.text)
            if not any(word in words for word in _WORDS):
                continue
            for said in _SAID.finditer(words):
                numbers = re.findall(r"\d[\w.]*\w", said.group("versions"))
                named = tuple(versions.normal(number) for number in numbers)
                text = with_links(paragraph.text, project.files_at(part.written), project.folder)
                found.append(Notice(part.package, named, text, paragraph.line))
    return tuple(found)
