"""Figures of how runs ended: who reached the target, and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import figures
from analysis.report.gallery.figure import Drawn, NumberTable, captioned
from analysis.report.gallery.rounding import intervals, of_levels, rounded
from analysis.study import known

if TYPE_CHECKING:
    from analysis.study import Study


def draw_convergence_rates(study: Study) -> Drawn | None:
    """Rates by level with Wilson intervals and penalised marginal rates."""
    convergence = known(study.convergence)
    if convergence is None:
        return None
    rows = convergence.rates.copy()
    marginal = convergence.marginal_rates.set_index(["factor", "level"])["rate"]
    did = convergence.goal.did
    text = f"Runs of each level that {did}"
    if np.isfinite(marginal.astype(float)).any():
        keys = zip(rows["factor"], rows["level"], strict=True)
        rows["marginal"] = [float(marginal[key]) for key in keys]
        text += (
            ", with the marginal rate of Firth's penalised model (diamonds). The penalty pulls its "
            "probabilities towards one half, most where nearly all runs or nearly none did, "
            "so a diamond may lie outside the interval of the plain rate"
        )
    figure = figures.convergence_rates(rows, measure=convergence.goal.record)
    return Drawn(figure, rows, captioned(study, f"{text}.", "Wilson"))


def tabulate_convergence_rates(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Counts and rates by level."""
    columns: dict[str, object] = {
        **of_levels(rows),
        study.goal.short.capitalize(): rows["converged"].astype(int),
        "Runs": rows["runs"].astype(int),
        "Rate (%)": rounded(rows["rate"], 100),
        "95% interval (Wilson)": intervals(rows, 100, 1),
    }
    if "marginal" in rows:
        columns["Marginal rate (%)"] = rounded(rows["marginal"], 100)
    return NumberTable(f"Runs that {study.goal.did}, by level", pd.DataFrame(columns))


def draw_time_to_target(study: Study) -> Drawn | None:
    """Share of the runs of every level that reached the target, by epoch."""
    times = known(study.time_to_target)
    if times is None or times.curves.empty or not (times.curves["reached"] > 0).any():
        return None  # nobody got there: the section says so
    target = study.goal.target
    words = target.amount if target else "the target"
    figure = figures.time_to_target(times.curves, target=words, means=times.means)
    goal = target.words if target else words
    text = (
        f"Runs that reached {goal} by each epoch (one minus Kaplan-Meier); in the key, "
        f"mean epochs needed, runs that never got there counting {times.budget}."
    )
    return Drawn(figure, times.curves, captioned(study, text, "log-log"))


def tabulate_time_to_target(study: Study, _rows: pd.DataFrame) -> NumberTable | None:
    """Mean epochs by level."""
    times = known(study.time_to_target)
    if times is None:
        return None
    rows = times.means
    columns = {
        **of_levels(rows),
        "Mean epochs": rounded(rows["mean"]),
        "95% interval": intervals(rows, 1, 1),
    }
    title = f"Mean epochs to the target, runs that never got there counting {times.budget}"
    return NumberTable(title, pd.DataFrame(columns))
