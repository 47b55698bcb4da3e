"""results/changelogs/README.md: what the files there mean, from the tables that they are written and read by."""

from pathlib import Path

from kb.changelogs.columns import PROJECTS, VERSIONS
from kb.changelogs.store import CHANGELOGS_FOLDER
from kb.records.atomic import write_if_changed
from kb.records.describe import README, table_section

_INTRODUCTION = """\
# Changelogs

Read by `kb changelog` from the projects that `[tool.kb.changelogs]` names. This page is written by `kb schema`.

```
<project>.csv               when the project's changelog was last read
<package>/<version>.csv     one version: a row of its own, then a row for each entry
```

- A file is written only where its content differs. What a changelog says no more is removed, so that the entries are
  those of the newest reading; only the days on which they were first seen and last changed are remembered.
- An entry is the same while its text is, however it is laid out and wherever it links to. The second of two with the
  same text and category has `-2` after its `id`.
- Every line ends in a check (CRC-32 of the line before it), and the version's row has the number of its entries: a
  changed or missing line is found, and is an error. To start a version anew, delete its file.
- Text is somebody else's: JSON of plain strings, to be escaped by whoever shows it. Links are http, https or mailto.
- In JSON, a span is a string, or `[text, looks]`, or `[text, looks, link]`; looks are letters: `c` code, `s` strong,
  `e` emphasis. An item is an object with `text` (spans) or `sample` (a block of code), `category` where its own words
  say one, and `items` below it. A reference is `[label]` or `[label, link]`.
"""


def write_description(results: Path) -> list[Path]:
    """Write the page if its content differs, and return it if it was written."""
    path = results / CHANGELOGS_FOLDER / README
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join((_INTRODUCTION, table_section(VERSIONS), table_section(PROJECTS)))
    return [path] if write_if_changed(path, text.encode()) else []
