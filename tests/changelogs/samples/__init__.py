"""Small changelogs, each in the manner of a family of projects; every word of them was written for these tests."""

from dataclasses import replace
from pathlib import Path

from kb.changelogs.entry import Entry, Section
from kb.changelogs.projects import (
    BUILT_IN,
    KEEP_A_CHANGELOG,
    LOOSE,
    NUMBERED,
    NVIDIA,
    RELEASE_BODY,
    RST_NOTES,
    Project,
)
from kb.changelogs.reading import read

FOLDER = Path(__file__).parent


def _of(family: Project, package: str, *roots: str) -> Project:
    repository = f"https://github.com/example/{package}"
    return replace(family, name=package, packages=(package,), repository=repository, roots=roots)


PROJECTS = {
    "tensorflow_like.md": _of(BUILT_IN["tensorflow"], "gadget", "gd"),
    "jax_like.md": replace(_of(BUILT_IN["jax"], "lathe", "lathe"), packages=("lathe", "lathelib")),
    "kept.md": _of(KEEP_A_CHANGELOG, "box", "box"),
    "release_body.md": _of(RELEASE_BODY, "widget", "widget"),
    "nvidia_like.md": _of(NVIDIA, "tool"),
    "numbered.md": replace(_of(NUMBERED, "press", "press"), bullets=NVIDIA.bullets),
    "loose.md": _of(LOOSE, "bike"),
    "notes.rst": replace(_of(RST_NOTES, "loom", "loom"), preamble=False),
    "hostile.md": _of(BUILT_IN["tensorflow"], "gadget", "gd"),
}


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def sections_of(name: str) -> dict[str, Section]:
    """The sections of a sample by version."""
    return {section.version: section for section in read(text_of(name), PROJECTS[name]).sections}


def headings_of(section: Section) -> dict[str, list[Entry]]:
    """The entries of a section by heading."""
    found: dict[str, list[Entry]] = {}
    for entry in section.entries:
        found.setdefault(entry.heading, []).append(entry)
    return found
