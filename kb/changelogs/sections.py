"""Where each version begins and ends in a file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kb.changelogs import categories, dates, versions
from kb.changelogs.blocks import Block, Heading, text_of
from kb.changelogs.entry import Stage, plain
from kb.changelogs.projects import Project

#: What a heading says before the number that is no name of a package.
_GENERIC = re.compile(r"\b(?:what'?s|new|in|the|release|released|version|notes?|with|of|for)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """One version's heading and what stands below it."""

    package: str
    version: str
    written: str  #: the version as the heading has it
    heading: Heading
    date: str
    stage: Stage
    blocks: tuple[Block, ...] = ()


def is_version(words: str, project: Project) -> bool:
    """Whether a heading with these words, given as Markdown, begins a section."""
    unlinked = re.sub(r"\]\([^()]*\)", "]", words)
    return begun(Heading(text_of(unlinked), 1, 1), project) is not None


def begun(heading: Heading, project: Project) -> Part | None:
    """The section that a heading begins; None where it is a heading of something else."""
    words = plain(heading.text)
    found = project.version_heading.fullmatch(words)
    if found is None:
        upcoming = None if project.single else project.upcoming_heading.fullmatch(words)
        if upcoming is None:
            return None
        return Part(_first_package(project), upcoming["version"], "", heading, "", Stage.UPCOMING)
    groups = found.groupdict()
    package = _package(groups.get("package") or "", project)
    if package is None:
        return None
    written = groups["version"] or groups.get("wildcard") or ""
    version = versions.normal(written)
    stage = Stage.PRERELEASE if versions.is_prerelease(version) else Stage.RELEASED
    if groups.get("stage") or groups.get("early"):
        stage = Stage.WITHDRAWN
    date = dates.iso(groups.get("date") or groups.get("bracketed") or "")
    return Part(package, version, written, heading, date, stage)


def _package(called: str, project: Project) -> str | None:
    """The package that a heading names: the project's first where it names none; None where it names a stranger.

    `Support for CPython 3.13` is no version of NumPy.
    """
    name = " ".join(_GENERIC.sub(" ", called).split()).lower()
    slug = re.sub(r"[^a-z0-9]+", "-", name).strip("-")
    if not slug:
        return _first_package(project)
    if name in project.names:
        return project.names[name]
    known = {package.lower(): package for package in (*project.packages, project.name)}
    if slug in known:
        return known[slug]
    return slug if not project.packages or _sister(slug, project) else None


def _first_package(project: Project) -> str:
    return project.packages[0] if project.packages else project.name


def _sister(slug: str, project: Project) -> bool:
    """Whether a name is that of a sister product: `mindspore-lite` beside `mindspore`."""
    return any(slug.startswith(f"{package}-") for package in project.packages)


def cut(blocks: Sequence[Block], project: Project, version: str = "") -> list[Part]:
    """The sections of a file, in its order. `version` is that of a text with one release whose title names none."""
    if project.single:
        return [_single(blocks, project, version)]
    parts: list[Part] = []
    inside: list[Block] = []
    current: Part | None = None
    for block in blocks:
        part = begun(block, project) if isinstance(block, Heading) else None
        ends = isinstance(block, Heading) and current is not None and _ends(block, current.heading, project)
        if part is not None or ends:
            if current is not None:
                parts.append(replace(current, blocks=tuple(inside)))
            current, inside = part, []
        elif current is not None:
            inside.append(block)
    if current is not None:
        parts.append(replace(current, blocks=tuple(inside)))
    followings = [*parts[1:], None]
    return [part for part, following in zip(parts, followings, strict=False) if not _group(part, following)]


def _ends(heading: Heading, of: Heading, project: Project) -> bool:
    """A heading above the version's own, or beside it, unless its words show that only its level is wrong."""
    if heading.level > of.level:
        return False
    words = plain(heading.text)
    if project.dropped_heading.fullmatch(words):
        return heading.level < of.level
    return categories.of_heading(words, project.categories) is None


def _group(part: Part, following: Part | None) -> bool:
    """Whether a heading only holds another of the same version."""
    if part.blocks or following is None or following.heading.level <= part.heading.level:
        return False
    return part.version.partition("b")[0].partition("a")[0] == following.version or part.version == following.version


def _single(blocks: Sequence[Block], project: Project, version: str) -> Part:
    """The whole text, without the title that names the version."""
    for index, block in enumerate(blocks):
        if isinstance(block, Heading):
            part = begun(block, project)
            if part is None:
                break
            kept = (*blocks[:index], *blocks[index + 1 :])
            return replace(_named(part, version), blocks=kept)
    heading = Heading((), 1, 1)
    part = Part(_first_package(project), "", "", heading, "", Stage.RELEASED, tuple(blocks))
    return _named(part, version)


def _named(part: Part, version: str) -> Part:
    """The tag of a release is right where its title says something else."""
    if not version:
        return part
    normal = versions.normal(version)
    stage = Stage.PRERELEASE if versions.is_prerelease(normal) else Stage.RELEASED
    return replace(part, version=normal, written=version, stage=stage)
