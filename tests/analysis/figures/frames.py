"""Tidy frames of any shape for figure tests: plain numpy on a simulated grid, seeded.

They have the columns the figures document and the properties that stress a layout: long names,
names with underscores, cells that diverge, effects of both signs. One
made-up table a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd
from scipy import stats

FIVE = {
    "augmentation": ["none", "basic", "strong"],
    "scheduler": ["constant", "step", "cosine"],
    "init": ["kaiming", "xavier"],
    "bn_placement": ["before", "after"],
    "optimizer": ["sgd_momentum", "adam"],
}


def shape(factors: int, levels: int, long: bool = False) -> dict[str, list[str]]:
    """So many factors of so many levels, with short or unhandily long names."""
    names = ["augmentation", "scheduler", "init", "bn_placement", "optimizer", "model.depth"]
    labels = ["none", "basic", "strong", "sgd_momentum", "cosine_warmup", "adam"]
    if long:
        names = [f"{name}_of_the_whole_network" for name in names]
        labels = [f"{label}_with_nesterov_0.0{index}" for index, label in enumerate(labels)]
    return {name: labels[:levels] for name in names[:factors]}


def grid(
    factors: Mapping[str, Sequence[str]], replicates: int = 3, most: int = 600, seed: int = 0
) -> pd.DataFrame:
    """One row a run: factor columns, replicate, test_accuracy, status, run_order; at most `most`
    cells of the full grid (a random fraction beyond that)."""
    random = np.random.default_rng(seed)
    cells = list(product(*factors.values()))
    if len(cells) > most:
        cells = [cells[index] for index in sorted(random.choice(len(cells), most, replace=False))]
    main = [random.normal(0, 0.05, len(levels)) for levels in factors.values()]
    pair = {
        (i, j): random.normal(0, 0.02, (len(a), len(b)))
        for (i, a), (j, b) in combinations(enumerate(factors.values()), 2)
    }
    rows = []
    for replicate in range(replicates):
        shock = random.normal(0, 0.004)
        for cell in cells:
            at = [
                list(levels).index(label)
                for levels, label in zip(factors.values(), cell, strict=True)
            ]
            mean = 0.72 + sum(effect[index] for effect, index in zip(main, at, strict=True))
            mean += sum(effect[at[i], at[j]] for (i, j), effect in pair.items())
            value = float(np.clip(mean + shock + random.normal(0, 0.008), 0.1, 0.99))
            diverged = value < 0.6 and random.random() < 0.6
            rows.append(
                {
                    **dict(zip(factors, cell, strict=True)),
                    "replicate": replicate,
                    "test_accuracy": 0.1 if diverged else value,
                    "status": "diverged" if diverged else "converged",
                    "run_order": len(rows),
                }
            )
    return pd.DataFrame(rows)


def _interval(values: pd.Series) -> tuple[float, float, float]:
    mean, half = float(values.mean()), 2 * float(values.std(ddof=1)) / np.sqrt(len(values))
    half = half if np.isfinite(half) else 0.02
    return mean, mean - half, mean + half


def level_means(runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    rows = []
    for factor, levels in factors.items():
        for level in levels:
            mean, low, high = _interval(runs.loc[runs[factor] == level, "test_accuracy"])
            rows.append({"factor": factor, "level": level, "mean": mean, "low": low, "high": high})
    return pd.DataFrame(rows)


def along_numbers(
    runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Means at uneven positions, curves, and a picked level of every other factor."""
    means = level_means(runs, factors)
    means["axis"] = means["factor"] + " (log scale)"
    means["position"] = np.concatenate(
        [2 * np.linspace(0, 1, len(levels)) ** 1.5 - 1 for levels in factors.values()]
    )
    curves = means[["factor", "position", "mean"]]
    names = list(factors)[::2]
    ends = [(0.2, -0.3, 0.6), (-0.5, np.nan, np.nan)]
    picked = [(name, *ends[place % 2]) for place, name in enumerate(names)]
    return means, curves, pd.DataFrame(picked, columns=["factor", "position", "low", "high"])


def replicate_means(runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    parts = []
    for factor in factors:
        part = runs.groupby([factor, "replicate"])["test_accuracy"].mean().reset_index()
        parts.append(
            part.rename(columns={factor: "level", "test_accuracy": "mean"}).assign(factor=factor)
        )
    return pd.concat(parts)[["factor", "level", "replicate", "mean"]]


def pair_means(runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    rows = []
    for first, second in combinations(factors, 2):
        for a, b in product(factors[first], factors[second]):
            chosen = runs.loc[(runs[first] == a) & (runs[second] == b), "test_accuracy"]
            mean, low, high = _interval(chosen)
            rows.append(
                {
                    "factor_a": first,
                    "level_a": a,
                    "factor_b": second,
                    "level_b": b,
                    "mean": mean,
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(rows)


def pair_effects(runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    means = pair_means(runs, factors)
    parts = []
    for _, rows in means.groupby(["factor_a", "factor_b"], sort=False):
        a = rows.groupby("level_a")["mean"].transform("mean")
        b = rows.groupby("level_b")["mean"].transform("mean")
        effect = rows["mean"] - a - b + rows["mean"].mean()
        parts.append(rows.assign(effect=effect, shown=effect.abs() > 0.01))
    return pd.concat(parts).drop(columns="mean")


def pair_terms(factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    rows = []
    for index, (first, second) in enumerate(combinations(factors, 2)):
        rows.append(
            {
                "factor_a": first,
                "factor_b": second,
                "share": 0.02 * (index + 1) / 3,
                "share_low": 0.01 if index % 2 else -0.001,
                "p_family": [0.0001, 0.034, 1.0][index % 3],
                "shown": index % 3 < 2,
            }
        )
    return pd.DataFrame(rows)


def pareto_terms(factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    terms = [*factors, *(f"{a}:{b}" for a, b in combinations(factors, 2))]
    size = np.sort(np.random.default_rng(1).exponential(4, len(terms)))[::-1]
    count = len(terms)
    sign = [
        (1 if index % 2 else -1) if ":" not in term and len(factors[term]) == 2 else 0
        for index, term in enumerate(terms)
    ]
    shown = size > stats.norm.isf(0.025 / count)
    return pd.DataFrame(
        {
            "term": terms,
            "t": size,
            "sign": sign,
            "alpha_line": 1.96,
            "together_line": np.nan,
            "shown": shown,
        }
    )


def half_normal_points(count: int = 31, active: int = 6) -> tuple[pd.DataFrame, dict[str, float]]:
    random = np.random.default_rng(2)
    size = np.abs(random.normal(0, 0.01, count))
    size[:active] += np.linspace(0.05, 0.12, active) ** 1.0
    names = [f"bn_placement{i}:optimizer_momentum{i}" for i in range(count)]
    order = np.argsort(size)
    quantile = stats.norm.ppf(0.5 + 0.5 * (np.arange(1, count + 1) - 0.5) / count)
    s0 = 1.5 * np.median(size)
    pse = 1.5 * float(np.median(size[size < 2.5 * s0]))
    frame = pd.DataFrame(
        {"contrast": [names[i] for i in order], "quantile": quantile, "absolute": size[order]}
    )
    return frame, {"pse": pse, "me": 2.2 * pse, "sme": 4 * pse}


def forest_rows(runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    means = level_means(runs, factors).set_index(["factor", "level"])["mean"]
    rows = []
    for factor, levels in factors.items():
        for a, b in combinations(levels, 2):
            difference = float(means[factor, a] - means[factor, b])
            rows.append(
                {
                    "group": factor,
                    "first": a,
                    "second": b,
                    "estimate": difference,
                    "low": difference - 0.008,
                    "high": difference + 0.008,
                    "shown": abs(difference) > 0.008,
                }
            )
    return pd.DataFrame(rows)


def shares(factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    mains, pairs = list(factors), [f"{a}:{b}" for a, b in combinations(factors, 2)]
    terms = [*mains, *pairs, "order 3 and higher", "replicate", "noise"]
    kind = ["main"] * len(mains) + ["pair"] * len(pairs) + ["higher", "replicate", "noise"]
    share = np.random.default_rng(3).dirichlet(np.linspace(3, 0.2, len(terms)))
    return pd.DataFrame(
        {"term": terms, "kind": kind, "share": share, "low": share - 0.01, "high": share + 0.015}
    )


def cell_table(runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    rows = []
    for number, (levels, part) in enumerate(runs.groupby(list(factors), sort=False)):
        missing = len(part) if number % 17 == 5 else 0
        rows.append(
            {
                **dict(zip(factors, levels, strict=True)),
                "cell": " ".join(levels),
                "mean": np.nan if missing else float(part["test_accuracy"].mean()),
                "deviation": np.nan if missing else float(part["test_accuracy"].std(ddof=1)),
                "runs": len(part) - missing,
                "converged": 0 if missing else int((part["status"] == "converged").sum()),
                "diverged": 0 if missing else int((part["status"] == "diverged").sum()),
                "stalled": int(number % 11 == 3),
                "missing": missing,
            }
        )
    return pd.DataFrame(rows).set_index(list(factors))


def run_values(runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    return pd.DataFrame(
        {"cell": runs[list(factors)].agg(" ".join, axis=1), "value": runs["test_accuracy"]}
    )


def rates(runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    rows = []
    for factor, levels in factors.items():
        for level in levels:
            part = runs[runs[factor] == level]
            k, n = int((part["status"] == "converged").sum()), len(part)
            rate = k / n
            half = 1.96 * np.sqrt(rate * (1 - rate) / n) + 0.01
            rows.append(
                {
                    "factor": factor,
                    "level": level,
                    "converged": k,
                    "runs": n,
                    "rate": rate,
                    "low": max(rate - half, 0),
                    "high": min(rate + half, 1),
                    "marginal": min(rate + 0.01, 1),
                }
            )
    return pd.DataFrame(rows)


def reached(factors: Mapping[str, Sequence[str]], epochs: int = 30) -> pd.DataFrame:
    parts = []
    random = np.random.default_rng(4)
    for factor, levels in factors.items():
        for place, level in enumerate(levels):
            share = np.clip(
                np.cumsum(random.exponential(0.04 + 0.01 * place, epochs)) - 0.2, 0, 0.98
            )
            parts.append(
                pd.DataFrame(
                    {
                        "factor": factor,
                        "level": level,
                        "epoch": np.arange(1, epochs + 1),
                        "reached": share,
                        "low": np.clip(share - 0.06, 0, 1),
                        "high": np.clip(share + 0.06, 0, 1),
                        "censored": (np.arange(1, epochs + 1) == 17 + place).astype(int),
                    }
                )
            )
    return pd.concat(parts)


def restricted_means(curves: pd.DataFrame) -> pd.DataFrame:
    means = curves.groupby(["factor", "level"], sort=False)["reached"].apply(
        lambda s: float((1 - s).sum())
    )
    return means.rename("mean").reset_index()


def profiles(runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    parts = []
    tau = np.linspace(0.1, 1, 60)
    for factor, levels in factors.items():
        for level in levels:
            values = runs.loc[runs[factor] == level, "test_accuracy"].to_numpy()
            share = (values[None, :] > tau[:, None]).mean(axis=1)
            parts.append(
                pd.DataFrame(
                    {
                        "factor": factor,
                        "level": level,
                        "tau": tau,
                        "share": share,
                        "low": np.clip(share - 0.05, 0, 1),
                        "high": np.clip(share + 0.05, 0, 1),
                    }
                )
            )
    return pd.concat(parts)


def ribbons(factors: Mapping[str, Sequence[str]], epochs: int = 30) -> pd.DataFrame:
    curves = reached(factors, epochs).rename(columns={"reached": "median"})
    return curves.drop(columns="censored")


def residuals(runs: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    fitted = runs.groupby(list(factors))["test_accuracy"].transform("mean")
    return pd.DataFrame(
        {
            "fitted": fitted,
            "residual": runs["test_accuracy"] - fitted,
            "replicate": runs["replicate"],
            "run_order": runs["run_order"],
        }
    )


def scale_shares(factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    rows = shares(factors)
    rows = rows[rows["kind"].isin(["main", "pair"])]
    return pd.DataFrame(
        {
            "term": rows["term"],
            "raw": rows["share"],
            "other": rows["share"] * 0.7 + 0.01,
            "crossover": rows["kind"].eq("pair") & (np.arange(len(rows)) % 3 == 0),
        }
    )


def correlations(factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """|correlation| of the sum-to-zero columns of mains and pairs in a half fraction."""
    cells = list(product(*(range(len(levels)) for levels in factors.values())))
    cells = [cell for cell in cells if sum(cell) % 2 == 0][:400]
    columns: dict[str, list[np.ndarray]] = {}
    for place, (factor, levels) in enumerate(factors.items()):
        code = np.array([cell[place] for cell in cells])
        last = (code == len(levels) - 1).astype(float)
        columns[factor] = [(code == level) - last for level in range(len(levels) - 1)]
    for a, b in combinations(factors, 2):
        columns[f"{a}:{b}"] = [x * y for x in columns[a] for y in columns[b]]
    names = [name for name, group in columns.items() for _ in group]
    matrix = np.array([column for group in columns.values() for column in group])
    matrix = matrix - matrix.mean(axis=1, keepdims=True)
    size = np.linalg.norm(matrix, axis=1)
    size[size == 0] = 1
    unit = matrix / size[:, None]
    return pd.DataFrame(np.abs(unit @ unit.T), index=names, columns=names)
