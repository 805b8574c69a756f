"""One look for every figure: sizes, ink, palette, and a context that leaves no trace behind.

Figures are built as `matplotlib.figure.Figure` without pyplot, so there is no global state and no
backend to choose. Colours come from Okabe and Ito (2008), told apart by people with any of the
common colour deficiencies; marker and line style repeat the information for print in grey.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLUMN = 3.5  # inches: one column of a journal page
PAGE = 7.2  # inches: both columns
TALLEST = 9.4  # inches: a page with room for its caption

INK = "#1b1f24"  # text and lines; the report maps it to the colour of its own text
SOFT = "#59636e"  # secondary text; 6:1 against paper
GRID = "#dde2e8"
SHADE = "#f0f2f5"  # a panel or band that steps back
PAPER = "#fffffe"  # white, but not the white of a mark: the report maps it to its own paper
ON_DARK = "#ffffff"  # numbers on a colour map, whose colours no theme changes
ON_LIGHT = "#000000"

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#a8518a", "#4aa3d8", "#b07d00", "#4d4d4d", "#7a5cc7")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.6)),
    (0, (1.2, 1.2)),
    (0, (6, 1.4, 1.2, 1.4)),
    (0, (3, 1.2, 1.2, 1.2, 1.2, 1.2)),
    (0, (9, 2)),
    (0, (2, 2)),
    (0, (8, 1.5, 1, 1.5, 1, 1.5)),
)
SEQUENTIAL = "cividis"  # monotone in lightness: reads in grey
DIVERGING = "PuOr_r"  # both arms safe for colour-blind readers; signs are also written out

TEXT = 7.0  # points; the smallest text of a figure is SMALL
SMALL = 5.6

_RC: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT,
    "axes.titlesize": TEXT + 0.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 5,
    "axes.titley": 1.0,  # where it is anyway: looking for ticks above it takes a tenth of a figure
    "axes.labelsize": TEXT,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.facecolor": PAPER,
    "axes.linewidth": 0.6,
    "axes.grid": False,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.use_mathtext": False,
    "xtick.labelsize": TEXT - 0.5,
    "ytick.labelsize": TEXT - 0.5,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,  # a level named "$x_1$" is a name, not mathematics
    "text.usetex": False,
    "text.hinting": "no_hinting",  # at this resolution it is a third of the time texts take
    "legend.frameon": False,
    "legend.fontsize": TEXT - 0.5,
    "legend.handlelength": 2.2,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "patch.linewidth": 0.6,
    "hatch.linewidth": 0.5,
    "hatch.color": SOFT,
    "image.cmap": SEQUENTIAL,  # seaborn's own is registered only where seaborn is imported
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "figure.dpi": 100,
    "figure.constrained_layout.w_pad": 0.03,
    "figure.constrained_layout.h_pad": 0.03,
    "svg.hashsalt": "ablations",  # the same figure is the same file
    "svg.fonttype": "path",
    "pdf.fonttype": 42,  # journals refuse type 3 fonts
}


_SETTINGS: dict[str, Any] = {}

_WIDEST: ContextVar[float] = ContextVar("widest figure", default=PAGE)
_GIVEN: ContextVar[Axes | None] = ContextVar("axes to draw into", default=None)


@contextmanager
def at_width(inches: float) -> Iterator[None]:
    """Figures drawn in this context are at most so wide: `at_width(COLUMN)` for one column.

    They are laid out anew for that width, with the same sizes of text, not scaled down.
    """
    token = _WIDEST.set(min(max(inches, COLUMN), PAGE))
    try:
        yield
    finally:
        _WIDEST.reset(token)


def widest() -> float:
    """Inches a figure may be wide: a page unless `at_width` says less."""
    return _WIDEST.get()


def narrow() -> bool:
    """Whether figures have to fit less than two thirds of a page, so one column."""
    return widest() < PAGE * 2 / 3


def low() -> bool:
    """Whether figures stand beside others on a screen, where height is scarce."""
    return not narrow() and widest() < PAGE


@contextmanager
def into(axes: Axes) -> Iterator[None]:
    """Figures of one panel are drawn into these axes in this context, as by seaborn's `ax=`."""
    token = _GIVEN.set(axes)
    try:
        yield
    finally:
        _GIVEN.reset(token)


def one_panel(width: float, height: float) -> Axes:
    """The axes of a new figure in inches that has no others; those of `into` instead."""
    given = _GIVEN.get()
    if given is None:
        return new_figure(width, height).subplots()
    given.set_axisbelow(True)
    return given


def figure_of(axes: Axes) -> Figure:
    """The whole figure the axes are in."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101 - they are made by one
    return figure


def key(axes: Axes, handles: Sequence[Artist] | None = None, columns: int = 1) -> None:
    """The legend of a figure of one panel: below it; inside of axes that somebody gave."""
    shown = axes.get_legend_handles_labels()[0] if handles is None else list(handles)
    if _GIVEN.get() is None:
        figure_of(axes).legend(handles=shown, loc="outside lower center", ncols=columns)
    else:
        axes.legend(handles=shown, loc="best")


@contextmanager
def look() -> Iterator[None]:
    """Seaborn's ticks style at paper scale with this module's ink; also usable as a decorator."""
    with mpl.rc_context(settings()):
        yield


def settings() -> dict[Any, Any]:
    """The settings of `look`."""
    if not _SETTINGS:
        import seaborn as sns

        _SETTINGS.update({**sns.axes_style("ticks"), **sns.plotting_context("paper"), **_RC})
    return dict(_SETTINGS)


def take_settings(given: Mapping[str, Any]) -> None:
    """Look as another process does, without the second that importing seaborn takes."""
    _SETTINGS.update(given)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in inches whose layout keeps labels apart."""
    return Figure(figsize=(width, height), layout="constrained")


def grid_lines(axes: Axes, axis: str = "y") -> None:
    """Faint lines behind the data along one axis."""
    axes.grid(visible=True, axis="y" if axis == "y" else "x", color=GRID, linewidth=0.6)


def shade_of(index: int) -> str:
    """Colour of the level with this position."""
    return PALETTE[index % len(PALETTE)]


def marker(index: int) -> str:
    """Marker of the level with this position."""
    return MARKERS[index % len(MARKERS)]


def ink_on(colour: Sequence[float]) -> str:
    """Black or white, whichever stands out more: at least 4.5:1 on any colour.

    Contrast and relative luminance as WCAG 2.2 defines them.

    Args:
        colour: red, green, blue (and anything after them), each from 0 to 1.
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return ON_LIGHT if (luminance + 0.05) ** 2 > 1.05 * 0.05 else ON_DARK


def line(index: int) -> Any:
    """Line style of the level with this position."""
    return LINES[index % len(LINES)]
