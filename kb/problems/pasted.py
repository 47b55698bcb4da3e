"""The last traceback in what somebody pasted: a terminal, a log of CI, pytest's report, a notebook."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb.problems.normal import EXCEPTION, Line, cleaned, messages
from kb.problems.reading import CONTROL

#: Lines of a message that are kept after the exception: PyTorch's hints come to a dozen. What follows is another part.
MAX_MESSAGE_LINES = 25
#: Without a traceback: the end of the paste, where native code and installers say what is wrong.
MAX_LINES = 40
#: A recursion prints a thousand frames; those at both ends say what happened.
MAX_FRAMES_LINES = 120

_CHAIN = re.compile(r"^(?:During handling of the above exception|The above exception was the direct cause)")
_EXCEPTION = re.compile(EXCEPTION)
_HEADER = re.compile(r"Traceback \(most recent call last\)")
#: Line by line of a log: what comes after the exception and belongs to it no more.
_NEXT_PART = re.compile(
    r"^(?:={4,}|-{4,}|_{4,}|Traceback |Process |make(?:\[\d+\])?: |\$ |>>> |In \[\d+\]|(?:INFO|DEBUG|WARNING|ERROR)\b)"
    r"|^(?:FAILED|PASSED|ERROR) \S+\.py"
)
_HOME = re.compile(r"(?:/home/|/Users/|\b[A-Za-z]:\\Users\\)[^/\\\s\"':]+|/root(?=/)")
_MODULE = re.compile(r"(?:site|dist)-packages[/\\]([A-Za-z0-9_]+)")
#: Modules that native code and installers name without a frame.
_NAMED = re.compile(r"\b(torch|tensorflow|keras|onnxruntime|onnxscript|tf2onnx|onnx|numpy|protobuf)\b")
_CLASS = re.compile(r"([A-Za-z_][\w.]*)(?::|$)")


@dataclass(frozen=True)
class Pasted:
    """An error as it goes into a note."""

    text: str  #: without colours and prefixes, and without the name of anybody's home folder
    exception: str = ""  #: class of the exception, without its modules; empty where there is none
    message: str = ""  #: first line of what it says
    modules: tuple[str, ...] = ()  #: top-level packages that it went through, the innermost first, or that it names


def last_error(text: str) -> Pasted:
    """The last traceback of the text with all that it is chained to; without one, the end of the text."""
    lines = cleaned(text)
    kept = _last_traceback(lines) or _marked_by_pytest(lines) or _end(lines)
    while kept and _is_blank(kept[-1]):
        kept.pop()
    body = CONTROL.sub("", _HOME.sub("~", "\n".join(_shortened(kept)).strip("\n")))
    exception, message = _what_it_says(cleaned(body))
    return Pasted(body, exception, message, _modules(body))


def _last_traceback(lines: Sequence[Line]) -> list[str]:
    """From the first header of the chain to the end of the last message; empty where a later error is pytest's."""
    headers = [index for index, line in enumerate(lines) if _HEADER.search(line.text)]
    if not headers or any(line.marked for line in lines[headers[-1] :]):
        return []
    first = _beginning_of_chain(lines, headers)
    last = _end_of_message(lines, headers[-1])
    return [_header(line.text) for line in lines[first:last]]


def _beginning_of_chain(lines: Sequence[Line], headers: Sequence[int]) -> int:
    """The first header of those that are chained to the last one."""
    first = headers[-1]
    for earlier in reversed(headers[:-1]):
        between = [line.text for line in lines[earlier + 1 : first] if not _is_blank(line.text)]
        if not between or not _CHAIN.match(between[-1]):
            break
        first = earlier
    return first


def _end_of_message(lines: Sequence[Line], header: int) -> int:
    """The line after the message: frames are indented, the exception is not, and what it says may go on."""
    index = header + 1
    while index < len(lines) and (lines[index].text[:1] in ("", " ", "\t") or _is_frame(lines[index].text)):
        index += 1
    last = min(index + MAX_MESSAGE_LINES, len(lines))
    for end in range(index + 1, last):
        if _NEXT_PART.match(lines[end].text):
            return end
    return last


def _is_frame(line: str) -> bool:
    """A notebook's frames are not indented."""
    return bool(re.match(r"(?:File |Cell In|-+>|~~|[\w./\\<>-]+\.py\b.* in )", line))


def _is_blank(line: str) -> bool:
    """Nothing, or the time that a log puts before nothing."""
    return not line.strip("0123456789-:.,TZ+ \t")


def _marked_by_pytest(lines: Sequence[Line]) -> list[str]:
    """The last error that pytest marked with `E`."""
    last = max((index for index, line in enumerate(lines) if line.marked), default=-1)
    first = last
    while first > 0 and lines[first - 1].marked:
        first -= 1
    return [line.text for line in lines[first : last + 1]] if last >= 0 else []


def _end(lines: Sequence[Line]) -> list[str]:
    return [line.text for line in lines if line.text][-MAX_LINES:]


def _header(line: str) -> str:
    """A logger may have put its message before the header, and a notebook the exception."""
    found = _HEADER.search(line)
    return line[found.start() :] if found else line


def _shortened(lines: list[str]) -> list[str]:
    """The beginning and the end of a traceback that is too long to be read."""
    if len(lines) <= MAX_FRAMES_LINES:
        return lines
    left_out = len(lines) - MAX_FRAMES_LINES
    half = MAX_FRAMES_LINES // 2
    return [*lines[:half], f"  [{left_out} lines left out]", *lines[-half:]]


def _what_it_says(lines: Sequence[Line]) -> tuple[str, str]:
    """Class and message of the last exception."""
    found = messages(lines)
    named = [text for text in found if _EXCEPTION.match(text)]
    line = named[-1] if named else (found[-1] if found else "")
    head, colon, rest = line.partition(": ")
    if _EXCEPTION.match(line):
        name = head.rstrip(":").rpartition(".")[2]
        return name, rest.strip() if colon else ""
    return "", line.strip()


def _modules(body: str) -> tuple[str, ...]:
    """Packages by their frames, from the end; then those of exceptions' classes; then those that the text names."""
    frames = reversed(_MODULE.findall(body))
    classes = [found[1] for line in body.split("\n") if (found := _CLASS.match(line))]
    owners = [name.partition(".")[0] for name in reversed(classes) if "." in name]
    return tuple(dict.fromkeys((*frames, *owners, *_NAMED.findall(body))))
