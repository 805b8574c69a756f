"""How the numbers of an outcome are shown: name, unit, scale, bounds, unit of a difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = TypeVar("Values", float, np.ndarray)


@dataclass(frozen=True, slots=True)
class Measure:
    """An outcome as people read it; `scale` turns stored numbers into shown ones."""

    name: str
    unit: str = ""
    scale: float = 1.0
    difference: str = ""  # unit of a difference: percentage points for a share

    @property
    def axis(self) -> str:
        """Label of an axis that shows the outcome."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def difference_axis(self) -> str:
        """Label of an axis that shows a difference of two means."""
        text = f"difference in {self.name}"
        return f"{text} ({self.difference})" if self.difference else text

    def interval(self, low: Values, high: Values) -> tuple[Values, Values]:
        """Ends of the interval of a mean, a share's cut at 0 and 1: no mean lies beyond them."""
        if self.unit != "%":
            return low, high
        return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)

    def shown(self, value: float, digits: int = 1) -> str:
        """A value with its unit."""
        return f"{value * self.scale:.{digits}f}{' ' + self.unit if self.unit else ''}"


ACCURACY = Measure("test accuracy", "%", 100.0, "pp")
CONVERGED = Measure("runs that converged", "%", 100.0, "pp")
GIVEN_CONVERGED = Measure("test accuracy given converged", "%", 100.0, "pp")
EPOCHS = Measure("epochs to target", "epochs", 1.0, "epochs")
SECONDS = Measure("training time", "s", 1.0, "s")


def within_bounds(axes: Axes, measure: Measure) -> None:
    """Show no share below 0 or above 100 %, where the intervals of means are cut too."""
    if measure.unit == "%":
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, -3.0), min(high, 103.0))
