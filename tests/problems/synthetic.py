"""A small log of problems to search in, and a large one to time; the wording is the frameworks' own, the notes are not.

The errors are those that PyTorch, Keras, tf2onnx and ONNX Runtime print.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from kb.problems.note import Affected, Kind, Note, Range, Severity, State

DAY = date(2026, 11, 27)
FAMILIES = {"onnxruntime-gpu": "onnxruntime", "onnxruntime-directml": "onnxruntime", "tensorflow-cpu": "tensorflow"}


@dataclass(frozen=True)
class Sketch:
    """What makes a note, and a traceback that belongs to it."""

    name: str
    title: str
    kind: str
    affects: str  #: `torch 2.4..2.6`: from the first on, without the last
    error: str
    signatures: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    cause: str = ""
    workaround: str = ""


def _sketches() -> Iterator[Sketch]:
    rows: list[dict[str, Any]] = json.loads(Path(__file__).with_name("sketches.json").read_text(encoding="utf-8"))
    for fields in rows:
        tuples: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
        yield Sketch(**tuples)


SKETCHES = tuple(_sketches())


def note_of(sketch: Sketch, number: int, folder: Path = Path("docs/problems")) -> Note:
    package, versions = sketch.affects.split(" ")
    first, _, end = versions.partition("..")
    return Note(
        path=folder / f"{sketch.name}.md",
        id=f"KB-{number:04}",
        title=sketch.title,
        kind=Kind(sketch.kind),
        status=State.WORKAROUND if sketch.workaround else State.OPEN,
        severity=Severity.MAJOR,
        affected=(Affected((Range(package, first, fixed=end),)),),
        created=DAY,
        modified=DAY,
        symbols=sketch.symbols,
        operators=sketch.operators,
        signatures=sketch.signatures,
        aliases=sketch.aliases,
        sections={
            "Symptom": f"```\n{sketch.error}\n```",
            "Cause": sketch.cause,
            "Workaround": sketch.workaround,
            "Fix": "",
        },
    )


def notes(folder: Path = Path("docs/problems")) -> list[Note]:
    """The small log."""
    return [note_of(sketch, number, folder) for number, sketch in enumerate(SKETCHES, 1)]


def many_notes(count: int, folder: Path = Path("docs/problems"), seed: int = 7) -> Iterator[Note]:
    """A log of many notes: variations of the small one, with words, operators and errors of their own."""
    made = random.Random(seed)
    syllables = [a + b for a in "bcdfghklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "or", "ix")]
    vocabulary = ["".join(made.choices(syllables, k=made.randint(2, 4))) for _ in range(8_000)]
    base = notes(folder)
    yield from base[:count]
    for number in range(len(base) + 1, count + 1):
        model = made.choice(base)
        said = " ".join(made.choices(vocabulary, k=6))
        prose = {name: f"{text} {' '.join(made.choices(vocabulary, k=60))}" for name, text in model.sections.items()}
        yield replace(
            model,
            path=folder / f"note-{number:05}.md",
            id=f"KB-{number:04}",
            title=f"{said} in {made.choice(model.title.split())}",
            signatures=(f"{made.choice(vocabulary).title()}Error: {said} {{int}} at {{path}}",),
            aliases=(f"{made.choice(vocabulary)}/{made.choice(vocabulary)}#{number}",),
            sections=prose,
        )
