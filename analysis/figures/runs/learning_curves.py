"""Learning curves by level: the median over cells and replicates, and the middle half as ribbon."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.drawing.style import look
from analysis.figures.runs.curve_panels import curve_panels


@look()
def learning_curves(
    curves: pd.DataFrame,
    *,
    x_label: str = "epoch",
    y_label: str = "validation accuracy (%)",
    scale: float = 100.0,
) -> Figure:
    """Ribbons by level of every factor.

    Args:
        curves: columns factor, level, epoch, median, low, high (the quartiles).
        x_label: label of the horizontal axis.
        y_label: label of the vertical axis.
        scale: turns stored into shown numbers.
    """
    figure, _ = curve_panels(
        curves, x="epoch", y="median", x_label=x_label, y_label=y_label, y_scale=scale
    )
    return figure
