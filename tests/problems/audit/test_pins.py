"""The versions that lists and locks of packages bring to this machine, and what is asked for where it is no version."""

from pathlib import Path

from kb.problems.audit.pins import Pins, read_pins


def pins_of(tmp_path: Path, text: str, name: str = "requirements.txt") -> Pins:
    path = tmp_path / name
    path.write_text(text)
    return read_pins(path)


def versions(pins: Pins) -> dict[str, str]:
    return {name: str(version) for name, version in pins.versions.items()}


class TestRequirements:
    def test_pins_count_and_ranges_are_told_as_they_are(self, tmp_path: Path) -> None:
        pins = pins_of(tmp_path, "Torch==2.4.0\nonnx>=1.16  # why\n\nnumpy\nkeras==3.*\nscipy===1.13\n")
        assert versions(pins) == {"torch": "2.4.0", "scipy": "1.13"}
        assert pins.loose == {"onnx": ">=1.16", "numpy": "any version", "keras": "==3.*"}
        assert pins.lines == {"torch": 1, "onnx": 2, "numpy": 4, "keras": 5, "scipy": 6}
        assert not pins.whole

    def test_what_is_for_other_machines_does_not_count(self, tmp_path: Path) -> None:
        pins = pins_of(tmp_path, 'torch==2.4; sys_platform == "amiga"\ntorch==2.5; sys_platform != "amiga"\n')
        assert versions(pins) == {"torch": "2.5"}

    def test_two_pins_of_one_package_are_no_version(self, tmp_path: Path) -> None:
        assert pins_of(tmp_path, "torch==2.4\ntorch==2.5\n").loose == {"torch": "==2.4 and ==2.5"}
        assert versions(pins_of(tmp_path, "torch==2.4\ntorch==2.4.0\ntorch>=2\n")) == {"torch": "2.4"}

    def test_a_package_of_another_file_has_no_line_in_this_one(self, tmp_path: Path) -> None:
        (tmp_path / "more.txt").write_text("onnx==1.16\n")
        pins = pins_of(tmp_path, "-r more.txt\ntorch==2.4\n")
        assert versions(pins) == {"onnx": "1.16", "torch": "2.4"}
        assert pins.lines == {"torch": 2}

    def test_what_has_no_version_is_told(self, tmp_path: Path) -> None:
        assert len(pins_of(tmp_path, "-e .\n").remarks) == 1


UV = """\
[[package]]
name = "mine"
source = { editable = "." }

[[package]]
name = "torch"
version = "2.5.0"

[[package]]
name = "onnx"
version = "1.16.0"

[[package]]
name = "onnx"
version = "1.17.0"
"""


def test_a_lock_is_whole_and_may_be_undecided(tmp_path: Path) -> None:
    pins = pins_of(tmp_path, UV, "uv.lock")
    assert versions(pins) == {"torch": "2.5.0"}
    assert pins.loose == {"mine": "none given", "onnx": "1.16.0 or 1.17.0"}
    assert pins.lines == {"mine": 1, "torch": 5, "onnx": 9}
    assert pins.whole
