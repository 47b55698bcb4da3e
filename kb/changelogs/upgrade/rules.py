"""What of the entries on a way matters: one rule per kind of finding, each by content and not by heading alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kb.changelogs.entry import Category, Entry, Span, plain
from kb.changelogs.upgrade.finding import Finding, Kind
from kb.changelogs.upgrade.match import UseIndex
from kb.changelogs.upgrade.naming import Naming, Parts, naming_of
from kb.changelogs.upgrade.security import security
from kb.changelogs.upgrade.symbols import parse
from kb.changelogs.upgrade.text import listed, statements
from kb.changelogs.upgrade.versions import Step, Way, public_version
from kb.changelogs.upgrade.words import deprecated, dropped_support, removed, stated_removals


def findings(way: Way, project: str, index: UseIndex) -> tuple[Finding, ...]:
    """All that matters on a way. What is said twice, as patch releases do, is found once."""
    breaking = list(_breaking(way))
    found = [*breaking, *security(way), *_known_issues(way)]
    if way.downgrade:
        found += _used(_of_category(way, Category.FEATURE, Kind.LOST, f"{way.end} does not have it yet"), index)
    else:
        found += _expired(way, project, breaking)
        taken = {finding.entry for finding in found}
        new = _of_category(way, Category.DEPRECATION, Kind.DEPRECATED, "works still, and will go")
        found += _used((finding for finding in new if finding.entry not in taken), index)
    return tuple(_once(found))


def fixed_later(way: Way) -> tuple[tuple[Entry, str], ...]:
    """Known issues of the version at the end, with the later version that names the same report as fixed."""
    fixes: dict[str, str] = {}
    for step in way.history:
        if step.version > way.end:
            for entry in step.entries:
                if entry.category is Category.BUGFIX:
                    for report in _reports(entry):
                        fixes.setdefault(report, str(step.version))
    found = []
    for entry in _issues_of_the_end(way):
        if version := next((fixes[report] for report in _reports(entry) if report in fixes), None):
            found.append((entry, version))
    return tuple(found)


def _breaking(way: Way) -> Iterator[Finding]:
    """Entries that are breaking by heading or by content, and those that drop support under any heading."""
    for step in way.steps:
        for entry in step.entries:
            if found := _break(way, step, entry):
                yield found
                continue
            for part in _parts(entry):
                if part.category is Category.BREAKING and (found := _break(way, step, part)):
                    yield found


def _break(way: Way, step: Step, entry: Entry) -> Finding | None:
    version = str(step.version)
    undone = f"undone on the way down to {way.end}" if way.downgrade else ""
    by_content = entry.category is Category.BREAKING
    if not way.downgrade and (platforms := dropped_support(entry)):
        return Finding(Kind.DROPPED, version, entry, f"drops support: {listed(platforms)}")
    if entry.heading_category is Category.BREAKING:
        doubt = "" if by_content else f", though it reads as a {entry.category.value.replace('_', ' ')}"
        return Finding(Kind.BREAKING, version, entry, undone or f"under a heading of breaking changes{doubt}")
    if by_content:
        heading = f"under {entry.heading!r}" if entry.heading else "under no heading"
        return Finding(Kind.REMOVAL, version, entry, undone or f"breaks by what it says, {heading}")
    return None


def _expired(way: Way, project: str, breaking: Sequence[Finding]) -> Iterator[Finding]:
    """Announcements of earlier versions, also of those before the start, that come true on the way."""
    naming = naming_of(project)
    gone = _gone(breaking, naming)
    taken = {finding.entry for finding in breaking}
    for step in way.history:
        if step.version > way.end:
            return
        for entry in step.entries:
            if entry in taken:
                continue
            for said in (entry, *_parts(entry)):
                if found := _stated(way, step, said, project) or _carried_out(step, said, gone, naming):
                    yield found
                    break


def _stated(way: Way, step: Step, entry: Entry, project: str) -> Finding | None:
    """The entry names the version of the removal, and that is passed."""
    for text in stated_removals(entry, project):
        version = public_version(text)
        if version is not None and version > step.version and way.passes(version):
            reason = f"{step.version} said that it goes in {text}"
            return Finding(Kind.EXPIRED, str(step.version), entry, reason, effective=str(version))
    return None


def _carried_out(step: Step, entry: Entry, gone: Mapping[Parts, str], naming: Naming) -> Finding | None:
    """The entry deprecates what a breaking entry on the way removes."""
    if entry.category is not Category.DEPRECATION:
        return None
    for parts, written in _names(deprecated(entry), naming).items():
        version = public_version(gone.get(parts, ""))
        if version is not None and version > step.version:
            reason = f"{step.version} deprecated `{written}`, which {version} removes"
            return Finding(Kind.EXPIRED, str(step.version), entry, reason, effective=str(version))
    return None


def _gone(breaking: Sequence[Finding], naming: Naming) -> dict[Parts, str]:
    """Names that entries on the way say are removed, with the version that does it."""
    gone: dict[Parts, str] = {}
    for finding in breaking:
        for parts in _names(removed(finding.entry), naming):
            gone.setdefault(parts, finding.version)
    return gone


def _names(texts: Iterable[str], naming: Naming) -> dict[Parts, str]:
    """Names as code has them, with how they are written; not single words, examples, or modules with parts named."""
    names: dict[Parts, str] = {}
    for named in filter(None, map(parse, sorted(texts))):
        if named.example:
            continue
        full = naming.absolute(named.parts) or (naming.expanded(named.parts) if len(named.parts) > 1 else ())
        if len(full) > 1:
            names[full] = named.written
    around = {parts[:length] for parts in names for length in range(1, len(parts))}
    return {parts: written for parts, written in names.items() if parts not in around}


def _known_issues(way: Way) -> Iterator[Finding]:
    fixed = {entry for entry, _ in fixed_later(way)}
    for entry in _issues_of_the_end(way):
        if entry not in fixed:
            reason = f"known in {way.end}, and no later version is known to fix it"
            yield Finding(Kind.KNOWN_ISSUE, str(way.end), entry, reason)


def _issues_of_the_end(way: Way) -> Iterator[Entry]:
    for step in way.history:
        if step.version == way.end:
            yield from (entry for entry in step.entries if entry.category is Category.KNOWN_ISSUE)


def _reports(entry: Entry) -> set[str]:
    """Issues and pull requests that an entry names; by number where no address is known."""
    return {reference.url or reference.label for reference in entry.references if reference.url or reference.label}


def _of_category(way: Way, category: Category, kind: Kind, reason: str) -> Iterator[Finding]:
    for step in way.steps:
        for entry in step.entries:
            for said in (entry, *_parts(entry)):
                if said.category is category:
                    yield Finding(kind, str(step.version), said, reason)


def _used(found: Iterator[Finding], index: UseIndex) -> Iterator[Finding]:
    """Only what the code uses: the report would drown in the others."""
    return (finding for finding in found if index.matches(finding.entry))


def _once(found: Iterable[Finding]) -> Iterator[Finding]:
    seen: set[tuple[Kind, str, str]] = set()
    for finding in found:
        text = " ".join(" ".join(map(plain, statements(finding.entry))).split()).casefold()
        if (key := (finding.kind, finding.cve, text)) not in seen:
            seen.add(key)
            yield finding


def _parts(entry: Entry) -> Iterator[Entry]:
    """Items that are about something else than their entry, each as an entry of its own, with the names in it alone."""
    for item in entry.walk():
        if item.category is not None and item.category is not entry.category:
            part = replace(entry, category=item.category, text=(*entry.text, Span(" – "), *item.text), items=item.items)
            words = "\n".join(map(plain, statements(part)))
            yield replace(part, symbols=tuple(symbol for symbol in entry.symbols if symbol in words))
