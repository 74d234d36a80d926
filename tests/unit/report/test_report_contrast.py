"""WCAG 2.2 contrast of the page's palette, read from its style sheet."""

from __future__ import annotations

import re
from importlib import resources

import pytest

STYLE = (resources.files("adharness.report") / "templates" / "style.css").read_text("utf-8")
PAIRS = [
    *((ink, paper) for ink in ("ink", "soft", "accent", "bad", "oracle")
      for paper in ("paper", "faint")),
    *((ink, "mark") for ink in ("ink", "oracle", "soft")),
]  # fmt: skip
HEAT_SHARE = 0.5


def palettes() -> dict[str, dict[str, str]]:
    """Custom properties of the light theme, and of the dark one over it."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, flags=re.DOTALL)
    light, dark = (
        dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6})", block)) for block in blocks[:2]
    )
    return {"light": light, "dark": {**light, **dark}}


def channels(colour: str) -> list[float]:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    return [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]


def luminance(rgb: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: list[float], second: list[float]) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def mixed(first: list[float], second: list[float], share: float) -> list[float]:
    return [share * a + (1 - share) * b for a, b in zip(first, second, strict=True)]


def test_the_measure_knows_its_ends() -> None:
    assert contrast(channels("#000"), channels("#fff")) == pytest.approx(21)
    assert contrast(channels("#777777"), channels("#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(theme: str, text: str, ground: str) -> None:
    palette = palettes()[theme]
    assert contrast(channels(palette[text]), channels(palette[ground])) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", [f"c{n}" for n in range(6)])
def test_marks_of_every_class_stand_out_from_the_paper(theme: str, colour: str) -> None:
    palette = palettes()[theme]
    assert contrast(channels(palette[colour]), channels(palette["paper"])) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_stand_out_from_the_darkest_shade(theme: str) -> None:
    palette = {name: channels(colour) for name, colour in palettes()[theme].items()}
    ground = mixed(palette["heat-ink"], palette["paper"], HEAT_SHARE)
    small = mixed(palette["ink"], ground, 0.82)  # as .heat small mixes it
    assert contrast(palette["ink"], ground) >= 4.5
    assert contrast(small, ground) >= 4.5
