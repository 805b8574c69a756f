"""Wilson and Newcombe against hand numbers, published numbers and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from analysis.stats.counts.proportions import newcombe, wilson


def test_wilson_reproduces_the_published_example() -> None:
    # Newcombe 1998 (Statistics in Medicine 17:857), table I: 81/263 -> 0.2553 to 0.3662.
    share, low, high = wilson(81, 263)
    assert share == pytest.approx(0.3080, abs=5e-5)
    assert (float(low), float(high)) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_agrees_with_statsmodels_over_all_counts() -> None:
    from statsmodels.stats.proportion import proportion_confint

    counts = np.arange(0, 13)
    low, high = proportion_confint(counts, 12, method="wilson")
    ours = wilson(counts, 12)
    np.testing.assert_allclose(ours.low, low, atol=1e-12)
    np.testing.assert_allclose(ours.high, high, atol=1e-12)


def test_the_ends_are_exactly_zero_and_one_and_never_a_point() -> None:
    none, every = wilson(0, 3), wilson(3, 3)
    assert (float(none.low), float(every.high)) == (0.0, 1.0)
    assert float(none.high) == pytest.approx(1 - float(every.low))
    assert float(none.high) > 0.5  # 0 of 3 says little


def test_no_runs_is_not_a_number_rather_than_zero() -> None:
    assert np.isnan([float(v) for v in wilson(0, 0)]).all()
    assert np.isnan([float(v) for v in newcombe(0, 0, 1, 3)]).all()


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        wilson(4, 3)


def test_newcombe_reproduces_the_published_example() -> None:
    # Newcombe 1998 (17:873), table II, method 10: 56/70 - 48/80 -> 0.0524 to 0.3339.
    difference, low, high = newcombe(56, 70, 48, 80)
    assert float(difference) == pytest.approx(0.2)
    assert (float(low), float(high)) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_newcombe_is_antisymmetric() -> None:
    forward, back = newcombe(3, 9, 7, 11), newcombe(7, 11, 3, 9)
    assert float(forward.low) == pytest.approx(-float(back.high))


def test_wilson_covers_at_its_rate_on_average() -> None:
    # Exact coverage at n = 24, no simulation: mean over rates near nominal, never far below.
    n, rates = 24, np.linspace(0.05, 0.95, 181)
    counts = np.arange(n + 1)
    _, low, high = wilson(counts, n)
    inside = (low <= rates[:, None]) & (rates[:, None] <= high)
    coverage = (binom.pmf(counts, n, rates[:, None]) * inside).sum(1)
    assert 0.945 < coverage.mean() < 0.96
    assert coverage.min() > 0.90
