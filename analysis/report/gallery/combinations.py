"""Figures of combinations of levels and of single runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import figures
from analysis.figures import caption
from analysis.outcomes.profiles import performance_profiles
from analysis.report.gallery.figure import Drawn, NumberTable, captioned, runs_of
from analysis.report.gallery.rounding import head_of, intervals, of_levels, rounded, unit_of
from analysis.study import known
from analysis.table.cells import (
    ENDED,
    cell_names,
    cell_table,
    grid_index,
    residual_table,
    with_levels,
)
from analysis.table.curves import curve_quantiles
from runner.content.response import ACCURACY
from runner.program.wording import counted

if TYPE_CHECKING:
    from analysis.study import Study

MOST_CELLS_DRAWN = 60_000
MANY_LEFT = " More than half are left, so these runs hardly say which to take."


def too_many_cells(study: Study) -> bool:
    """Whether a map of the declared grid would show nothing."""
    return int(np.prod([len(levels) for levels in study.factors.values()])) > MOST_CELLS_DRAWN


def cells_of(study: Study) -> pd.DataFrame:
    """Counts and mean of every combination of levels."""
    return cell_table(study.runs, study.factors, study.response)


def draw_cell_heat_map(study: Study) -> Drawn | None:
    """Mean of every cell with a status overlay; of a screening study nearly all would be empty."""
    if study.is_screening or too_many_cells(study):
        return None
    cells = cells_of(study)
    figure = figures.cell_heat_map(study.factors, cells, measure=study.measure)
    text = f"Mean {study.measure.name} of every combination; marks say where runs went wrong."
    return Drawn(figure, with_levels(cells), captioned(study, text, None))


def draw_cell_mosaic(study: Study) -> Drawn | None:
    """Share of finished runs that converged in every cell."""
    convergence = known(study.convergence)
    if convergence is None or not convergence.mixed or too_many_cells(study):
        return None  # a mosaic of one colour says no more than the sentence of the section
    cells = cells_of(study)
    did = study.goal.did
    figure = figures.cell_mosaic(study.factors, cells, did=did)
    text = f"Replicates that {did} in every combination of levels; factors are nested."
    return Drawn(figure, with_levels(cells), captioned(study, text, None))


def tabulate_cells(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Every combination with its counts."""
    measure = study.measure
    rows = rows.iloc[:, len(study.factors) :]  # a factor may be called like any number
    columns: dict[str, object] = {
        ", ".join(study.factors): rows["cell"].astype(str),
        head_of(measure): rounded(rows["mean"], measure.scale, measure.digits),
        "Runs": rows["runs"].astype(int),
    }
    heads = {"converged": study.goal.short, "short": "short"}
    for name in (*ENDED, "missing"):
        if "status" in study.facts and (name != "short" or study.goal.target or rows[name].any()):
            columns[heads.get(name, name).capitalize()] = rows[name].astype(int)
    return NumberTable("Every combination of levels", pd.DataFrame(columns))


def draw_cell_strip(study: Study) -> Drawn:
    """Cells by rank."""
    cells = cells_of(study)
    runs = pd.DataFrame(
        {
            "cell": cell_names(study.frame, list(study.factors)),
            "value": study.runs[study.response],
        }
    ).dropna()
    best = study.best().best
    at = grid_index(cells.index.to_frame(index=False), study.table.factors)
    cells["best"] = best.ravel()[at]
    figure = figures.cell_strip(cells, runs, measure=study.measure)
    text = f"Combinations by mean {study.measure.name}; small dots are single runs."
    if best.any():
        text += (
            f" {counted(int(best.sum()), 'combination')} (diamonds) "
            f"{'is' if best.sum() == 1 else 'are'} not shown to be worse than the best: the truly "
            f"best is among them with 95% confidence. One of a {study.measure.worse_end} mean is "
            "among them where its simultaneous interval is too wide to exclude it."
            + (MANY_LEFT if 2 * best.sum() > len(cells) else "")
        )
    return Drawn(figure, runs, captioned(study, text, None))


def tabulate_cell_strip(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Combinations, best mean first."""
    measure = study.measure
    how = (measure.scale, measure.digits)
    by_cell = rows.groupby("cell", sort=False)["value"].agg(["mean", "min", "max", "size"])
    ranked = by_cell.sort_values("mean", ascending=not measure.higher_is_better, kind="stable")
    ranked = ranked.reset_index()
    columns = {
        ", ".join(study.factors): ranked["cell"].astype(str),
        head_of(measure): rounded(ranked["mean"], *how),
        "Lowest run": rounded(ranked["min"], *how),
        "Highest run": rounded(ranked["max"], *how),
        "Runs": ranked["size"],
    }
    return NumberTable("Combinations of levels, best mean first", pd.DataFrame(columns))


def draw_performance_profile(study: Study) -> Drawn | None:
    """Share of the runs of every level above each score."""
    rows = performance_profiles(study.runs, study.factors, study.response)
    if rows.empty:
        return None
    figure = figures.performance_profile(rows, measure=study.measure)
    text = f"Performance profiles: share of a level's runs with a higher {study.measure.name}."
    if not study.measure.higher_is_better:
        text += " Lower is better, so the lower curve is."
    return Drawn(figure, rows, captioned(study, text, "Wilson, pointwise"))


def tabulate_performance_profile(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Shares above four scores."""
    measure = study.measure
    scores = np.unique(np.quantile(rows["tau"], [0, 0.25, 0.5, 0.75], method="nearest"))
    rows = rows[rows["tau"].isin(scores)]
    columns = {
        **of_levels(rows),
        head_of(measure): rounded(rows["tau"], measure.scale, measure.digits),
        "Runs above it (%)": rounded(rows["share"], 100),
        "95% interval": intervals(rows, 100, 1),
    }
    return NumberTable("Share of a level's runs above four scores", pd.DataFrame(columns))


def draw_learning_curves(study: Study) -> Drawn | None:
    """Ribbons by level."""
    curves = study.curve_rows
    if curves is None or curves.empty:
        return None
    if study.records:
        return _own_curves(study, curves)
    rows = curve_quantiles(curves, study.runs, study.factors)
    text = (
        "Validation accuracy by epoch: median over all runs of a level, band from the lower to "
        "the upper quartile (no interval). A run that diverged goes on at chance."
    )
    return Drawn(figures.learning_curves(rows), rows, caption(text, runs_of(study), ""))


def _own_curves(study: Study, curves: pd.DataFrame) -> Drawn:
    """The curve of the response that is looked at, else of the first that was reported."""
    names = [name for name in curves.columns if name not in ("cell", "epoch")]
    home = (study.primary or study).response
    name = next((one for one in (study.response, home) if one in names), names[0])
    rows = curve_quantiles(curves, study.runs, study.factors, name).assign(curve=name)
    record = study.records.get(name)
    label, scale = (name, 1.0) if record is None else (record.axis, record.scale)
    text = (
        f"{name[:1].upper()}{name[1:]} by step as it was reported: median over all runs of a "
        "level, band from the lower to the upper quartile (no interval)."
    )
    figure = figures.learning_curves(rows, x_label="step", y_label=label, scale=scale)
    return Drawn(figure, rows, caption(text, runs_of(study), ""))


def tabulate_learning_curves(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Medians and quartiles at three epochs."""
    record = study.records.get(str(rows["curve"].iloc[0])) if "curve" in rows else ACCURACY
    scale = 1.0 if record is None else record.scale
    unit = f" ({record.unit})" if record is not None and record.unit else ""
    digits = 4 if record is None or scale == 1 else 1
    step, name = "epoch", "Validation accuracy"
    if "curve" in rows:
        step, name = "step", str(rows["curve"].iloc[0])
    epochs = np.unique(np.quantile(rows["epoch"], [0, 0.5, 1], method="nearest"))
    rows = rows[rows["epoch"].isin(epochs)]
    columns = {
        **of_levels(rows),
        step.capitalize(): rows["epoch"].astype(int),
        f"Median{unit}": rounded(rows["median"], scale, digits),
        f"Quartiles{unit}": intervals(rows, scale, digits),
    }
    title = f"{name} at the first, middle and last {step}"
    return NumberTable(title, pd.DataFrame(columns))


def draw_diagnostics(study: Study) -> Drawn | None:
    """Residuals of the cell means."""
    cells = cells_of(study)
    if not (cells["deviation"] >= 0).any():
        return None
    rows = residual_table(study.runs, study.factors, study.response)
    figure = figures.diagnostics(rows, cells, measure=study.measure)
    text = (
        "Residuals of single runs around the mean of their combination: against that mean, against "
        "normal quantiles, over the order of running and by replicate; standard deviation against "
        "mean."
    )
    return Drawn(figure, rows, captioned(study, text, None))


def tabulate_diagnostics(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Residuals by replicate."""
    measure = study.measure
    groups = rows.groupby("replicate", sort=False)["residual"]
    by_replicate = groups.agg(["size", "mean", "std", "min", "max"]).reset_index()
    columns: dict[str, object] = {
        "Replicate": by_replicate["replicate"].astype(str),
        "Runs": by_replicate["size"],
    }
    names = {"mean": "Mean", "std": "Standard deviation", "min": "Lowest", "max": "Highest"}
    for column, name in names.items():
        columns[f"{name}{unit_of(measure)}"] = rounded(
            by_replicate[column], measure.scale, measure.digits + 1
        )
    title = "Residuals around the mean of the combination, by replicate"
    return NumberTable(title, pd.DataFrame(columns))
