"""What a name in the code means: one small program per rule, and the names of packages that it uses."""

from pathlib import Path
from textwrap import dedent

import pytest

from kb.changelogs.upgrade.scan import scan
from kb.changelogs.upgrade.uses import Certainty, Use


def uses(folder: Path, source: str) -> list[Use]:
    path = folder / "code.py"
    path.write_text(dedent(source), encoding="utf-8")
    return list(scan([path]).uses)


def symbols(folder: Path, source: str, *certainties: Certainty) -> set[str]:
    return {use.symbol for use in uses(folder, source) if use.certainty in (certainties or (Certainty.CERTAIN,))}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch.nn as nn; nn.Foo", {"torch.nn", "torch.nn.Foo"}),
        ("import torch.nn; torch.nn.Foo", {"torch.nn", "torch.nn.Foo"}),
        ("from torch import nn as n; n.Foo()", {"torch.nn", "torch.nn.Foo"}),
        ("from torch.nn import Foo as Bar; Bar()", {"torch.nn.Foo"}),
        ("from torch.nn import (Foo,\n Bar)", {"torch.nn.Foo", "torch.nn.Bar"}),
        ("import torch as tf; tf.foo", {"torch", "torch.foo"}),
        ("tf.foo; np.bar", set()),
        ("import torch\nF = torch.nn.functional\nF.relu(x)",
         {"torch", "torch.nn.functional", "torch.nn.functional.relu"}),
        ("import torch\na, b = torch.x, torch.y\na.z; b.z", {"torch", "torch.x", "torch.y", "torch.x.z", "torch.y.z"}),
        ("import torch\nif (f := torch.foo): f.bar", {"torch", "torch.foo", "torch.foo.bar"}),
        ("import torch\nf = torch.a if x else torch.b\nf.c", {"torch", "torch.a", "torch.b", "torch.a.c", "torch.b.c"}),
        # What the package's own name can be bound to.
        ("import torch\ntorch = x\ntorch.foo", {"torch"}),
        ("import torch\ndef f(torch): torch.foo", {"torch"}),
        ("import torch\nlambda torch: torch.foo", {"torch"}),
        ("import torch\n[torch.foo for torch in x]", {"torch"}),
        ("import torch\nfor torch in x: torch.foo", {"torch"}),
        ("import torch\nwith x as torch: torch.foo", {"torch"}),
        ("import torch\ndef torch(): ...\ntorch.foo", {"torch"}),
        ("import torch\nclass torch: ...\ntorch.foo", {"torch"}),
        ("import torch\nfrom . import torch\ntorch.foo", {"torch"}),
        ("import torch\ndel torch\ntorch.foo", {"torch"}),
        ("import torch\nmatch x:\n  case [torch, *_]: torch.foo", {"torch"}),
        ("import torch\ndef f():\n  torch = 1\n  torch.a\ntorch.b", {"torch", "torch.b"}),
        ("import torch\nclass A:\n  torch = 1\n  def f(self): torch.foo", {"torch", "torch.foo"}),
        ("from .torch import foo; foo.bar", set()),
        ("from . import torch; torch.foo", set()),
        # Where it is imported, and when.
        ("def f():\n  import torch\n  torch.foo\ntorch.bar", {"torch", "torch.foo"}),
        ("def f(): torch.foo\nimport torch", {"torch", "torch.foo"}),
        ("def f(): torch.foo\ndef g():\n  global torch\n  import torch", {"torch", "torch.foo"}),
        ("try:\n  import torch\nexcept ImportError:\n  torch = None\ntorch.foo", {"torch", "torch.foo"}),
        ("try:\n  import a.x as m\nexcept ImportError:\n  import b.y as m\nm.z", {"a.x", "b.y", "a.x.z", "b.y.z"}),
        ("if x:\n  import a as m\n  m.p\nelse:\n  import b as m\n  m.q", {"a", "a.p", "b", "b.q"}),
        ("if TYPE_CHECKING:\n  import torch\ndef f(x: 'torch.Foo'): ...", {"torch", "torch.Foo"}),
        # Where it stands.
        ("import torch\n@torch.foo()\ndef f(): ...", {"torch", "torch.foo"}),
        ("import torch\n@torch.foo\nclass A(torch.Bar): ...", {"torch", "torch.foo", "torch.Bar"}),
        ("import torch\ndef f(x: torch.A = torch.b) -> torch.C: ...", {"torch", "torch.A", "torch.b", "torch.C"}),
        ("import torch\nx: 'list[torch.A] | None' = None", {"torch", "torch.A"}),
        ("import torch\nx: Optional['torch.A']", {"torch", "torch.A"}),
        ("import torch\nx: Literal['torch.A']", {"torch"}),
        ("import torch\nx: 'no code at all'", {"torch"}),
        ("import torch\ntorch.backends.foo = True", {"torch", "torch.backends.foo"}),
        ("import torch\nf'{torch.foo}'", {"torch", "torch.foo"}),
        ("import torch\ntry: ...\nexcept torch.Error: ...", {"torch", "torch.Error"}),
        ("import torch\nmatch x:\n  case torch.Foo(): ...", {"torch", "torch.Foo"}),
        ("import torch\nasync def f():\n  async with torch.a() as b: await torch.c()", {"torch", "torch.a", "torch.c"}),
        # Names in strings.
        ("import torch\ngetattr(torch, 'foo')(1)", {"torch", "torch.foo"}),
        ("import torch\nf = getattr(torch, 'foo', None)\nf.bar", {"torch", "torch.foo", "torch.foo.bar"}),
        ("import torch\ngetattr(torch, name)", {"torch"}),
        ("import importlib\nm = importlib.import_module('torch.foo')\nm.bar",
         {"importlib", "importlib.import_module", "torch.foo", "torch.foo.bar"}),
        ("from importlib import import_module\nimport_module('torch.foo')", {"importlib.import_module", "torch.foo"}),
        ("__import__('torch').foo", {"torch", "torch.foo"}),
        ("'torch.foo'", set()),
    ],
)  # fmt: skip
def test_names_are_resolved_through_imports(tmp_path: Path, source: str, expected: set[str]) -> None:
    assert symbols(tmp_path, source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from torch.nn import *\nFoo()\nlen(1)", {"torch.nn.Foo"}),
        ("from torch.nn import *\nFoo = 1\nFoo", set()),
        ("from torch.nn import *\ndef f(Foo): Foo", set()),
        ("from torch.nn import *\nfrom torch import *\nFoo.bar", {"torch.nn.Foo.bar", "torch.Foo.bar"}),
        ("from .own import *\nFoo", set()),
    ],
)
def test_a_name_that_a_star_may_have_brought_is_possible(tmp_path: Path, source: str, expected: set[str]) -> None:
    assert symbols(tmp_path, source, Certainty.POSSIBLE) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import tf\ns = tf.Session()\ns.run(1)\ns", {"tf.Session.run"}),
        ("import tf\ntf.Session().run(1)", {"tf.Session.run"}),
        ("import tf\nwith tf.Session() as s: s.run(1)", {"tf.Session.run"}),
        ("import tf\ndef f(x: tf.Tensor): x.numpy()", {"tf.Tensor.numpy"}),
        ("import tf\ndef f(x: 'tf.Tensor | None'): x.numpy()", {"tf.Tensor.numpy"}),
        ("import tf\ndef f(*x: tf.Tensor): x.count()", set()),
        ("import tf\nclass A(tf.Module):\n  def f(self): self.foo()", {"tf.Module.foo"}),
        ("import tf\nx = tf.load()\nx.numpy()", set()),
    ],
)
def test_what_a_class_or_an_annotation_says_is_inferred(tmp_path: Path, source: str, expected: set[str]) -> None:
    assert symbols(tmp_path, source, Certainty.INFERRED) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch\ntorch.load(f).numpy()", {".numpy"}),
        ("x.grad.numpy()", {".grad", ".numpy"}),
        ("x[0].numpy", {".numpy"}),
        ("x.name = 1", set()),
        ("class A:\n  def f(self): self.numpy()", set()),
    ],
)
def test_an_attribute_of_what_nobody_knows_is_kept_by_its_name(tmp_path: Path, source: str, expected: set[str]) -> None:
    assert symbols(tmp_path, source, Certainty.METHOD) == expected


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        ("torch.load(f, weights_only=True, mmap=None)", ("weights_only", "mmap")),
        ("torch.load(f, **{'weights_only': True})", ("weights_only",)),
        ("torch.load(f, **kwargs)", ()),
        ("functools.partial(torch.load, weights_only=True)", ("weights_only",)),
        ("@torch.load(weights_only=True)\ndef f(): ...", ("weights_only",)),
    ],
)
def test_keywords_of_a_call_belong_to_what_is_called(tmp_path: Path, source: str, arguments: tuple[str, ...]) -> None:
    found = uses(tmp_path, f"import functools, torch\n{source}")
    assert [use.arguments for use in found if use.symbol == "torch.load"] == [arguments]


def test_a_use_knows_where_it_stands(tmp_path: Path) -> None:
    found = uses(tmp_path, "import torch\n\nx = ('é', torch.foo(\n  1).bar)\n")
    places = {use.symbol: (use.line, use.column) for use in found}
    assert places == {"torch": (1, 8), "torch.foo": (3, 11), ".bar": (4, 6)}
