"""What breaks between the packages that are installed here and those of a file, by the changelogs that kb has read."""

from collections.abc import Mapping
from pathlib import Path

from packaging.version import Version

from kb.changelogs.library import Shelf
from kb.changelogs.upgrade.finding import BREAKS
from kb.changelogs.upgrade.report import upgrade_report
from kb.changelogs.upgrade.requirements import asked


def breaking_changes(results: Path, wanted: Mapping[str, Version], here: Mapping[str, Version]) -> tuple[str, ...]:
    """A line for each package on whose way from the version here to the wanted one something breaks.

    Packages without a changelog, and those that are of one version, are passed over.

    Raises:
        kb.records.damage.DamagedFile: a changelog is not as it was written.
    """
    shelf = Shelf(results)
    lines = []
    for name, version in sorted(wanted.items()):
        before = here.get(name)
        if before is None or before.public == version.public or not shelf.sections_of(name):
            continue
        pins = (f"{name}=={before.public}", f"{name}=={version.public}")
        report = upgrade_report(asked(pins, None, None), shelf.sections_of)
        count = sum(finding.kind in BREAKS for package in report.packages for finding in package.findings)
        if count:
            changes = "1 breaking change lies" if count == 1 else f"{count} breaking changes lie"
            lines.append(
                f"{changes} between {name} {before}, which is here, and {version}: kb upgrade {' '.join(pins)}"
            )
    return tuple(lines)
