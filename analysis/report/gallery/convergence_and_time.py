"""Figures of how runs ended: who reached the target, and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import figures
from analysis.report.gallery.combinations import too_many_cells
from analysis.report.gallery.figure import Drawn, NumberTable, captioned
from analysis.report.gallery.rounding import intervals, of_levels, rounded
from analysis.study import known
from analysis.table.cells import with_levels

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
            "; Firth's penalty draws the diamonds towards one half, most where nearly all or none "
            "did"
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


def draw_cause_map(study: Study) -> Drawn | None:
    """The likeliest cause of every combination of which a run failed; None where all converged."""
    found = study.causes
    if found is None or not found.any or too_many_cells(study):
        return None
    names = list(study.factors)
    runs = study.frame[names].assign(
        title=["" if one is None or one.healthy else one.title for one in found.of],
        ended=[one is not None for one in found.of],
    )
    grouped = runs.groupby(names, observed=True, sort=True)
    cells = grouped.agg(
        title=("title", _most_frequent),
        alike=("title", lambda titles: int((titles == _most_frequent(titles)).sum())),
        failed=("title", lambda titles: int((titles != "").sum())),
        runs=("ended", "sum"),
    )
    order = runs.loc[runs["title"] != "", "title"].value_counts(sort=True)
    there = [str(title) for title in order.index if (cells["title"] == title).any()]
    figure = figures.cause_map(study.factors, cells, there)
    text = (
        "The likeliest cause of most runs of a combination that did not converge, and how many of "
        "its runs have it: told from their curves and what their layers did, no repair was run."
    )
    return Drawn(figure, with_levels(cells), captioned(study, text, None))


def _most_frequent(titles: pd.Series) -> str:
    there = titles[titles != ""]
    return str(there.mode().iloc[0]) if len(there) else ""


def tabulate_cause_map(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Combinations of which a run failed."""
    places = rows.iloc[:, : len(study.factors)].astype(str)
    rows = rows.iloc[:, len(study.factors) :]  # a factor may be called like any number
    columns = {
        ", ".join(study.factors): [", ".join(row) for row in places.to_numpy()],
        "Cause": rows["title"].astype(str),
        "Of runs": rows["alike"].astype(int),
        "Failed": rows["failed"].astype(int),
        "Runs": rows["runs"].astype(int),
    }
    table = pd.DataFrame(columns)
    return NumberTable("Combinations that do not always converge", table[table["Failed"] > 0])


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
