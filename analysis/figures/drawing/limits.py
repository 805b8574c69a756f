"""Axes that show no value an outcome cannot have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from runner.content.response import Response


def within_bounds(axes: Axes, measure: Response) -> None:
    """Show nothing below or above where the intervals of means are cut too, but for a margin."""
    if measure.low is None or measure.high is None:
        return
    least, most = measure.low * measure.scale, measure.high * measure.scale
    margin = 0.03 * (most - least)
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, least - margin), min(high, most + margin))
