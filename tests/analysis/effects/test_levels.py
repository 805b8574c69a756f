"""Levels that are numbers, and single changes of a baseline."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

import analysis
from ablations.errors import InputError
from analysis.effects.levels.axis import log_spaced, numeric_axes
from analysis.effects.levels.optimum import PLACES, parabola, where_flat
from analysis.effects.levels.trends import coefficients, combined, parts, rest
from analysis.report.gallery.trends import draw_numeric_trends, picked_words
from analysis.report.page.tables.level_tables import baseline_told, numbers_told
from analysis.stats.coding import polynomial_contrasts, polynomials_at
from analysis.study import Study
from tests.analysis.published import find

LR = ("0.0001", "0.001", "0.01", "0.1")


def _study(
    curve: Any, levels: tuple[str, ...] = LR, noise: float = 0.01, runs: int = 3, **about: Any
) -> Study:
    """A numeric factor beside one of two levels; `curve` of the number gives the mean."""
    rng = np.random.default_rng(0)
    rows = [
        {"lr": lr, "opt": opt, "acc": curve(float(lr)) + 0.1 * (opt == "b") + noise * rng.normal()}
        for lr, opt in product(levels, "ab")
        for _ in range(runs)
    ]
    return analysis.from_frame(pd.DataFrame(rows), ["lr", "opt"], "acc", **about)


def _battery() -> Study:
    folder = find("montgomery_battery_3x3")
    if folder is None:
        pytest.skip("the case is not on this machine")
    frame = pd.read_csv(folder / "data.csv")
    return analysis.from_frame(frame, ["Material", "Temp"], "Life")


def test_a_table_whose_levels_only_count_up_has_names_not_amounts() -> None:
    factors = {"fold": ("1", "2", "3"), "seed": ("0", "1", "2"), "depth": ("11", "13", "16")}
    assert list(numeric_axes(factors)) == ["depth"]
    assert list(numeric_axes(factors, {})) == ["fold", "seed", "depth"], "a file declares amounts"
    assert not numeric_axes({"two": ("1", "5"), "text": ("a", "b", "3"), "nan": ("nan", "1", "4")})


def test_levels_that_differ_in_one_numeric_parameter_are_numbers() -> None:
    def level(lr: object, decay: float = 0.0) -> dict[str, Any]:
        return {"name": "adam", "parameters": {"lr": lr, "weight_decay": decay}}

    factors = {"opt": ("low", "middle", "high")}
    declared = {"opt": {"low": level(1e-4), "middle": level(1e-3), "high": level(1e-2)}}
    axis = numeric_axes(factors, declared)["opt"]
    assert axis.parameter == "lr"
    assert axis.log
    assert axis.positions == pytest.approx([-1, 0, 1])
    declared["opt"]["high"] = level(1e-2, 0.5)
    assert not numeric_axes(factors, declared), "two parameters differ"
    declared["opt"]["high"] = level("auto")
    assert not numeric_axes(factors, declared)


@pytest.mark.parametrize(
    ("values", "log"),
    [
        ((1e-4, 1e-3, 1e-2), True),
        ((0.1, 0.03, 0.01), True),
        ((16, 32, 64), True),
        ((11, 13, 16, 19), False),  # more even as logarithms, but no ratio of 4
        ((1, 5, 10), False),
        ((0, 1e-4, 1e-3), False),
        ((15, 70, 125), False),
    ],
)
def test_the_scale_is_that_on_which_levels_are_more_evenly_spaced(
    values: tuple[float, ...], log: bool
) -> None:
    assert log_spaced(np.array(values, dtype=float)) == log


def test_equally_spaced_levels_have_the_polynomial_contrasts_of_the_tables() -> None:
    """Of five levels -2 -1 0 1 2 and 2 -1 -2 -1 2 (Fisher and Yates)."""
    axis = numeric_axes({"x": ("2", "4", "6", "8", "10")})["x"]
    linear, quadratic = parts(axis)
    assert linear == pytest.approx(4 * np.array([-2, -1, 0, 1, 2]) / 10)
    assert quadratic / quadratic[0] == pytest.approx(np.array([2, -1, -2, -1, 2]) / 2)


@given(some.lists(some.integers(-50, 50), min_size=3, max_size=7, unique=True))
def test_parts_are_orthogonal_and_exact_for_a_parabola(values: list[int]) -> None:
    axis = numeric_axes({"x": tuple(map(str, values))}, {})["x"]
    rows = np.vstack([parts(axis), rest(axis)])
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert unit @ unit.T == pytest.approx(np.eye(len(values) - 1), abs=1e-6)
    u = axis.positions
    bulge, rise = parts(axis) @ (3 - 5 * u**2), parts(axis) @ (1 + 2 * u)
    assert bulge[1] == pytest.approx(5)
    assert rise == pytest.approx([4, 0], abs=1e-9)


def test_contrasts_at_even_distances_are_those_of_before() -> None:
    assert polynomials_at(np.array([-3.0, -1, 1, 3])) == pytest.approx(polynomial_contrasts(4))


def test_the_battery_experiment_has_its_published_linear_and_quadratic_parts() -> None:
    """Montgomery, Design and Analysis of Experiments, battery life with temperature as a number.

    Sums of squares of temperature, linear 39042.67 and quadratic 76.06, and of material x linear
    2315.08 and x quadratic 7298.69, beside 675.21 for error: they add up to the published 39118.72
    and 9613.78.
    """
    rows = _battery().trends(method="pooled")
    t = rows["estimate"] / rows["se"]
    assert list(rows["part"][:2]) == ["linear", "quadratic"]
    assert list(t[:2] ** 2 * 675.21) == pytest.approx([39042.67, 76.06], rel=1e-4)
    assert (rows["df"] == 27).all()
    ss = {}
    for part, unit in (("linear", 2 / 4), ("quadratic", (1 + 0.25 + 0.25) / 4)):
        own = rows[(rows["part"] == part) & rows["other"].notna()]
        changes = np.array([0.0, *own["estimate"]])  # against the first material
        ss[part] = float(((changes - changes.mean()) ** 2).sum() / unit)
    assert ss == {
        "linear": pytest.approx(2315.08, abs=0.01),
        "quadratic": pytest.approx(7298.69, abs=0.01),
    }


def test_intervals_of_parts_are_those_of_the_studys_rule() -> None:
    study = _battery()
    row = study.trends().iloc[0]
    cells = study.contrast("Temp: 125 - 15")  # of three even levels the linear part is that
    assert row["method"] == cells.method == "welch"
    assert [row[name] for name in ("estimate", "se", "df", "low", "high", "p")] == pytest.approx(
        [cells.estimate, cells.se, cells.df, cells.low, cells.high, cells.p]
    )


def test_shared_seeds_have_their_own_interval_of_parts() -> None:
    rng = np.random.default_rng(1)
    rows = [
        {"lr": lr, "opt": opt, "seed": seed, "acc": rng.normal()}
        for lr, opt, seed in product(LR[:3], "ab", range(3))
    ]
    study = analysis.from_frame(pd.DataFrame(rows), ["lr", "opt"], "acc", replicate="seed")
    row, one = study.trends().iloc[0], study.contrast("lr: 0.01 - 0.0001")
    assert study.grid.rule.primary in ("joined", "blocked")
    assert [row["low"], row["high"]] == pytest.approx([one.low, one.high])


def test_fieller_s_limits_where_all_noise_is_one() -> None:
    """The interval of the top is Fieller's set, where variance and degrees of freedom are one."""
    study = _study(lambda lr: 0.7 - 0.02 * (np.log10(lr) + 2.2) ** 2, noise=0.02)
    effects = study.estimates()
    axis = study.axes["lr"]
    curve, slopes, _ = parabola(effects, axis)
    rows = coefficients(axis, 2)[1:]
    fit = effects.fit
    unit = fit.sigma**2 * rows @ rows.T / 6
    estimate = combined(fit, effects.mains[0], rows)
    values = fit.estimate(estimate.functions)[0]
    t = stats.t.ppf(0.975, fit.residual_df)
    slope = values[0] + 2 * PLACES * values[1]
    se = np.sqrt(unit[0, 0] + 4 * PLACES * unit[0, 1] + 4 * PLACES**2 * unit[1, 1])
    pooled = slopes.assign(estimate=slope, low=slope - t * se, high=slope + t * se)
    low, high, _ = where_flat(pooled)
    # (b + 2 u c)^2 = t^2 Var(b + 2 u c), solved for u.
    roots = np.roots([
        4 * (values[1] ** 2 - t**2 * unit[1, 1]),
        4 * (values[0] * values[1] - t**2 * unit[0, 1]),
        values[0] ** 2 - t**2 * unit[0, 0],
    ])  # fmt: skip
    assert [low, high] == pytest.approx(sorted(roots), abs=1e-4)
    assert curve[1:] == pytest.approx(values)


@pytest.mark.parametrize(
    ("curve", "higher", "verdict", "picked"),
    [
        (lambda lr: 0.8 - 0.05 * (np.log10(lr) + 2.5) ** 2, True, "inside", 10**-2.5),
        (lambda lr: 0.2 + 0.05 * (np.log10(lr) + 2.5) ** 2, False, "inside", 10**-2.5),
        (lambda lr: 0.8 - 0.05 * (np.log10(lr) + 0.5) ** 2, True, "outside", 0.1),
        (lambda lr: 0.8 - 0.05 * (np.log10(lr) + 4.5) ** 2, True, "outside", 1e-4),
        (lambda lr: 0.2 + 0.05 * (np.log10(lr) + 2.3) ** 2, True, "ends", 1e-4),
        (lambda lr: 0.5 + 0.1 * np.log10(lr), True, "not decided", np.nan),
        (lambda lr: 0.5, True, "not decided", np.nan),
        (lambda lr: 0.5 + 0.2 * (lr in (1e-4, 1e-2)), True, "other shape", np.nan),
    ],
)
def test_what_a_curve_picks_and_how_it_is_said(
    curve: Any, higher: bool, verdict: str, picked: float
) -> None:
    study = _study(curve, higher_is_better=higher)
    one = study.optima()["lr"]
    assert one.verdict == verdict
    assert one.picked == pytest.approx(picked, rel=0.15, nan_ok=True)
    sentence = picked_words(study)[0]
    assert sentence.startswith("lr: ")
    assert "nan" not in sentence
    assert ("the curve picks" in sentence) == (verdict == "inside")
    if verdict == "inside":
        assert one.low < one.picked < one.high
    assert draw_numeric_trends(study) is not None


def test_two_numeric_levels_have_no_extra_text() -> None:
    study = _study(lambda lr: lr, LR[:2])
    assert study.axes == {}
    assert study.optima() == {}
    assert study.trends().empty
    assert draw_numeric_trends(study) is None
    assert numbers_told(study) == ([], [])


def test_where_nothing_is_said_to_matter_no_part_is_shown() -> None:
    """Two replicates of six combinations: silent, whatever p (decision 075)."""
    study = _study(lambda lr: 100 * np.log10(lr), LR[:3], runs=2)
    assert study.judgement.silent
    assert not study.trends()["shown"].any()
    assert study.optima()["lr"].verdict == "not decided"


def test_a_lost_combination_is_told_not_raised() -> None:
    study = _study(lambda lr: 0.5)
    frame = study.frame[~((study.frame["lr"] == "0.01") & (study.frame["opt"] == "b"))]
    for factors in (["lr", "opt"], ["lr"]):
        lost = analysis.from_frame(frame, factors, "acc")
        assert len(lost.trends())
        assert picked_words(lost)
    levels = {"lr": LR, "opt": ("b", "a")}
    study = analysis.from_frame(frame, ["lr", "opt"], "acc", levels=levels)
    assert baseline_told(study)[1]
    rows = study.from_baseline()
    assert rows.loc[rows["level"] == "0.01", "mean"].isna().all()


# --- changes of a baseline ------------------------------------------------------------------------


def test_a_row_is_a_change_of_one_factor_from_its_own_runs() -> None:
    study = _battery()
    rows = study.from_baseline()
    cell = study.frame.groupby(["Material", "Temp"], observed=True)["Life"].agg(["mean", "var"])
    base, changed = cell.loc["1", "15"], cell.loc["1", "125"]
    row = rows[(rows["factor"] == "Temp") & (rows["level"] == "125")].iloc[0]
    assert len(rows) == 1 + 2 + 2
    assert row["estimate"] == pytest.approx(changed["mean"] - base["mean"])
    assert row["se"] == pytest.approx(np.sqrt((changed["var"] + base["var"]) / 4))
    whole = study.contrast("Temp: 125 - 15")
    assert [row["grid_estimate"], row["grid_low"], row["grid_high"]] == pytest.approx(
        [whole.estimate, whole.low, whole.high]
    )
    assert (row["runs"], row["grid_runs"]) == (4, 12)
    pooled = study.from_baseline(pooled=True).set_index(["factor", "level"]).loc[("Temp", "125")]
    assert pooled["se"] == pytest.approx(np.sqrt(675.2130 / 2), rel=1e-6)
    assert pooled["df"] == 27


def test_a_baseline_by_number_and_one_that_is_none() -> None:
    study = _battery()
    rows = study.from_baseline({"Temp": 70})
    assert rows.loc[rows["factor"] == "Temp", "level"].tolist() == ["15", "125"]
    with pytest.raises(InputError, match="the factor 'Temperature'"):
        study.from_baseline({"Temperature": 70})
    with pytest.raises(InputError, match="no level '71'"):
        study.from_baseline({"Temp": 71})


def test_effects_json_has_all_of_it(tmp_path: Path) -> None:
    document = _study(lambda lr: 0.8 - 0.05 * (np.log10(lr) + 2.5) ** 2).document()
    document = json.loads(json.dumps(document, allow_nan=False))
    assert [row["part"] for row in document["trends"]] == ["linear", "quadratic"] * 2
    assert document["optima"][0]["verdict"] == "inside"
    changes = document["from_baseline"]
    assert changes["baseline"] == {"lr": "0.0001", "opt": "a"}
    assert changes["rows"][0]["level"] == "baseline"
