"""`study.plot.main_effects()`: every figure of a study by its name, at any width.

A thin accessor over the report's drawings; matplotlib is imported when the first figure is asked
for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ablations.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.study import Study


class Plots:
    """Figures of one study; `dir(study.plot)` lists them."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def __dir__(self) -> list[str]:
        from analysis.report.drawings import DRAWINGS

        return sorted(DRAWINGS)

    def __getattr__(self, name: str) -> Callable[..., Figure]:
        """The drawing of that name as a function of the width in inches (3.5: one column).

        Raises:
            AttributeError: no such drawing.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        from analysis.figures import PAGE, at_width
        from analysis.report.drawings import DRAWINGS

        if name not in DRAWINGS:
            raise AttributeError(f"no figure {name!r}: {did_you_mean(name, DRAWINGS)}")

        def draw(width: float = PAGE) -> Figure:
            with at_width(width):
                drawing = DRAWINGS[name](self._study)
            if drawing is None:
                raise InputError(f"{self._study.name} has nothing to show in {name!r}")
            return drawing.figure

        draw.__doc__ = DRAWINGS[name].__doc__
        return draw
