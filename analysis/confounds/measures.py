"""Parameters, FLOPs, step time, wall time, memory and effective rate of every run, by level.

A level's value is the geometric mean over its combinations, each weighing the same. Ratios are
tested on the log scale with the noise within combinations pooled; what is a property of the
network, not a measurement, has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analysis.stats.arrays import Floats
from runner.content.protocol import SIDE, ModelSpec
from runner.network.layout import multiplications

if TYPE_CHECKING:
    from analysis.study import Study


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that may explain an effect.

    Attributes:
        key: its name in effects.json.
        words: as a sentence names it.
        least: ratio of two levels from which it is worth a word.
        exact: whether it is a property of the cell, the same in every run of a combination.
        more_is_better: whether only the level that has more may owe it its advantage; of a rate
            either may.
        columns: that a trainer of one's own may call it.
    """

    key: str
    words: str
    least: float
    exact: bool = False
    more_is_better: bool = True
    columns: tuple[str, ...] = ()


MEASURES = (
    Measure("parameters", "parameters", 1.1, exact=True,
            columns=("parameters", "params", "n_params", "num_params", "n_parameters")),
    Measure("flops", "FLOPs", 1.1, exact=True, columns=("flops", "total_flops")),
    Measure("step_seconds", "time a step", 1.2, columns=("step_seconds", "step_time")),
    Measure("seconds", "training time", 1.2),
    Measure("peak_memory_bytes", "memory", 1.2),
    Measure("rate", "effective learning rate", 1.5, exact=True, more_is_better=False,
            columns=("effective_lr", "mean_lr", "effective_rate")),
)  # fmt: skip
RATES = ("lr", "learning_rate")
"""What a learning rate is called among arguments and parameters."""

BY_KEY = {one.key: one for one in MEASURES}


def measured(study: Study) -> pd.DataFrame:
    """The measures of every run (index of `study.frame`), NaN where one is not known.

    A run that ended early, by divergence or its time limit, has no time and no rate: it would stand
    for a short training, not for a fast one.
    """
    facts = study.facts
    found = pd.DataFrame(index=study.frame.index)
    for one in MEASURES:
        column = next((name for name in (one.key, *one.columns) if name in facts), None)
        values = None if column is None else pd.to_numeric(facts[column], errors="coerce")
        found[one.key] = np.nan if values is None else values
    budget = _numbers(facts, "epochs_budget")
    if "train_images" in facts:
        images = _numbers(facts, "train_images")
        found["flops"] = 6.0 * _multiplications(study) * images * budget
        steps = images * _numbers(facts, "epochs_run")
        found["step_seconds"] = found["seconds"] / steps  # an image's share of a step
        found["rate"] = _rates(study)
    if found["rate"].isna().all():
        found["rate"] = _given_rates(study)
    ended_early = pd.Series(False, found.index)
    if "status" in facts:
        ended_early |= facts["status"].astype(str).isin(["diverged", "timeout", "failed"])
    if "epochs_run" in facts:
        ended_early |= _numbers(facts, "epochs_run") < budget
    found.loc[ended_early, ["seconds", "step_seconds", "rate"]] = np.nan
    return found.where(found > 0)


def _numbers(facts: pd.DataFrame, column: str) -> pd.Series:
    if column not in facts:
        return pd.Series(np.nan, facts.index)
    return pd.to_numeric(facts[column], errors="coerce")


def _multiplications(study: Study) -> pd.Series:
    """Multiply-adds of one image through the run's network; NaN of one that a plugin brings."""
    base: dict[str, Any] = dict(study.info.get("model") or {})
    levels = study.info.get("levels") or {}
    fields = [one for one in study.factors if one in ("model.depth", "model.width", "model.name")]
    size = (study.info.get("data") or {}).get("size") or SIDE
    values = []
    known: dict[tuple[str, ...], float] = {}
    for key in study.frame[fields].astype(str).itertuples(index=False, name=None):
        if key not in known:
            given = {
                field.removeprefix("model."): levels[field][label]["parameters"]["value"]
                for field, label in zip(fields, key, strict=True)
            }
            spec = ModelSpec(**{**base, **given}) if base else None
            is_vgg = spec is not None and spec.name == "vgg"
            known[key] = multiplications(spec) * (size / SIDE) ** 2 if spec and is_vgg else np.nan
        values.append(known[key])
    return pd.Series(values, study.frame.index, dtype=float)


def _rates(study: Study) -> pd.Series:
    """Mean learning rate over the run's epochs, from its curve."""
    curves = study.curve_rows
    if curves is None or curves.empty or "learning_rate" not in curves:
        return pd.Series(np.nan, study.frame.index)
    means = curves.groupby("cell")["learning_rate"].mean()
    return study.frame["cell"].map(means).astype(float)


def is_rate(factor: str) -> bool:
    """Whether a factor is the learning rate itself."""
    return factor.rpartition(".")[2] in RATES


def _given_rates(study: Study) -> pd.Series:
    """The rate that levels of a trainer of one's own give as an argument; NaN where none does."""
    rates = pd.Series(np.nan, study.frame.index)
    for factor, labels in (study.info.get("levels") or {}).items():
        given = {
            label: float(value)
            for label, one in labels.items()
            for name, value in dict(one.get("parameters") or {}).items()
            if name in RATES and isinstance(value, int | float)
        }
        if given and factor in study.frame and "train_images" not in study.facts:
            rates = rates.fillna(study.frame[factor].astype(str).map(given).astype(float))
    return rates


def ratios(study: Study) -> pd.DataFrame:
    """Each measure between each two levels of each factor, beside the same others.

    Returns:
        Columns factor, first, second, measure, first_value, second_value, ratio (first to second),
        p: of no ratio but 1, NaN where no run was repeated; 0 or 1 of what has no noise.
    """
    values = measured(study)
    rows = [row for one in MEASURES for row in _ratios_of(study, values[one.key], one)]
    columns = ["factor", "first", "second", "measure", "first_value", "second_value", "ratio", "p"]
    return pd.DataFrame(rows, columns=columns)


def _ratios_of(study: Study, values: pd.Series, one: Measure) -> Iterator[tuple[Any, ...]]:
    names = list(study.factors)
    logs = np.log(values.dropna())
    if logs.empty:
        return
    labels = study.frame.loc[logs.index, names].astype(str)
    cells = logs.groupby([labels[name] for name in names]).agg(["mean", "count", "var"])
    df = float((cells["count"] - 1).sum())
    noise = float(((cells["count"] - 1) * cells["var"].fillna(0.0)).sum() / df) if df else np.nan
    for factor, levels in study.factors.items():
        means, counts = (_by_level(cells[name], factor) for name in ("mean", "count"))
        for first, second in combinations([one for one in levels if one in means], 2):
            both = ~np.isnan(means[first] - means[second])
            k = int(both.sum())
            if not k:
                continue
            a, b = means[first][both], means[second][both]
            difference = float((a - b).mean())
            weight = float((1 / counts[first][both] + 1 / counts[second][both]).sum())
            ends = (float(np.exp(end.mean())) for end in (a, b))
            p = _p(difference, np.sqrt(noise * weight) / k, df, one)
            yield (factor, first, second, one.key, *ends, float(np.exp(difference)), p)


def _by_level(cells: pd.Series, factor: str) -> dict[str, Floats]:
    """Values by level of a factor, in one order of the combinations of the others; NaN: none."""
    wide = cells.unstack(factor) if cells.index.nlevels > 1 else cells.to_frame().T
    return {str(level): wide[level].to_numpy(float) for level in wide}


def _p(difference: float, error: float, df: float, one: Measure) -> float:
    if one.exact or error == 0:
        return float(abs(difference) < 1e-9)
    if not np.isfinite(error):
        return float("nan")
    return float(2 * stdtr(df, -abs(difference) / error))


def by_level(study: Study) -> list[tuple[str, str, dict[str, float]]]:
    """Factor, level and its measures as far as they are known, beside the same others."""
    values = measured(study)
    names = list(study.factors)
    logs = pd.DataFrame(np.log(values), values.index, values.columns)
    cells = logs.groupby([study.frame[name].astype(str) for name in names]).mean()
    means = {factor: cells.groupby(level=place).mean() for place, factor in enumerate(names)}
    return [
        (
            factor,
            level,
            {str(key): float(np.exp(one)) for key, one in means[factor].loc[level].items()},
        )
        for factor, levels in study.factors.items()
        for level in levels
        if level in means[factor].index
    ]
