"""The cell-means model against arithmetic a reader can check, and HC2 of the saturated model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ablations.errors import InputError
from analysis.model.cell_means import CellMeans
from analysis.model.grid import Grid
from analysis.model.terms import Term
from analysis.stats.estimates import INTERVAL, t_limits
from analysis.table.tidy import tidy

FRAME = pd.DataFrame(
    {
        "a": ["x", "x", "x", "x", "z", "z", "z", "z", "z"],
        "b": ["p", "p", "q", "q", "p", "p", "q", "q", "q"],
        "s": [0, 1, 0, 1, 0, 1, 0, 1, 2],
        "y": [1.0, 3.0, 2.0, 2.5, 5.0, 7.0, 10.0, 10.5, 12.5],
    }
)


def cells(frame: pd.DataFrame = FRAME, replicate: str | None = "s") -> CellMeans:
    return CellMeans.of(tidy(frame, ["a", "b"], "y", replicate))


def test_means_variances_and_counts() -> None:
    model = cells()
    np.testing.assert_allclose(model.means, [[2.0, 2.25], [6.0, 11.0]])
    np.testing.assert_allclose(model.variances, [[2.0, 0.125], [2.0, 1.75]])
    np.testing.assert_array_equal(model.counts, [[2, 2], [2, 3]])
    assert model.n == 9
    assert model.pure_df == 5
    assert model.pure_variance == pytest.approx((2 + 0.125 + 2 + 3.5) / 5)


def test_equal_weights_not_the_weights_of_the_data() -> None:
    model = cells()
    found = model.contrast(model.marginal({"a": "z"}))
    assert found.estimate == pytest.approx(8.5)  # the raw mean of level z is 9.0


def test_two_levels_are_welchs_t_test() -> None:
    model = cells()
    found = model.contrast(model.difference({"a": "z"}, {"a": "x"}, {"b": "q"}))
    theirs = stats.ttest_ind([10.0, 10.5, 12.5], [2.0, 2.5], equal_var=False)
    interval = theirs.confidence_interval()
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-12)
    assert found.df == pytest.approx(theirs.df, rel=1e-12)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-12)


def test_pooled_two_levels_are_students_t_test() -> None:
    frame = FRAME[FRAME["b"] == "p"].assign(b=["p", "q", "p", "q"])
    model = CellMeans.of(tidy(frame[["a", "y"]], ["a"], "y"))
    found = model.contrast(model.difference({"a": "z"}, {"a": "x"}), "pooled")
    theirs = stats.ttest_ind([5.0, 7.0], [1.0, 3.0])
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-12)


def test_blocked_is_the_paired_t_test_over_complete_replicates() -> None:
    model = cells(FRAME.assign(y=[1.5, *FRAME["y"][1:]]))
    weights = model.difference({"a": "z"}, {"a": "x"})
    found = model.contrast(weights, "blocked")
    first = np.array([5.0 + 10.0, 7.0 + 10.5]) / 2
    second = np.array([1.5 + 2.0, 3.0 + 2.5]) / 2
    theirs = stats.ttest_rel(first, second)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-12)
    assert found.replicates == 2  # the third replicate lacks cells
    assert np.isnan(model.replicate_values(weights)[2])


def test_welch_is_hc2_of_the_saturated_model() -> None:
    model = cells()
    groups = FRAME["a"] + FRAME["b"]
    x = np.column_stack([(groups == g).to_numpy(float) for g in ("xp", "xq", "zp", "zq")])
    y = FRAME["y"].to_numpy()
    inverse = np.linalg.inv(x.T @ x)
    residual = y - x @ inverse @ x.T @ y
    leverage = np.diag(x @ inverse @ x.T)
    hc2 = inverse @ (x.T * (residual**2 / (1 - leverage))) @ x @ inverse
    weights = model.marginal({"b": "q"})
    expected = np.sqrt(weights.ravel() @ hc2 @ weights.ravel())
    assert model.contrast(weights).se == pytest.approx(expected, rel=1e-12)


def test_a_cell_run_once_borrows_the_pooled_variance() -> None:
    model = cells(FRAME.drop(index=[1]))
    found = model.contrast(model.marginal({"a": "x"}))
    pooled = (0.125 + 2 + 3.5) / 4
    assert model.counts[0, 0] == 1
    assert found.se == pytest.approx(np.sqrt((pooled + 0.125 / 2) / 4))
    parts = np.array([pooled, 0.125 / 2]) / 4
    assert found.df == pytest.approx(parts.sum() ** 2 / (parts[0] ** 2 / 4 + parts[1] ** 2))


def test_an_empty_cell_makes_only_what_needs_it_nan() -> None:
    model = cells(FRAME[~((FRAME["a"] == "x") & (FRAME["b"] == "q"))])
    assert model.missing_cells() == [{"a": "x", "b": "q"}]
    for method in ("welch", "pooled", "blocked"):
        lost = model.contrast(model.marginal({"a": "x"}), method)
        assert np.isnan([lost.estimate, lost.se, lost.df, lost.low, lost.high, lost.p]).all()
        kept = model.contrast(model.marginal({"a": "z"}), method)
        assert kept.estimate == pytest.approx(8.5, abs=0.0 if method != "blocked" else 0.3)


def test_cells_that_never_vary_give_no_interval_of_width_zero() -> None:
    frame = FRAME.assign(y=[0.1] * 4 + [0.2] * 5)
    model = cells(frame)
    found = model.contrast(model.difference({"a": "z"}, {"a": "x"}))
    assert found.estimate == pytest.approx(0.1)
    assert found.se == 0.0
    assert np.isnan([found.low, found.high, found.p]).all()


def test_constant_cells_have_the_floor_of_their_test_set() -> None:
    frame = FRAME.assign(y=[0.1, 0.1, 0.5, 0.6, 0.7, 0.71, 0.8, 0.81, 0.83], n_test=10_000)
    model = cells(frame)
    assert model.floored.tolist() == [[True, False], [False, False]]
    assert model.variances[0, 0] == pytest.approx(0.1 * 0.9 / 10_000)
    # Without knowing how many images were tested there is no floor.
    assert cells(frame.drop(columns="n_test")).variances[0, 0] == 0.0


def test_large_offsets_lose_no_digits() -> None:
    near, far = cells(), cells(FRAME.assign(y=FRAME["y"] + 1e9))
    np.testing.assert_allclose(far.variances, near.variances, rtol=1e-12)
    weights = near.difference({"a": "z"}, {"a": "x"})
    assert far.contrast(weights).p == pytest.approx(near.contrast(weights).p, rel=1e-10)


def test_weights_and_names_are_checked() -> None:
    model = cells()
    np.testing.assert_allclose(model.marginal({}), np.full((2, 2), 0.25))
    np.testing.assert_allclose(model.marginal({"a": ["x", "z"], "b": "p"}), [[0.5, 0], [0.5, 0]])
    with pytest.raises(InputError, match="unknown factor 'A'"):
        model.marginal({"A": "x"})
    with pytest.raises(InputError, match="factor 'a' has no level 'y'"):
        model.marginal({"a": "y"})


def test_a_grid_too_large_for_memory_is_refused() -> None:
    frame = pd.DataFrame({f"f{i}": ["a", "b"] for i in range(22)} | {"y": [1.0, 2.0]})
    with pytest.raises(InputError, match="4,194,304 cells"):
        CellMeans.of(tidy(frame, [f"f{i}" for i in range(22)], "y"))


@pytest.mark.parametrize("drop", [[], [1], [0, 1], [8]])
def test_a_margin_is_the_contrast_over_the_full_grid(drop: list[int]) -> None:
    model = cells(FRAME.drop(index=drop))
    for term in (Term(("a",)), Term(("b",)), Term(("a", "b"))):
        margin = Grid(model).margin(term)
        rng = np.random.default_rng(3)
        weights = rng.normal(size=len(margin.deviations))
        wide = np.zeros(model.shape)
        for share, levels in zip(weights, np.ndindex(margin.shape), strict=True):
            chosen = {
                name: margin.levels[axis][levels[axis]] for axis, name in enumerate(term.factors)
            }
            wide += share * model.marginal(chosen)
        for method in ("welch", "blocked"):
            one = margin.combine(weights, method)
            other = Grid(model).estimate(wide, method=method)
            for key, value in zip(INTERVAL, (*one, *t_limits(*one)), strict=True):
                same = pytest.approx(getattr(other, key), rel=1e-10, nan_ok=True)
                assert value[0] == same, key
