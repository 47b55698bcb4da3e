"""How the release notes of each project are laid out, as data: one reader reads them all.

A project of one's own takes the family that its file is of, and changes what differs:

    replace(KEEP_A_CHANGELOG, packages=("mypackage",), repository="https://github.com/me/mypackage")
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from kb.changelogs.dates import PATTERN as DATE
from kb.changelogs.entry import Category
from kb.changelogs.versions import PATTERN as VERSION
from kb.changelogs.versions import WILDCARD


class Format(StrEnum):
    MARKDOWN = "markdown"
    RST = "rst"


class Bullets(StrEnum):
    """What a bullet at the first level with a list below it may be."""

    ENTRIES = "entries"  #: always a change
    CATEGORIES = "categories"  #: a heading, where its words are those of a category
    LABELS = "labels"  #: a heading, where it is short: `Plugin changes`, `General:`


class Titles(StrEnum):
    """What a heading below a category is."""

    COMPONENTS = "components"  #: the part of the package that the entries below it are about
    SENTENCES = "sentences"  #: an entry, where it reads like one
    ENTRIES = "entries"  #: always an entry


#: Headings of what is no change, in every project.
_DROPPED = (
    r"(?:thanks to (?:our|the|all) )?(?:\w+ )?contributors?\b.*|thanks\b.*|thank you\b.*|acknowledg\w+"
    r"|pull requests? merged|merged pull requests?|table of contents?|contents|copyright"
    r"|license|licence|checksums?|full change ?log|(?:release )?template|贡献者|致谢|感谢.*|目录"
)

#: Sections of what is not released.
_UPCOMING = (
    r"\[?(?P<version>un-?released|v?next|head|upcoming|in development|on-?going version|future(?: release)?"
    r"|(?:.{1,60} )?next release)"
    r"\b\]?.{0,40}"
)


@dataclass(frozen=True)
class Project:
    """One project's release notes. The defaults are those of a file that says nothing of itself."""

    name: str
    packages: tuple[str, ...]  #: as the package index names them; the first is the one that a heading means by default
    repository: str = ""  #: address without a slash at the end; links of the file are relative to it
    tag: str = "v{version}"  #: of a release in the repository, the version as written in the heading
    folder: str = ""  #: of the file inside the repository
    format: Format = Format.MARKDOWN
    heading: str = rf"(?:release |version )?\[?{VERSION}\]?(?: ?[-–:(] ?{DATE}\)?)?"
    #: ^ a version's heading by its plain words, all of them; groups: version, and maybe package, date, stage
    names: Mapping[str, str] = field(default_factory=dict)  #: package by what the heading calls it, in lower case
    single: bool = False  #: one release in a text, whose headings are all its own
    bullets: Bullets = Bullets.ENTRIES
    titles: Titles = Titles.COMPONENTS
    titled: frozenset[Category] = frozenset(Category)  #: categories below which `titles` holds
    preamble: bool = True  #: whether a list before the first heading holds entries; else it sums up what follows
    flat: bool = False  #: categories do not stand inside each other, whatever the levels of their headings say
    dropped: str = ""  #: further headings of what is no change, as a pattern for all of the words
    categories: Mapping[str, Category] = field(default_factory=dict)  #: further headings, in lower case
    roots: tuple[str, ...] = ()  #: what the packages are imported as

    @cached_property
    def version_heading(self) -> re.Pattern[str]:
        return re.compile(self.heading, re.IGNORECASE)

    @cached_property
    def upcoming_heading(self) -> re.Pattern[str]:
        return re.compile(_UPCOMING, re.IGNORECASE)

    @cached_property
    def dropped_heading(self) -> re.Pattern[str]:
        return re.compile(f"(?:{_DROPPED})" + (f"|(?:{self.dropped})" if self.dropped else ""), re.IGNORECASE)

    def files_at(self, version: str) -> str:
        """Address of the repository's files at a version as the heading writes it; empty where unknown."""
        if not self.repository or not version:
            return ""
        return f"{self.repository}/blob/{self.tag.format(version=version)}"


_STAGE = r"(?P<stage> ?\[?(?:yanked|withdrawn)\]?)?"
_EARLY_STAGE = _STAGE.replace("stage", "early")
_BRACKETED = rf" \({DATE.replace('date', 'bracketed')}\)"
_WILDCARD = WILDCARD.replace("version", "wildcard")

# Families, by the look of their headings. A project of one's own begins with one of them.

#: `## [1.2.0] - 2024-05-06`, then Added, Changed, Deprecated, Removed, Fixed, Security.
KEEP_A_CHANGELOG = Project(
    "keep-a-changelog",
    (),
    heading=rf"\[?(?:{VERSION}|{_WILDCARD})\]?{_EARLY_STAGE}(?: ?[-–] ?\(?{DATE}\)?|{_BRACKETED})?{_STAGE}",
    bullets=Bullets.CATEGORIES,
    flat=True,
)

#: `# Product 1.2.0`, `## New in Release 1.2.0`, `## 1.2.0 Release Notes`: words, one number, words.
NUMBERED = Project(
    "numbered",
    (),
    heading=rf"(?:(?P<package>[A-Za-z][\w.+ -]{{0,60}}?) )?{VERSION}(?: release notes?)?(?: ?[-–:(] ?{DATE}\)?)?",
    bullets=Bullets.CATEGORIES,
)

#: `## 10.1.0 GA - 2024-6-17`, with bullets for components.
NVIDIA = Project(
    "nvidia",
    (),
    heading=rf"\[?{VERSION}(?: (?:GA|EA|RC))?\]?(?: ?[-–] ?{DATE}|{_BRACKETED})?{_STAGE}",
    bullets=Bullets.LABELS,
)

#: A number alone, however it is marked as a heading.
LOOSE = Project(
    "loose", (), heading=rf"(?:release |version )?\[?{VERSION}\]?(?: ?[-–:(] ?{DATE}\)?)?", bullets=Bullets.CATEGORIES
)

#: The notes of one release, as GitHub shows them: the version is that of its tag.
RELEASE_BODY = Project(
    "release-body",
    (),
    heading=rf"(?:(?P<package>[A-Za-z][\w.+ -]{{0,60}}?) )?{VERSION}(?: release(?: notes?)?)?(?:[:(,–-].{{0,120}})?",
    single=True,
    bullets=Bullets.CATEGORIES,
    titles=Titles.SENTENCES,
    titled=frozenset({Category.BREAKING, Category.DEPRECATION, Category.KNOWN_ISSUE}),
    dropped=r"(?:.{0,4})?highlights",
)

#: reStructuredText: sub-titles are entries.
RST_NOTES = Project(
    "rst-notes",
    (),
    format=Format.RST,
    heading=rf"(?:(?P<package>[A-Za-z][\w.+ -]{{0,60}}?) )?{VERSION}(?: release notes?)?(?: ?[-–(] ?{DATE}\)?)?",
    bullets=Bullets.CATEGORIES,
    titles=Titles.ENTRIES,
)

FAMILIES = {family.name: family for family in (KEEP_A_CHANGELOG, NUMBERED, NVIDIA, LOOSE, RELEASE_BODY, RST_NOTES)}

_TENSORFLOW_HEADING = rf"release {VERSION}"

#: Projects that are read unless the settings say otherwise.
BUILT_IN = {
    project.name: project
    for project in (
        replace(
            RELEASE_BODY,
            name="pytorch",
            packages=("torch",),
            repository="https://github.com/pytorch/pytorch",
            names={"pytorch": "torch"},
            roots=("torch",),
        ),
        Project(
            "tensorflow",
            ("tensorflow",),
            "https://github.com/tensorflow/tensorflow",
            heading=_TENSORFLOW_HEADING,
            roots=("tf", "tensorflow"),
        ),
        replace(
            RELEASE_BODY,
            name="keras",
            packages=("keras",),
            repository="https://github.com/keras-team/keras",
            roots=("keras",),
        ),
        replace(
            RELEASE_BODY,
            name="onnxruntime",
            packages=("onnxruntime",),
            repository="https://github.com/microsoft/onnxruntime",
            names={"onnx runtime": "onnxruntime"},
            roots=("onnxruntime", "ort"),
        ),
        replace(
            RELEASE_BODY,
            name="onnx",
            packages=("onnx",),
            repository="https://github.com/onnx/onnx",
            roots=("onnx",),
        ),
        replace(
            RELEASE_BODY,
            name="tf2onnx",
            packages=("tf2onnx",),
            repository="https://github.com/onnx/tensorflow-onnx",
            names={"tensorflow-onnx": "tf2onnx"},
            roots=("tf2onnx",),
        ),
        Project(
            "jax",
            ("jax", "jaxlib"),
            "https://github.com/jax-ml/jax",
            tag="jax-v{version}",
            heading=rf"(?P<package>[A-Za-z][\w-]{{0,40}}) \(?{VERSION}\)?(?: \({DATE}\))?",
            bullets=Bullets.CATEGORIES,
            roots=("jax", "jaxlib", "jnp"),
        ),
        replace(
            RST_NOTES,
            name="numpy",
            packages=("numpy",),
            repository="https://github.com/numpy/numpy",
            folder="doc/source/release",
            preamble=False,
            dropped="highlights",
            roots=("np", "numpy"),
        ),
    )
}
