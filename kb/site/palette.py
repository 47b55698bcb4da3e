"""The colours of the site, once: the style sheet, the charts and the test of their contrast follow from this table.

Charts are rendered with a sentinel in place of each colour; afterwards the sentinel becomes a CSS variable. One SVG
then follows the reader's palette without JavaScript.
"""

from dataclasses import dataclass

#: Contrast that text must have against what it stands on (WCAG 2.2, 1.4.3), and marks against the card (1.4.11).
TEXT_CONTRAST = 4.5
MARK_CONTRAST = 3.0


@dataclass(frozen=True)
class Colour:
    """One colour in both palettes, as #rrggbb."""

    light: str
    dark: str


COLOURS: dict[str, Colour] = {
    # what everything stands on
    "page": Colour("#ffffff", "#151a24"),
    "card": Colour("#ffffff", "#1b2130"),
    "line": Colour("#dfe3ea", "#343c4e"),
    "stripe": Colour("#f5f7fa", "#212838"),
    # text and marks
    "fg": Colour("#1f2937", "#e6e9ef"),
    "muted": Colour("#566070", "#a3adbd"),
    "grid": Colour("#dfe3ea", "#363e50"),
    "link": Colour("#1a61b8", "#78b6ff"),
    "mark": Colour("#5b6472", "#9aa4b5"),
    "fast": Colour("#1c6dd0", "#6cb1ff"),
    "slow": Colour("#b4530a", "#ff9a62"),
    "good": Colour("#0a6f44", "#5fdba7"),
    "warn": Colour("#8a5300", "#f0b95b"),
    "bad": Colour("#b42318", "#ff938a"),
    # the stages of a cold start
    "import": Colour("#6b7484", "#98a2b3"),
    "build": Colour("#1c6dd0", "#6cb1ff"),
    "convert": Colour("#7c3aed", "#b79bff"),
    "load": Colour("#d9480f", "#ff8a5c"),
    "first": Colour("#0b8457", "#4fd1a1"),
    # steps of speed, from far slower (1) over the same (4) to far faster (7), and the text on each
    "q1": Colour("#a94c08", "#d9702a"),
    "q2": Colour("#f0bd88", "#7d4717"),
    "q3": Colour("#f9e6d0", "#493425"),
    "q4": Colour("#e9edf2", "#2c3446"),
    "q5": Colour("#d3e5f8", "#21405f"),
    "q6": Colour("#8fbdec", "#255f9c"),
    "q7": Colour("#1b5fae", "#74b4ff"),
    "t1": Colour("#ffffff", "#10141d"),
    "t2": Colour("#1f2937", "#ffffff"),
    "t3": Colour("#1f2937", "#e6e9ef"),
    "t4": Colour("#1f2937", "#e6e9ef"),
    "t5": Colour("#1f2937", "#e6e9ef"),
    "t6": Colour("#10141d", "#ffffff"),
    "t7": Colour("#ffffff", "#10141d"),
}

#: Text on background, as it is used; `tests/site/test_palette.py` measures every pair.
TEXT_ON = (
    *(
        (text, ground)
        for text in ("fg", "muted", "link", "good", "warn", "bad")
        for ground in ("page", "card", "stripe")
    ),
    *((text, "card") for text in ("slow", "fast")),
    *((f"t{step}", f"q{step}") for step in range(1, 8)),
)
MARKS_ON_CARD = ("mark", "fast", "slow", "import", "build", "convert", "load", "first")

#: Sentinels are near-black colours that no chart would choose: #0a0b00, #0a0b01, ...
SENTINELS: dict[str, str] = {name: f"#0a0b{index:02x}" for index, name in enumerate(COLOURS)}


def variable(name: str) -> str:
    """The CSS variable of a colour, as it is used in a style."""
    return f"var(--kb-{name})"


def with_variables(text: str) -> str:
    """An SVG or a chart specification with every sentinel replaced by its CSS variable."""
    for name, sentinel in SENTINELS.items():
        text = text.replace(sentinel, variable(name))
    return text


def with_light_colours(text: str) -> str:
    """A chart specification that stands alone: the colours of the light palette in place of the sentinels."""
    for name, sentinel in SENTINELS.items():
        text = text.replace(sentinel, COLOURS[name].light)
    return text


def style_sheet() -> str:
    """The variables of both palettes. Print is always light: paper is."""
    light = ";".join(f"--kb-{name}:{colour.light}" for name, colour in COLOURS.items())
    dark = ";".join(f"--kb-{name}:{colour.dark}" for name, colour in COLOURS.items())
    return (
        f":root,[data-md-color-scheme=default]{{{light}}}\n"
        f"@media screen{{[data-md-color-scheme=slate]{{{dark}}}}}\n"
        f"@media print{{[data-md-color-scheme=slate]{{{light}}}}}\n"
    )


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two #rrggbb colours, from 1 to 21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
