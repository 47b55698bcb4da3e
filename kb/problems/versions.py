"""Whether a version lies in a range of a note, by the events of OSV: introduced, fixed, last_affected.

The order is that of PEP 440 and nothing else (https://ossf.github.io/osv-schema/#evaluation), on public versions:

- `2.13.0+cpu` is 2.13.0: what a build was made for is no newer version.
- `2.11.0.dev20260101` and `2.11.0rc1` come before 2.11.0. A problem that 2.11 fixes is still there in its nightlies,
  and one that 2.11 introduced is not yet in them: write `introduced: "2.11.dev0"` to include them. `SpecifierSet`
  would pass over pre-releases altogether, and call a nightly unaffected.
- `2.11.0.post1` comes after 2.11.0, so `last_affected: "2.11.0"` does not reach it.
- `introduced: "0"` is before every version, also before `0.dev0`.
"""

from functools import lru_cache

from packaging.version import Version

from kb.problems.note import Range

#: OSV's word for "from the first version on".
FROM_THE_FIRST = "0"


@lru_cache(maxsize=8192)
def public(written: str) -> Version:
    """The version without its local part.

    Raises:
        packaging.version.InvalidVersion: it is no version.
    """
    return Version(Version(written).public)


def contains(affected: Range, version: Version) -> bool:
    """Whether the version has the problem."""
    here = public(str(version))
    if affected.introduced != FROM_THE_FIRST and here < public(affected.introduced):
        return False
    if affected.fixed and here >= public(affected.fixed):
        return False
    return not (affected.last_affected and here > public(affected.last_affected))


def is_empty(affected: Range) -> bool:
    """Whether no version can be in the range: it ends before it begins."""
    if affected.introduced == FROM_THE_FIRST:
        return False
    first = public(affected.introduced)
    if affected.fixed and public(affected.fixed) <= first:
        return True
    return bool(affected.last_affected) and public(affected.last_affected) < first


def in_words(affected: Range) -> str:
    """The range as one says it: `torch from 2.4 to before 2.6`."""
    words = [affected.package]
    if affected.introduced != FROM_THE_FIRST:
        words.append(f"from {affected.introduced}")
    if affected.fixed:
        words.append(f"{'to ' if len(words) > 1 else ''}before {affected.fixed}")
    elif affected.last_affected:
        words.append(f"up to {affected.last_affected}")
    elif len(words) == 1:
        words.append("of any version")
    else:
        words.append("on")
    return " ".join(words)
