"""What was learned: effects, interactions and convergence of a factorial grid.

study = analysis.load("five_factor-quick")          # or from_frame(df, factors=[...], ...)
study.effects(); study.interactions(); study.contrast("bn_placement: before - after")
study.plot.main_effects()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.cell_means import CellMeans, Estimate
    from analysis.effects import Effects
    from analysis.frame import Table, read_table
    from analysis.study import Study, from_frame, load

__all__ = [
    "CellMeans",
    "Effects",
    "Estimate",
    "Study",
    "Table",
    "from_frame",
    "load",
    "read_table",
]

_HOMES = {
    "CellMeans": "cell_means",
    "Effects": "effects",
    "Estimate": "cell_means",
    "Study": "study",
    "Table": "frame",
    "from_frame": "study",
    "load": "study",
    "read_table": "frame",
}


def __getattr__(name: str) -> Any:
    """Import on first use: `python -m analysis --help` must not wait for pandas and SciPy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"analysis.{_HOMES[name]}"), name)
