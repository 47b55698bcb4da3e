"""Where the changelogs of the frameworks are unless settings say otherwise, and what such settings may say."""

import re
from typing import Any
from urllib.parse import urlsplit

#: Name of a project -> keys of its table; a user's table of the same name replaces single keys.
BUILT_IN_CHANGELOGS: dict[str, dict[str, Any]] = {
    "pytorch": {
        "packages": ("torch",),
        "source": "github",
        "repository": "pytorch/pytorch",
    },
    "tensorflow": {
        "packages": ("tensorflow",),
        "source": "raw",
        "location": "https://raw.githubusercontent.com/tensorflow/tensorflow/master/RELEASE.md",
        "repository": "tensorflow/tensorflow",
        "page": "https://github.com/tensorflow/tensorflow/blob/master/RELEASE.md",
    },
    "keras": {
        "packages": ("keras",),
        "source": "github",
        "repository": "keras-team/keras",
    },
    "onnxruntime": {
        "packages": ("onnxruntime",),
        "source": "github",
        "repository": "microsoft/onnxruntime",
    },
    "onnx": {
        "packages": ("onnx",),
        "source": "github",
        "repository": "onnx/onnx",
    },
    "tf2onnx": {
        "packages": ("tf2onnx",),
        "source": "github",
        "repository": "onnx/tensorflow-onnx",
    },
    "jax": {
        "packages": ("jax", "jaxlib"),
        "source": "raw",
        "location": "https://raw.githubusercontent.com/jax-ml/jax/main/CHANGELOG.md",
        "repository": "jax-ml/jax",
        "page": "https://github.com/jax-ml/jax/blob/main/CHANGELOG.md",
    },
    "numpy": {
        "packages": ("numpy",),
        "source": "raw",
        "location": "https://raw.githubusercontent.com/numpy/numpy/main/doc/source/release/{version}-notes.rst",
        "repository": "numpy/numpy",
        "page": "https://numpy.org/doc/stable/release/{version}-notes.html",
    },
}

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)


def repository_name(text: str) -> str:
    """Owner and name of a repository on GitHub, or nothing."""
    if text and not _REPOSITORY.fullmatch(text):
        raise ValueError("must be of the form owner/name, e.g. 'pytorch/pytorch'")
    return text


def https_address(text: str) -> str:
    """An address on the web, or nothing; no slash at its end.

    Plain http reaches only this machine: what is read is shown as a project's own words.
    """
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise ValueError(f"is no address: {error}") from None
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if text and (not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local))):
        raise ValueError("must be an address that begins with https://")
    return text.rstrip("/")


def release_dates(text: str) -> str:
    """Where the dates of releases are from."""
    if text not in ("index", "releases") and not text.endswith(".csv"):
        raise ValueError("must be 'index', 'releases', or the path of a .csv file")
    return text


def revision(text: str) -> str:
    """What git may be asked for: nothing that it would take for an option."""
    if text.startswith("-") or not text.isprintable() or " " in text:
        raise ValueError("must be a commit, branch or tag")
    return text
