"""A figure on disk: PNG and SVG, the CSV behind it, its caption; PDF for a paper on request.

Saving twice writes the same bytes: no dates, salted identifiers, sorted nothing. A caption is
kept beside the picture and in its metadata, so that neither travels without the other.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.drawing.style import look, settings, take_settings

PIXELS_PER_INCH = 220
PICTURES = (".png", ".svg", ".pdf")
FAST = {"compress_level": 1}
"""Half the time that packing a PNG takes, for files larger by a sixth."""
SHAPING = ("GDEF", "GPOS", "GSUB", "kern", "MATH")
"""Tables of a font that place and join glyphs."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with what belongs to it."""

    name: str  # file name without suffix
    title: str
    figure: Figure
    data: pd.DataFrame  # the numbers that are drawn, in tidy form
    caption: str


@dataclass(frozen=True, slots=True)
class FigureFiles:
    """A drawing, where it goes, and the formats it is written in: for `analysis.report.press`."""

    drawing: Drawing
    folder: Path
    formats: tuple[str, ...]
    numbers: bool = True  # whether the CSV is written too
    look: Mapping[str, Any] = field(default_factory=settings)

    def save(self) -> None:
        """Write the files of `save`; OSError where the folder cannot be."""
        one = self.drawing
        take_settings(self.look)
        data = one.data if self.numbers else None
        save(one.figure, self.folder, one.name, data, one.caption, self.formats)


def save(
    figure: Figure,
    folder: Path,
    name: str,
    data: pd.DataFrame | None,
    caption: str,
    formats: tuple[str, ...] = ("png", "svg"),
) -> list[Path]:
    """Write `name`.png, .svg (and .pdf where asked), .csv and .txt (the caption) to `folder`.

    Without `data` there is no .csv: it lies beside another size of the same figure.

    Returns:
        The files written, pictures first in the order of `formats`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.{suffix}" for suffix in formats]
    save_pictures(figure, files, caption)
    if data is not None:
        files.append(folder / f"{name}.csv")
        data.to_csv(files[-1], index=False)
    note = folder / f"{name}.txt"
    note.write_text(caption + "\n", encoding="utf-8")
    return [*files, note]


def save_pictures(figure: Figure, files: Sequence[Path], caption: str) -> None:
    """Write a figure to each file, in the format of its suffix: one of `PICTURES`."""
    formats = [file.suffix.lower() for file in files]
    fonts = _fonts_without_layout() if ".pdf" in formats else nullcontext()
    with look(), fonts, warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes; the CSV has it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.set_dpi(PIXELS_PER_INCH)  # what the layout measures, the picture need not again
        _lay_out(figure)
        for file, suffix in zip(files, formats, strict=True):
            figure.savefig(file, dpi=PIXELS_PER_INCH, **_options(suffix, caption))


@contextmanager
def _fonts_without_layout() -> Iterator[None]:
    """Leave out of embedded fonts what shapes text: a PDF says where each glyph stands.

    Reading and pruning these tables of DejaVu is a quarter of the time a PDF takes, and matplotlib,
    which brings fontTools, has no option for it. A version without this list is slower, not wrong.
    """
    from fontTools.subset import Options

    tables = getattr(Options, "_drop_tables_default", [])
    before = tables[:]
    tables.extend(SHAPING)
    try:
        yield
    finally:
        tables[:] = before


def _lay_out(figure: Figure) -> None:
    """Find the places of all axes once: matplotlib would for every format, and draw twice each.

    Without an engine (`None`, not the placeholder that "none" leaves) `savefig` draws once.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine(None)


def _options(suffix: str, caption: str) -> dict[str, Any]:
    """Caption where the format has a place for it, no date anywhere; a PNG is packed fast."""
    if suffix == ".svg":
        return {"metadata": {"Description": caption, "Date": None}}
    if suffix == ".pdf":
        return {"metadata": {"Subject": caption, "CreationDate": None}}
    return {"metadata": {"Description": caption, "Software": None}, "pil_kwargs": FAST}
