"""Effect sizes and adjusted p-values against SciPy, identities and published tables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import betainc, gammaln, xlogy
from statsmodels.stats.multitest import multipletests

from analysis.stats.distributions.studentized_range import range_quantile, range_sf
from analysis.stats.effect_sizes import (
    noncentral_f_cdf,
    partial_eta2,
    partial_eta2_interval,
    partial_omega2,
)
from analysis.stats.multiplicity import FEWEST_DF, games_howell_p, holm, tukey_p, tukey_quantile


def poisson_mixture(f: float, df: float, df_error: float, ncp: float) -> float:
    """P(F <= f) by its definition, over 12 standard deviations of the weights."""
    mean = ncp / 2
    reach = 12 * np.sqrt(mean) + 40
    j = np.arange(max(0.0, np.floor(mean - reach)), np.ceil(mean + reach) + 1)
    weights = np.exp(xlogy(j, mean) - mean - gammaln(j + 1))
    x = df * f / (df * f + df_error)
    return float(weights @ betainc(df / 2 + j, df_error / 2, x))


@pytest.mark.parametrize("f", [0.02, 1.3, 12.0, 890.0, 1.6e6])
@pytest.mark.parametrize(("df", "df_error"), [(1, 3), (2, 24), (8, 600), (1, 10_000)])
def test_the_interval_puts_f_at_both_tails(f: float, df: int, df_error: int) -> None:
    low, high = partial_eta2_interval(f, df, df_error)
    assert 0 <= low <= high < 1
    for bound, tail in ((low, 0.975), (high, 0.025)):
        ncp = bound / (1 - bound) * df_error
        if bound > 0:
            assert poisson_mixture(f, df, df_error, ncp) == pytest.approx(tail, rel=1e-6)
        else:
            assert stats.f.cdf(f, df, df_error) <= tail


@pytest.mark.parametrize("ncp", [0.0, 0.3, 7.0, 90.0, 700.0, 20_000.0, 200_000.0])
def test_the_noncentral_f_is_its_definition(ncp: float) -> None:
    """SciPy before 1.15 stops its sum at a term of 1e-4."""
    for f, df, df_error in ((0.5, 1, 4), (3.0, 2, 30), (50.0, 6, 200), (9_900.0, 20, 1800)):
        assert noncentral_f_cdf(f, df, df_error, ncp) == pytest.approx(
            poisson_mixture(f, df, df_error, ncp), rel=1e-9, abs=1e-10
        )


def test_where_scipy_has_no_value_next_to_nothing_is_left() -> None:
    for f, df, df_error, ncp in ((1000.0, 1, 10_000, 3980.0), (893.2, 2, 1800, 7109.872)):
        assert poisson_mixture(f, df, df_error, ncp) < 1e-138
        assert noncentral_f_cdf(f, df, df_error, ncp) < 1e-50


def test_effect_sizes_are_shares() -> None:
    f, df, df_error = 4.5, 2, 27
    ss, error = f * df, float(df_error)
    assert partial_eta2(f, df, df_error) == pytest.approx(ss / (ss + error))
    assert partial_omega2(f, df, 36) == pytest.approx((ss - df) / (ss - df + 36))
    assert partial_omega2(0.5, df, 36) < 0


def test_holm_is_statsmodels_and_counts_what_could_not_be_tested() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.6])
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])
    with_gap = holm(np.array([0.01, np.nan, 0.03]))
    np.testing.assert_allclose(with_gap, [0.03, np.nan, 0.06])
    assert holm(np.array([])).size == 0


@pytest.mark.parametrize(
    ("means", "df", "q"),
    # Critical values of the studentized range at 5 % as printed in textbook tables.
    [(3, 5, 4.60), (3, 20, 3.58), (5, 10, 4.65), (10, 30, 4.82), (20, 120, 5.13)],
)
def test_critical_values_are_those_of_the_tables(means: int, df: int, q: float) -> None:
    assert range_quantile(0.95, means, df) == pytest.approx(q, abs=0.006)
    assert tukey_quantile(means, df) == pytest.approx(q / np.sqrt(2), abs=0.005)


@pytest.mark.parametrize("df", [2.5, 11, 300])
def test_the_studentized_range_is_scipys(df: float) -> None:
    for means in (3, 6, 25):
        for q in (0.4, 2.2, 3.9, 7.0):
            theirs = stats.studentized_range.sf(q, means, df)
            assert range_sf(q, means, df) == pytest.approx(theirs, abs=3e-8)


def test_the_range_of_two_is_a_t_test_far_into_the_tail() -> None:
    for t in (0.1, 2.0, 12.0):
        assert range_sf(t * np.sqrt(2), 2, 9) == pytest.approx(2 * stats.t.sf(t, 9), rel=1e-9)
    assert tukey_p(-3.0, 2, 9) == pytest.approx(2 * stats.t.sf(3.0, 9), rel=1e-12)
    assert range_sf(0.0, 4, 9) == 1.0


@pytest.mark.filterwarnings("error")
def test_games_howell_with_few_degrees_of_freedom_is_sidaks_bound() -> None:
    """Tamhane's T2: three independent comparisons at p = 0.02 each err in 1 - 0.98^3."""
    for df in (1.4, 3.0, 7.9):
        t = stats.t.isf(0.01, df)
        # To 1e-9: SciPy's quantile of t is 6e-11 off before 1.17.
        assert games_howell_p(t, 3, df) == pytest.approx(1 - 0.98**3, rel=1e-9)
        assert tukey_p(t, 3, df) < games_howell_p(t, 3, df) < 3 * 0.02
        assert games_howell_p(0.0, 3, df) == 1.0
    assert games_howell_p(2.5, 2, 3.0) == tukey_p(2.5, 2, 3.0)
    assert games_howell_p(2.5, 4, FEWEST_DF) == tukey_p(2.5, 4, FEWEST_DF)
    assert np.isnan(games_howell_p(float("nan"), 3, 3.0))


def test_tukey_lies_between_one_test_and_bonferroni() -> None:
    for t in (0.5, 2.0, 4.0, 9.0, 40.0):
        single = 2 * stats.t.sf(t, 20)
        assert single <= tukey_p(t, 4, 20) <= min(1.0, 6 * single) * (1 + 1e-9)
    assert np.isnan(tukey_p(float("nan"), 4, 20))
    assert np.isnan(tukey_p(2.0, 4, 0))
