"""How well the readers do on real changelogs, against hand-checked truth.

    python -m tests.changelogs.score ../shared/changelogs/gold.json

The truth counts versions by file, and describes some sections in full: entries per heading, the category of each
heading, sample entries with the category that their content says, symbols of the breaking entries, and CVEs.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from kb.changelogs.entry import Category, Entry, Inline, Item, Section, plain
from kb.changelogs.reading import read
from kb.changelogs.versions import normal
from tests.changelogs.shared import project_of

Truth = Mapping[str, Any]


@dataclass
class Count:
    """So many of so many, and which were wrong."""

    right: int = 0
    all: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, right: bool, what: str) -> None:
        self.all += 1
        self.right += right
        if not right:
            self.wrong.append(what)

    @property
    def share(self) -> float:
        return self.right / self.all if self.all else 1.0

    def __str__(self) -> str:
        return f"{self.right:,} of {self.all:,} ({self.share:.1%})"


@dataclass
class Score:
    versions: Count = field(default_factory=Count)
    false_versions: list[str] = field(default_factory=list)
    dates: Count = field(default_factory=Count)
    counts: Count = field(default_factory=Count)
    breaking_headings: Count = field(default_factory=Count)
    by_heading: Count = field(default_factory=Count)
    by_content: Count = field(default_factory=Count)  #: where the truth says that the content contradicts the heading
    samples: Count = field(default_factory=Count)  #: the category of all samples, contradicted or not
    sample_texts: Count = field(default_factory=Count)
    components: Count = field(default_factory=Count)
    precision: Count = field(default_factory=Count)
    recall: Count = field(default_factory=Count)
    cves: Count = field(default_factory=Count)

    def lines(self) -> Iterator[str]:
        yield f"versions found              {self.versions}, {len(self.false_versions)} false"
        yield f"stated dates exact          {self.dates}"
        yield f"entries per heading         {self.counts}"
        yield f"breaking headings           {self.breaking_headings}"
        yield f"category by heading         {self.by_heading}"
        yield f"category by content         {self.by_content}; of all samples {self.samples}"
        yield f"samples found by their text {self.sample_texts}"
        yield f"components                  {self.components}"
        yield f"breaking symbols, precision {self.precision}"
        yield f"breaking symbols, recall    {self.recall}"
        yield f"sets of CVEs                {self.cves}"

    def misses(self) -> Iterator[str]:
        for name, value in vars(self).items():
            for wrong in value.wrong if isinstance(value, Count) else value:
                yield f"{name}: {wrong}"


def score(gold: Path) -> Score:
    """Read every file that the truth knows, and compare."""
    truth = json.loads(gold.read_text(encoding="utf-8"))
    meta = truth["meta"]
    described = [section for name, value in truth.items() if name != "meta" for section in value]
    result = Score()
    reader = _reader(gold.parent)
    for file, count in meta.get("sections_total", {}).items():
        _versions(result, file, count, reader(file), described)
    for section in described:
        _section(result, section, reader(section["file"]))
    for file, facts in meta.get("cve_facts", {}).items():
        _cve_facts(result, file, facts, reader(file))
    return result


def _reader(folder: Path) -> Callable[[str], tuple[Section, ...]]:
    @lru_cache
    def sections(file: str) -> tuple[Section, ...]:
        text = (folder / file).read_bytes().decode("utf-8", "replace")
        return read(text, project_of(file)).sections

    return sections


def _numbered(sections: Iterable[Section]) -> list[Section]:
    """Those of a version, not of what is yet to come and has no number."""
    return [section for section in sections if re.search(r"\d", section.version)]


def _versions(result: Score, file: str, count: int, sections: tuple[Section, ...], described: list[Truth]) -> None:
    """The truth gives the number of sections of a file, and headings of some: each version once, none beyond."""
    found = {(section.package, section.version) for section in _numbered(sections)}
    missing = count - len(found)
    for _ in range(min(count, len(found))):
        result.versions.add(True, "")
    for _ in range(missing):
        result.versions.add(False, f"{file}: a version of {count}")
    result.false_versions += [f"{file}: one of {len(found)}, {count} expected"] * -missing
    repeated = len(_numbered(sections)) - len(found)
    result.false_versions += [f"{file}: the same version again"] * repeated


def _of(truth: Truth, sections: Iterable[Section]) -> Section | None:
    """The section that the truth describes, by package, version and line."""
    for section in sections:
        same = section.version == normal(truth["version"]) and section.line == truth["line"]
        if same and section.package.lower() == truth["package"].lower():
            return section
    return None


def _section(result: Score, truth: Truth, sections: tuple[Section, ...]) -> None:
    section = _of(truth, sections)
    if section is None:
        result.versions.add(False, f"{truth['id']}: not found")
        return
    if truth["release_date"]:
        result.dates.add(section.date == truth["release_date"], f"{truth['id']}: {section.date!r}")
    elif section.date:
        result.dates.add(False, f"{truth['id']}: {section.date!r} where none is stated")
    _headings(result, truth, section)
    for sample in truth["samples"]:
        _sample(result, truth["id"], sample, section)
    _symbols(result, truth, section)
    found = {cve for entry in section.entries for cve in entry.cves}
    result.cves.add(len(found) == truth["cve_unique"], f"{truth['id']}: {len(found)}, {truth['cve_unique']} expected")


def _headings(result: Score, truth: Truth, section: Section) -> None:
    expected = dict(truth["entries_by_heading"])
    found: dict[str, list[Entry]] = {}
    for entry in section.entries:
        found.setdefault(entry.heading or "(none)", []).append(entry)
    for heading, count in expected.items():
        entries = found.pop(heading, [])
        result.counts.add(len(entries) == count, f"{truth['id']} {heading}: {len(entries)}, {count} expected")
        category = truth["heading_category"][heading]
        if not count:
            continue
        right = {entry.heading_category for entry in entries} == {Category(category)}
        kinds = sorted({entry.heading_category for entry in entries})
        result.by_heading.add(right, f"{truth['id']} {heading}: {kinds}, {category} expected")
        if category == Category.BREAKING:
            result.breaking_headings.add(right and len(entries) == count, f"{truth['id']} {heading}: {len(entries)}")
    for heading, entries in found.items():
        result.counts.add(False, f"{truth['id']} {heading}: {len(entries)}, none expected")


def _sample(result: Score, where: str, sample: Truth, section: Section) -> None:
    """An entry by the begin of its text. It may stand below another, whose words name only a component."""
    wanted = _letters(_without_marks(sample["text60"]))
    found = [
        (entry, item)
        for entry in section.entries
        for item in _texts(entry)
        if _letters(plain(_text(item))).startswith(wanted)
    ]
    found = [(entry, item) for entry, item in found if (entry.heading or "(none)") == sample["heading"]] or found
    result.sample_texts.add(bool(found), f"{where}: {sample['text60']}")
    if not found:
        return
    entry, item = found[0]
    own = item.category or entry.heading_category if isinstance(item, Item) else entry.category
    expected = sample.get("category_content", sample["category"])
    what = f"{where}: {own}, {expected} expected: {sample['text60']}"
    result.by_heading.add(entry.heading_category == sample["category"], what)
    result.samples.add(own == expected, what)
    if "category_content" in sample:
        result.by_content.add(own == expected, what)
    if "component" in sample:
        what = f"{where}: {entry.component!r}, {sample['component']!r} expected"
        result.components.add(entry.component == sample["component"], what)


def _texts(entry: Entry) -> Iterator[Entry | Item]:
    yield entry
    yield from entry.walk()


def _text(part: Entry | Item) -> Inline:
    return part.text


def _without_marks(raw: str) -> str:
    """The words of Markdown or rst that was cut off after 60 characters."""
    raw = re.sub(r"\{[a-z:-]+\}(?=`)", "", raw)  # the name of a role
    return re.sub(r"\]\([^)]*\)?", "", raw)  # the target of a link, closed or cut off


def _letters(words: str) -> str:
    return re.sub(r"[\W_]+", "", words)


def _symbols(result: Score, truth: Truth, section: Section) -> None:
    """Of the entries under breaking headings; brackets of a call do not count."""
    headings = {heading for heading, category in truth["heading_category"].items() if category == Category.BREAKING}
    note = truth.get("notes", "")
    headings |= {heading for heading in truth["heading_category"] if f"breaking_symbols are those of {heading}" in note}
    found = {
        _bare(name) for entry in section.entries if (entry.heading or "(none)") in headings for name in entry.symbols
    }
    expected = {_bare(name) for name in truth["breaking_symbols"]}
    for name in sorted(found):
        result.precision.add(name in expected, f"{truth['id']}: {name}")
    for name in sorted(expected):
        result.recall.add(name in found, f"{truth['id']}: {name}")


def _bare(name: str) -> str:
    return name.removesuffix("()")


def _cve_facts(result: Score, file: str, facts: Truth, sections: tuple[Section, ...]) -> None:
    by_section = [{cve for entry in section.entries for cve in entry.cves} for section in sections]
    unique = len(set().union(*by_section))
    holding = [cves for cves in by_section if cves]
    repeated = {cve for cve in set().union(*holding) if sum(cve in cves for cves in holding) > 1}
    for what, count, name in (
        ("CVEs", unique, "unique"),
        ("releases with one", len(holding), "releases_with_cve"),
        ("CVEs in the fullest", max(map(len, holding), default=0), "max_in_one_release"),
        ("CVEs in more than one", len(repeated), "in_more_than_one_release"),
    ):
        if name in facts:
            result.cves.add(count == facts[name], f"{file}: {count} {what}, {facts[name]} expected")


def main() -> int:
    result = score(Path(sys.argv[1]))
    for line in result.lines():
        print(line)
    if "-v" in sys.argv[2:]:
        for line in result.misses():
            print("   ", line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
