"""What breaks between the packages that are installed here and those of a file, by the changelogs that kb has read."""

from collections.abc import Mapping
from pathlib import Path

from packaging.version import Version

from kb.changelogs.library import Shelf
from kb.changelogs.upgrade.finding import BREAKS
from kb.changelogs.upgrade.report import upgrade_report
from kb.changelogs.upgrade.requirements import asked
from kb.packages.families import family_of


def breaking_changes(results: Path, wanted: Mapping[str, Version], here: Mapping[str, Version]) -> tuple[str, ...]:
    """A line for each project on whose way from the version here to the wanted one something breaks.

    Two builds of a project, such as onnxruntime and onnxruntime-gpu, are told of in one changelog. Packages without a
    changelog, and those that are of one version, are passed over.

    Raises:
        kb.records.damage.DamagedFile: a changelog is not as it was written.
    """
    shelf = Shelf(results)
    builds_here = _by_family(here)
    lines = []
    for family, (name, version) in sorted(_by_family(wanted).items()):
        known, before = builds_here.get(family, (name, version))
        if before.public == version.public:
            continue
        pins = (f"{known}=={before.public}", f"{name}=={version.public}")
        report = upgrade_report(asked(pins, None, None), shelf.sections_of)
        count = sum(finding.kind in BREAKS for package in report.packages for finding in package.findings)
        if count:
            changes = "1 breaking change lies" if count == 1 else f"{count} breaking changes lie"
            lines.append(
                f"{changes} between {known} {before}, which is here, and {name} {version}: kb upgrade {' '.join(pins)}"
            )
    return tuple(lines)


def _by_family(versions: Mapping[str, Version]) -> dict[str, tuple[str, Version]]:
    """Project -> the build of it that counts, and its version: of several the newest."""
    found: dict[str, tuple[str, Version]] = {}
    for name, version in sorted(versions.items()):
        family = family_of(name)
        if family not in found or found[family][1] < version:
            found[family] = name, version
    return found
