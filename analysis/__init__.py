"""What was learned: effects, interactions and convergence of a factorial grid.

study = analysis.load("five_factor-quick")          # or from_frame(df, factors=[...], ...)
study.effects(); study.interactions(); study.contrast("bn_placement: before - after")
study.plot.main_effects(); study.plot.save("main_effects", "main_effects.pdf")

Rooms, each of which may import those above it:

    number_words  numbers as they are read          study      a person's hands: pandas in and out
                                                    loading    from a table, from a store
    stats/        arrays in, numbers out            accessors  what later rooms add to a study
    table/        the long table, read and checked  document/  effects.json
    model/        cell means, fit, intervals        compare/   several studies
    effects/      means, contrasts, tests, shares   figures/   frames in, figures out
    outcomes/     convergence, time, what was lost  report/    the page, its figures, its words
    verdicts/     what is so, claims, power         dashboard/ what optuna-dashboard shows
    importers/    runs that other tools kept        commands/  `python -m analysis`
    adaptive/     replicates as many as it takes    screening/ which of many factors matter
    causes/       why runs did not converge         tuning/    what was tuned before the grid
    confounds/    what else differs between levels  two_cells/ two cells side by side
                                                    few_runs   too few for any verdict
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.accessors import register_accessor

if TYPE_CHECKING:
    from analysis.effects.estimate import Effects
    from analysis.importers.tools import (
        from_hydra,
        from_mlflow,
        from_optuna,
        from_tensorboard,
        from_wandb,
    )
    from analysis.loading import from_frame, load
    from analysis.model.cell_means import CellMeans
    from analysis.stats.estimates import Estimate
    from analysis.study import Study
    from analysis.table.reading import read_table
    from analysis.table.tidy import Table

__all__ = [
    "CellMeans",
    "Effects",
    "Estimate",
    "Study",
    "Table",
    "from_frame",
    "from_hydra",
    "from_mlflow",
    "from_optuna",
    "from_tensorboard",
    "from_wandb",
    "load",
    "read_table",
]

register_accessor("plot", "analysis.report.plots", "Plots")
register_accessor("confounds", "analysis.confounds.flags", "flags_of")
register_accessor("document", "analysis.document.document", "bound")

_HOMES = {
    "CellMeans": "model.cell_means",
    "Effects": "effects.estimate",
    "Estimate": "stats.estimates",
    "Study": "study",
    "Table": "table.tidy",
    "from_frame": "loading",
    "from_hydra": "importers.tools",
    "from_mlflow": "importers.tools",
    "from_optuna": "importers.tools",
    "from_tensorboard": "importers.tools",
    "from_wandb": "importers.tools",
    "load": "loading",
    "read_table": "table.reading",
}


def __getattr__(name: str) -> Any:
    """Import on first use: `python -m analysis --help` must not wait for pandas and SciPy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"analysis.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """What people call; the rooms are imported by their own names."""
    return sorted(__all__)
