"""What the words of an entry say: that support was dropped, when something goes, what is only its replacement."""

import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto

from kb.changelogs.entry import Entry, Inline, Span, plain
from kb.changelogs.upgrade.naming import naming_of
from kb.changelogs.upgrade.text import statements
from kb.packages.families import names_of

_NUMBER = r"v?\d+(?:\.\d+)*(?:\.[xX])?"
_VERSIONED = rf"\s*(?:toolkit|versions?)?\s*(?:[<>=≤≥]=?\s*)?{_NUMBER}"

#: What a package runs on. The first three count with a version only.
_PLATFORMS = {
    "Python": rf"\b(?:c?python|py){_VERSIONED}",
    "CUDA": rf"\b(?:cuda|cudnn){_VERSIONED}",
    "ROCm": rf"\brocm{_VERSIONED}",
    "compute capability": (
        r"\bcompute[- ]capabilit(?:y|ies)\b|\bsm[_ ]?\d{2,3}[af]?\b|\b(?:fermi|kepler|maxwell|pascal|volta|turing)\b"
    ),
    "operating system": (
        r"\b(?:windows|mac ?os|os x|ubuntu|centos|rhel|debian|manylinux\w*|musllinux\w*|glibc|android|ios)\b"
        r"|\b32-?bit\b|\b(?:aarch64|arm64|ppc64le|s390x|i686|x86)\b"
    ),
}
_PLATFORM = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _PLATFORMS.items()}

_DROPPING = re.compile(
    r"\b(?:drop|remov|end|discontinu|stopp?)(?:e|s|es|ed|ped|ping|ing|al|ue|ued|uing)?\b[^.;]{0,80}?"
    r"\b(?:support\w*|wheels?|binar(?:y|ies)|packages)\b"
    r"|\bno longer\b[^.;]{0,60}?\b(?:support|buil[dt]|provid|publish|ship|distribut|compatib|releas)"
    r"|\bsupport\b.{0,90}?\b(?:dropped|removed|ended|discontinued)\b"
    r"|\bdrop(?:s|ped|ping)?\s+(?:python|cuda|rocm)\b"
    r"|不再支持|停止支持|移除.{0,40}支持|取消.{0,40}支持",
    re.IGNORECASE,
)
#: Code for a generation of GPUs is removed from what is built, with or without the word support.
_DROPPING_GPUS = re.compile(
    r"\b(?:drop|remov)(?:e|s|es|ed|ped|ping|ing)?\b.{0,100}?(?:support|arch|buil[dt]|binar|wheel|sass|ptx|cubin|target)",
    re.IGNORECASE,
)
#: Characters around the words of dropping in which the platform must stand.
_NEAR = 60
_RAISING = re.compile(
    r"\bminimum\b|\bnow requires?\b|\brequires? (?:at least )?python\b|\bis now required\b"
    r"|\bpython\b[^;]{0,20}(?:is|are) required\b|\bor (?:newer|later|higher|above) is required\b|最低",
    re.IGNORECASE,
)
_RAISED = re.compile(r"\b(python|cuda|rocm)\b[^;]{0,50}?\d+(?:\.\d+)*", re.IGNORECASE)
_NOT_YET = re.compile(
    r"\bwill\b|\bto be\b|\bplan(?:s|ned|ning)? to\b|\bgoing to\b|\bmay\b|\blast (?:release|version)\b|将在|将于|计划",
    re.IGNORECASE,
)
_DONE = re.compile(r"\bbeen (?:removed|dropped)\b|\bno longer\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.;!?])\s+|[。；！？\n]")

_CODE = "`code`"
_GOING = (
    r"\b(?:remov(?:e|ed|al|ing)|drop(?:ped|ping)?|delet(?:ed|ion)|go(?:es)? away|disappears?|stops? working"
    r"|end of support)\b"
)
_GOING_IN_CHINESE = re.compile(
    r"(?:将在|将于|计划在|计划于|会在)[^。；\d]{0,15}v?(\d+\.\d+(?:\.\d+)*)[^。；]{0,30}?(?:移除|删除|废除|下线)"
)

#: Words before a name that is only what to use instead, or what something is compared with.
_ASIDE_BEFORE = re.compile(
    r"(?:^|[.;:,(]\s*|\b(?:please|instead|should|must|can|and|or)\s+)(?:use|try|prefer|see)"
    r"(?:\s+the)?(?:\s+new)?\s*$"
    r"|\b(?:in favou?r of|replaced (?:by|with)|renamed (?:to|as)|superseded by|moved (?:in)?to|migrate to"
    r"|switch to|alternatives? (?:is|are)|replacements? (?:is|are)|equivalent (?:to|of)|related to|similar to"
    r"|compared (?:to|with)|consistent with|same as|unlike|like)(?:\s+the)?(?:\s+new)?\s*$"
    r"|(?:->|→|=>)\s*$|(?:请使用|改用|改为使用|重命名为|更名为)\s*$",
    re.IGNORECASE,
)
_ASIDE_AFTER = re.compile(
    r"\s*(?:(?:should|can|must) be used\s+)?instead\b(?!\s+of)|\s*(?:进行|来)?(?:代替|替代)", re.IGNORECASE
)
#: Words before a name in which, or of which, something else is spoken of.
_WITHIN_BEFORE = re.compile(
    r"(?<!removal )(?<!deprecation )(?<!support )\b(?:from|in|to|of|for|with|by|on|under|than|via|at)"
    r"(?:\s+(?:the|several|some|all))?\s*$",
    re.IGNORECASE,
)
_ALSO = re.compile(r"\s*(?:,|or|and|/|,\s*or|,\s*and|或|、)\s*")

_DEPRECATED = re.compile(r"\bdeprecat|废弃|弃用", re.IGNORECASE)
_REMOVED = re.compile(
    r"\b(?:remov|delet)(?:e|es|ed|ing|al|ion)\b|\bdrop(?:s|ped)?\b|\bno longer (?:exist|available|support)"
    r"|移除|删除|去除|下线",
    re.IGNORECASE,
)


def dropped_support(entry: Entry) -> tuple[str, ...]:
    """What the entry says is supported no more, e.g. ``("Python",)``, whatever heading it stands under."""
    kinds = (
        kind
        for text in statements(entry)
        for sentence in _SENTENCE_END.split(plain(text))
        for kind in _dropped(sentence)
    )
    return tuple(dict.fromkeys(kinds))


def _dropped(sentence: str) -> Iterator[str]:
    if _NOT_YET.search(sentence) and not _DONE.search(sentence):
        return
    for kind, pattern in _PLATFORM.items():
        dropping = _DROPPING_GPUS if kind == "compute capability" else _DROPPING
        for found in dropping.finditer(sentence):
            if pattern.search(sentence[max(0, found.start() - _NEAR) : found.end() + _NEAR]):
                yield kind
    if _RAISING.search(sentence) and (raised := _RAISED.search(sentence)):
        yield {"python": "Python", "cuda": "CUDA", "rocm": "ROCm"}[raised[1].lower()]


def stated_removals(entry: Entry, project: str) -> tuple[str, ...]:
    """Versions of the project in which, by its words, something of the entry goes: ``2.10``."""
    known = {*names_of(project), *naming_of(project).roots, "tf", "ort", "version", "release", "v"}
    words = "|".join(re.escape(name) for name in sorted(known))
    pattern = re.compile(
        rf"{_GOING}[^.;:]{{0,60}}?\b(?:in|from|by|with|for|as of|starting (?:in|with|from))\s+"
        rf"(?:(?:the|{words})\s+){{0,4}}\(?v?(\d+\.\d+(?:\.\d+)*)(?![\d%])",
        re.IGNORECASE,
    )
    found: list[str] = []
    for text in statements(entry):
        prose = " ".join(_prose(text).split())
        found += pattern.findall(prose) + _GOING_IN_CHINESE.findall(prose)
    return tuple(dict.fromkeys(found))


def removed(entry: Entry) -> frozenset[str]:
    """Code spans of which the entry says that they are removed."""
    return _subjects(entry, _REMOVED)


def deprecated(entry: Entry) -> frozenset[str]:
    """Code spans of which the entry says that they are deprecated."""
    return _subjects(entry, _DEPRECATED)


def asides(entry: Entry) -> frozenset[str]:
    """Code spans that the entry names only in passing: as what to use instead, or to compare with."""
    roles: dict[str, bool] = {}
    for text in statements(entry):
        for written, role in _roles(text):
            roles[written] = roles.get(written, True) and role is _Role.ASIDE
    return frozenset(written for written, aside in roles.items() if aside)


class _Role(Enum):
    """What a name does in its sentence."""

    SUBJECT = auto()
    WITHIN = auto()  #: something in it, or of it, is spoken of
    ASIDE = auto()


def _subjects(entry: Entry, verb: re.Pattern[str]) -> frozenset[str]:
    """Names that stand where the verb does; a heading, or the entry's own text, speaks for all items below it."""
    for_all = bool(verb.search(entry.heading) or verb.search(plain(entry.text)))
    texts = [text for text in statements(entry) if for_all or verb.search(plain(text))]
    return frozenset(written for text in texts for written, role in _roles(text) if role is _Role.SUBJECT)


def _roles(text: Inline) -> Iterator[tuple[str, _Role]]:
    """Each code span with its role; in "use `a` or `b`" both have the same."""
    before, previous = "", _Role.SUBJECT
    for index, span in enumerate(text):
        if not span.code:
            before += span.text
            continue
        role = previous if _ALSO.fullmatch(before) else _role(before[-60:], _after(text, index))
        yield span.text.strip(), role
        before, previous = "", role


def _role(before: str, after: str) -> _Role:
    if _ASIDE_BEFORE.search(before) or _ASIDE_AFTER.match(after):
        return _Role.ASIDE
    return _Role.WITHIN if _WITHIN_BEFORE.search(before) else _Role.SUBJECT


def _after(text: Sequence[Span], index: int) -> str:
    following = text[index + 1 : index + 2]
    return following[0].text[:60] if following and not following[0].code else ""


def _prose(text: Inline) -> str:
    """The text with its code left out: dots in names end no sentence."""
    return "".join(_CODE if span.code else span.text for span in text)
