"""Every colour pair of the design, recomputed from the token file: text at least 4.5, lines at least 3 (WCAG 2)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend" / "src"
CSS = (FRONTEND / "styles" / "tokens.css").read_text(encoding="utf-8")
THEMES = {"day": ":root", "night": "[data-theme=dark]", "projector": "[data-theme=projector]"}
SURFACES = ("paper", "panel", "hold", "sky", "sea", "buff")
TEXT = ("ink", "ink2", "ink3", "k8s-ink", "ready", "busy", "fault", "predict")
LINES = ("edge", "hull", "oxide", "k8s")
ON_TINTS = (
    ("ready", "ready-tint"),
    ("busy", "busy-tint"),
    ("fault", "fault-tint"),
    ("predict", "predict-tint"),
    ("k8s-ink", "k8s-tint"),
    ("on-primary", "primary"),
    ("on-state", "ready"),
    ("term-text", "term"),
    ("term-dim", "term"),
)


def tokens_of(theme: str) -> dict[str, str]:
    start = CSS.index(f"{THEMES[theme]} {{")
    block = CSS[start : CSS.index("\n}", start)]
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9A-Fa-f]{6})", block))


def luminance(colour: str) -> float:
    """Relative luminance of `#RRGGBB` as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_at_least_4_5_on_every_surface(theme: str) -> None:
    tokens = tokens_of(theme)
    pairs = [(text, surface) for text in TEXT for surface in SURFACES] + list(ON_TINTS)
    low = {pair: contrast(tokens[pair[0]], tokens[pair[1]]) for pair in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in low.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_lines_are_at_least_3_on_every_surface(theme: str) -> None:
    tokens = tokens_of(theme)
    low = {(line, s): contrast(tokens[line], tokens[s]) for line in LINES for s in SURFACES}
    assert {pair: round(ratio, 2) for pair, ratio in low.items() if ratio < 3} == {}


def test_the_picture_takes_every_colour_from_a_token() -> None:
    used = [FRONTEND / "picture" / "picture.css", *sorted((FRONTEND / "picture").glob("*.svelte"))]
    # `href="#gh-…"` and `url(#gh-…)` name parts of the sprite, not colours.
    colours = {
        f.name: re.findall(r"(?<![\w(\"])#[0-9a-fA-F]{3,8}\b", f.read_text(encoding="utf-8")) for f in used
    }
    assert {name: found for name, found in colours.items() if found} == {}
