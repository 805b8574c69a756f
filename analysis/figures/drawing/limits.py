"""Axes that show no value an outcome cannot have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from runner.content.response import Response


def within_bounds(axes: Axes, measure: Response) -> None:
    """Show no share below 0 or above 100 %, where the intervals of means are cut too."""
    if measure.share:
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, -3.0), min(high, 103.0))
