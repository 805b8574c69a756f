"""`study.plot.main_effects()`: every figure of a study by its name, at any width; `save` writes it.

A thin accessor over the report's drawings, which are figures; a person gets their axes, as from
seaborn: one `Axes`, or all of them in an array with the figure behind. matplotlib is imported when
the first figure is asked for.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.figures import Drawing
    from analysis.study import Study


class Panels(np.ndarray[Any, Any]):
    """The axes of a figure of several panels, in drawing order; a notebook shows the figure."""

    @property
    def figure(self) -> Figure:
        """The figure they are in."""
        figure: Figure = self.ravel()[0].get_figure(root=True)
        return figure

    def _repr_png_(self) -> bytes:
        return _png(self.figure)


class Plots:
    """Figures of one study; `dir(study.plot)` lists them."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def __dir__(self) -> list[str]:
        from analysis.report.gallery.catalogue import BY_NAME

        return sorted([*BY_NAME, "caption", "data", "save"])

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The drawing of that name as a function of `width` in inches (3.5: one column) and `ax`.

        It returns the axes, an array of them where there are several panels; `.figure` of either
        is the whole figure. A figure of one panel is drawn into `ax` where that is given.

        Raises:
            AttributeError: no such drawing.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        from analysis.report.gallery.catalogue import BY_NAME

        if name not in BY_NAME:
            raise AttributeError(f"no figure {name!r}: {did_you_mean(name, BY_NAME)}")

        def draw(width: float | None = None, ax: Axes | None = None) -> Any:
            if ax is None:
                return _axes(self._drawing(name, width).figure)
            self._draw_into(ax, name, width)
            return ax

        draw.__doc__ = BY_NAME[name].draw.__doc__
        return draw

    def data(self, name: str) -> pd.DataFrame:
        """The numbers behind a figure, as its CSV has them."""
        return self._drawing(name).data.copy()

    def caption(self, name: str) -> str:
        """What a figure shows, its intervals and the runs behind it."""
        return self._drawing(name).caption

    def save(self, name: str, path: str | Path, width: float | None = None) -> Path:
        """Write a figure to a file, with its caption in the file's metadata.

        Args:
            name: of the figure, as in `dir(study.plot)`.
            path: of the file: .png, .svg or .pdf; its folder is made.
            width: in inches; 3.5 is one column of a paper.

        Returns:
            The file.

        Raises:
            InputError: no such figure, nothing to show in it, or a file of another format.
        """
        from analysis.figures.drawing.saving import PICTURES, save_pictures

        file = Path(path)
        if file.suffix.lower() not in PICTURES:
            formats = ", ".join(PICTURES)
            raise InputError(f"{str(file)!r}: a figure is saved as one of {formats}")
        drawing = self._drawing(name, width)
        file.parent.mkdir(parents=True, exist_ok=True)
        save_pictures(drawing.figure, [file], drawing.caption)
        return file

    def _draw_into(self, axes: Axes, name: str, width: float | None) -> None:
        from analysis.figures.drawing.style import figure_of, into
        from analysis.report.gallery.catalogue import BY_NAME

        if not BY_NAME[name].one_panel:
            single = sorted(one.name for one in BY_NAME.values() if one.one_panel)
            raise InputError(
                f"{name} has several panels and makes its own figure: leave ax out; "
                f"of one panel are {', '.join(single)}"
            )
        if width is None:
            width = axes.get_window_extent().width / figure_of(axes).dpi
        with into(axes):
            self._drawing(name, width)

    def _drawing(self, name: str, width: float | None = None) -> Drawing:
        from analysis.figures import PAGE, at_width
        from analysis.report.gallery.catalogue import BY_NAME

        if name not in BY_NAME:
            raise InputError(f"no figure {name!r}: {did_you_mean(name, BY_NAME)}")
        with at_width(PAGE if width is None else width):
            drawing = BY_NAME[name].drawing(self._study)
        if drawing is None:
            raise InputError(f"{self._study.name} has nothing to show in {name!r}")
        return drawing


def _axes(figure: Figure) -> Axes | Panels:
    """The axes of a figure, colour bars left out; one alone where there is one panel."""
    panels = [one for one in figure.axes if one.get_label() != "<colorbar>"]
    if len(panels) > 1:
        axes = np.empty(len(panels), dtype=object)
        axes[:] = panels
        return axes.view(Panels)
    # These figures are unknown to pyplot, so a notebook would show no picture of the axes alone.
    panels[0].__dict__["_repr_png_"] = lambda: _png(figure)
    return panels[0]


def _png(figure: Figure) -> bytes:
    page = io.BytesIO()
    figure.savefig(page, format="png", dpi=130)
    return page.getvalue()
