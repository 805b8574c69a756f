"""Tests and degrees of freedom that let every cell have its own variance, against their sources."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.effects.term_tests.welch_tests import welch_test
from analysis.model.cell_means import CellMeans
from analysis.model.grid import Grid
from analysis.model.terms import Term
from analysis.stats.welch import welch
from analysis.table.tidy import tidy

SIZES = (5, 7, 4)


def grid(counts: np.ndarray, deviations: np.ndarray, seed: int = 0) -> CellMeans:
    """Factors A and B, runs with the given counts and standard deviations per cell."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"a{i}", f"b{j}", deviations[i, j] * rng.normal())
        for i, j in np.ndindex(counts.shape)
        for _ in range(counts[i, j])
    ]
    return CellMeans.of(tidy(pd.DataFrame(rows, columns=["A", "B", "y"]), ["A", "B"], "y"))


def test_two_levels_are_welchs_t() -> None:
    cells = grid(np.full((2, 3), 4), np.array([[1, 2, 0.1], [3, 1, 1]]))
    found = welch_test(Grid(cells).margin(Term(("A",))))
    t = cells.contrast(cells.difference({"A": "a0"}, {"A": "a1"}))
    assert found["p"] == pytest.approx(t.p, rel=1e-10)
    assert found["df_error"] == pytest.approx(t.df, rel=1e-10)


def test_one_factor_is_zhangs_hotelling_test() -> None:
    rng = np.random.default_rng(0)
    groups = [rng.normal(m, s, n) for m, s, n in zip((0, 0, 0), (1, 3, 0.5), SIZES, strict=True)]
    frame = pd.DataFrame({"g": np.repeat(["a", "b", "c"], SIZES), "y": np.concatenate(groups)})
    found = welch_test(Grid(CellMeans.of(tidy(frame, ["g"], "y"))).margin(Term(("g",))))
    # By hand: means weighted by n/s^2 around their weighted mean, as in Welch (1951).
    n = np.array(SIZES)
    w = n / np.array([g.var(ddof=1) for g in groups])
    m = np.array([g.mean() for g in groups])
    statistic = (w * (m - (w * m).sum() / w.sum()) ** 2).sum()
    df = 2 * 3 / (2 * ((1 - w / w.sum()) ** 2 / (n - 1)).sum())
    assert found["df"] == 2
    assert found["df_error"] == pytest.approx(df - 1, rel=1e-10)
    assert found["F"] == pytest.approx(statistic * (df - 1) / (2 * df), rel=1e-10)
    assert found["p"] == pytest.approx(stats.f.sf(found["F"], 2, df - 1), rel=1e-10)


def test_degrees_of_freedom_are_those_of_a_wishart_matrix_by_simulation() -> None:
    """Entries of a standardised covariance vary as those of a Wishart matrix with these df."""
    counts = np.array([[5, 4, 6], [7, 5, 4], [6, 8, 5]])
    deviations = np.array([[1.0, 2, 0.5], [1, 1, 3], [2, 0.7, 1]])
    cells = grid(counts, deviations)
    margin = Grid(cells).margin(Term(("A", "B")))
    weights = margin.contrasts()
    variance, freedom = cells.parts.variances, cells.parts.freedom
    rng = np.random.default_rng(1)
    drawn = variance * rng.chisquare(freedom, (100_000, 9)) / freedom
    root = np.linalg.inv(np.linalg.cholesky((weights * variance) @ weights.T)) @ weights
    matrices = np.einsum("fj,dj,gj->dfg", root, drawn, root)
    df = 4 * 5 / matrices.var(axis=0).sum()
    assert welch_test(margin)["df_error"] == pytest.approx(df - 3, rel=0.02)


def test_cells_run_once_share_one_variance_that_is_one_component() -> None:
    """All cells but one ran once: their variance is the one of that cell, with its df."""
    counts = np.ones((2, 3), dtype=int)
    counts[0, 0] = 12
    cells = grid(counts, np.ones((2, 3)))
    found = welch_test(Grid(cells).margin(Term(("B",))))
    pooled = cells.pure_variance / 4 * (1 / counts).sum(axis=0)
    m = cells.deviations.mean(axis=0)
    w = 1 / pooled
    statistic = (w * (m - (w * m).sum() / w.sum()) ** 2).sum()
    assert 1 < found["df_error"] <= 11
    share = found["df_error"] / (2 * (found["df_error"] + 1))
    assert found["F"] == pytest.approx(statistic * share, rel=1e-9)


def test_few_cells_for_many_contrasts_are_tested_by_their_length() -> None:
    cells = grid(np.full((4, 4), 3), np.ones((4, 4)), seed=3)
    found = welch_test(Grid(cells).margin(Term(("A", "B"))))
    y = cells.deviations
    left = y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()
    variance = cells.variances / 3
    part = 9 / 16  # of a cell's variance, in the expected squared length
    assert found["F"] == pytest.approx((left**2).sum() / (part * variance.sum()), rel=1e-10)
    counted = variance.ravel().copy()
    counted[counted.argmax()] *= 2
    centre = np.kron(np.eye(4) - 0.25, np.eye(4) - 0.25)
    covariance = centre @ np.diag(counted) @ centre
    trace = np.trace(covariance)
    assert found["df"] == pytest.approx(trace**2 / np.trace(covariance @ covariance), rel=1e-9)
    assert found["df_error"] == pytest.approx(trace**2 / ((part * counted) ** 2 / 2).sum())
    assert found["p"] == pytest.approx(
        stats.f.sf(found["F"], found["df"], found["df_error"]), rel=1e-9
    )


def test_without_degrees_of_freedom_for_the_error_nothing_is_shown() -> None:
    """Two runs a cell, and four cells bring all the variance of four contrasts."""
    deviations = np.full((5, 6), 1e-6)
    deviations[:4, 0] = 1.0
    cells = grid(np.full((5, 6), 2), deviations)
    found = welch_test(Grid(cells).margin(Term(("A",))))
    assert (found["p"], found["df_error"]) == (1.0, 0.0)


@pytest.mark.parametrize("shape", [(6, 3), (4, 4), (3, 2)])
def test_five_percent_tests_err_five_percent_of_the_time(shape: tuple[int, int]) -> None:
    """Where nothing has an effect; Johansen's F rejected 10 to 15 % of the first two shapes."""
    rng = np.random.default_rng(8)
    deviations = np.exp(rng.normal(-5, 1.0, shape))
    one = grid(np.full(shape, 3), deviations)
    studies = 1500
    y = deviations * rng.standard_normal((studies, 3, *shape))
    wrong = 0
    for means, variances in zip(y.mean(axis=1), y.var(axis=1, ddof=1), strict=True):
        drawn = replace(one, deviations=means, variances=variances)
        wrong += welch_test(Grid(drawn).margin(Term(("A", "B"))))["p"] < 0.05
    assert wrong / studies < 0.062


def test_a_term_without_cells_or_variance_has_no_test() -> None:
    counts = np.full((2, 2), 2)
    counts[0, 1] = 0
    holed = grid(counts, np.ones((2, 2)))
    assert np.isnan(welch_test(Grid(holed).margin(Term(("A", "B"))))["p"])
    # Only without interactions could the empty cell be predicted, and nobody asked for that.
    assert np.isnan(welch_test(Grid(holed).margin(Term(("A",))))["p"])
    assert np.isfinite(welch_test(Grid(holed, order=1).margin(Term(("A",))))["p"])
    still = grid(np.full((2, 2), 2), np.zeros((2, 2)))
    assert np.isnan(welch_test(Grid(still).margin(Term(("A",))))["p"])


def _df(cells: CellMeans, weights: list[float], order: int) -> float:
    return float(welch(cells.parts, np.array([weights]), np.array([order > 0]))[2][0])


def test_a_prediction_has_no_more_degrees_of_freedom_than_satterthwaites() -> None:
    cells = grid(np.full((2, 4), 3), np.ones((2, 4)))
    variance = cells.parts.variances
    even = (1 / np.sqrt(variance)).tolist()
    assert _df(cells, even, 0) == pytest.approx(16)
    assert _df(cells, even, 2) == pytest.approx(16)
    one = [0.0] * 7 + [1.0]
    assert _df(cells, one, 0) == _df(cells, one, 2) == pytest.approx(2)
    uneven = (np.sqrt([0.02] * 7 + [0.86]) / np.sqrt(variance)).tolist()
    assert 2 < _df(cells, uneven, 2) < _df(cells, uneven, 0)


def test_the_next_term_is_that_of_welchs_series_for_the_critical_value() -> None:
    cells = grid(np.array([[61, 61], [81, 41]]), np.ones((2, 2)))
    variance, f = cells.parts.variances, cells.parts.freedom
    shares = np.array([0.7, 0.1, 0.15, 0.05])
    df = _df(cells, (np.sqrt(shares) / np.sqrt(variance)).tolist(), 2)
    z = stats.norm.ppf(0.975)
    one, square = (shares**2 / f).sum(), (shares**2 / f**2).sum()
    cube = (shares**3 / f**2).sum()
    series = z * (
        1
        + (1 + z**2) / 4 * one
        - (1 + z**2) / 2 * square
        + (3 + 5 * z**2 + z**4) / 3 * cube
        - (15 + 32 * z**2 + 9 * z**4) / 32 * one**2
    )
    assert df < 1 / one
    assert stats.t.ppf(0.975, df) == pytest.approx(series, rel=2e-5)
    assert stats.t.ppf(0.975, 1 / one) != pytest.approx(series, rel=8e-5)
