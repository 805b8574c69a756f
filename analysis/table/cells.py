"""Counts per combination of levels, from the runs: what cell maps and cell lists show.

Counting only; means are plain means over the replicates of a combination that have an outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.table.tidy import MISSING_STATUSES

Factors = Mapping[str, Sequence[str]]


def cell_table(frame: pd.DataFrame, factors: Factors, response: str) -> pd.DataFrame:
    """One row a planned combination of levels, in declared order.

    Args:
        frame: one row a run, factor columns as ordered Categoricals; `status` where there is one.
        factors: factor name to its levels.
        response: the outcome that is averaged.

    Returns:
        The factor columns, cell (the levels as one name), mean, deviation (NaN below two runs),
        runs (with an outcome), converged, stalled, diverged, missing.
    """
    names = list(factors)
    value = pd.to_numeric(frame[response], errors="coerce").astype(float)
    present = value.notna()
    status = frame["status"].astype(str) if "status" in frame else None
    if status is not None:
        present = ~status.isin(MISSING_STATUSES)
    counted = pd.DataFrame({name: frame[name] for name in names})
    counted["value"] = value
    counted["runs"] = present.astype(int)
    counted["missing"] = (~present).astype(int)
    for word in ("converged", "stalled", "diverged"):
        counted[word] = 0 if status is None else (status == word).astype(int)
    grouped = counted.groupby(names, observed=True, sort=True)
    table = grouped[["runs", "converged", "stalled", "diverged", "missing"]].sum()
    table["mean"] = grouped["value"].mean()
    table["deviation"] = grouped["value"].std(ddof=1)
    table = table.reset_index()
    table["cell"] = cell_names(table, names)
    order = ["cell", "mean", "deviation", "runs", "converged", "stalled", "diverged", "missing"]
    return table[[*names, *order]]


def cell_names(frame: pd.DataFrame, factors: Sequence[str]) -> list[str]:
    """The levels of every row as one name: "strong, cosine, he"."""
    levels = [frame[name].astype(str).tolist() for name in factors]
    return [", ".join(row) for row in zip(*levels, strict=True)]


def residual_table(frame: pd.DataFrame, factors: Factors, response: str) -> pd.DataFrame:
    """One row a run with an outcome: fitted (mean of its cell), residual, replicate, run_order."""
    value = pd.to_numeric(frame[response], errors="coerce").astype(float)
    rows = frame.assign(value=value)[value.notna()]
    fitted = rows.groupby(list(factors), observed=True)["value"].transform("mean")
    order = rows["run_order"] if "run_order" in rows else pd.Series(range(len(rows)), rows.index)
    replicate = rows["replicate"] if "replicate" in rows else pd.Series(0, rows.index)
    return pd.DataFrame(
        {
            "fitted": fitted,
            "residual": rows["value"] - fitted,
            "replicate": replicate.astype(str),
            "run_order": order,
        }
    ).reset_index(drop=True)


def curve_quantiles(
    curves: pd.DataFrame, frame: pd.DataFrame, factors: Factors, column: str = "validation_accuracy"
) -> pd.DataFrame:
    """Median and quartiles of the learning curves of every level.

    A run that diverged goes on at chance: leaving it out would show only those that survived.

    Args:
        curves: columns cell, epoch and `column`.
        frame: one row a run with cell, status, classes and the factor columns.
        factors: factor name to its levels.
        column: of the curves.

    Returns:
        Columns factor, level, epoch, median, low, high, runs.
    """
    if curves.empty:
        return pd.DataFrame(columns=["factor", "level", "epoch", "median", "low", "high", "runs"])
    matrix, cells = curve_matrix(curves, frame, column)
    rows = frame.set_index("cell").loc[cells]
    parts = []
    epochs = np.arange(1, matrix.shape[1] + 1)
    for factor, levels in factors.items():
        labels = rows[factor].astype(str).to_numpy()
        for level in levels:
            chosen = matrix[labels == level]
            chosen = chosen[np.isfinite(chosen).any(axis=1)]
            if not len(chosen):
                continue
            known = np.isfinite(chosen).any(axis=0)
            low, median, high = np.nanquantile(chosen[:, known], [0.25, 0.5, 0.75], axis=0)
            parts.append(
                pd.DataFrame(
                    {
                        "factor": factor,
                        "level": level,
                        "epoch": epochs[known],
                        "median": median,
                        "low": low,
                        "high": high,
                        "runs": len(chosen),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def curve_matrix(
    curves: pd.DataFrame, frame: pd.DataFrame, column: str
) -> tuple[np.ndarray, list[str]]:
    """Curves as rows of a matrix over epochs 1..E, diverged ones continued at chance.

    Returns:
        The matrix (NaN where there is no epoch) and the cell of every row.
    """
    codes, cells = pd.factorize(curves["cell"])
    epochs = curves["epoch"].to_numpy(int)
    matrix = np.full((len(cells), int(epochs.max())), np.nan)
    matrix[codes, epochs - 1] = curves[column].to_numpy(float)
    about = frame.set_index("cell").reindex(cells)
    diverged = (about["status"].astype(str) == "diverged").to_numpy()
    if diverged.any() and "accuracy" in column:
        chance = 1 / pd.to_numeric(about["classes"], errors="coerce").to_numpy(float)
        rest = diverged[:, None] & np.isnan(matrix)
        matrix = np.where(rest, chance[:, None], matrix)
    return matrix, [str(cell) for cell in cells]
