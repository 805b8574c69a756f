"""A saved figure is the same bytes each time, says what it shows, and leaves no settings behind."""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from fontTools.subset import Options
from fontTools.ttLib import TTFont
from PIL import Image

from analysis.figures import Runs, caption, save
from analysis.figures.drawing.saving import SHAPING
from tests.analysis.figures import frames
from tests.analysis.figures.drawings import DRAWINGS

CAPTION = "Something. Bars and bands: 95% intervals, Welch. 216 runs."


def _saved(folder: Path, name: str = "main_effects") -> list[Path]:
    runs = frames.grid(frames.FIVE)
    figure = DRAWINGS[name](frames.FIVE, runs)
    return save(figure, folder, name, runs, CAPTION, ("png", "svg", "pdf"))


def test_saving_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second = _saved(tmp_path / "a"), _saved(tmp_path / "b")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_every_file_is_there_and_carries_the_caption(tmp_path: Path) -> None:
    png, svg, pdf, table, note = _saved(tmp_path)
    assert [file.suffix for file in (png, svg, pdf)] == [".png", ".svg", ".pdf"]
    with Image.open(png) as picture:
        assert picture.text["Description"] == CAPTION  # type: ignore[attr-defined]
        assert picture.width > 1500
    assert CAPTION in svg.read_text(encoding="utf-8")
    assert b"/Type3" not in pdf.read_bytes(), "journals refuse Type 3 fonts"
    assert len(pd.read_csv(table)) == 216
    assert note.read_text(encoding="utf-8") == CAPTION + "\n"


def test_fonts_in_a_pdf_hold_glyphs_and_nothing_that_places_them(tmp_path: Path) -> None:
    before = list(Options().drop_tables)
    pdf = _saved(tmp_path)[2].read_bytes()
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.DOTALL)
    plain = [zlib.decompressobj().decompress(one) for one in streams if one.startswith(b"x")]
    fonts = [TTFont(BytesIO(one)) for one in plain if one.startswith(b"\0\1\0\0")]
    assert len(fonts) == 2, "regular and bold"
    for font in fonts:
        assert "glyf" in font
        assert not set(SHAPING) & set(font.keys())
    assert list(Options().drop_tables) == before, "other figures of the process keep theirs"


def test_drawing_changes_no_setting_of_matplotlib(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    _saved(tmp_path)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (Runs(216, 3, 9, 0), "216 runs, 3 replicates per combination, 9 diverged, none missing."),
        (Runs(70, 1, 0, 2), "70 runs, 1 replicate per combination, 0 diverged, 2 missing."),
        (
            Runs(32, 3, None, 4, fewest=2, empty=1, combinations=12),
            "32 runs, 2 to 3 replicates per combination, 4 missing, 1 of 12 combinations empty.",
        ),
    ],
)
def test_captions_state_runs_replicates_diverged_and_interval(runs: Runs, said: str) -> None:
    text = caption("Means.", runs, "cell-means Welch", 0.9)
    assert text == f"Means. Bars and bands: 90% intervals, cell-means Welch. {said}"
    assert caption("Means.", runs, None) == f"Means. No intervals. {said}"
