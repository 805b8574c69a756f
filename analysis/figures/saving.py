"""A figure on disk: PNG and SVG, the CSV behind it, its caption; PDF for a paper on wish.

Saving twice writes the same bytes: no dates, salted identifiers, sorted nothing. A caption is
kept beside the picture and in its metadata, so that neither travels without the other.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.style import look

PIXELS_PER_INCH = 220


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with what belongs to it."""

    name: str  # file name without suffix
    title: str
    figure: Figure
    data: pd.DataFrame  # the numbers that are drawn, in tidy form
    caption: str


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
    with look(), warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes; the CSV has it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        _lay_out(figure)
        for file in files:
            figure.savefig(file, dpi=PIXELS_PER_INCH, metadata=_metadata(file.suffix, caption))
    if data is not None:
        files.append(folder / f"{name}.csv")
        data.to_csv(files[-1], index=False)
    note = folder / f"{name}.txt"
    note.write_text(caption + "\n", encoding="utf-8")
    return [*files, note]


def _lay_out(figure: Figure) -> None:
    """Find the places of all axes once: matplotlib would for every format, and draw twice each.

    Without an engine (`None`, not the placeholder that "none" leaves) `savefig` draws once.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine(None)


def _metadata(suffix: str, caption: str) -> dict[str, str | None]:
    """Caption where the format has a place for it; no date anywhere."""
    if suffix == ".svg":
        return {"Description": caption, "Date": None}
    if suffix == ".pdf":
        return {"Subject": caption, "CreationDate": None}
    return {"Description": caption, "Software": None}
