"""The settings: what a user may write, what it becomes, and what is said where it is wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from kb.config import ChangelogSettings, ConfigError, Profile, Settings, load_settings
from kb.known_changelogs import BUILT_IN_CHANGELOGS
from kb.profiles import BUILT_IN_PROFILES


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def error(folder: Path, text: str) -> str:
    """What is said about these settings, less the name of the file, which must stand first."""
    path = write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


class TestFinding:
    def test_the_settings_of_a_folder_are_those_of_the_nearest_pyproject_with_the_table(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool.kb]\nseed = 1\n")
        write(tmp_path / "inner", "[tool.kb]\nseed = 2\n")
        (tmp_path / "inner" / "deep").mkdir()
        settings = load_settings(tmp_path / "inner" / "deep")
        assert (settings.seed, settings.root) == (2, tmp_path / "inner")

    def test_a_pyproject_without_the_table_is_passed_by(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool.kb]\n")
        write(tmp_path / "library", "[project]\nname = 'library'\n")
        assert load_settings(tmp_path / "library").root == tmp_path

    def test_without_start_the_working_directory_counts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path, "[tool.kb]\n")
        monkeypatch.chdir(tmp_path)
        assert load_settings().root == tmp_path

    def test_no_table_anywhere_says_where_it_looked_and_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=rf"^no pyproject.toml with a \[tool.kb\] .*{tmp_path}.* add the line"):
            load_settings(tmp_path)

    def test_broken_toml_says_line_and_column(self, tmp_path: Path) -> None:
        assert re.search(r"not valid TOML: .*line 2, column", error(tmp_path, "[tool.kb]\nseed = = 1\n"))

    def test_a_file_that_is_not_utf_8_says_where(self, tmp_path: Path) -> None:
        path = write(tmp_path, "")
        path.write_bytes(b"[tool.kb]\n\xff\n")
        with pytest.raises(ConfigError, match=r"not UTF-8: byte 0xff at offset 10"):
            load_settings(tmp_path)

    def test_a_broken_file_is_not_passed_by_for_one_further_up(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool.kb]\n")
        assert "not valid TOML" in error(tmp_path / "inner", "[tool.kb\n")

    def test_the_settings_of_this_repository_are_valid(self, repo_root: Path) -> None:
        assert load_settings(repo_root).root == repo_root


class TestValues:
    def test_an_empty_table_means_the_defaults(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool.kb]\n")
        settings = load_settings(tmp_path)
        assert settings == Settings(root=tmp_path)
        assert (settings.results, settings.docs, settings.site) == (
            tmp_path / "results",
            tmp_path / "docs",
            tmp_path / "site",
        )
        assert set(settings.profiles) == {"quick", "full", "accelerator"}
        assert settings.profile("quick").replicates == 3
        assert settings.profile("full").batches == (1,)

    def test_everything_that_can_be_said(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            """
            [tool.kb]
            results = "measured"
            site = "../public"
            timeout_s = 60
            memory_limit_mib = 2048
            pin = false
            seed = 7
            devices = ["vpu"]
            repository = { remote = "upstream", branch = "numbers" }

            [tool.kb.models]
            my_net = "mypkg.nets:MyNet"

            [tool.kb.runtimes]
            my-engine = "mypkg.engine:Engine"

            [[tool.kb.artefacts]]
            name = "detector"
            path = "models/detector.onnx"
            reference = "models/detector.npz"
            inputs.image = { shape = ["batch", 3, 64, 64], dtype = "uint8" }

            [tool.kb.profiles.nightly]
            description = "what we ship"
            models = ["my_net", "detector", "mlp*"]
            runtimes = ["my-engine", "onnxruntime"]
            devices = ["cpu", "cuda:1", "vpu"]
            precisions = ["fp32", "fp16"]
            batches = [1, 4]
            threads = [1, 0]
            replicates = 5
            memory = false
            """,
        )
        settings = load_settings(tmp_path)
        assert settings.results == tmp_path / "measured"
        assert settings.site == tmp_path.parent / "public"
        assert (settings.timeout_s, settings.memory_limit_mib, settings.pin, settings.seed) == (60.0, 2048, False, 7)
        assert (settings.repository.remote, settings.repository.branch) == ("upstream", "numbers")
        assert settings.model_targets()["my_net"] == "mypkg.nets:MyNet"
        assert settings.runtime_targets()["my-engine"] == "mypkg.engine:Engine"
        (artefact,) = settings.artefacts
        assert artefact.path == tmp_path / "models/detector.onnx"
        assert artefact.reference == tmp_path / "models/detector.npz"
        assert artefact.inputs["image"].shape == ("batch", 3, 64, 64)
        assert artefact.inputs["image"].dtype == "uint8"
        assert settings.profile("nightly") == Profile(
            description="what we ship",
            models=("my_net", "detector", "mlp*"),
            runtimes=("my-engine", "onnxruntime"),
            devices=("cpu", "cuda:1", "vpu"),
            precisions=("fp32", "fp16"),
            batches=(1, 4),
            threads=(1, 0),
            replicates=5,
            memory=False,
        )

    def test_a_built_in_profile_is_overridden_key_by_key(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool.kb.profiles.quick]\nreplicates = 5\n")
        settings = load_settings(tmp_path)
        assert settings.profile("quick").replicates == 5
        assert settings.profile("quick").runtimes == BUILT_IN_PROFILES["quick"]["runtimes"]
        assert settings.profile("full") == Settings(root=tmp_path).profile("full")

    def test_the_built_in_profiles_name_installed_runtimes_only(self, tmp_path: Path) -> None:
        settings = Settings(root=tmp_path)
        for profile in settings.profiles.values():
            assert set(profile.runtimes) - {"*"} <= set(settings.runtime_targets())

    def test_a_users_models_are_added_to_the_installed_ones_without_importing_any(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool.kb.models]\nmine = 'no_such_package:Net'\n")
        targets = load_settings(tmp_path).model_targets()
        assert {"mlp8", "cnn_s", "encoder_mini", "mine"} <= set(targets)

    def test_settings_are_frozen(self, tmp_path: Path) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            Settings(root=tmp_path).pin = False  # type: ignore[misc]


#: What is written -> what is said about it. In each: the key, the value, and what would be right.
WRONG = {
    "an unknown key": (
        "[tool.kb]\ntimeout = 3\n",
        "tool.kb.timeout is not a key; did you mean timeout_s?",
    ),
    "an unknown key that is like no other": (
        "[tool.kb.repository]\nurl = 'x'\n",
        "tool.kb.repository.url is not a key; valid: branch, remote",
    ),
    "an unknown key of a profile": (
        "[tool.kb.profiles.quick]\nreplicate = 3\n",
        "tool.kb.profiles.quick.replicate is not a key; did you mean replicates?",
    ),
    "the root, which is not for the file to say": (
        "[tool.kb]\nroot = 'x'\n",
        "tool.kb.root is not a key: the root is the folder of this file",
    ),
    "a key that needs quotes": (
        "[tool.kb]\n'a key' = 1\n[tool.kb.models]\n",
        'tool.kb."a key" is not a key; valid: ',
    ),
    "text for a number": (
        "[tool.kb]\ntimeout_s = '60'\n",
        "tool.kb.timeout_s = '60': must be a valid number",
    ),
    "true for a number": (
        "[tool.kb.profiles.full]\nreplicates = true\n",
        "tool.kb.profiles.full.replicates = True: must be a valid integer",
    ),
    "no time at all": (
        "[tool.kb]\ntimeout_s = 0\n",
        "tool.kb.timeout_s = 0: must be greater than 0",
    ),
    "an infinite time": (
        "[tool.kb]\ntimeout_s = inf\n",
        "tool.kb.timeout_s = inf: must be a finite number",
    ),
    "a number for a path": (
        "[tool.kb]\nresults = 3\n",
        "tool.kb.results = 3: must be a path",
    ),
    "one value for a list": (
        "[tool.kb.profiles.quick]\nruntimes = 'onnxruntime'\n",
        "tool.kb.profiles.quick.runtimes = 'onnxruntime': must be a list",
    ),
    "an empty list": (
        "[tool.kb.profiles.quick]\nbatches = []\n",
        "tool.kb.profiles.quick.batches = []: must not be empty",
    ),
    "a value twice": (
        "[tool.kb.profiles.quick]\nbatches = [1, 8, 1]\n",
        "tool.kb.profiles.quick.batches = [1, 8, 1]: lists 1 twice",
    ),
    "no replicate": (
        "[tool.kb.profiles.quick]\nreplicates = 0\n",
        "tool.kb.profiles.quick.replicates = 0: must be greater than or equal to 1",
    ),
    "a profile that is no table": (
        "[tool.kb.profiles]\nquick = 3\n",
        "tool.kb.profiles.quick = 3: must be a table",
    ),
    "several things at once": (
        "[tool.kb]\npin = 1\nseed = -1\n",
        "tool.kb.pin = 1: must be true or false (and 1 more)",
    ),
    "an unknown runtime": (
        "[tool.kb.profiles.quick]\nruntimes = ['torch-eager', 'tf-*', 'onnxruntme']\n",
        "tool.kb.profiles.quick.runtimes[2] = 'onnxruntme': no runtime of that name; did you mean onnxruntime?",
    ),
    "a glob that nothing matches": (
        "[tool.kb.profiles.quick]\nruntimes = ['jax-*']\n",
        "tool.kb.profiles.quick.runtimes[0] = 'jax-*': no runtime of that name; valid: keras-predict, onnxruntime, ",
    ),
    "an unknown model": (
        "[tool.kb.profiles.full]\nmodels = ['mlp9']\n",
        "tool.kb.profiles.full.models[0] = 'mlp9': no model of that name; did you mean mlp8?",
    ),
    "an unknown device": (
        "[tool.kb.profiles.full]\ndevices = ['cpu', 'gpu']\n",
        "tool.kb.profiles.full.devices[1] = 'gpu': no device of that name; valid: cpu, cuda, ",
    ),
    "an unknown precision": (
        "[tool.kb.profiles.full]\nprecisions = ['float32']\n",
        "tool.kb.profiles.full.precisions[0] = 'float32': no precision of that name; valid: bf16, fp16, fp32, int8",
    ),
    "a slip in the name of a built-in profile": (
        "[tool.kb.profiles.quik]\nreplicates = 5\n",
        "tool.kb.profiles.quik is a profile of your own and needs a description, "
        "or it was meant to change a built-in one: did you mean quick?",
    ),
    "a target without a class": (
        "[tool.kb.models]\nmine = 'mypkg.nets'\n",
        "tool.kb.models.mine = 'mypkg.nets': must be of the form module:Class, e.g. 'mypkg.nets:MyNet'",
    ),
    "a name that cannot stand in a case's id": (
        "[tool.kb.models]\n'my/net' = 'mypkg.nets:MyNet'\n",
        'the name in tool.kb.models."my/net": must be made of letters',
    ),
    "the name of an installed model": (
        "[tool.kb.models]\nmlp8 = 'mypkg.nets:MyNet'\n",
        "tool.kb.models.mlp8: 'mlp8' is the name of an installed one already; choose another",
    ),
    "an artefact without a path": (
        "[[tool.kb.artefacts]]\nname = 'detector'\n",
        "tool.kb.artefacts[0].path is missing",
    ),
    "an artefact with a model's name": (
        "[[tool.kb.artefacts]]\nname = 'cnn_s'\npath = 'x.onnx'\n",
        "tool.kb.artefacts[0].name = 'cnn_s' is the name of a model already",
    ),
    "two artefacts of one name": (
        "[[tool.kb.artefacts]]\nname = 'a'\npath = 'a.onnx'\n[[tool.kb.artefacts]]\nname = 'a'\npath = 'b.onnx'\n",
        "tool.kb.artefacts = [",
    ),
    "a length that is none": (
        "[[tool.kb.artefacts]]\nname = 'a'\npath = 'a.onnx'\ninputs.x = { shape = ['batch', -1] }\n",
        "tool.kb.artefacts[0].inputs.x.shape[1] = -1: must be a length of at least 1, or a name such as 'batch'",
    ),
    "an element type by another name": (
        "[[tool.kb.artefacts]]\nname = 'a'\npath = 'a.onnx'\ninputs.x = { shape = [1], dtype = 'float' }\n",
        "tool.kb.artefacts[0].inputs.x.dtype = 'float': is no element type; did you mean float",
    ),
    "a site in which the results would be overwritten": (
        "[tool.kb]\nresults = 'site/results'\n",
        "site = ",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_is_one_line_with_key_value_and_what_would_be_right(case: str, tmp_path: Path) -> None:
    text, expected = WRONG[case]
    assert error(tmp_path, text).startswith(expected)


def test_a_huge_value_stays_one_short_line(tmp_path: Path) -> None:
    assert len(error(tmp_path, f"[tool.kb]\nseed = '{'x' * 10_000}'\n")) < 200


def test_an_unknown_profile_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no profile is called 'fast'; valid: accelerator, full, quick"):
        Settings(root=tmp_path).profile("fast")


def test_reading_settings_imports_no_framework(repo_root: Path) -> None:
    code = "import sys; from kb.config import load_settings; load_settings(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True, check=True)
    assert not {"torch", "tensorflow", "keras", "onnx", "onnxruntime", "pandas", "numpy"} & set(loaded.stdout.split())


class TestChangelogs:
    def test_the_frameworks_are_known(self, tmp_path: Path) -> None:
        write(tmp_path, "[tool.kb]\n")
        known = load_settings(tmp_path).changelogs
        assert list(known) == list(BUILT_IN_CHANGELOGS)
        assert known["jax"].packages == ("jax", "jaxlib")

    def test_single_keys_of_a_known_one_can_be_changed(self, tmp_path: Path) -> None:
        write(
            tmp_path, "[tool.kb.changelogs.keras]\nsource = 'file'\nlocation = 'k/*.md'\ndates = ['d.csv', 'index']\n"
        )
        keras = load_settings(tmp_path).changelogs["keras"]
        assert (keras.packages, keras.source, keras.location) == (("keras",), "file", str(tmp_path / "k" / "*.md"))
        assert keras.dates == (str(tmp_path / "d.csv"), "index")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("packages = ['p']", "tool.kb.changelogs.own.source is missing"),
            ("source = 'raw'", "tool.kb.changelogs.own.packages is missing"),
            ("packages = []\nsource = 'github'\nrepository = 'a/b'", "own.packages = []: must not be empty"),
            ("packages = ['../p']\nsource = 'github'\nrepository = 'a/b'", "own.packages[0] = '../p': must be made of"),
            ("packages = ['p']\nsource = 'svn'", "own.source = 'svn': must be 'github', 'raw' or 'file'"),
            ("packages = ['p']\nsource = 'github'", "releases on GitHub need repository = 'owner/name'"),
            (
                "packages = ['p']\nsource = 'github'\nrepository = 'b'",
                "own.repository = 'b': must be of the form owner/name",
            ),
            ("packages = ['p']\nsource = 'file'", "source = 'file' needs a location"),
            (
                "packages = ['p']\nsource = 'raw'\nlocation = 'http://a.org/x'",
                "must be an address that begins with https://",
            ),
            ("packages = ['p']\nsource = 'raw'\nlocation = 'https://['", "is no address"),
            ("packages = ['p']\nsource = 'file'\nlocation = 'x'\nref = '-x'", "own.ref = '-x': must be a commit"),
            (
                "packages = ['p']\nsource = 'file'\nlocation = 'x'\ndates = ['web']",
                "own.dates[0] = 'web': must be 'index'",
            ),
            (
                "packages = ['p']\nsource = 'file'\nlocation = 'x'\npage = 'javascript:x'",
                "own.page = 'javascript:x': must be",
            ),
            (
                "packages = ['Torch']\nsource = 'file'\nlocation = 'x'",
                "package 'torch' is one of 'own' and of 'pytorch'",
            ),
            (
                "packages = ['p']\nsource = 'file'\nlocation = 'x'\nform = 'x'",
                "own.form is not a key; did you mean format?",
            ),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(self, tmp_path: Path, text: str, said: str) -> None:
        assert said in error(tmp_path, f"[tool.kb.changelogs.own]\n{text}\n")

    @pytest.mark.parametrize("location", ["http://127.0.0.1:8000/LOG.md", "http://localhost/LOG.md"])
    def test_plain_http_is_for_this_machine(self, tmp_path: Path, location: str) -> None:
        write(tmp_path, f"[tool.kb.changelogs.own]\npackages = ['p']\nsource = 'raw'\nlocation = '{location}'\n")
        assert load_settings(tmp_path).changelogs["own"].location == location


class TestReadme:
    """The settings that the README shows are the settings that there are."""

    @staticmethod
    def example(repo_root: Path, number: int) -> str:
        return re.findall(r"```toml\n(.*?)```", (repo_root / "README.md").read_text(), re.DOTALL)[number]

    def test_the_first_example_is_the_defaults(self, repo_root: Path, tmp_path: Path) -> None:
        write(tmp_path, self.example(repo_root, 0))
        assert load_settings(tmp_path) == Settings(root=tmp_path)

    def test_the_first_example_leaves_no_key_out(self, repo_root: Path) -> None:
        shown = set(re.findall(r"^#? ?(\w+) = ", self.example(repo_root, 0), re.MULTILINE))
        shown |= set(
            re.findall(r"^\[+tool\.kb\.(\w+)", "".join(self.example(repo_root, n) for n in range(4)), re.MULTILINE)
        )
        shown |= set(re.findall(r"^\[\[tool\.kb\.profiles\.\w+\.(\w+)", self.example(repo_root, 3), re.MULTILINE))
        assert set(Settings.model_fields) - {"root"} <= shown
        assert set(Profile.model_fields) - {"description"} <= shown

    def test_the_second_example_leaves_no_key_of_a_changelog_out(self, repo_root: Path, tmp_path: Path) -> None:
        example = self.example(repo_root, 1)
        assert set(ChangelogSettings.model_fields) <= set(re.findall(r"^(\w+) = ", example, re.MULTILINE))
        write(tmp_path, example)
        assert load_settings(tmp_path).changelogs["ours"].packages == ("ourlib",)

    def test_the_fourth_example_is_valid(self, repo_root: Path, tmp_path: Path) -> None:
        write(tmp_path, self.example(repo_root, 3))
        settings = load_settings(tmp_path)
        assert settings.gates[0].limits()["loss_pp"] == 1.0
        assert settings.profile("quick").conversions[0].opsets == (18,)

    def test_the_third_example_is_valid(self, repo_root: Path, tmp_path: Path) -> None:
        write(tmp_path, self.example(repo_root, 2))
        settings = load_settings(tmp_path)
        assert {"my_net", "detector"} <= set(settings.model_names())
        assert "my-engine" in settings.runtime_targets()
