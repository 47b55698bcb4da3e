"""Lines and tokens of two builders: what they alone call counts, what both call and what is not code does not."""

from pathlib import Path

import pytest

from kb.analysis.code_size import code_size

SOURCE = '''
"""A module."""

from kbtest_package.helpers import torch_only, both as shared


class Model:
    """Two builders."""

    def torch_network(self):
        """Not counted."""
        # nor this

        x = torch_only(shared(1))
        return _inner(x)

    def keras_network(self):
        return shared(
            1
        )


def _inner(x):
    return deeper(x)


def deeper(x):
    return x


class Half:
    def torch_network(self):
        return 1
'''
HELPERS = '''
def torch_only(x):
    """Text
    over lines."""
    return x


def both(x):
    return x
'''


def spaced(code: str) -> int:
    """Tokens of code that is written with spaces between them."""
    return len(code.split())


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kbtest_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "model.py").write_text(SOURCE)
    (folder / "helpers.py").write_text(HELPERS)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("package")
def test_what_a_builder_alone_calls_counts_for_it() -> None:
    found = code_size("kbtest_package.model:Model")
    assert found is not None
    # def + assignment + return; torch_only, _inner and deeper have two lines each
    assert found.torch.lines == 3 + 3 * 2
    assert found.keras.lines == 4
    assert found.keras.tokens == spaced("def keras_network ( self ) : return shared ( 1 )")
    per_helper = spaced("def f ( x ) : return x")
    inner = spaced("def _inner ( x ) : return deeper ( x )")
    own = spaced("def torch_network ( self ) : x = torch_only ( shared ( 1 ) ) return _inner ( x )")
    assert found.torch.tokens == own + 2 * per_helper + inner


@pytest.mark.usefixtures("package")
def test_a_model_of_one_framework_has_nothing_to_compare() -> None:
    assert code_size("kbtest_package.model:Half") is None
    assert code_size("kbtest_package.nowhere:Model") is None
    assert code_size("kbtest_nowhere.model:Model") is None


def test_the_reference_models_are_counted_without_a_framework() -> None:
    found = code_size("kb.models.mlp8:Mlp8")
    assert found is not None
    assert found.torch.lines > 5
    assert found.keras.tokens > 50
