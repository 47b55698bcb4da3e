"""The part of the home page that is generated: how things stand on each machine, and where to read on."""

from collections.abc import Mapping

from kb.analysis.findings import slower_than_eager, speaking_first, standings
from kb.records.run import Machine, Validity
from kb.records.statuses import Status
from kb.site.evidence import Evidence
from kb.site.labels import machine_label
from kb.site.pages.benchmarks import standings_table
from kb.site.pages.conversions import standing
from kb.site.pages.runs import row_counts
from kb.site.render import Page, provenance, render
from kb.site.text import counted
from kb.site.wording import VALIDITY_TONES, noise_text

#: Included by docs/index.md, which people write.
PATH = "parts/home.md"

#: Where the generated pages are, seen from the home page.
TO_ROOT = "generated/"


def pages(evidence: Evidence) -> list[Page]:
    shown = tuple(speaking_first(evidence.entries).values())
    text = render(
        "home.md",
        provenance=provenance(evidence.speaking(shown) or evidence.runs[:1]),
        runs=counted(len(evidence.runs), "run"),
        machines=[_machine(evidence, machine) for machine in evidence.machines],
        models=[(model, f"{TO_ROOT}models/{evidence.slugs[model]}.md") for model in evidence.models],
        slower=counted(len(slower_than_eager(shown)), "cell"),
        converted=standing(evidence),
        failed=counted(sum(entry.cell.status is not Status.OK for entry in shown), "cell"),
    )
    return [Page(PATH, text)]


def _machine(evidence: Evidence, machine: Machine) -> Mapping[str, object]:
    runs = evidence.runs_of(machine)
    # What measured speed first, then what converted; runs of practices and of reproducers have pages of their own.
    latest = next((info for info in runs if info.cases), next((info for info in runs if info.conversions), runs[0]))
    found = standings(evidence.of(machine=machine))
    ok, others = row_counts(latest)
    valid = next((info for info in runs if info.validity is Validity.VALID), None)
    return {
        "label": machine_label(machine),
        "id": machine.id,
        "latest": latest,
        "tone": VALIDITY_TONES[latest.validity],
        "noise": noise_text(latest.noise) if latest.cases else "",
        "rows": f"{ok:,} ok" + (f", {others:,} not" if others else "") if latest.counts else "",
        "left_out": len(latest.left_out),
        "fallback": valid if latest.validity is not Validity.VALID else None,
        "standings": standings_table(found, evidence, TO_ROOT).html() if any(s.n for s in found) else None,
    }
