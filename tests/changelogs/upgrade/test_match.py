"""Which uses an entry is about, and which it is not about, with the words for how sure that is."""

import pytest

from kb.changelogs.upgrade.match import Confidence, Match, UseIndex
from kb.changelogs.upgrade.naming import naming_of
from kb.changelogs.upgrade.symbols import parse
from kb.changelogs.upgrade.uses import Certainty, Use
from tests.changelogs.upgrade.samples import entry

CERTAIN, LIKELY, POSSIBLE = Confidence.CERTAIN, Confidence.LIKELY, Confidence.POSSIBLE


def use(symbol: str, certainty: Certainty = Certainty.CERTAIN, *arguments: str) -> Use:
    return Use("a.py", 0, 1, 1, symbol, Certainty.METHOD if symbol.startswith(".") else certainty, arguments)


def matched(text: str, *uses: Use, package: str = "torch", component: str = "") -> tuple[Match, ...]:
    return UseIndex(uses, naming_of(package)).matches(entry(text, component=component))


def sure(text: str, symbol: str, package: str = "torch", certainty: Certainty = Certainty.CERTAIN) -> Confidence | None:
    found = matched(text, use(symbol, certainty), package=package)
    return found[0].confidence if found else None


@pytest.mark.parametrize(
    ("package", "text", "symbol", "confidence"),
    [
        # The same name, however it is written.
        ("torch", "`torch.load` is strict", "torch.load", CERTAIN),
        ("torch", "`torch.load()` is strict", "torch.load", CERTAIN),
        ("torch", "`torch.load(f, weights_only=...)` is strict", "torch.load", CERTAIN),
        ("torch", "`nn.Module` is strict", "torch.nn.Module", CERTAIN),
        ("torch", "`F.relu` is strict", "torch.nn.functional.relu", CERTAIN),
        ("tensorflow", "`tf.Tensor` is strict", "tensorflow.Tensor", CERTAIN),
        ("jax", "`~jax.Foo` is strict", "jax.Foo", CERTAIN),
        ("jax", "`jnp.clip` is strict", "jax.numpy.clip", CERTAIN),
        ("numpy", "`np.nonzero` is strict", "numpy.nonzero", CERTAIN),
        ("onnxruntime", "`ort.Foo` is strict", "onnxruntime.Foo", CERTAIN),
        ("own-tool", "`own_tool.foo` is strict", "own_tool.foo", CERTAIN),
        # Below what is named.
        ("torch", "`torch.foo` is gone", "torch.foo.bar", LIKELY),
        ("torch", "`torch.foo.*` is gone", "torch.foo.bar.baz", LIKELY),
        ("torch", "`torch.foo` has another `mode`", "torch.foo.bar", POSSIBLE),
        ("torch", "in `torch.foo`, `torch.foo.baz` is gone", "torch.foo.bar", None),
        ("torch", "`torch` is faster", "torch.foo.bar", None),
        ("torch", "`torch.fo` is gone", "torch.foo", None),
        # Without the package, or where the entry says elsewhere whose it is.
        ("torch", "`autograd.Function` is strict", "torch.autograd.Function", LIKELY),
        ("torch", "`guard_or_true` is strict", "torch.guard_or_true", LIKELY),
        ("torch", "`torch.distributed`: `all_reduce` is strict", "torch.distributed.all_reduce", LIKELY),
        ("tensorflow", "`tf.compat.v1.Session`: `go` is gone", "tensorflow.compat.v1.Session.go", LIKELY),
        # Ends alike.
        ("tensorflow", "`Session.partial_run` is gone", "tensorflow.compat.v1.Session.partial_run", POSSIBLE),
        ("tensorflow", "`tf.losses.mean` is gone", "tensorflow.compat.v1.losses.mean", POSSIBLE),
        ("tensorflow", "`tf.compat.v1.losses.mean` is gone", "tensorflow.losses.mean", POSSIBLE),
        ("torch", "`torch.foo.relu` is gone", "torch.bar.relu", None),
        # A member of a class, on a value that nobody knows.
        ("tensorflow", "`tf.Tensor.numpy` is gone", ".numpy", POSSIBLE),
        ("jax", "`.vma` is gone", ".vma", POSSIBLE),
        ("numpy", "`ndarray.nonzero` is gone", ".nonzero", POSSIBLE),
        ("torch", "`torch.nn.numpy` is gone", ".numpy", None),
        ("torch", "`torch.Tensor.shape` is gone", ".shape", None),
        ("torch", "`torch.Foo.append` is gone", ".append", None),
        # Single common words match nothing.
        ("torch", "`Tensor` is strict", "torch.Tensor", None),
        ("torch", "`device` is strict", "torch.device", None),
        ("torch", "`shape` is strict", "torch.Tensor.shape", None),
        ("torch", "`weights_only` is strict", "torch.load", None),
        ("torch", "`list` and `None`", "torch.list", None),
        # What is no name of Python's.
        ("torch", "`Env::Foo` is gone", "torch.Env.Foo", None),
        ("torch", "`type(t) == torch.Foo`", "torch.Foo", None),
        ("torch", "no code at all: torch.Foo", "torch.Foo", None),
        # Another package's.
        ("torch", "`nn.Module` is strict", "flax.nn.Module", None),
        ("torch", "`torch.foo` is strict", "other.torch.foo", None),
        # Keras is called by two names in code.
        ("keras", "`keras.layers.Foo` is gone", "tensorflow.keras.layers.Foo", LIKELY),
        ("keras", "`tf.keras.layers.Foo` is gone", "keras.layers.Foo", CERTAIN),
        ("tensorflow", "`tf.keras.layers.Foo` is gone", "keras.layers.Foo", LIKELY),
        ("tensorflow", "`tf.keras.layers.Foo` is gone", "tensorflow.keras.layers.Foo", CERTAIN),
    ],
)  # fmt: skip
def test_how_sure_it_is_that_an_entry_is_about_a_use(
    package: str, text: str, symbol: str, confidence: Confidence | None
) -> None:
    assert sure(text, symbol, package) == confidence


@pytest.mark.parametrize(
    ("certainty", "text", "confidence"),
    [
        (Certainty.INFERRED, "`torch.Foo.bar` is gone", LIKELY),
        (Certainty.INFERRED, "`Foo.bar` is gone", POSSIBLE),
        (Certainty.INFERRED, "`torch.Foo` is gone", None),
        (Certainty.POSSIBLE, "`torch.Foo.bar` is gone", POSSIBLE),
    ],
)
def test_a_doubt_about_the_use_is_a_doubt_about_the_match(
    certainty: Certainty, text: str, confidence: Confidence | None
) -> None:
    assert sure(text, "torch.Foo.bar", certainty=certainty) == confidence


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ("`torch.old` is gone; use `torch.new` instead", POSSIBLE),
        ("`torch.old` is gone in favor of `torch.new`", POSSIBLE),
        ("Please use `torch.other` or `torch.new`", POSSIBLE),
        ("Variables related to `torch.new` are gone", POSSIBLE),
        ("`torch.old` was renamed to `torch.new`", POSSIBLE),
        ("`torch.old` 已删除，请使用 `torch.new` 进行代替", POSSIBLE),
        ("If you use `torch.new`, beware", CERTAIN),
        ("Use `torch.old` instead of `torch.new`", CERTAIN),
        ("`torch.new` is strict. Use `torch.new` with care", CERTAIN),
    ],
)
def test_what_is_only_named_in_passing_is_no_break(text: str, confidence: Confidence) -> None:
    assert sure(text, "torch.new") == confidence


def test_arguments_count_only_together_with_their_function() -> None:
    text = "`torch.load` takes `weights_only` for granted"
    plain, called = use("torch.load"), use("torch.load", Certainty.CERTAIN, "weights_only", "mmap")
    other = use("torch.save", Certainty.CERTAIN, "weights_only")
    found = matched(text, plain, called, other)
    assert [match.use for match in found] == [called, plain]
    assert found[0].reason == "torch.load is named in it, called with weights_only="
    assert found[1].reason == "torch.load is named in it"


def test_the_component_says_whose_a_name_is() -> None:
    (match,) = matched("`Model` is strict", use("tensorflow.keras.Model"), package="tensorflow", component="tf.keras")
    assert match.confidence is LIKELY


def test_each_use_is_matched_once_by_its_best_name() -> None:
    found = matched("`torch.foo` and `torch.foo.bar` are gone", use("torch.foo.bar"))
    assert [(match.written, match.confidence) for match in found] == [("torch.foo.bar", CERTAIN)]


def test_the_surest_come_first() -> None:
    uses = use("torch.x.foo.bar"), use(".bar"), use("torch.foo.bar"), use("torch.foo.bar.baz")
    found = matched("`torch.foo.bar` is gone", *uses)
    assert [match.confidence for match in found] == [CERTAIN, LIKELY, POSSIBLE]


@pytest.mark.parametrize(
    ("text", "parts", "arguments"),
    [
        ("tf.Tensor", "tf.Tensor", ()),
        ("~jax.Foo", "jax.Foo", ()),
        ("@torch.no_grad()", "torch.no_grad", ()),
        (".vma", "vma", ()),
        ("torch.load(f, a=1, b=...)", "torch.load", ("a", "b")),
        ("f(x == 1)", "f", ()),
        ("f((1, 2), a=3)", "f", ("a",)),
        ("f(1).g(2)", None, ()),
        ("weights_only=True", "weights_only", ()),
        ("torch.foo.*", "torch.foo", ()),
        ("List[int]", None, ()),
        ("a + b", None, ()),
        ("--flag", None, ()),
        ("tensorflow::Status", None, ()),
        ("True", None, ()),
        ("int", None, ()),
        ("", None, ()),
        ("a" * 500, None, ()),
    ],
)
def test_names_are_read_as_changelogs_write_them(text: str, parts: str | None, arguments: tuple[str, ...]) -> None:
    named = parse(text)
    assert (".".join(named.parts) if named else None) == parts
    assert (named.arguments if named else ()) == arguments
