"""What the words of an entry say of support and of removal."""

import pytest

from kb.changelogs.upgrade.words import dropped_support, stated_removals
from tests.changelogs.upgrade.samples import entry


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("We drop support for Python 3.8.", ("Python",)),
        ("Python 3.8 is no longer supported", ("Python",)),
        ("Support for Python 3.7 and 3.8 has been removed here", ("Python",)),
        ("Dropped Python 3.9 support", ("Python",)),
        ("The minimum supported Python version is now 3.10", ("Python",)),
        ("This package now requires Python >= 3.10", ("Python",)),
        ("Removed wheels for CUDA 11.8", ("CUDA",)),
        ("No longer built for CUDA 11.x", ("CUDA",)),
        ("Support of ROCm 5.7 ended", ("ROCm",)),
        ("Support for compute capability 5.0 (Maxwell) was removed from the binaries", ("compute capability",)),
        ("Removed `sm_50` from the builds", ("compute capability",)),
        ("Removed support for Pascal and Volta with CUDA 12.8", ("CUDA", "compute capability")),
        ("We stopped publishing wheels for macOS on x86", ("operating system",)),
        ("Binaries for manylinux2014 are no longer provided", ("operating system",)),
        ("不再支持 Python 3.7", ("Python",)),
        # Not these.
        ("Support for Python 3.8 will be dropped in the next version", ()),
        ("This is the last release that supports Python 3.9", ()),
        ("Added support for Python 3.13", ()),
        ("Removed support for `old_format`", ()),
        ("Removed a race in the Windows file reader", ()),
        ("Removed shadowing in the SM100 epilogue", ()),
        ("Removed a copy of CUDA tensors", ()),
        ("Reading a file on Windows no longer fails", ()),
        ("The new kernel needs CUDA 12.4", ()),
    ],
)
def test_dropped_support_is_found_by_its_words(text: str, kinds: tuple[str, ...]) -> None:
    assert dropped_support(entry(text)) == kinds


def test_dropped_support_is_found_in_an_item() -> None:
    assert dropped_support(entry("Building", items=("Faster", "Dropped support for Python 3.8"))) == ("Python",)


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("`torch.foo` is deprecated and will be removed in 2.10", ("2.10",)),
        ("`torch.foo` will be removed in PyTorch v2.10.0.", ("2.10.0",)),
        ("will be removed in the 2.10 release", ("2.10",)),
        ("will be removed in version 2.10 or earlier", ("2.10",)),
        ("the removal of `torch.foo.bar` is planned for release 2.10", ("2.10",)),
        ("will be dropped starting with 2.10", ("2.10",)),
        ("goes away in a future release (2.10)", ()),
        ("`torch.foo` 将在 2.10 版本中移除", ("2.10",)),
        ("will be removed in a future release", ()),
        ("will be removed in 3 months", ()),
        ("will be removed in Python 3.13", ()),
        ("will be removed in NumPy 2.5", ()),
        ("removed 2.5% of the calls", ()),
        ("deprecated since 2.10", ()),
    ],
)
def test_the_version_of_a_removal_is_read_where_it_is_stated(text: str, versions: tuple[str, ...]) -> None:
    assert stated_removals(entry(text), "torch") == versions
