"""Whether a note is about an environment: all of its ranges and conditions, any of its combinations, or unknown."""

from datetime import date
from pathlib import Path

import pytest
from packaging.version import Version

from kb.problems.affects import Environment, affects
from kb.problems.conditions import Answer, Facts, fault, holds
from kb.problems.note import Affected, Kind, Note, Range, Severity, State

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


def note(*affected: Affected) -> Note:
    day = date(2026, 11, 27)
    return Note(Path("x.md"), "KB-0001", "x", Kind.CRASH, State.OPEN, Severity.MAJOR, affected, day, day)


def environment(facts: Facts | None = None, *, complete: bool = True, **packages: str) -> Environment:
    installed = {name.replace("_", "-"): Version(version) for name, version in packages.items()}
    return Environment(installed, facts or {}, complete)


OLD_TORCH = Range("torch", "2.4", "2.6")
OLD_ORT = Range("onnxruntime", "0", "1.20")


class TestRanges:
    def test_all_ranges_of_a_combination_must_hold(self) -> None:
        both = note(Affected((OLD_TORCH, OLD_ORT)))
        assert affects(both, environment(torch="2.5", onnxruntime="1.19")).answer is YES
        assert affects(both, environment(torch="2.5", onnxruntime="1.20")).answer is NO
        assert affects(both, environment(torch="2.6", onnxruntime="1.19")).answer is NO

    def test_one_combination_is_enough(self) -> None:
        either = note(Affected((OLD_TORCH,)), Affected((OLD_ORT,)))
        verdict = affects(either, environment(torch="2.6", onnxruntime="1.19"))
        assert (verdict.answer, verdict.affected) == (YES, Affected((OLD_ORT,)))

    def test_a_package_that_is_not_installed_has_no_problem(self) -> None:
        verdict = affects(note(Affected((OLD_TORCH,))), environment(numpy="2.4"))
        assert (verdict.answer, verdict.why) == (NO, "torch is not installed")

    def test_a_list_of_requirements_does_not_say_what_is_not_installed(self) -> None:
        verdict = affects(note(Affected((OLD_TORCH,))), environment(numpy="2.4", complete=False))
        assert verdict.answer is UNKNOWN
        assert "may come with another package" in verdict.why

    def test_a_note_is_about_the_whole_family(self) -> None:
        verdict = affects(note(Affected((OLD_ORT,))), environment(onnxruntime_gpu="1.19.2"))
        assert (verdict.answer, verdict.why) == (YES, "onnxruntime-gpu 1.19.2 is in onnxruntime before 1.20")

    def test_of_two_of_a_family_one_is_enough(self) -> None:
        assert (
            affects(note(Affected((OLD_ORT,))), environment(onnxruntime="1.25", onnxruntime_gpu="1.19")).answer is YES
        )

    def test_the_reason_names_what_is_installed_and_what_would_be_affected(self) -> None:
        verdict = affects(note(Affected((OLD_TORCH,))), environment(torch="2.13.0+cpu"))
        assert verdict.why == "torch 2.13.0+cpu is not in torch from 2.4 to before 2.6"


class TestWhatIsNotKnown:
    ON_CUDA = note(Affected((OLD_TORCH,), {"device": "cuda"}))

    def test_a_missing_fact_is_unknown_and_not_no(self) -> None:
        verdict = affects(self.ON_CUDA, environment(torch="2.5"))
        assert (verdict.answer, verdict.why) == (UNKNOWN, "it is not known whether device is cuda")

    def test_a_fact_that_is_known_to_be_none_is_no(self) -> None:
        assert affects(self.ON_CUDA, environment({"device": ()}, torch="2.5")).answer is NO

    def test_a_version_that_is_not_affected_settles_it(self) -> None:
        assert affects(self.ON_CUDA, environment(torch="2.6")).answer is NO

    def test_a_certain_combination_wins_over_an_unknown_one(self) -> None:
        two = note(Affected((OLD_TORCH,), {"device": "cuda"}), Affected((OLD_TORCH,), {"os": "linux"}))
        assert affects(two, environment({"os": ("linux",)}, torch="2.5")).answer is YES


@pytest.mark.parametrize(
    ("name", "wanted", "values", "answer"),
    [
        ("device", "cuda", ("cpu", "cuda"), YES),
        ("device", "cuda", ("cpu",), NO),
        ("device", "!cuda", ("cpu",), YES),
        ("os", "linux", ("Linux",), YES),
        ("provider", "CUDAExecutionProvider", ("CPUExecutionProvider", "CUDAExecutionProvider"), YES),
        ("cpu_flag", "!avx512_vnni", ("avx2",), YES),
        ("cpu_flag", "!avx512_vnni", ("avx2", "avx512_vnni"), NO),
        ("cpu_flag", "avx512f, !avx512_vnni", ("avx512f",), YES),
        ("cpu_flag", "avx512f, !avx512_vnni", ("avx2",), NO),
        ("opset", "17", ("17",), YES),
        ("opset", ">=17", ("9",), NO),
        ("opset", ">=17", ("20",), YES),
        ("opset", ">=17, <20", ("20",), NO),
        ("opset", "!17", ("18",), YES),
        ("python", ">=3.12", ("3.11.7",), NO),
        ("python", ">=3.9", ("3.11.7",), YES),
        ("python", "3.11", ("3.11.7",), YES),
        ("python", "3.1", ("3.11.7",), NO),
        ("python", "<=3.11", ("3.11.7",), YES),
        ("python", ">3.11", ("3.11.7",), NO),
        ("python", "!=3.11", ("3.11.7",), NO),
    ],
)
def test_a_condition_holds_or_not(name: str, wanted: str, values: tuple[str, ...], answer: Answer) -> None:
    assert fault(name, wanted) == ""
    assert holds(name, wanted, {name: values}) is answer
    assert holds(name, wanted, {}) is UNKNOWN


@pytest.mark.parametrize(
    ("name", "wanted", "said"),
    [
        ("devise", "cuda", "did you mean device?"),
        ("os", "linus", "did you mean linux?"),
        ("os", "", "says nothing"),
        ("cpu_flag", "avx512vnni", "did you mean avx512_vnni"),
        ("opset", "seventeen", 'write 17, ">=17"'),
        ("opset", "~=17", "neither a number nor a range"),
        ("python", "3.x", "neither a number nor a range"),
        ("provider", "CUDA", "write one such as CPUExecutionProvider"),
        ("device", "A100!", "write one such as cpu or cuda"),
    ],
)
def test_a_condition_that_nothing_can_meet_is_told(name: str, wanted: str, said: str) -> None:
    assert said in fault(name, wanted)
