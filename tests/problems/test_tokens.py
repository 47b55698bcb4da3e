"""What counts as a word: an identifier and its parts, pairs of Chinese characters, versions as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.problems.tokens import MAX_TOKEN, words


def tokens(text: str) -> list[str]:
    return [token for word in words(text) for token in word.tokens]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("torch.onnx.export", ["torch.onnx.export", "torch", "onnx", "export"]),
        ("aten::linalg_svd", ["aten::linalg_svd", "aten", "linalg_svd", "linalg", "svd"]),
        ("UnsupportedOperatorError", ["unsupportedoperatorerror", "unsupported", "operator", "error"]),
        ("NOT_IMPLEMENTED", ["not_implemented", "not", "implemented"]),
        ("ONNXRuntime", ["onnxruntime", "onnx", "runtime"]),
        ("--inputs-as-nchw", ["inputs-as-nchw", "input", "nchw"]),
        ("conv2d mat1", ["conv2d", "mat1"]),
        ("2.13.0 v1.2+cu124", ["2.13.0", "v1.2+cu124"]),
        ("量化后精度", ["量化", "化后", "后精", "精度"]),
        ("用onnx导出", ["用", "onnx", "导出"]),
        ("ｔｏｒｃｈ", ["torch"]),
        ("shapes crashes queries loss status", ["shape", "crash", "query", "loss", "status"]),
        ("why is the model in it", ["model"]),
        ("___ - . ::", []),
    ],
)
def test_words_and_their_parts(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@given(st.text(max_size=300))
def test_any_text_can_be_cut(text: str) -> None:
    for word in words(text):
        assert set(word.parts) <= set(word.tokens)
        assert word.tokens
        assert all(token and len(token) <= MAX_TOKEN for token in word.tokens)


def test_data_is_no_word() -> None:
    assert tokens("x" * 5_000) == []
