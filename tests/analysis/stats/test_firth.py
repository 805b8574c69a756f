"""The penalised logistic fit against logistf, car and firthmodels, and where data are separated."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from analysis.stats.coding import product_columns, sum_to_zero
from analysis.stats.counts.firth import LogisticFit, fit, separated
from analysis.stats.counts.likelihood import NoConvergence
from tests.analysis.published import expected, table

LEVELS = {
    "alpha": ("1e-8", "0.129"),
    "batch": ("4", "256"),
    "depth": ("1", "2", "3"),
    "lr": ("1e-5", "1.67e-3", "0.278"),
    "width": ("16", "1024"),
}


def _log_odds(model: LogisticFit) -> np.ndarray:
    return model.likelihood.design @ model.coefficients


def vehicle() -> pd.DataFrame:
    frame = table("ml_hpobench_vehicle_5f")
    frame["y"] = frame["converged"].astype(int)
    return frame.groupby(list(LEVELS))["y"].agg(["sum", "count"]).reset_index()


def treatment_columns(cells: pd.DataFrame, pairs: bool) -> np.ndarray:
    """Columns in R's order, first level as reference."""
    codes = {
        name: np.column_stack([(cells[name] == level).astype(float) for level in levels[1:]])
        for name, levels in LEVELS.items()
    }
    blocks = [np.ones((len(cells), 1)), *codes.values()]
    for a, b in combinations(LEVELS, 2) if pairs else ():
        blocks.append((codes[b][:, :, None] * codes[a][:, None, :]).reshape(len(cells), -1))
    return np.hstack(blocks)


def test_sex2_reproduces_logistf() -> None:
    frame = table("firth_sex2").astype(float)
    want = expected("firth_sex2", "computed.json")["logistf"]
    design = np.column_stack([np.ones(len(frame)), frame[want["terms"][1:]]])
    got = fit(design, frame["case"], np.ones(len(frame)))
    np.testing.assert_allclose(got.coefficients, want["coef"], atol=1e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(got.covariance)), want["se"], atol=1e-5)
    assert got.log_likelihood == pytest.approx(want["loglik"][0], abs=1e-8)
    for j in range(7):
        limits = got.profile(np.eye(7)[j])
        assert limits.low == pytest.approx(want["lo95_profile"][j], abs=1e-5)
        assert limits.high == pytest.approx(want["hi95_profile"][j], abs=1e-5)
        assert got.term_test([j]).p == pytest.approx(want["p_plr"][j], rel=1e-6)


def test_counts_per_pattern_give_the_fit_of_single_runs() -> None:
    frame = table("firth_sex2").astype(float)
    names = ["age", "oc", "vic", "vicl", "vis", "dia"]
    cells = frame.groupby(names)["case"].agg(["sum", "count"]).reset_index()
    one = fit(np.column_stack([np.ones(len(frame)), frame[names]]), frame["case"], [1.0] * 239)
    many = fit(np.column_stack([np.ones(len(cells)), cells[names]]), cells["sum"], cells["count"])
    np.testing.assert_allclose(many.coefficients, one.coefficients, atol=1e-7)
    assert many.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-9)


def test_a_real_separated_grid_reproduces_logistf_main_effects() -> None:
    cells = vehicle()
    reference = expected("ml_hpobench_vehicle_5f", "computed_convergence.json")
    want = reference["firth_main"]
    got = fit(treatment_columns(cells, pairs=False), cells["sum"], cells["count"])
    np.testing.assert_allclose(got.coefficients, want["coef"], atol=1e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(got.covariance)), want["se"], atol=1e-5)
    for j in range(8):
        limits = got.profile(np.eye(8)[j])
        assert limits.low == pytest.approx(want["lo95_profile"][j], abs=1e-5)
        assert limits.high == pytest.approx(want["hi95_profile"][j], abs=1e-5)
        assert got.term_test([j]).p == pytest.approx(want["p_plr"][j], rel=1e-6)
    for name, columns in {"depth": [3, 4], "lr": [5, 6]}.items():
        test = got.term_test(columns)
        assert test.chisq == pytest.approx(
            reference["firth_main_plr_tests"][name]["chisq"], rel=1e-9
        )
        assert test.df == 2


def test_a_real_separated_grid_reproduces_logistf_with_all_pairs() -> None:
    cells = vehicle()
    want = expected("ml_hpobench_vehicle_5f", "computed_convergence.json")["firth_2fi"]
    design = treatment_columns(cells, pairs=True)
    got = fit(design, cells["sum"], cells["count"])
    assert got.log_likelihood == pytest.approx(want["loglik"][0], abs=1e-7)
    # Flat ridges: logistf stops where its own criterion of 1e-5 is met, a little off the top.
    np.testing.assert_allclose(got.coefficients, want["coef"], atol=5e-4)
    assert separated(design, cells["sum"], cells["count"])
    with pytest.raises(NoConvergence, match="separate"):
        fit(design, cells["sum"], cells["count"], penalty=0.0)


def test_the_fit_does_not_depend_on_the_coding() -> None:
    cells = vehicle()
    codes = {
        name: sum_to_zero(len(levels))[cells[name].map(levels.index)]
        for name, levels in LEVELS.items()
    }
    blocks = [np.ones((len(cells), 1)), *codes.values()]
    blocks += [product_columns([codes[a], codes[b]]) for a, b in combinations(LEVELS, 2)]
    ours = fit(np.hstack(blocks), cells["sum"], cells["count"])
    theirs = fit(treatment_columns(cells, pairs=True), cells["sum"], cells["count"])
    np.testing.assert_allclose(
        ours.likelihood.design @ ours.coefficients,
        theirs.likelihood.design @ theirs.coefficients,
        atol=1e-4,
    )


@pytest.mark.parametrize(
    ("case", "successes", "runs", "factors"),
    [
        ("ucb_admissions_2x6", "admitted", "applicants", ["Dept", "Gender"]),
        ("lawson_web_binomial", "signup", "visitors", ["A", "B", "C", "D"]),
    ],
)
def test_without_a_penalty_the_tests_are_those_of_an_analysis_of_deviance(
    case: str, successes: str, runs: str, factors: list[str]
) -> None:
    frame = table(case)
    want = expected(case, "computed.json")
    counts = frame[[successes, runs]].astype(float)
    codes, levels = {}, {name: list(dict.fromkeys(frame[name])) for name in factors}
    for name, labels in levels.items():
        codes[name] = sum_to_zero(len(labels))[frame[name].map(labels.index)]
    blocks, at, columns = [np.ones((len(frame), 1))], 1, {}
    for name in factors:
        columns[name] = range(at, at + codes[name].shape[1])
        at += codes[name].shape[1]
        blocks.append(codes[name])
    main = fit(np.hstack(blocks), counts[successes], counts[runs], penalty=0.0)
    names = ["(Intercept)"] + [f"{f}{k + 1}" for f in factors for k in range(len(columns[f]))]
    theirs = [want["coef_sum_contrasts"][name] for name in names]
    np.testing.assert_allclose(main.coefficients, theirs, atol=1e-7)
    for row in want["main"]:
        test = main.term_test(columns[row["term"]])
        assert test.chisq == pytest.approx(row["chisq"], rel=1e-6)
        assert test.p == pytest.approx(row["p"], rel=1e-6)
    first = factors[0]
    for row in want["emm_prob"][first]:
        contrast = np.zeros(at)
        contrast[0] = 1.0
        contrast[columns[first]] = sum_to_zero(len(levels[first]))[
            levels[first].index(row["level"])
        ]
        limits = main.linear(contrast)
        assert limits.estimate is not None
        assert limits.low is not None
        assert 1 / (1 + np.exp(-limits.estimate)) == pytest.approx(row["prob"], rel=1e-7)
        assert 1 / (1 + np.exp(-limits.low)) == pytest.approx(row["lo"], rel=1e-6)


def test_firthmodels_agrees_on_a_random_design() -> None:
    firthmodels = pytest.importorskip("firthmodels")
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 3))
    y = (x[:, 0] + rng.normal(size=40) > 0).astype(int)
    theirs = firthmodels.FirthLogisticRegression(backend="numpy").fit(x, y)
    ours = fit(np.column_stack([np.ones(40), x]), y, np.ones(40))
    np.testing.assert_allclose(ours.coefficients[1:], theirs.coef_, atol=1e-4)
    assert ours.coefficients[0] == pytest.approx(theirs.intercept_, abs=1e-4)


def test_two_by_two_with_a_zero_is_the_half_added_log_odds_ratio() -> None:
    # For a saturated table Firth's estimate is the log odds ratio with 1/2 added to each count.
    got = fit([[1, 0], [1, 1]], [3, 10], [10, 10])
    expected_ratio = np.log((10.5 / 0.5) / (3.5 / 7.5))
    assert got.coefficients[1] == pytest.approx(expected_ratio, abs=1e-7)


def test_an_aliased_column_changes_no_prediction_and_has_no_test_and_no_interval() -> None:
    x = np.column_stack([np.ones(6), [0, 0, 1, 1, 0, 1], [0, 1, 0, 1, 1, 0]])
    k, n = [1, 2, 2, 3, 0, 1], [3] * 6
    plain = fit(x, k, n)
    twice = fit(np.column_stack([x, x[:, 1]]), k, n)
    np.testing.assert_allclose(
        twice.likelihood.design @ twice.coefficients,
        plain.likelihood.design @ plain.coefficients,
        atol=1e-6,
    )
    assert twice.rank == 3
    assert twice.term_test([3]).p is None
    assert twice.profile([0, 0, 0, 1]).estimate is None
    assert twice.linear([0, 0, 0, 1]).se is None
    assert twice.term_test([1, 3]).p == pytest.approx(plain.term_test([1]).p, rel=1e-8)
    both = twice.profile([0, 1, 0, 1])
    assert both.estimate == pytest.approx(float(plain.coefficients[1] * 1), abs=1e-6)
    assert twice.mean_probability([[1, 1, 0, 0]]).estimate is None
    assert twice.mean_probability([[1, 1, 0, 1]]).estimate == pytest.approx(
        plain.mean_probability([[1, 1, 0]]).estimate or 0, abs=1e-6
    )


def test_the_mean_probability_stays_inside_and_covers_the_observed_rate() -> None:
    cells = vehicle()
    got = fit(treatment_columns(cells, pairs=False), cells["sum"], cells["count"])
    reference = expected("ml_hpobench_vehicle_5f", "computed_convergence.json")
    grid = treatment_columns(cells, pairs=False)
    rows = grid[cells["lr"].eq("1.67e-3").to_numpy()]
    limits = got.mean_probability(rows)
    want = reference["firth_main_gcomp_prob"]["lr"]["1.67e-3"]
    assert limits.estimate == pytest.approx(want, abs=1e-6)
    assert limits.low is not None
    assert limits.high is not None
    assert 0.9 < limits.low < want < limits.high < 1


@pytest.mark.parametrize(
    ("successes", "is_separated"),
    [([0, 0, 3, 3], True), ([1, 1, 2, 2], False), ([0, 1, 3, 3], True), ([0, 1, 3, 2], False)],
)
def test_separation_is_seen(successes: list[int], is_separated: bool) -> None:
    design = [[1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]]
    assert separated(design, successes, [3] * 4) is is_separated


def test_no_runs_and_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        fit([[1]], [0], [0])
    with pytest.raises(ValueError, match="outside"):
        fit([[1]], [2], [1])


def test_all_converged_gives_a_finite_intercept() -> None:
    got = fit([[1]], [6], [6])
    assert got.coefficients[0] == pytest.approx(np.log(6.5 / 0.5), abs=1e-7)


def test_term_tests_keep_their_size_under_a_strong_nuisance_factor() -> None:
    rng = np.random.default_rng(2)
    codes = np.indices((2, 2, 3)).reshape(3, -1)
    coded = [sum_to_zero(levels)[code] for levels, code in zip((2, 2, 3), codes, strict=True)]
    design = np.hstack([np.ones((12, 1)), *coded])
    rate = np.array([0.2, 0.6, 0.97])[codes[2]]
    ps = [fit(design, rng.binomial(3, rate), np.full(12, 3)).term_test([1]).p for _ in range(300)]
    assert np.mean(np.array(ps, float) < 0.05) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


def test_a_profile_limit_lies_where_the_highest_of_several_tops_has_sunk_by_the_cut() -> None:
    design = np.array(
        [
            [1, 0, 0, -1, -1, -1, 0, -1],
            [1, -1, -1, 0, 1, 0, 1, -1],
            [1, 1, 0, 1, 1, 1, 0, 1],
            [1, 1, 1, -1, -1, 1, 1, -1],
            [1, -1, -1, -1, -1, 0, 1, -1],
            [1, 1, 0, 0, -1, 1, -1, -1],
            [1, -1, -1, 1, -1, -1, -1, 1],
            [1, 0, 0, 0, 1, -1, 0, 0],
            [1, -1, 1, 1, 1, -1, -1, 0],
            [1, -1, 0, -1, 1, -1, 0, 0],
        ],
        float,
    )
    successes, runs = [0, 2, 2, 0, 2, 0, 0, 1, 2, 1], [2, 2, 3, 1, 2, 3, 2, 1, 2, 1]
    model = fit(design, successes, runs)
    low = model.profile(np.eye(8)[1]).low
    assert low is not None
    # From a climb that begins at its neighbour alone the limit was -3.77, where a top far off has
    # hardly sunk. Fixed at the limit, the model is the one of the other columns plus an offset.
    free = model.likelihood.subspace(np.delete(model.likelihood.row_space.T, 1, axis=1))
    rng = np.random.default_rng(0)
    tops = [
        model.likelihood.climb(free, low * design[:, 1], rng.normal(0, 4, 7))[1] for _ in range(60)
    ]
    assert 2 * (model.log_likelihood - max(tops)) == pytest.approx(chi2.ppf(0.95, 1), abs=1e-6)
