"""Names that mean something to HTML, LaTeX or matplotlib are drawn as the names they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.text import Text

from analysis.figures import save
from tests.analysis.figures import frames
from tests.analysis.figures.drawings import DRAWINGS

HOSTILE = {
    "<script>alert(1)</script>": ["$x_1$", "a\nb", "100 % & more"],
    "yield_$\\frac{1}{2}$": ["C", "None", "{curly}"],
    "größe μ": ["<b>bold</b>", "--> comment"],
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_hostile_names_are_drawn_literally(name: str, tmp_path: Path) -> None:
    figure = DRAWINGS[name](HOSTILE, frames.grid(HOSTILE))
    files = save(figure, tmp_path, name, frames.grid(HOSTILE), "caption", ("svg",))
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    assert not any(text.get_parse_math() and "$" in text.get_text() for text in texts)
    svg = files[0].read_text(encoding="utf-8")
    assert "<script" not in svg.lower()
    assert "<b>" not in svg


def test_dollars_reach_the_page_as_dollars() -> None:
    figure = DRAWINGS["main_effects"](HOSTILE, frames.grid(HOSTILE))
    drawn = {text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)}
    assert "$x_1$" in drawn
