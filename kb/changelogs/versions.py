"""Version numbers as release notes write them, and as PEP 440 does."""

from packaging.version import InvalidVersion, Version

#: A version inside a heading. At least one point, or a lone number would be one.
PATTERN = (
    r"[vV]?(?P<version>\d{1,6}(?:\.\d{1,6}){1,4}(?:\.[xX]\b)?"
    r"(?:[ ._-]?(?:a|b|c|rc|alpha|beta|pre|preview|post|dev)[._-]?\d{0,4}(?![a-z]))?(?:\+[a-z0-9.]{1,20})?)"
)

#: A number with a wildcard, of a time when nobody kept count: `0.2.x`.
WILDCARD = r"[vV]?(?P<version>\d{1,6}\.(?:\d{1,6}\.)?[xX])"


def normal(written: str) -> str:
    """`2.19.0rc0` of `2.19.0-rc0`; as written where PEP 440 does not know it."""
    try:
        return str(Version(written.replace(" ", "")))
    except InvalidVersion:
        return written


def is_prerelease(version: str) -> bool:
    try:
        return Version(version).is_prerelease
    except InvalidVersion:
        return False
