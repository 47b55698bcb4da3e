"""What the report finds on the way from one version to another."""

from dataclasses import dataclass, field
from enum import StrEnum

from kb.changelogs.entry import Entry
from kb.changelogs.upgrade.match import Confidence, Match


class Kind(StrEnum):
    """Why a finding is in the report. A closed set, in the order in which it is shown."""

    BREAKING = "breaking"
    REMOVAL = "removal"
    EXPIRED = "expired-deprecation"
    DROPPED = "dropped-support"
    LOST = "lost-feature"
    SECURITY = "security"
    KNOWN_ISSUE = "known-issue"
    DEPRECATED = "deprecation"


#: What each kind is, for a heading and for a rule of SARIF.
TITLES = {
    Kind.BREAKING: "Breaking changes",
    Kind.REMOVAL: "Breaking by what it says, under another heading",
    Kind.EXPIRED: "Deprecations that expire",
    Kind.DROPPED: "Support that is dropped",
    Kind.LOST: "Used here, and not there yet in the older version",
    Kind.SECURITY: "Security",
    Kind.KNOWN_ISSUE: "Known issues of the version at the end",
    Kind.DEPRECATED: "Deprecated, and used here",
}

#: Kinds after which code may fail.
BREAKS = frozenset({Kind.BREAKING, Kind.REMOVAL, Kind.EXPIRED, Kind.DROPPED, Kind.LOST})


@dataclass(frozen=True)
class Finding:
    """One entry that matters, or one vulnerability."""

    kind: Kind
    version: str  #: whose notes say it
    entry: Entry
    reason: str  #: why it is in the report
    effective: str = ""  #: version in which it takes effect, where that is another one
    cve: str = ""
    fixed_in: tuple[str, ...] = ()  #: versions that fix the vulnerability, upwards
    matches: tuple[Match, ...] = field(default=())  #: where the code uses what it is about; the surest first
    source: str = ""  #: where it can be read; empty where that is not known

    @property
    def confidence(self) -> Confidence | None:
        """How sure it is that it is about the code; None where nothing connects them."""
        return self.matches[0].confidence if self.matches else None

    @property
    def breaks_code(self) -> bool:
        """The code uses what breaks, and that is more than possible."""
        return self.kind in BREAKS and self.confidence is not None and self.confidence > Confidence.POSSIBLE
