"""What every SARIF 2.1.0 log of kb has (OASIS): its frame, and outside text as a message can hold it."""

import re
from collections.abc import Sequence
from typing import Any

from kb import __version__
from kb.outside_text import one_line

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

#: Most characters of a message.
MAX_MESSAGE = 4000


def log(name: str, rules: Sequence[Any], results: Sequence[Any], **more: Any) -> dict[str, Any]:
    """The log of one run.

    Args:
        name: of the tool.
        more: further properties of the run.
    """
    driver = {"name": name, "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", **more, "results": results}
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def message_text(text: str) -> str:
    """Outside text in a message: brackets would begin a link there (SARIF 3.11.6), braces a placeholder."""
    escaped = re.sub(r"[\\\[\]]", r"\\\g<0>", one_line(text, MAX_MESSAGE))
    return escaped.replace("{", "{{").replace("}", "}}")
