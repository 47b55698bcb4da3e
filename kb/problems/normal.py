"""What varies between two pastes of one error, taken out: colours, prefixes, paths, addresses, numbers, shapes, names.

The page of the site does the same in the browser. It gets the patterns of this module as text, so every one is written
in what Python (with `re.ASCII`) and JavaScript (with the flag `u`) read alike: no named groups, no inline flags, and
look-behinds of one width. None has a repetition within a repetition over the same characters, so each is linear.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

#: Characters of a paste that are looked at, from its beginning and from its end. The exception stands at the end of a
#: log, the command that failed at its beginning; 200,000 characters are 2,000 lines, read in 0.1 s.
MAX_HEAD, MAX_TAIL = 50_000, 150_000

#: Longest line that is read whole; of a longer one (a dumped graph, a base64 weight) the beginning and the end.
MAX_LINE = 2_000

#: Lines that count as the message of a paste: three chained errors with their hints.
MAX_MESSAGES = 40

#: Lines after the first that belong to one exception's message: what follows is a hint list or the next log line.
MAX_CONTINUED = 8

#: Placeholders that stand for a variable part; `kb.problems.signature` says what each matches.
PLACEHOLDERS = ("int", "float", "number", "path", "name", "shape", "version", "hex", "any")

#: Terminal codes (colours, links), and characters that do not print, which some consoles leave in a copy.
CODES = (
    r"\x1b\[[0-9;:?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\ufeff]"
)

#: What runners, loggers and test tools put before a line, taken off in this order, each once.
PREFIXES = (
    r"^[A-Za-z0-9_.\-]+ *\| (?=\S| {2})",  # docker compose
    r"^\[[^\]\n]{1,40}\] (?=\[|[0-9]{4}-|Traceback|[A-Za-z.]+Error)",  # a stage of a pipeline, pytest-xdist
    r"^[A-Za-z0-9_.\-]+\t[^\t\n]{1,60}\t",  # gh run view --log
    r"^\ufeff?[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?(?:Z|[+\-][0-9]{2}:?[0-9]{2})?:? ",
    r"^##\[(?:error|warning|group|debug)\]",  # GitHub Actions
    r"^\[?[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?\]? ",
    r"^\[rank[0-9]+\]: ?",  # torchrun
    r"^(?:\([^()\n]{1,40} pid=[0-9]+\)|\[[0-9]+\]) ",  # ray
    r"^[IWEF][0-9]{4} [0-9:.]+ +[0-9]+ [^\]\n]{1,80}\] ",  # absl and glog, after which the message stands
    r"^[0-9:. ]*[IWEF] [A-Za-z0-9_/.]+:[0-9]+\] ",  # TensorFlow's C++
    r"^(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[A-Za-z0-9_.]+: ?",  # logging.basicConfig
    r"^[-\- ]*(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) +-+ ",
    r"^ *[\u2502\u2503|] ?",  # rich, exception groups
)

#: What closes a line in a box that `rich` drew.
SUFFIX = r" *[\u2502\u2503] *$"

#: pytest's mark of a line of the error.
PYTEST = r"^E(?: {2,}|$)"

_DIMENSION = r"(?:-?[0-9]+|None|\?|unk__[0-9]+|[a-z][a-z_]{0,19})"
_COMMA = r" *, *"
_NAME = r"[^'\u0022\n]{1,200}"  # what stands between quotes
_PIECE = r"[A-Za-z0-9_.+\-@]"
_ENDING = (
    r"(?:py|pyx|ipynb|onnx|data|pt|pth|pt2|h5|keras|pb|tflite|npz|npy|cpp|cc|cu|h|hpp|json|ya?ml|toml|txt|bin|zip|whl"
    r"|safetensors|ckpt|log|cfg|so|dll)"
)
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:Z|[+\-][0-9]{2}:?[0-9]{2})?"
_PLACES = (
    r"(?:home|root|usr|opt|tmp|var|mnt|work|workspace|data|app|srv|etc|proc|dev|private|Users|Library|Volumes|builds?"
    r"|github|runner|content|kaggle|databricks|nix|snap|lib|lib64|src|code|project)"
)

#: Pattern -> placeholder, in the order in which they are applied.
RULES = (
    (r"\{[a-z]+\}", "{any}"),  # text that would read as a placeholder
    (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "{hex}"),
    (r"\b[a-z]{2,8}://[^\s'\u0022<>()]+[^\s'\u0022<>().,;:]", "{path}"),
    (rf"\b[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:[T ]{_CLOCK})?\b", "{any}"),
    (r"\b[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?\b", "{any}"),
    (r"\b0[xX][0-9a-fA-F]+\b", "{hex}"),
    (r"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{12,64}\b", "{hex}"),
    # Paths. A shared library keeps its name, which says what is missing.
    (r"\b[A-Za-z]:[\\/](?:[^\\/'\u0022<>|*?:,;\n]{1,120}[\\/]){0,40}[^\s\\/'\u0022<>|*?:,;]*", "{path}"),
    (r"(?<![A-Za-z0-9_.\]\)/~])~?/(?:[^\s/'\u0022<>:,;()]+/){1,40}(?=lib[A-Za-z0-9_+\-]+\.so)", "{path}"),
    (rf"(?<![A-Za-z0-9_.\]\)/~])(?:~|\.{{1,2}})?/{_PLACES}(?:/[^\s'\u0022<>:,;()]*|(?![A-Za-z0-9_.\-]))", "{path}"),
    (rf"(?<![A-Za-z0-9_.\]\)/~])(?:~|\.{{1,2}})?/(?:{_PIECE}+/){{0,40}}{_PIECE}+\.{_ENDING}\b", "{path}"),
    (rf"(?<![A-Za-z0-9_.\-/])(?:\.{{1,2}}/)?(?:{_PIECE}+[\\/]){{1,40}}{_PIECE}+\.{_ENDING}\b", "{path}"),
    # A file without a folder; `torch.onnx` and `tf.data` are modules.
    (
        rf"(?<![A-Za-z0-9_.\-/])(?!lib|torch\.onnx|tf\.data)[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+){{0,4}}\.{_ENDING}\b(?![.(\[])",
        "{path}",
    ),
    # The C++ function in which a runtime noticed the error.
    (
        r"\b(?:onnxruntime|tensorflow|tsl|at|c10|torch)::[A-Za-z0-9_:~<>]{1,200}\([^()\n]{0,1000}\)(?: const)?"
        r"(?=[ :]|$)",
        "{any}",
    ),
    # Names of nodes and tensors, where the words around them say so.
    (rf"(?<=with name '){_NAME}(?=')", "{name}"),
    (rf"(?<=In Node, \(\u0022){_NAME}(?=\u0022)", "{name}"),
    (rf"(?<=Name:'){_NAME}(?=')", "{name}"),
    (rf"(?<=Node input '){_NAME}(?=')", "{name}"),
    (rf"(?<=input tensor '){_NAME}(?=')", "{name}"),
    (rf"(?<=output arg \(){_NAME}(?=\) of)", "{name}"),
    (r"(?<=Node \()[^()\n]{1,200}(?=\))", "{name}"),
    (r"(?<=node \()[^()\n]{1,200}(?=\))", "{name}"),
    (r"(?<=Node:)[^\s,;()]{1,200}", "{name}"),
    (r"(?<=for input: )[^\s,;()]{1,200}", "{name}"),
    (r"(?<=initializer: )[^\s,;()]{1,200}[^\s,;().:]", "{name}"),
    (r"(?<=Input Feed Name: )[^\s,;()]{1,200}", "{name}"),
    (r"\bonnx::[A-Za-z]+_[0-9]+\b", "{name}"),
    (r"(?<![A-Za-z0-9_.\]\)/~<])/[A-Za-z0-9_.\-\[\]]+(?:/[A-Za-z0-9_.\-\[\]:]+){0,40}", "{name}"),
    (
        # Not a fraction, and not `inputs/outputs`.
        r"(?<![A-Za-z0-9_.\-/])(?![0-9./]+(?:[^A-Za-z0-9_/.\-]|$)|[a-z]{1,40}/[a-z]{1,40}(?:[^A-Za-z0-9_/.:\-]|$))"
        r"[A-Za-z0-9_.\-]+(?:/[A-Za-z0-9_.\-]+){1,40}(?::[0-9]+)?",
        "{name}",
    ),
    # Shapes, versions, numbers.
    (rf"\btorch\.Size\(\[(?:{_DIMENSION}(?:{_COMMA}{_DIMENSION}){{0,30}})?\]\)", "{shape}"),
    (rf"\[ *{_DIMENSION}(?:{_COMMA}{_DIMENSION}){{1,30}} *\]", "{shape}"),
    (rf"\((?:{_DIMENSION}{_COMMA}){{1,30}}(?:{_DIMENSION})? *\)", "{shape}"),
    (rf"\{{ *{_DIMENSION}(?:{_COMMA}{_DIMENSION}){{1,30}} *\}}", "{shape}"),
    (r"\b[0-9]+(?:x[0-9]+){1,30}\b", "{shape}"),
    (r"(?<![A-Za-z0-9_.\-+])v?[0-9]+(?:\.[0-9]+){2,5}(?:[.+\-]?[A-Za-z0-9]+){0,4}\b", "{version}"),
    (r"(?<![A-Za-z0-9_.])[+\-]?[0-9]+\.[0-9]*(?:[eE][+\-]?[0-9]+)?(?![A-Za-z0-9_])", "{float}"),
    (r"(?<![A-Za-z0-9_.])[+\-]?[0-9]+[eE][+\-]?[0-9]+\b", "{float}"),
    (r"(?<=_)[0-9]+(?![A-Za-z0-9])", "{int}"),
    (r"(?<![A-Za-z0-9_.])-?[0-9]+(?![A-Za-z0-9_])", "{int}"),
    (r"(?<=[a-z\])]\.)[0-9]+(?![A-Za-z0-9_])", "{int}"),
)

#: First line of a Python traceback.
HEADER = r"^ *Traceback \(most recent call last\)|^-{20,}$"

#: What begins another part of a log, so that a message ends before it.
ENDS = (
    r"^(?:During handling of the above|The above exception was|Traceback |Stack trace|\s*File \u0022)"
    r"|^(?:={4,}|-{4,}|_{4,}|>{3} )|^\s*$"
)

#: An exception with its class, wherever it stands: `torch.onnx.errors.UnsupportedOperatorError: ...`.
EXCEPTION = (
    r"^(?:[A-Za-z_][A-Za-z0-9_]{0,80}\.){0,12}[A-Za-z_]{0,80}(?:Error|Exception|Warning|Interrupt|Failure|Fault"
    r"|InvalidArgument|InvalidGraph|InvalidProtobuf|NotImplemented|NoSuchFile|Fail|RuntimeException|ConstraintViolation"
    r"|GuardOnDataDependentSymNode|InvalidCxxCompiler)(?:: |:$|$)"
)

#: Lines that say what is wrong without being Python's.
NATIVE = "|".join(
    (
        # status lines of ONNX Runtime and TensorFlow
        r"\[ONNXRuntimeError\]|\bNon-zero status code returned|Status Message:",
        r"\b(?:INVALID_ARGUMENT|UNIMPLEMENTED|NOT_FOUND|FAILED_PRECONDITION|RESOURCE_EXHAUSTED|INTERNAL|UNAVAILABLE): ",
        r"\b(?:DEADLINE_EXCEEDED|OUT_OF_RANGE|DATA_LOSS): |Tensorflow op \[|is not supported",
        # what the system and native code print as they die
        r"\bFatal Python error:|[Ss]egmentation fault|\bSIG(?:SEGV|BUS|ABRT|KILL|ILL|FPE)\b|[Bb]us error",
        r"[Ii]llegal instruction|terminate called|^ *what\(\):|core dumped|^Killed\b|Check failed:|CHECK failed",
        r"[Aa]ssertion .{1,300} failed|free\(\): |double free|Access violation|0x[Cc]0000005|DLL load failed",
        r"(?:killed by signal|exited with code|exit(?:ed)? (?:code|status)) *[:=]? *-?[0-9]|[Oo]ut of memory",
        r"CUDA error|CUDNN_STATUS_|CUBLAS_STATUS_|cannot open shared object|undefined symbol|pthread_setaffinity_np",
        # what an installer or compiler says, and warnings
        r"^(?:ERROR|error|fatal|FATAL)\b ?:|[A-Za-z]Warning: |[A-Za-z]Error: ",
    )
)

#: A line of a traceback that is not the message: where it was, and the caret under it.
FRAME = r"^\s*(?:File \u0022|at |#[0-9]+ |\^+ *$|[~^ ]+$|\.\.\.|\[Previous line repeated)|^\S+\.py:[0-9]+:|^[-=_*]{3,}"


@dataclass(frozen=True)
class Line:
    """One line of a paste without what surrounds it."""

    text: str
    marked: bool = False  #: the test tool marked it as part of the error


def bounded(text: str) -> str:
    """The text, or the beginning and the end of one that is too long to be read whole."""
    if len(text) <= MAX_HEAD + MAX_TAIL:
        return text
    return f"{text[:MAX_HEAD]}\n{text[-MAX_TAIL:]}"


def cleaned(text: str) -> list[Line]:
    """The lines of a paste without terminal codes, and without what runners, loggers and test tools put before them."""
    plain = _compiled(CODES).sub("", bounded(text)).replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    return [_line(line) for line in plain.split("\n")]


def messages(lines: Iterable[Line]) -> list[str]:
    """The lines that say what is wrong, the last ones if there are many.

    The last line of each chained traceback and what belongs to it; marked lines; status lines of native code. Where
    nothing of the kind is there, every line that is not plainly a frame.
    """
    every = list(lines)
    wanted = _wanted(every) or {index for index, line in enumerate(every) if not _compiled(FRAME).search(line.text)}
    texts = [every[index].text.strip() for index in sorted(wanted)]
    return list(dict.fromkeys(text for text in texts if text))[-MAX_MESSAGES:]


def normalised(line: str) -> str:
    """The line with its variable parts as placeholders, and its white space as single spaces."""
    for pattern, placeholder in RULES:
        line = _compiled(pattern).sub(placeholder, line)
    return " ".join(line.split())


def _line(raw: str) -> Line:
    text = raw.rstrip()
    if len(text) > MAX_LINE:
        text = f"{text[: MAX_LINE // 2]} {text[-MAX_LINE // 2 :]}"
    for prefix in PREFIXES:
        text = _compiled(prefix).sub("", text, count=1)
    text = _compiled(SUFFIX).sub("", text, count=1)
    if _compiled(PYTEST).search(text):
        return Line(_compiled(PYTEST).sub("", text, count=1), marked=True)
    return Line(text)


def _wanted(lines: Sequence[Line]) -> set[int]:
    """Numbers of the lines that are the message for a reason."""
    found = {index for index, line in enumerate(lines) if line.marked or _says_what_is_wrong(line.text)}
    for index in _ends_of_tracebacks(lines):
        found.add(index)
    for index in sorted(found):
        if _compiled(EXCEPTION).search(lines[index].text):
            found |= set(_continued(lines, index))
    return found


def _says_what_is_wrong(text: str) -> bool:
    if _compiled(FRAME).search(text) or text[:4] == "    ":  # source code of a frame
        return False
    return bool(_compiled(EXCEPTION).search(text) or _compiled(NATIVE).search(text))


def _ends_of_tracebacks(lines: Sequence[Line]) -> Iterator[int]:
    """Number of the first line after each header that is not indented: the exception, whatever its class is called."""
    inside = False
    for index, line in enumerate(lines):
        if _compiled(HEADER).search(line.text):
            inside = True
        elif inside and line.text and line.text[0] not in " \t" and not _compiled(FRAME).search(line.text):
            yield index
            inside = False


def _continued(lines: Sequence[Line], first: int) -> Iterator[int]:
    """Numbers of the lines that go on with the message that begins at `first`."""
    for index in range(first + 1, min(first + 1 + MAX_CONTINUED, len(lines))):
        if _compiled(ENDS).search(lines[index].text):
            return
        yield index


_PATTERNS: dict[str, re.Pattern[str]] = {}


def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when it is first needed: compiling all takes longer than reading a short paste."""
    found = _PATTERNS.get(pattern)
    if found is None:
        found = _PATTERNS[pattern] = re.compile(pattern, re.ASCII)
    return found
