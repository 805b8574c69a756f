"""Factors whose levels are numbers: the figure of their curves, and what each curve picks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import figures
from analysis.effects.shown import shown_means
from analysis.figures.effects.numeric_trends import MOST_PANELS
from analysis.report.gallery.figure import Drawn, NumberTable, captioned
from analysis.report.gallery.rounding import head_of, intervals, of_levels, rounded, within_limits
from analysis.report.words.names import assumed, interval_name_of_means

if TYPE_CHECKING:
    from analysis.effects.levels.axis import Axis
    from analysis.effects.levels.optimum import Optimum
    from analysis.study import Study

POINTS = 61
"""Of a drawn curve."""


def draw_numeric_trends(study: Study) -> Drawn | None:
    """Means along the numbers with the fitted curve and the level it picks."""
    found = study.optima()
    means = _means(study)
    if not found or not means["mean"].notna().any():
        return None
    places = np.linspace(-1.0, 1.0, POINTS)
    curves = pd.concat(
        [
            pd.DataFrame({"factor": name, "position": places, "mean": _height(study, one, places)})
            for name, one in found.items()
        ],
        ignore_index=True,
    )
    picked = pd.DataFrame(
        [
            {"factor": name, **dict(zip(("position", "low", "high"), _places(one), strict=True))}
            for name, one in found.items()
            if one.verdict == "inside"
        ],
        columns=["factor", "position", "low", "high"],
    )
    figure = figures.numeric_trends(means, curves, picked, measure=study.measure)
    left = ""
    if len(found) > MOST_PANELS:
        left = f" Drawn: the first {MOST_PANELS} of {len(found)} factors; the table has all."
    text = (
        f"Marginal mean of {study.measure.name} at each level, placed where its number lies, with "
        "the parabola fitted to the means"
        + (" and the level at which it is best." if len(picked) else ".")
        + f"{assumed(study, shown_means(study.estimates(), study.measure)['rests_on'])}{left}"
    )
    data = means.drop(columns=["axis"])
    data["curve"] = np.concatenate(
        [_height(study, one, one.axis.positions) for one in found.values()]
    )
    for name in ("picked", "low", "high"):
        each = {factor: getattr(one, name) for factor, one in found.items()}
        data[name if name == "picked" else f"picked_{name}"] = data["factor"].map(each)
    return Drawn(figure, data, captioned(study, text, interval_name_of_means(study)))


def tabulate_numeric_trends(study: Study, rows: pd.DataFrame) -> NumberTable | None:
    """Means, intervals and the curve by level."""
    if rows.empty:
        return None
    measure = study.measure
    how = (measure.scale, measure.digits)
    cut = within_limits(rows, measure)
    columns = {
        **of_levels(rows),
        head_of(measure): rounded(rows["mean"], *how),
        "95% interval": intervals(cut, *how),
        "Curve": rounded(rows["curve"], *how),
    }
    return NumberTable("Marginal means and the curve through them", pd.DataFrame(columns))


def _means(study: Study) -> pd.DataFrame:
    """Means of the numeric factors, in the order of their levels, with their positions."""
    columns = ["factor", "axis", "level", "position", "mean", "low", "high"]
    means = study.effects()
    tables = []
    for name, axis in study.axes.items():
        own = means[means["factor"] == name].set_index("level").loc[list(axis.labels)]
        tables.append(pd.DataFrame({
            "factor": name, "axis": axis_name(axis), "level": _numbers(axis),
            "position": axis.positions, "mean": own["mean"].to_numpy(float),
            "low": own["mean_low"].to_numpy(float), "high": own["mean_high"].to_numpy(float),
        }))  # fmt: skip
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def axis_name(axis: Axis) -> str:
    """The factor, what its numbers are where no labels, and a log scale."""
    notes = [axis.parameter] if axis.parameter else []
    notes += ["log scale"] if axis.log else []
    return axis.factor + (f" ({', '.join(notes)})" if notes else "")


def _numbers(axis: Axis) -> list[str]:
    return [f"{one:g}" for one in axis.values] if axis.parameter else list(axis.labels)


def _height(study: Study, one: Optimum, places: np.ndarray) -> np.ndarray:
    """The curve at positions, within what the outcome can be."""
    height = one.curve[0] + one.curve[1] * places + one.curve[2] * places**2
    return np.asarray(study.measure.within(height))


def _places(one: Optimum) -> tuple[float, float, float]:
    """Positions of the level picked and of its interval."""
    place = -one.curve[1] / (2 * one.curve[2])
    return place, one.axis.position(one.low), one.axis.position(one.high)


# --- in words -----------------------------------------------------------------------------------


def picked_words(study: Study) -> list[str]:
    """One sentence a factor on the level that its curve picks, or why none is."""
    linear = {
        str(row["factor"]): row
        for row in study.trends().to_dict("records")
        if row["part"] == "linear" and pd.isna(row["other"])
    }
    return [_sentence(study, one, linear[name]) for name, one in study.optima().items()]


def _sentence(study: Study, one: Optimum, linear: dict[object, object]) -> str:
    axis, outcome = one.axis, study.measure.name
    name = axis.factor + (f" ({axis.parameter})" if axis.parameter else "")
    smallest, largest = (f"{end:g}" for end in (axis.values.min(), axis.values.max()))
    if one.verdict == "inside":
        return (
            f"{name}: the curve picks {_number(one.picked)}{_interval(one)}; "
            f"{_nearest(axis, one.picked)} is the nearest level that ran."
        )
    if one.verdict == "outside":
        beyond = "larger" if one.picked == axis.values.max() else "smaller"
        return (
            f"{name}: {outcome} is still getting better at {one.picked:g}, the {beyond[:-1]}st "
            f"level, so that the best lies outside the levels; {beyond} ones may be better."
        )
    if one.verdict == "ends":
        return (
            f"{name}: {outcome} is worst between the levels, so the best is at an end of them, "
            f"by the curve at {one.picked:g}."
        )
    if one.verdict == "other shape":
        return (
            f"{name}: the means do not follow a parabola (p of what it leaves "
            f"{one.p_rest:.2g}), so none of its levels is picked: see the means themselves."
        )
    if one.verdict == "not estimable":
        return f"{name}: a curve cannot be estimated from the combinations that ran."
    if linear["shown"]:
        better = (float(str(linear["estimate"])) > 0) == study.measure.higher_is_better
        end = largest if better else smallest
        return (
            f"{name}: whether the curve bends between {smallest} and {largest} is not decided; "
            f"along the straight line {outcome} gets better towards {end}, the end of the levels."
        )
    return (
        f"{name}: whether {outcome} rises, falls or bends from {smallest} to {largest} is not "
        "decided, so no level is picked."
    )


def _interval(one: Optimum) -> str:
    if not np.isfinite(one.low):
        return " (no interval)"
    low, high = _number(one.low), _number(one.high)
    if one.open_low and one.open_high:
        return f" (95% interval: all levels from {low} to {high})"
    if one.open_low:
        return f" (95% interval: up to {high})"
    if one.open_high:
        return f" (95% interval: from {low} on)"
    return f" (95% interval {low} to {high})"


def _number(value: float) -> str:
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.3g}"


def _nearest(axis: Axis, value: float) -> str:
    """The level next to a number, on the factor's scale."""
    gaps = np.abs(axis.positions - axis.position(value))
    return _numbers(axis)[int(np.argmin(gaps))]
