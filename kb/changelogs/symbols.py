"""Which code spans of an entry name an API that somebody's code can use, and which are values, commands or files."""

import builtins
import keyword
import re
from collections.abc import Iterable
from functools import lru_cache

from kb.changelogs.entry import Inline, Span

MAX_SPAN = 300  # characters; a longer code span is a sample

_PART = r"[A-Za-z_][A-Za-z0-9_]*"
_NAME = re.compile(rf"[.@]?{_PART}(?:(?:\.|::){_PART})*(?:\(\))?")
_CALLED = re.compile(rf"(?<![\w.:])({_PART}(?:(?:\.|::){_PART})*)\(")
_INDEXED = re.compile(rf"({_PART}(?:\.{_PART})*)\[[\w\s,.|\[\]]{{1,60}}\]")
#: PEP 8: blanks around an assignment, none around the value of an argument, which is a value.
_ASSIGNED = re.compile(rf"({_PART}(?:\.{_PART})*) = \S.*")
_FILE = re.compile(
    r".*\.(?:h|hpp|hh|c|cc|cpp|cu|cuh|py|pyi|pyx|so|dll|dylib|lib|a|md|rst|txt|json|ya?ml|toml|cfg|ini|cmake|bazel|bzl"
    r"|proto|pb|pbtxt|tflite|onnx|whl|gz|zip|sh|bat|ipynb|npy|npz|bc|html|csv|pth|pt|js|ts|mlir|td|inc|exe|org|com|io)"
)
_TYPE = re.compile(r"(?:u?int|float|bfloat|complex|bool|qu?int|fp|bf|tf|sm_?|e\dm\d|float\d_)[\dA-Za-z_]*\d\w*")
_DEVICE = re.compile(r"[A-Z]+_[A-Z]+_\d+")
_COMMANDS = frozenset(
    word
    for line in ("pip pip3 python python3 conda bazel git cmake make docker apt apt-get brew npm cd export",)
    for word in line.split()
)

#: Single words that are packages, tools, devices or plain English more often than a name of an API.
_WORDS = frozenset(
    word
    for line in (
        "numpy scipy pandas torch torchvision torchaudio tensorflow keras jax jaxlib onnx onnxruntime onnxscript",
        "tf2onnx triton cuda cudnn rocm cupy numba sklearn matplotlib protobuf absl wheel setuptools poetry",
        "cibuildwheel mypy pytest ruff gcc clang llvm nvcc cmake bash linux windows macos cpu gpu tpu xpu mps npu meta",
        "weights biases bias linear rnn cond name names value values shape dtype type axis key keys x y z",
        "main master stable nightly latest release debug default auto null true false self cls args kwargs export",
    )
    for word in line.split()
)

#: Of Python itself: an entry that names ValueError is not about it.
_PYTHON = frozenset(dir(builtins)) | frozenset(keyword.kwlist) | frozenset(keyword.softkwlist)

_BARE_ENVIRONMENT = re.compile(r"(?<![\w.$/-])[A-Z]{2,12}(?:_[A-Z0-9]{2,20}){2,6}(?![\w./-])")


def symbols(texts: Iterable[Inline], roots: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of APIs, each once, in the order of first mention.

    From code spans, and from plain words where they begin with one of `roots`, the names that the project's code is
    imported by (`tf.where`), or are as long in capitals as only an environment variable is.
    """
    bare = _bare_names(roots)
    found: dict[str, str] = {}
    for text in texts:
        for span in text:
            names = _of_code(span.text) if span.code else _of_words(span, bare)
            for name in names:
                short = name.removesuffix("()")
                if short not in found or name != short:
                    found[short] = name
    return tuple(found.values())


@lru_cache
def _bare_names(roots: tuple[str, ...]) -> re.Pattern[str] | None:
    if not roots:
        return None
    return re.compile(rf"(?<![\w./:@-])(?:{'|'.join(map(re.escape, roots))})\.{_PART}(?:\.{_PART})*(?:\(\))?")


def _of_words(span: Span, bare: re.Pattern[str] | None) -> Iterable[str]:
    if span.url and span.url == span.text:
        return
    if bare and "." in span.text:
        for match in bare.finditer(span.text):
            if not _FILE.fullmatch(match.group()):
                yield match.group()
    if "_" in span.text:
        yield from _BARE_ENVIRONMENT.findall(span.text)


def _of_code(code: str) -> Iterable[str]:
    code = code.strip()
    if not code or len(code) > MAX_SPAN:
        return
    if _NAME.fullmatch(code):
        if _names_api(code):
            yield code.lstrip("@")
    elif (found := _INDEXED.fullmatch(code)) or (found := _ASSIGNED.fullmatch(code)):
        if _names_api(found.group(1)):
            yield found.group(1)
    elif code.partition(" ")[0] not in _COMMANDS and not code.startswith(("-", "'", '"', "/", "$", "import ", "from ")):
        yield from (name for name in _CALLED.findall(code) if _names_api(name) and not name.isupper())


def _names_api(name: str) -> bool:
    """Whether a name is one of an API: not of Python itself, a type of numbers, a device, a file, or a plain word."""
    called = name.endswith("()")
    bare = name.removesuffix("()").lstrip("@")
    if bare.startswith(".") and called:
        return False  # a method of nobody knows what
    if len(bare) < 2 or bare in _PYTHON or bare.startswith("__") or _FILE.fullmatch(bare):
        return False
    if _TYPE.fullmatch(bare.lower()) or _DEVICE.fullmatch(bare):
        return False
    return called or bare.lower() not in _WORDS
