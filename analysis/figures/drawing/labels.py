"""Text that fits: how names are shortened, wrapped or turned so that no two of them overlap.

Widths are measured on the glyphs themselves, in inches, before anything is drawn. Full names
always stand in the data behind a figure; only what is drawn is shortened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags

LONGEST = 22  # characters of a name that are drawn
LINE_HEIGHT = 1.25  # of the font size
MEASURED = 100.0  # points at which glyphs are measured: unhinted widths grow with the size


def text_width(text: str, size: float) -> float:
    """Width in inches of one line of text set in `size` points."""
    return _width(text) * size / MEASURED


@lru_cache(maxsize=4096)
def _width(text: str) -> float:
    """Inches from the first ink to the last: the advance of all glyphs without what is bare."""
    text = text.strip()
    if not text:
        return 0.0
    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    font.set_size(MEASURED, 72.0)
    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    whole = font.get_width_height()[0]
    first, last = (
        font.load_glyph(font.get_char_index(ord(one)), flags=LoadFlags.NO_HINTING)
        for one in (text[0], text[-1])
    )
    bare = first.horiBearingX + last.horiAdvance - last.horiBearingX - last.width
    return float(whole - bare) / 64.0 / 72.0


def text_height(text: str, size: float) -> float:
    """Height in inches of a text, line breaks counted."""
    return (text.count("\n") + 1) * size * LINE_HEIGHT / 72.0


def shortened(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Names cut in the middle to `longest` characters; different names stay different."""
    different = list(dict.fromkeys(names))
    cut = {name: _cut(name, longest) for name in different}
    texts = list(cut.values())
    for place, name in enumerate(different, start=1):
        if texts.count(cut[name]) > 1:
            cut[name] = f"{_cut(name, max(longest - 3, 2))}·{place}"
    return [cut[name] for name in names]


def shortened_terms(
    terms: Sequence[Sequence[str]], longest: int = 34, sign: str = "×"
) -> list[str]:
    """Names made of several, such as "A × B" or "a − b": each part cut, so that all stay legible.

    Args:
        terms: the parts of each name.
        longest: characters of a joined name.
        sign: what stands between the parts.
    """
    most = max((len(parts) for parts in terms), default=1)
    several = list(dict.fromkeys(part for one in terms if len(one) > 1 for part in one))
    alone = list(dict.fromkeys(one[0] for one in terms if len(one) == 1))
    joint = f" {sign} " if sign != "×" else ":"
    long = any(len(joint.join(one)) > longest for one in terms if len(one) > 1)
    room = max(6, (longest - 3 * (most - 1)) // most) if long else longest
    short = dict(zip(several, shortened(several, room), strict=True))
    single = dict(zip(alone, shortened(alone, longest), strict=True))
    return [
        single[one[0]] if len(one) == 1 else f" {sign} ".join(short[part] for part in one)
        for one in terms
    ]


def term_labels(terms: Iterable[str], longest: int = 34) -> list[str]:
    """Names of terms as figures write them; no factor has the colon that joins them."""
    return shortened_terms([str(term).split(":") for term in terms], longest)


def _cut(name: str, longest: int) -> str:
    """One name without line breaks, cut in the middle where it is too long."""
    name = " ".join(name.split()) or "(empty)"
    if len(name) <= longest:
        return name
    head = (longest - 1) * 2 // 3
    return f"{name[:head]}…{name[-(longest - 1 - head) :]}"


def wrapped_name(name: str, width: float, size: float, lines: int = 3) -> str | None:
    """A name broken at its separators to fit `width` inches; None where it cannot."""
    pieces = re.findall(r"[^\s_\-/:=]*[\s_\-/:=]+|[^\s_\-/:=]+$", name) or [name]
    rows: list[str] = []
    for piece in pieces:
        if rows and text_width((rows[-1] + piece).strip(), size) <= width:
            rows[-1] += piece
        else:
            rows.append(piece)
    rows = [row.strip() for row in rows]
    if len(rows) > lines or any(text_width(row, size) > width for row in rows):
        return None
    return "\n".join(rows)


def narrowest(name: str, size: float, lines: int = 2) -> float:
    """Inches the name needs when it may be broken once at a separator (`lines` 2) or not at all."""
    whole = text_width(name, size)
    cuts = [match.end() for match in re.finditer(r"[\s_\-/:=]+", name)] if lines > 1 else []
    halves = (max(text_width(name[:cut], size), text_width(name[cut:], size)) for cut in cuts)
    return min([whole, *halves])


def label_levels(
    axes: Axes, names: Sequence[str], slot: float, size: float, *, turn: bool = False
) -> None:
    """Label ticks 0..n-1 of the x axis: level, wrapped, slanted or upright, the first that fits.

    Args:
        axes: the axes to label.
        names: one name a tick, already shortened.
        slot: inches from one tick to the next.
        size: points.
        turn: never level, so that all panels of a row are turned alike.
    """
    room = slot - 0.5 * size / 72.0
    broken = [wrapped_name(name, room, size) for name in names]
    axes.set_xticks(range(len(names)))
    if not turn and all(text is not None for text in broken):
        axes.set_xticklabels([text or "" for text in broken], fontsize=size, rotation=0)
    elif slot > 2.0 * size * LINE_HEIGHT / 72.0:
        axes.set_xticklabels(
            names, fontsize=size, rotation=38, ha="right", va="top", rotation_mode="anchor"
        )
        axes.tick_params(axis="x", pad=1.5)
    else:
        axes.set_xticklabels(names, fontsize=size, rotation=90)


def apart(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions moved as little as needed to lie `gap` apart within [low, high], order kept."""
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    placed = [positions[index] for index in order]
    for index in range(1, len(placed)):
        placed[index] = max(placed[index], placed[index - 1] + gap)
    ceiling = high
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = max(min(placed[index], ceiling), low)
        ceiling = placed[index] - gap
    result = [0.0] * len(positions)
    for place, index in zip(placed, order, strict=True):
        result[index] = place
    return result
