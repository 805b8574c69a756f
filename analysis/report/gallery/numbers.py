"""The numbers behind every figure as a short table: a page that is read, searched and heard.

Rounds and picks from what was drawn, and estimates nothing. A table has at most `MOST_ROWS` rows;
the CSV beside the figure has all of them in full. Longer than 300 lines, being one short function a
figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.report import kept
from analysis.report.gallery.drawings import measure_of
from analysis.report.words.wording import digits_of, p_words

if TYPE_CHECKING:
    from analysis.figures import Drawing
    from analysis.figures.drawing.measure import Measure
    from analysis.study import Study

MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Numbers:
    """A table as the page shows it."""

    title: str
    head: tuple[dict[str, object], ...]  # text, and number: whether the column is set flush right
    rows: tuple[tuple[str, ...], ...]
    left_out: int


def numbers_behind(study: Study, drawing: Drawing) -> Numbers | None:
    """The rounded numbers of a figure; None where it has none to tell."""
    make = TABLES.get(drawing.name)
    if make is None:
        return None
    title, table = make(study, drawing.data)
    if table.empty:
        return None
    shown = table.head(MOST_ROWS).astype(str)
    head = tuple(
        {"text": str(name), "number": name not in _NAMES and place > 0}
        for place, name in enumerate(table.columns)
    )
    rows = tuple(tuple(row) for row in shown.itertuples(index=False))
    return Numbers(title, head, rows, max(len(table) - MOST_ROWS, 0))


_NAMES = {"Factor", "Level", "Contrast", "Other factor", "Other level"}

Table = tuple[str, pd.DataFrame]


def _column(
    values: pd.Series, scale: float = 1.0, digits: int = 1, sign: bool = False
) -> list[str]:
    """Rounded numbers, "n/a" for those that cannot be estimated."""
    form = f"{{:{'+' if sign else ''}.{digits}f}}"
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float) * scale
    return [form.format(one).replace("-", "−") if np.isfinite(one) else "n/a" for one in numbers]


def _interval(rows: pd.DataFrame, scale: float, digits: int, sign: bool = False) -> list[str]:
    low = _column(rows["low"], scale, digits, sign)
    high = _column(rows["high"], scale, digits, sign)
    return [
        "n/a" if "n/a" in (first, last) else f"{first} to {last}"
        for first, last in zip(low, high, strict=True)
    ]


def _within(rows: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """Intervals of means as the figures draw them: a share's cut at 0 and 100 %."""
    ends = measure.interval(rows["low"].to_numpy(float), rows["high"].to_numpy(float))
    return rows.assign(low=ends[0], high=ends[1])


def _unit(measure: Measure) -> str:
    return f"{measure.name.capitalize()}{f' ({measure.unit})' if measure.unit else ''}"


def _points(measure: Measure) -> str:
    return f" ({measure.difference})" if measure.difference else ""


def _levels(rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {"Factor": rows["factor"].astype(str), "Level": rows["level"].astype(str)}


def _main_effects(study: Study, rows: pd.DataFrame) -> Table:
    measure = measure_of(study)
    how = (measure.scale, digits_of(measure))
    mean = _column(rows["mean"], *how)
    rows = _within(rows, measure)
    columns = {**_levels(rows), _unit(measure): mean, "95% interval": _interval(rows, *how)}
    grand = _column(rows["grand_mean"].head(1), *how)[0]
    return f"Marginal means; the grand mean is {grand}", pd.DataFrame(columns)


def _pairs(rows: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        "Factor": rows["factor_a"].astype(str),
        "Level": rows["level_a"].astype(str),
        "Other factor": rows["factor_b"].astype(str),
        "Other level": rows["level_b"].astype(str),
    }


def _interaction_matrix(study: Study, rows: pd.DataFrame) -> Table:
    measure = measure_of(study)
    how = (measure.scale, digits_of(measure))
    rows = _within(rows, measure)
    columns = {
        **_pairs(rows),
        _unit(measure): _column(rows["mean"], *how),
        "95% interval": _interval(rows, *how),
        "Share of variance": [f"{one}%" for one in _column(rows["share"], 100)],
        "p (Holm)": [p_words(float(one)) for one in rows["p_holm"]],
    }
    return "Means of two levels together", pd.DataFrame(columns)


def _interaction_effects(study: Study, rows: pd.DataFrame) -> Table:
    measure = measure_of(study)
    how = (measure.scale, digits_of(measure), True)
    columns = {
        **_pairs(rows),
        f"Beyond main effects{_points(measure)}": _column(rows["effect"], *how),
        "95% interval": _interval(rows, *how),
    }
    return "What two levels do together beyond their main effects", pd.DataFrame(columns)


def _standardised(_study: Study, rows: pd.DataFrame) -> Table:
    columns = {
        "Term": rows["term"].astype(str).str.replace(":", " × "),
        "|t|": _column(rows["t"].abs(), 1, 2),
        "p": [p_words(float(one)) for one in rows["p"]],
        "Line of one term": _column(rows["alpha_line"], 1, 2),
        "Line of its Holm step": _column(rows["holm_line"], 1, 2),
    }
    return "Standardised effects", pd.DataFrame(columns)


def _half_normal(study: Study, rows: pd.DataFrame) -> Table:
    measure = measure_of(study)
    rows = rows.sort_values("absolute", ascending=False, kind="stable")
    columns = {
        "Contrast": rows["contrast"].astype(str),
        f"Effect{_points(measure)}": _column(rows["effect"], measure.scale, 2, True),
        "p": [p_words(float(one)) for one in rows["p"]],
        "Beyond ME": ["yes" if one else "no" for one in rows["active_me"]],
    }
    return "Contrasts, largest first", pd.DataFrame(columns)


def _contrasts(study: Study, rows: pd.DataFrame) -> Table:
    measure = measure_of(study)
    how = (measure.scale, digits_of(measure), True)
    columns = {
        "Factor": rows["group"].astype(str),
        "Contrast": rows["contrast"].astype(str),
        f"Difference{_points(measure)}": _column(rows["estimate"], *how),
        "95% interval": _interval(rows, *how),
    }
    return "Differences between levels, first minus second", pd.DataFrame(columns)


def _shares(_study: Study, rows: pd.DataFrame) -> Table:
    columns = {
        "Term": rows["term"].astype(str).str.replace(":", " × "),
        "Share of variance (%)": _column(rows["share"], 100),
        "95% interval": _interval(rows, 100, 1),
    }
    return "Shares of the variance of a single run", pd.DataFrame(columns)


def _rates(_study: Study, rows: pd.DataFrame) -> Table:
    columns: dict[str, object] = {
        **_levels(rows),
        "Converged": rows["converged"].astype(int),
        "Runs": rows["runs"].astype(int),
        "Rate (%)": _column(rows["rate"], 100),
        "95% interval (Wilson)": _interval(rows, 100, 1),
    }
    if "marginal" in rows:
        columns["Marginal rate (%)"] = _column(rows["marginal"], 100)
    return "Runs that converged, by level", pd.DataFrame(columns)


def _cells(study: Study, rows: pd.DataFrame) -> Table:
    measure = measure_of(study)
    columns: dict[str, object] = {
        ", ".join(study.factors): rows["cell"].astype(str),
        _unit(measure): _column(rows["mean"], measure.scale, digits_of(measure)),
        "Runs": rows["runs"].astype(int),
    }
    for name in ("converged", "stalled", "diverged", "missing"):
        if "status" in study.frame:
            columns[name.capitalize()] = rows[name].astype(int)
    return "Every combination of levels", pd.DataFrame(columns)


def _ranked(study: Study, rows: pd.DataFrame) -> Table:
    measure = measure_of(study)
    how = (measure.scale, digits_of(measure))
    by_cell = rows.groupby("cell", sort=False)["value"].agg(["mean", "min", "max", "size"])
    ranked = by_cell.sort_values("mean", ascending=False, kind="stable").reset_index()
    columns = {
        ", ".join(study.factors): ranked["cell"].astype(str),
        _unit(measure): _column(ranked["mean"], *how),
        "Lowest run": _column(ranked["min"], *how),
        "Highest run": _column(ranked["max"], *how),
        "Runs": ranked["size"],
    }
    return "Combinations of levels, best mean first", pd.DataFrame(columns)


def _time(study: Study, _rows: pd.DataFrame) -> Table:
    found = kept.time_to_target(study)
    if found is None:
        return "", pd.DataFrame()
    rows = found.means
    columns = {
        **_levels(rows),
        "Mean epochs": _column(rows["mean"]),
        "95% interval": _interval(rows, 1, 1),
    }
    text = f"Mean epochs to the target, runs that never got there counting {found.budget}"
    return text, pd.DataFrame(columns)


def _curves(_study: Study, rows: pd.DataFrame) -> Table:
    epochs = np.unique(np.quantile(rows["epoch"], [0, 0.5, 1], method="nearest"))
    rows = rows[rows["epoch"].isin(epochs)]
    columns = {
        **_levels(rows),
        "Epoch": rows["epoch"].astype(int),
        "Median (%)": _column(rows["median"], 100),
        "Quartiles (%)": _interval(rows, 100, 1),
    }
    return "Validation accuracy at the first, middle and last epoch", pd.DataFrame(columns)


def _profiles(study: Study, rows: pd.DataFrame) -> Table:
    measure = measure_of(study)
    scores = np.unique(np.quantile(rows["tau"], [0, 0.25, 0.5, 0.75], method="nearest"))
    rows = rows[rows["tau"].isin(scores)]
    columns = {
        **_levels(rows),
        _unit(measure): _column(rows["tau"], measure.scale, digits_of(measure)),
        "Runs above it (%)": _column(rows["share"], 100),
        "95% interval": _interval(rows, 100, 1),
    }
    return "Share of a level's runs above four scores", pd.DataFrame(columns)


def _aliases(_study: Study, rows: pd.DataFrame) -> Table:
    long = rows.melt("term", var_name="other", value_name="correlation").dropna()
    places = {term: place for place, term in enumerate(rows["term"])}
    first, second = long["term"].map(places), long["other"].map(places)
    mixed = long[(first < second) & (long["correlation"] > 0.005)]
    mixed = mixed.sort_values("correlation", ascending=False, kind="stable")
    columns = {
        "Term": mixed["term"].astype(str).str.replace(":", " × "),
        "Mixed with": mixed["other"].astype(str).str.replace(":", " × "),
        "Correlation": _column(mixed["correlation"], 1, 2),
    }
    return "Terms that are mixed, most mixed first", pd.DataFrame(columns)


def _residuals(study: Study, rows: pd.DataFrame) -> Table:
    measure = measure_of(study)
    groups = rows.groupby("replicate", sort=False)["residual"]
    found = groups.agg(["size", "mean", "std", "min", "max"]).reset_index()
    digits = digits_of(measure) + 1
    columns: dict[str, object] = {
        "Replicate": found["replicate"].astype(str),
        "Runs": found["size"],
    }
    names = {"mean": "Mean", "std": "Standard deviation", "min": "Lowest", "max": "Highest"}
    for column, name in names.items():
        columns[f"{name}{_points(measure)}"] = _column(found[column], measure.scale, digits)
    return "Residuals around the mean of the combination, by replicate", pd.DataFrame(columns)


def _scales(_study: Study, rows: pd.DataFrame) -> Table:
    columns: dict[str, object] = {
        "Term": rows["term"].astype(str).str.replace(":", " × "),
        "Accuracy scale (%)": _column(rows["raw"], 100),
        "Logit scale (%)": _column(rows["other"], 100),
    }
    if "crossover" in rows:
        columns["Order turns round"] = ["yes" if one else "no" for one in rows["crossover"]]
    return "Shares of the variance between the means of combinations", pd.DataFrame(columns)


TABLES: dict[str, Callable[[Study, pd.DataFrame], Table]] = {
    "main_effects": _main_effects,
    "interaction_matrix": _interaction_matrix,
    "interaction_heat_maps": _interaction_effects,
    "pareto": _standardised,
    "half_normal": _half_normal,
    "forest": _contrasts,
    "variance_shares": _shares,
    "convergence_rates": _rates,
    "cell_mosaic": _cells,
    "cell_heat_map": _cells,
    "cell_strip": _ranked,
    "time_to_target": _time,
    "learning_curves": _curves,
    "performance_profile": _profiles,
    "alias_map": _aliases,
    "diagnostics": _residuals,
    "scale_comparison": _scales,
}
