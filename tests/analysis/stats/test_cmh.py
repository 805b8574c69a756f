"""The exact stratified test against R's numbers, brute force, and its own nominal size."""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact
from scipy.stats.contingency import odds_ratio

from analysis.stats.counts.cmh import exact_test
from tests.analysis.published import expected, table

FACTORS = ["alpha", "batch", "depth", "lr", "width"]


def strata(frame: pd.DataFrame, factor: str, levels: list[str]) -> tuple[np.ndarray, np.ndarray]:
    others = [name for name in FACTORS if name != factor]
    grouped = frame.assign(y=frame["converged"].astype(int)).groupby([*others, factor])["y"]
    wide = grouped.agg(["sum", "count"]).unstack(factor, fill_value=0)
    return wide["sum"][levels].to_numpy(), wide["count"][levels].to_numpy()


@pytest.mark.parametrize(
    ("factor", "levels"),
    [("alpha", ["1e-8", "0.129"]), ("batch", ["4", "256"]), ("width", ["16", "1024"])],
)
def test_two_levels_reproduce_r_mantelhaen_exact(factor: str, levels: list[str]) -> None:
    want = expected("ml_hpobench_vehicle_5f", "computed_convergence.json")["cmh_exact"][factor]
    got = exact_test(*strata(table("ml_hpobench_vehicle_5f"), factor, levels))
    assert got.informative_strata == want["n_informative_strata"]
    assert got.p == pytest.approx(want["exact_p"], rel=1e-6)
    assert got.statistic == pytest.approx(want["cmh_chisq"], rel=1e-9)
    assert got.p_asymptotic == pytest.approx(want["cmh_p"], rel=1e-8)
    # R finds these roots with uniroot's default tolerance of 1.2e-4, on the ratio or its inverse.
    assert got.odds_ratio == pytest.approx(want["exact_or"], rel=3e-3)
    assert got.odds_ratio_low == pytest.approx(want["or_lo"], rel=3e-3)
    assert got.odds_ratio_high == pytest.approx(want["or_hi"], rel=3e-3)


def test_the_odds_ratio_of_one_table_is_the_conditional_one() -> None:
    # Fisher's tea tasting; SciPy computes one table's conditional ratio by its own route.
    got, reference = exact_test([[1, 3]], [[4, 4]]), odds_ratio([[3, 1], [1, 3]])
    limits = reference.confidence_interval(0.95)
    assert got.odds_ratio == pytest.approx(reference.statistic, rel=1e-5)
    assert got.odds_ratio_low == pytest.approx(limits.low, rel=1e-8)
    assert got.odds_ratio_high == pytest.approx(limits.high, rel=1e-8)


def test_one_stratum_of_two_levels_is_fisher_exact_test() -> None:
    got = exact_test([[1, 7]], [[9, 10]])
    assert got.p == pytest.approx(fisher_exact([[1, 8], [7, 3]]).pvalue, rel=1e-9)


def test_three_levels_equal_the_permutation_distribution() -> None:
    """All relabelings of the runs within each stratum, enumerated by brute force."""
    outcomes = [(1, 1, 0, 1, 0, 0), (1, 0, 0, 0, 1, 0)]
    labels = (0, 0, 1, 1, 2, 2)
    runs = np.full((2, 3), 2)

    def counts(order: tuple[int, ...], outcome: tuple[int, ...]) -> np.ndarray:
        return np.bincount(np.asarray(order), weights=outcome, minlength=3)

    observed = np.array([counts(labels, outcome) for outcome in outcomes])
    got = exact_test(observed, runs)
    assert got.method == "exact"
    assert got.statistic is not None
    tables = [
        Counter(tuple(counts(order, outcome)) for order in permutations(labels)).items()
        for outcome in outcomes
    ]
    as_large = everything = 0
    for (one, times_one), (two, times_two) in product(*tables):
        statistic = exact_test([one, two], runs).statistic
        assert statistic is not None
        everything += times_one * times_two
        as_large += times_one * times_two * (statistic >= got.statistic - 1e-9)
    assert everything == 720**2
    assert got.p == pytest.approx(as_large / everything, rel=1e-9)


def test_a_factor_that_always_decides_has_an_infinite_odds_ratio_with_a_finite_lower_limit() -> (
    None
):
    got = exact_test([[0, 3]] * 4, [[3, 3]] * 4)
    assert got.odds_ratio == np.inf
    assert got.odds_ratio_high == np.inf
    assert got.odds_ratio_low is not None
    assert 1 < got.odds_ratio_low < np.inf
    assert got.p == pytest.approx(2 / 20**4)


def test_when_everything_converged_there_is_no_p_rather_than_one() -> None:
    got = exact_test([[3, 3], [3, 3]], [[3, 3], [3, 3]])
    assert got.p is None
    assert got.odds_ratio is None
    assert got.informative_strata == 0


def test_a_missing_cell_leaves_the_other_strata() -> None:
    with_hole = exact_test([[0, 3], [3, 0]], [[3, 3], [3, 0]])
    assert with_hole.informative_strata == 1
    assert with_hole.p == exact_test([[0, 3]], [[3, 3]]).p


def test_a_large_study_of_many_levels_says_that_it_is_asymptotic() -> None:
    rng = np.random.default_rng(5)
    runs = np.full((300, 6), 5)
    got = exact_test(rng.binomial(runs, 0.6), runs)
    assert got.method == "asymptotic"
    assert got.p == got.p_asymptotic
    assert got.df == 5


def test_thousands_of_strata_do_not_underflow() -> None:
    rng = np.random.default_rng(7)
    runs = np.full((2000, 2), 3)
    got = exact_test(rng.binomial(runs, [0.5, 0.6]), runs)
    assert got.p is not None
    assert got.p_asymptotic is not None
    assert 0 < got.p < 1e-6
    assert np.log10(got.p) == pytest.approx(np.log10(got.p_asymptotic), rel=0.1)


def test_a_sum_in_a_tail_that_underflows_has_its_limits() -> None:
    """Three of 2,000 successes fall on the first level: far beyond 1e-308 under no effect."""
    hits = np.tile([[0.0, 5.0]], (400, 1))
    hits[:3] = [1.0, 4.0]
    found = exact_test(hits, np.full((400, 2), 5.0))
    assert found.p == pytest.approx(0, abs=1e-300)
    assert found.odds_ratio is not None
    assert found.odds_ratio_low is not None
    assert found.odds_ratio_high is not None
    # To first order each stratum's odds of one success on the first level are 25 over the ratio.
    assert found.odds_ratio == pytest.approx(25 * 400 / 3, rel=0.01)
    assert 0 < found.odds_ratio_low < found.odds_ratio < found.odds_ratio_high < np.inf


@pytest.mark.parametrize("levels", [2, 3])
def test_size_is_at_most_nominal_when_only_the_other_factors_matter(levels: int) -> None:
    rng = np.random.default_rng(11)
    rates = np.repeat(rng.beta(0.7, 0.7, 8)[:, None], levels, axis=1)
    runs = np.full((8, levels), 3)
    ps = [exact_test(rng.binomial(runs, rates), runs).p for _ in range(300)]
    rejected = np.mean([p is not None and p <= 0.05 for p in ps])
    assert rejected <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


def test_bad_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        exact_test([[4, 1]], [[3, 3]])
    with pytest.raises(ValueError, match="two levels"):
        exact_test([[1], [1]], [[3], [3]])
