"""SVG files as parts of a page: their ink follows the page's theme, their ids stay their own.

Matplotlib's fixed colours for text, lines, grid and paper become CSS variables; data colours stay.
Glyph comments and metadata are dropped; a title and a description take their place for readers who
do not see.
"""

from __future__ import annotations

import re
from html import escape

from analysis.figures.drawing.style import GRID, INK, PAPER, SHADE, SOFT

PIXELS_PER_POINT = 1.8
"""A figure of two columns fills the page; print sizes are small on a screen."""

_VARIABLES = {INK: "ink", SOFT: "soft", GRID: "grid", SHADE: "shade", PAPER: "paper"}


def inline(svg: str, name: str, title: str, description: str) -> str:
    """One `<svg>` element for HTML.

    Args:
        svg: a file written by `analysis.figures.save`.
        name: prefix of every id, unique on the page; letters, digits, `_` and `-`.
        title: short accessible name.
        description: longer accessible description.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        body = re.sub(rf"{colour}(?![0-9a-fA-F])", f"var(--{variable})", body)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)
    body = re.sub(r"\n\s*", "\n", body)
    # A hundredth of a point is less than any screen shows; scales keep all their digits.
    body = re.sub(r'(?<= d=")[^"]+|(?<=translate\()[^)]+|(?<= [xy]=")[^"]+', _rounded, body)
    head, rest = body[: body.index(">")], body[body.index(">") + 1 :]
    width = re.search(r'\swidth="([\d.]+)pt"', head)
    wide = f"{float(width.group(1)) * PIXELS_PER_POINT:.0f}px" if width else ""
    limit = f' style="max-width:{wide};--wide:{wide}"' if width else ""
    head = re.sub(r'\s(?:width|height|xmlns|xmlns:xlink|version)="[^"]*"', "", head)
    return (
        f'{head}{limit} xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{rest.strip()}'
    )


def framed(svg: str) -> str:
    """The element of `inline` in a frame that has its height before anybody lays it out.

    Whoever jumps to what stands below lands there, although pictures off the screen wait.
    """
    wide = re.search(r"--wide:(\d+px)", svg)
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    style = f"--wide:{wide.group(1)};" if wide else ""
    style += f"aspect-ratio:{box.group(1)}/{box.group(2)}" if box else ""
    return f'<div class="picture" style="{style}">{svg}</div>'


def _rounded(number: re.Match[str]) -> str:
    """The same coordinates with two decimals."""
    return re.sub(r"-?\d+\.\d{3,}", lambda one: f"{float(one.group()):.2f}", number.group())
