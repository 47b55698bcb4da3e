"""Names of APIs are told from values, commands, files and words."""

import pytest

from kb.changelogs.entry import Span
from kb.changelogs.symbols import symbols

NAMES = {
    "a.b.C": ("a.b.C",),
    "add()": ("add()",),
    "@a.b": ("a.b",),
    ".prop": (".prop",),
    "ns::Class::run": ("ns::Class::run",),
    "torch.sum(x, dim=1)": ("torch.sum",),
    "fun(x).g(y)": ("fun",),
    "opt.level = 3": ("opt.level",),
    "List[int]": ("List",),
}
OTHERS = [
    "True",
    "None",
    "3",
    "1.2.3",
    ">=1.2",
    "'text'",
    "pip install a",
    "--flag",
    "dim=1",
    "path/to/file",
    "setup.py",
    "a.h",
]
OTHERS += [
    "float32",
    "bfloat16",
    "ValueError",
    "int",
    "with",
    "a",
    ".copy()",
    "a_*",
    "x == 1",
    "numpy",
    "my-package",
    "CPU_DEV_0",
]


@pytest.mark.parametrize(("code", "names"), NAMES.items())
def test_names(code: str, names: tuple[str, ...]) -> None:
    assert symbols([(Span(code, code=True),)]) == names


@pytest.mark.parametrize("code", OTHERS)
def test_others(code: str) -> None:
    assert symbols([(Span(code, code=True),)]) == ()


def test_each_once_in_the_order_of_mention_and_with_its_brackets() -> None:
    text = (Span("b.x", code=True), Span("a.y", code=True), Span("b.x()", code=True))
    assert symbols([text]) == ("b.x()", "a.y")


def test_plain_words_count_where_they_begin_as_the_code_of_the_project_does() -> None:
    text = (Span("use gd.polish, or set GD_USE_OLD_WAX=1; see other.thing and my.gd.polish"),)
    assert symbols([text], ("gd",)) == ("gd.polish", "GD_USE_OLD_WAX")
