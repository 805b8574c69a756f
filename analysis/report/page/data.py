"""What the page's script needs: runs in columns, means of every outcome, thinned curves.

Compact on purpose: the whole report of 500 cells x 100 epochs stays below five megabytes.
Levels are indices, accuracies four digits, curves integers; what is thinned says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from math import floor, isfinite, log10
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from ablations.errors import InputError
from analysis.figures.drawing.nested import nest
from analysis.report.page.tables.causes_table import shown_titles
from analysis.report.words.names import METHOD_NAMES
from analysis.report.words.undrawn import Attempts
from analysis.study import known
from analysis.table.curves import curve_matrix
from analysis.table.records import plain
from analysis.two_cells.settings import parameters_of, sizes_of, tuned
from runner.content.response import CONVERGED, GIVEN_CONVERGED, LEARNED, REACHED

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study
    from runner.content.response import Response

CURVE_NUMBERS = 120_000
"""Numbers of all embedded curves together; beyond it epochs are thinned."""
FEWEST_EPOCHS = 5
QUANTILES = 64
"""Steps of one over the degrees of freedom at which the page has Student's quantile."""
MOST_CURVES = 4
"""Curves of a trainer of one's own that are embedded, by name."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve that is embedded, and how it is shown.

    Attributes:
        column: of the curves.
        name: what the switch calls it.
        axis: label of the vertical axis.
        scale: the factor that makes stored numbers integers.
        shown: shown number over stored number.
        range: of the axis, as shown; None: as the values lie, from zero.
    """

    column: str
    name: str
    axis: str
    scale: float = 1000
    shown: float = 1.0
    range: tuple[float, float] | None = None


SHIPPED = (
    Curve("validation_accuracy", "validation accuracy", "validation accuracy (%)", shown=100,
          range=(-2, 102)),
    Curve("train_loss", "training loss", "training loss (nats)"),
)  # fmt: skip


def _kinds_of_curves(study: Study) -> tuple[Curve, ...]:
    """Those of the shipped trainer, or the first of somebody's own, that of the response first."""
    rows = study.curve_rows
    if not study.records or rows is None:
        return SHIPPED
    home = (study.primary or study).response
    names = sorted((n for n in rows.columns if n not in ("cell", "epoch")), key=lambda n: n != home)
    curves = []
    for name in names[:MOST_CURVES]:
        record = study.records.get(name)
        largest = float(rows[name].abs().max())
        digits = 4 - (floor(log10(largest)) if 0 < largest < float("inf") else 0)
        axis, shown = (name, 1.0) if record is None else (record.axis, record.scale)
        curves.append(Curve(name, name, axis, 10.0**digits, shown))
    return tuple(curves)


def page_data(
    study: Study, convergence: Convergence | None, attempts: Attempts | None = None
) -> dict[str, Any]:
    """Plain JSON values for `report.js`; an outcome whose means cannot be made is left out."""
    make = (attempts or Attempts()).make
    outcomes = [
        make("explore", f"The chart of {one.name}", partial(_outcome, study, convergence, one))
        for one in study.offered
    ]
    return {
        "factors": {name: list(levels) for name, levels in study.factors.items()},
        "runs": _runs(study),
        "outcomes": [one for one in outcomes if one is not None],
        "curves": make("explore", "The chart of curves", lambda: _curves(study)),
        "goal": study.goal.did,
        "settings": _settings(study),
        "map": _map(study),
        "t95": _quantiles(),
    }


def _quantiles() -> list[float]:
    """Student's 97.5 % quantile, one over the degrees of freedom growing evenly from 0 to 1."""
    df = QUANTILES / np.arange(1, QUANTILES + 1)
    return [round(one, 5) for one in (float(ndtri(0.975)), *stdtrit(df, 0.975).tolist())]


def _map(study: Study) -> dict[str, tuple[str, ...]]:
    """Which factors run down and which across in the map of all combinations, outermost first."""
    nesting = nest(study.factors)
    return {"down": nesting.down, "across": nesting.across}


def _settings(study: Study) -> dict[str, Any]:
    """What runs were given beside their levels: parameters, tuned values, sizes that differ."""
    return {
        "parameters": plain(parameters_of(study)),
        "tuned": [{"at": dict(group), "values": values} for group, values in tuned(study)],
        "sizes": {name: _numbers(values, 4) for name, values in sizes_of(study).items()},
    }


def to_script(data: dict[str, Any]) -> str:
    """JSON that may stand inside a script element whatever the names in it are."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _number(value: Any, digits: int) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def _numbers(values: Any, digits: int) -> list[float | None]:
    return [_number(value, digits) for value in values]


def _runs(study: Study) -> dict[str, Any]:
    frame, about = study.frame, study.facts
    columns: dict[str, Any] = {
        "cell": about["cell"].astype(str).tolist() if "cell" in about else [],
        "levels": {name: frame[name].cat.codes.tolist() for name in study.factors},
        "replicate": (
            frame[study.replicate].astype(str).tolist() if study.replicate else [""] * len(frame)
        ),
        "status": (
            about["status"].astype(str).tolist() if "status" in about else ["done"] * len(frame)
        ),
    }
    titles = shown_titles(study.causes)
    if titles is not None:
        columns["why"] = titles
    reached = [REACHED] if REACHED.column in about else []
    for one in [*study.offered, *reached]:
        columns[_key(one)] = _numbers(study.runs[one.column].to_numpy(float), one.kept_digits)
    return columns


def _key(one: Response) -> str:
    return one.key or "response"


def _outcome(study: Study, convergence: Convergence | None, one: Response) -> dict[str, Any] | None:
    if one is CONVERGED and convergence is not None:
        return _rates(convergence)
    learned = known(study.learned) if one is LEARNED else None
    return _means(study, one) if learned is None else _rates(learned)


def _shown(
    one: Response, interval: str, means: dict[str, list[list[float | None]]], **about: Any
) -> dict[str, Any]:
    """One outcome as the page's script takes it."""
    return {
        "key": _key(one),
        "name": one.name,
        "unit": one.unit,
        "scale": one.scale,
        "digits": one.digits,
        "lower": not one.higher_is_better,
        "interval": interval,
        "about": "",
        "grand": None,
        "means": means,
    } | about


def _means(study: Study, one: Response) -> dict[str, Any] | None:
    """Marginal means of one outcome with the interval its own rule picks; None without data."""
    if one is GIVEN_CONVERGED:
        return _given_converged(study)
    looked = study if one.column == study.response else study.outcome(one.column)
    try:
        grid = looked.grid
    except InputError:
        return None
    cells = grid.cells
    means = {}
    for factor, levels in looked.table.factors.items():
        own = [grid.estimate(cells.marginal({factor: level})) for level in levels]
        rows = one.within(np.array([(mean.estimate, mean.low, mean.high) for mean in own]))
        means[factor] = [_numbers(row, 6) for row in rows]
    there = any(row[1] is not None for rows in means.values() for row in rows)
    return _shown(
        one,
        METHOD_NAMES[grid.rule.primary] if there else "",
        means,
        grand=_number(float(np.nanmean(cells.means)), 6) if cells.n else None,
    )


def _by_factor(table: pd.DataFrame, *columns: str) -> dict[str, list[list[float | None]]]:
    return {
        str(factor): [_numbers(row, 6) for row in rows[list(columns)].to_numpy(float)]
        for factor, rows in table.groupby("factor", sort=False)
    }


def _given_converged(study: Study) -> dict[str, Any] | None:
    """Accuracy of runs that converged, only over cells that do at every level of the factor."""
    survivors = known(study.given_converged)
    if survivors is None:
        return None
    methods = [name for name in survivors.means["method"].dropna().unique() if name in METHOD_NAMES]
    return _shown(
        GIVEN_CONVERGED,
        METHOD_NAMES[str(methods[0])] if methods else "",
        _by_factor(survivors.means, "mean", "low", "high"),
        about=f"over cells that {study.goal.do} at every level of the factor",
    )


def _rates(convergence: Convergence) -> dict[str, Any]:
    return _shown(
        convergence.goal.record,
        "Wilson",
        _by_factor(convergence.rates, "rate", "low", "high"),
        grand=_number(convergence.converged / convergence.runs, 6) if convergence.runs else None,
    )


def _curves(study: Study) -> dict[str, Any] | None:
    """Curves as integers by run, epochs thinned evenly where there are too many numbers."""
    if study.curve_rows is None or study.curve_rows.empty or "cell" not in study.facts:
        return None
    order = {cell: place for place, cell in enumerate(study.frame["cell"].astype(str))}
    about = study.frame[["cell"]].assign(status="")  # no curve goes on after it ended
    curves: dict[str, Any] = {}
    epochs: np.ndarray | None = None
    kinds = _kinds_of_curves(study)
    goal = study.goal.target
    for one in kinds:
        if one.column not in study.curve_rows:
            continue
        matrix, cells, known_epochs = curve_matrix(study.curve_rows, about, one.column)
        if epochs is None:
            room = max(CURVE_NUMBERS // (len(kinds) * len(cells)), FEWEST_EPOCHS)
            count = min(matrix.shape[1], room)
            shown = np.unique(np.linspace(0, matrix.shape[1] - 1, count).round().astype(int))
            epochs = known_epochs[shown]
        rows: list[list[int | None] | None] = [None] * len(study.frame)
        for cell, values in zip(cells, matrix[:, shown], strict=True):
            rows[order[cell]] = _integers(values, one.scale)
        aimed = goal is not None and (goal.response or SHIPPED[0].column) == one.column
        curves[one.column] = {
            "name": one.name,
            "axis": one.axis,
            "scale": one.scale,
            "shown": one.shown,
            "range": one.range,
            "target": goal.accuracy if goal is not None and aimed else None,
            "rows": rows,
        }
    if epochs is None:
        return None
    return {
        "step": "step" if study.records else "epoch",
        "epochs": epochs.tolist(),
        "thinned": bool(len(epochs) < int(matrix.shape[1])),
        "kinds": curves,
    }


def _integers(values: np.ndarray, scale: float) -> list[int | None]:
    """Rounded to integers, trailing epochs that were never run cut off."""
    with np.errstate(over="ignore"):
        scaled = np.rint(values * scale).tolist()
    # Python's integers: a loss on its way to divergence leaves 64 bits.
    whole = [int(value) if isfinite(value) else None for value in scaled]
    while whole and whole[-1] is None:
        whole.pop()
    return whole
