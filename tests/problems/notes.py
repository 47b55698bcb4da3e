"""Notes for tests: one that nothing is wrong with, and the same with something changed."""

from datetime import date
from pathlib import Path

from kb.problems.complaint import Complaint
from kb.problems.lint import lint
from kb.problems.signature import matches

TODAY = date(2026, 11, 27)

GOOD = """\
---
id: KB-0001
title: "The exporter does not know the opset"
kind: conversion
status: workaround
severity: major
affected:
  - all:
      - package: torch
        introduced: "2.4"
        fixed: "2.10"
      - package: onnxruntime-gpu
        introduced: "0"
    when:
      opset: ">=17"
      os: linux
symbols: [torch.onnx.export]
operators: [Resize]
signatures:
  - "Unsupported onnx_opset_version: {int}"
reproducer: repro.py
references:
  - type: report
    url: https://github.com/pytorch/pytorch/issues/1
aliases: [pytorch/pytorch#1]
related: []
created: 2026-11-01
modified: 2026-11-27
---

## Symptom

```
RuntimeError: Unsupported onnx_opset_version: 24
```

## Cause

It was not written yet.

## Workaround

Ask for opset 20.

## Fix
"""


def with_change(old: str, new: str, text: str = GOOD) -> str:
    """The text with one part of it replaced, which must be there once."""
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


def write_note(folder: Path, text: str = GOOD, name: str = "KB-0001-opset.md") -> Path:
    """A note, and the reproducer that it names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "repro.py").write_text("")
    path = folder / name
    path.write_bytes(text.encode())
    return path


def complaints_of(folder: Path, packages: tuple[str, ...] = ()) -> list[Complaint]:
    return list(lint(folder, matches, packages=packages, today=TODAY))


def told(folder: Path) -> list[tuple[str, int, str]]:
    """File, line and code of each complaint."""
    return [(one.path.name, one.line, one.code.name) for one in complaints_of(folder)]
