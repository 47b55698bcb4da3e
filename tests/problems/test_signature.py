"""A signature stands for every paste of one error, says what is wrong with itself, and cannot be made slow."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.problems.normal import normalised
from kb.problems.signature import KINDS, MAX_PROPOSED, SignatureError, compile_signature, matches, propose
from tests.problems.test_normal import CHAINED, NORMALISED


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        ("Unsupported onnx_opset_version: {int}", "RuntimeError: Unsupported onnx_opset_version: 24"),
        ("took {float} s, diff {float}", "took 3 s, diff -1.5e-07"),
        ("off by {number} rows", "off by 0x1f rows"),
        ("cannot open {path}: no such file", "cannot open C:\\My Nets\\net.onnx: no such file"),
        ("operator '{name}' is unknown", "operator 'aten::linalg_svd' is unknown"),
        ("tensor {name}_{int} is missing", "tensor val_12 is missing"),
        ("shapes {shape} and {shape} differ", "shapes torch.Size([2, 3]) and (None, 224) differ"),
        ("shapes {shape} and {shape} differ", "shapes {2,3} and 2x3 differ"),
        ("inputs of {shape} given", "inputs of [(2, 3), (4,)] given"),
        ("needs torch {version} or newer", "needs torch 2.13.0+cu124 or newer"),
        ("object at {hex} is gone", "object at 0x7f3c2a1b is gone"),
        ("failed with {any} at the end", "failed with <Weird 'thing', 3> at the end"),
        ("mask: {{int}, {int}, }", "mask: {4, 16, }"),
    ],
)
def test_placeholders_stand_for_what_varies(signature: str, text: str) -> None:
    assert matches(signature, text)
    assert matches(signature, f"before\n{text}\nafter")


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        ("Unsupported onnx_opset_version: {int}", "Unsupported onnx_opset_version: many"),
        ("{int} rows are missing", "some rows are missing"),
        ("failed with {any} at the end", "failed with this\nand that at the end"),
        ("operator '{name}' is unknown", "operator 'a' or 'b' is unknown"),
        ("RuntimeError: it broke", "runtimeerror: it broke"),
        ("first {any} second", "second first"),
    ],
)
def test_and_for_nothing_else(signature: str, text: str) -> None:
    assert not matches(signature, text)


def test_white_space_line_wraps_colours_and_prefixes_do_not_count() -> None:
    signature = "Could not find an implementation for {name}({int}) node"
    assert matches(signature, "E   Could not find an\nE   implementation for   Gemm(13)\nE     node with name 'x'")
    assert matches(signature, "│ Could not find an implem │\n│ entation for \x1b[1mGemm\x1b[0m(13) node  │")


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        ("{any}" * 500, "500 placeholders is over the limit"),
        ("{int}" * 500 + "literal text", "500 placeholders is over the limit"),
        ("x" * 5_000, "over the limit of"),
        ("value is {flaot} here", "did you mean float"),
        ("Error {any}", "would match almost anything"),
        ("{any}", "would match almost anything"),
        ("{int} {int}", "would match almost anything"),
        ("", "would match almost anything"),
    ],
)
def test_a_signature_that_cannot_be_used_is_refused_in_one_line(signature: str, said: str) -> None:
    with pytest.raises(SignatureError, match=said) as refused:
        compile_signature(signature)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_no_signature_and_text_together_are_slow(kind: str) -> None:
    """Each would take for ever as a regular expression that tries one way after another."""
    for letter in "a1(./":
        start = time.process_time()
        matches(f"{letter * 6}{{{kind}}}" * 24 + "!", letter * 200_000 + "?")
        assert time.process_time() - start < 3


@given(st.text(max_size=80), st.text(max_size=200))
def test_any_text_is_a_signature_or_refused_and_finds_itself(signature: str, around: str) -> None:
    try:
        compiled = compile_signature(signature)
    except SignatureError:
        return
    plain = signature.isprintable() and all(kind == "" for kind, _ in compiled.parts)
    if plain and signature.isascii() and "|" not in signature and ":" not in signature and "[" not in signature:
        assert matches(signature, f"word {signature}")
    matches(signature, around)


def test_a_traceback_proposes_what_the_program_died_of_first() -> None:
    assert propose(CHAINED) == [
        "Odd: Failed to export the model.",
        "UserError: Could not guard on data-dependent expression Eq(u0, {int})",
    ]


@pytest.mark.parametrize("line", NORMALISED)
def test_what_is_proposed_matches_where_it_came_from(line: str) -> None:
    text = f'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: {line}\n'
    proposed = propose(text)
    assert 1 <= len(proposed) <= MAX_PROPOSED
    assert all(matches(signature, text) for signature in proposed)
    assert ("{" in proposed[0]) == ("{" in normalised(line))


def test_an_empty_paste_proposes_nothing() -> None:
    assert propose("") == []
    assert propose("\n \n") == []
