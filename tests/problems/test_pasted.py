"""The last error out of what people paste, whatever printed it."""

import re
import subprocess
import sys

import pytest

from kb.problems.pasted import MAX_FRAMES_LINES, last_error

FRAME = '  File "/home/alice/x.py", line 3, in f\n    g()\n'
PLAIN = f"Traceback (most recent call last):\n{FRAME}ValueError: bad shape (2, 3)\n"
CLEAN = PLAIN.replace("/home/alice", "~").strip()
CHAINED = (
    f"Traceback (most recent call last):\n{FRAME}KeyError: 'a'\n\n"
    f"During handling of the above exception, another exception occurred:\n\n{PLAIN}"
)
LOG = "2026-11-22T10:00:00.1234567Z "


def prefixed(text: str, prefix: str) -> str:
    return "".join(f"{prefix}{line}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    "pasted",
    [
        PLAIN,
        f"$ python x.py\nsome output\n{PLAIN}",
        PLAIN.replace("\n", "\r\n"),
        prefixed(PLAIN, "[rank0]: "),
        prefixed(PLAIN, LOG) + f"{LOG}##[error]Process completed with exit code 1.\n",
        prefixed(PLAIN, "trainer-1  | "),
        PLAIN.replace("ValueError", "\x1b[1;31mValueError\x1b[0m").replace("Traceback", "\x1b[1mTraceback"),
        f"ERROR:root:it failed\n{PLAIN}",
        f"{PLAIN}make: *** [Makefile:3: train] Error 1\n",
        f"Traceback (most recent call last):\n{FRAME}OSError: an earlier one\n\nretrying\n{PLAIN}",
    ],
    ids=["plain", "terminal", "windows", "torchrun", "actions", "compose", "colours", "logger", "make", "earlier"],
)  # fmt: skip
def test_the_last_traceback_is_taken_out_of_what_surrounds_it(pasted: str) -> None:
    found = last_error(pasted)
    assert re.sub(r"^##\[error\].*|^Process.*", "", found.text, flags=re.MULTILINE).strip() == CLEAN
    assert (found.exception, found.message) == ("ValueError", "bad shape (2, 3)")


def test_the_name_of_nobodys_home_folder_is_kept() -> None:
    for home in ("/home/alice", "/Users/alice", r"C:\Users\alice", "/root"):
        assert "~" in last_error(PLAIN.replace("/home/alice", home)).text
        assert "alice" not in last_error(PLAIN.replace("/home/alice", home)).text


@pytest.mark.parametrize("prefix", ["", LOG])
def test_what_an_exception_is_chained_to_belongs_to_it(prefix: str) -> None:
    found = last_error(prefixed(CHAINED, prefix))
    assert found.text.startswith("Traceback")
    assert found.text.count("Traceback (most") == 2
    assert "KeyError: 'a'" in found.text
    assert found.exception == "ValueError"


def test_notes_of_an_exception_belong_to_it() -> None:
    found = last_error(PLAIN + "While exporting layer 3.\nTry opset 20.\n")
    assert found.text.endswith("While exporting layer 3.\nTry opset 20.")


def test_a_message_of_several_lines_is_kept() -> None:
    text = PLAIN.replace("bad shape (2, 3)", 'Error(s) in loading state_dict for Net:\n\tMissing key(s): "fc.bias".')
    assert last_error(text).text.endswith('\tMissing key(s): "fc.bias".')


def test_what_python_really_prints(tmp_path_factory: pytest.TempPathFactory) -> None:
    code = "try:\n    {}['a']\nexcept KeyError as e:\n    e.add_note('a note')\n    raise ValueError('no a') from e\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    found = last_error("noise\n" + done.stderr)
    assert (found.exception, found.message) == ("ValueError", "no a")
    assert found.text.count("Traceback (most") == 2
    assert "a note" in found.text


def test_pytests_marks_show_the_error() -> None:
    report = (
        "______ test_export ______\n\n    def test_export():\n>       export(model)\n\ntests/test_x.py:12: \n"
        "E       RuntimeError: Unsupported onnx_opset_version: 24\nE       Try opset 20.\n\n"
        "tests/test_x.py:12: RuntimeError\n=== short test summary info ===\nFAILED tests/test_x.py::test_export\n"
    )
    found = last_error(report)
    assert found.text == "RuntimeError: Unsupported onnx_opset_version: 24\nTry opset 20."
    assert (found.exception, found.message) == ("RuntimeError", "Unsupported onnx_opset_version: 24")


def test_without_a_traceback_the_end_of_the_text_is_taken() -> None:
    text = "\n".join(f"line {number}" for number in range(100)) + "\nSegmentation fault (core dumped)\n\n"
    found = last_error(text)
    assert found.text.splitlines()[-1] == "Segmentation fault (core dumped)"
    assert len(found.text.splitlines()) == 40
    assert found.message == "Segmentation fault (core dumped)"


def test_of_a_deep_recursion_both_ends_are_kept() -> None:
    found = last_error(PLAIN.replace(FRAME, FRAME * 1000))
    assert len(found.text.splitlines()) == MAX_FRAMES_LINES + 1
    assert "lines left out" in found.text
    assert found.text.endswith("ValueError: bad shape (2, 3)")


def test_the_packages_are_those_of_the_frames_from_the_end_and_of_the_exception() -> None:
    frames = "".join(f'  File "/x/site-packages/{name}/a.py", line 1, in f\n' for name in ("keras", "torch", "torch"))
    text = f"Traceback (most recent call last):\n{frames}onnxruntime.capi.Fail: no\n"
    assert last_error(text).modules == ("torch", "keras", "onnxruntime")


def test_native_code_names_its_package_without_a_frame() -> None:
    assert last_error("[E:onnxruntime:Default, x.cc:1] Failed to load libcudnn.so.9").modules == ("onnxruntime",)


def test_a_notebooks_frames_are_kept() -> None:
    header = f"{'-' * 75}\nRuntimeError{' ' * 30}Traceback (most recent call last)\n"
    text = f"{header}Cell In[3], line 1\n----> 1 f()\n\nFile ~/x.py:3, in f()\n----> 3 g()\n\nRuntimeError: no\n"
    found = last_error(text)
    assert found.text.startswith("Traceback (most recent call last)\nCell In[3], line 1\n")
    assert found.text.endswith("RuntimeError: no")
    assert (found.exception, found.message) == ("RuntimeError", "no")


def test_nothing_that_moves_a_cursor_is_kept() -> None:
    assert last_error(PLAIN.replace("bad", "b\x1b[2Ja\u202ed\x07")).text.replace("\n", "").isprintable()
