"""What the page's script needs: runs in columns, means of every outcome, thinned curves.

Compact on purpose: the whole report of 500 cells x 100 epochs stays below five megabytes.
Levels are indices, accuracies four digits, curves integers; what is thinned says so.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablations.errors import InputError
from analysis import figures
from analysis.model.cell_means import CellMeans
from analysis.model.interval_rule import choose_interval
from analysis.model.margins import Margin
from analysis.model.terms import Term
from analysis.report import kept
from analysis.report.gallery.drawings import METHOD_NAMES, measure_of
from analysis.report.words.wording import digits_of
from analysis.study import OUTCOMES
from analysis.table.cells import curve_matrix

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study

CURVE_NUMBERS = 120_000
"""Numbers of all embedded curves together; beyond it epochs are thinned."""
FEWEST_EPOCHS = 5
CURVES = {"validation_accuracy": 1000, "train_loss": 1000}
"""Curves that are embedded, and the factor that makes them integers."""


def page_data(study: Study, found: Convergence | None) -> dict[str, Any]:
    """Plain JSON values for `report.js`."""
    return {
        "factors": {name: list(levels) for name, levels in study.factors.items()},
        "runs": _runs(study),
        "outcomes": [one for one in _outcomes(study, found) if one is not None],
        "curves": _curves(study),
        "target": (study.info.get("train") or {}).get("target"),
    }


def to_script(data: dict[str, Any]) -> str:
    """JSON that may stand inside a script element whatever the names in it are."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _number(value: Any, digits: int) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def _column(frame: pd.DataFrame, name: str, digits: int) -> list[float | None]:
    if name not in frame:
        return [None] * len(frame)
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
    return [_number(value, digits) for value in values]


def _runs(study: Study) -> dict[str, Any]:
    frame = study.frame
    columns: dict[str, Any] = {
        "cell": frame["cell"].astype(str).tolist() if "cell" in frame else [],
        "levels": {name: frame[name].cat.codes.tolist() for name in study.factors},
        "replicate": (
            frame[study.replicate].astype(str).tolist() if study.replicate else [""] * len(frame)
        ),
        "status": (
            frame["status"].astype(str).tolist() if "status" in frame else ["done"] * len(frame)
        ),
    }
    for key, column in _columns(study).items():
        columns[key] = _column(frame, column, 2 if key in ("seconds", "epochs") else 4)
    return columns


def _columns(study: Study) -> dict[str, str]:
    """Outcomes that the table has, the one looked at first."""
    named = {key: column for key, column in OUTCOMES.items() if column in study.frame}
    if study.response not in named.values():
        named = {"response": study.response, **named}
    return named


def _outcomes(study: Study, found: Convergence | None) -> list[dict[str, Any] | None]:
    return [
        _rates(found) if key == "converged" and found is not None else _means(study, key, column)
        for key, column in _columns(study).items()
    ]


def _means(study: Study, key: str, column: str) -> dict[str, Any] | None:
    """Marginal means of one outcome with the interval its own rule picks; None without data."""
    if key == "given_converged":
        return _given_converged(study)
    looked = study if column == study.response else study.outcome(column)
    try:
        cells = CellMeans.of(looked.table)
    except InputError:
        return None
    method = choose_interval(cells).means
    chosen = "welch" if method == "pooled" else method
    measure = measure_of(looked)
    means: dict[str, list[list[float | None]]] = {}
    for factor in looked.factors:
        margin = Margin.of(cells, Term((factor,)))
        rows = margin.combine(margin.mean_weights(), chosen)
        rows = rows.where(rows["low"].notna(), margin.combine(margin.mean_weights(), "welch"))
        ends = measure.interval(rows["low"].to_numpy(float), rows["high"].to_numpy(float))
        rows = rows.assign(low=ends[0], high=ends[1])
        means[factor] = [
            [_number(value, 6) for value in row]
            for row in rows[["estimate", "low", "high"]].to_numpy(float)
        ]
    grand = float(np.nanmean(cells.means)) if cells.n else float("nan")
    return {
        "key": key,
        "name": measure.name,
        "unit": measure.unit,
        "scale": measure.scale,
        "digits": digits_of(measure),
        "interval": METHOD_NAMES[chosen] if _any_interval(means) else "",
        "about": "",
        "grand": _number(grand, 6),
        "means": means,
    }


def _any_interval(means: dict[str, list[list[float | None]]]) -> bool:
    return any(row[1] is not None for rows in means.values() for row in rows)


def _given_converged(study: Study) -> dict[str, Any] | None:
    """Accuracy of converged runs, only over cells that converge at every level of the factor."""
    found = kept.given_converged(study)
    if found is None:
        return None
    measure = figures.GIVEN_CONVERGED
    means: dict[str, list[list[float | None]]] = {}
    for factor, rows in found.means.groupby("factor", sort=False):
        means[str(factor)] = [
            [_number(value, 6) for value in row]
            for row in rows[["mean", "low", "high"]].to_numpy(float)
        ]
    methods = [name for name in found.means["method"].dropna().unique() if name in METHOD_NAMES]
    method = METHOD_NAMES[str(methods[0])] if methods else ""
    return {
        "key": "given_converged",
        "name": measure.name,
        "unit": measure.unit,
        "scale": measure.scale,
        "digits": digits_of(measure),
        "interval": method,
        "about": "over cells that converge at every level of the factor",
        "grand": None,
        "means": means,
    }


def _rates(found: Convergence) -> dict[str, Any]:
    means: dict[str, list[list[float | None]]] = {}
    for factor, rows in found.rates.groupby("factor", sort=False):
        means[str(factor)] = [
            [_number(value, 6) for value in row]
            for row in rows[["rate", "low", "high"]].to_numpy(float)
        ]
    return {
        "key": "converged",
        "name": "runs that converged",
        "unit": "%",
        "scale": 100.0,
        "digits": 1,
        "interval": "Wilson",
        "about": "",
        "grand": _number(found.converged / found.runs, 6) if found.runs else None,
        "means": means,
    }


def _curves(study: Study) -> dict[str, Any] | None:
    """Curves as integers by run, epochs thinned evenly where there are too many numbers."""
    if study.curve_rows is None or study.curve_rows.empty or "cell" not in study.frame:
        return None
    order = {cell: place for place, cell in enumerate(study.frame["cell"].astype(str))}
    about = study.frame[["cell"]].assign(status="")  # no curve goes on after it ended
    curves: dict[str, Any] = {}
    epochs: np.ndarray | None = None
    for column, scale in CURVES.items():
        if column not in study.curve_rows:
            continue
        matrix, cells = curve_matrix(study.curve_rows, about, column)
        if epochs is None:
            room = max(CURVE_NUMBERS // (len(CURVES) * len(cells)), FEWEST_EPOCHS)
            count = min(matrix.shape[1], room)
            kept = np.unique(np.linspace(0, matrix.shape[1] - 1, count).round().astype(int))
            epochs = kept + 1
        rows: list[list[int | None] | None] = [None] * len(study.frame)
        for cell, values in zip(cells, matrix[:, epochs - 1], strict=True):
            rows[order[cell]] = _integers(values, scale)
        curves[column] = {"scale": scale, "rows": rows}
    if epochs is None:
        return None
    return {
        "epochs": epochs.tolist(),
        "thinned": bool(len(epochs) < int(matrix.shape[1])),
        **curves,
    }


def _integers(values: np.ndarray, scale: int) -> list[int | None]:
    """Rounded to integers, trailing epochs that were never run cut off."""
    with np.errstate(over="ignore"):
        scaled = np.rint(values * scale).tolist()
    # Python's integers: a loss on its way to divergence leaves 64 bits.
    whole = [int(value) if isfinite(value) else None for value in scaled]
    while whole and whole[-1] is None:
        whole.pop()
    return whole
