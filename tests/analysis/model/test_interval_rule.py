"""Which interval is primary, and the tests over replicates that go with it."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from analysis.effects.term_tests.joined_tests import joined_test
from analysis.effects.term_tests.replicate_tests import replicate_test
from analysis.loading import from_frame
from analysis.model.cell_means import CellMeans
from analysis.model.grid import Grid
from analysis.model.interval_rule import choose_interval
from analysis.model.terms import Term
from analysis.table.tidy import tidy


def grid(values: NDArray[np.float64]) -> CellMeans:
    """Cells of values of shape (replicates, A, B, ...)."""
    names = [chr(65 + axis) for axis in range(values.ndim - 1)]
    rows = [(*map(str, at[1:]), str(at[0]), values[at]) for at in np.ndindex(*values.shape)]
    frame = pd.DataFrame(rows, columns=[*names, "seed", "y"])
    return CellMeans.of(tidy(frame, names, "y", "seed"))


def test_the_f_test_of_replicates_weighs_cells_alike() -> None:
    """One cell that scatters a thousand times more must not be the whole test."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(4, 3, 2))
    scale = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1000.0]])
    plain, uneven = choose_interval(grid(values)), choose_interval(grid(values * scale + 5.0))
    assert uneven.f == pytest.approx(plain.f, rel=1e-9)
    # By hand: residuals in each cell's standard deviation, one-way over replicates.
    z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    block = 6 * (z.mean(axis=(1, 2)) ** 2).sum() / 3
    rest = ((z**2).sum() - 3 * block) / 15
    assert plain.f == pytest.approx(block / rest, rel=1e-9)
    assert plain.p == pytest.approx(stats.f.sf(block / rest, 3, 15), rel=1e-9)


def test_of_two_replicates_the_sizes_of_residuals_count() -> None:
    """In standard deviations they would all be plus or minus one half of the root of two."""
    values = np.random.default_rng(3).normal(size=(2, 3, 2))
    rows = values.mean(axis=(1, 2))
    left = values - values.mean(axis=0) - rows[:, None, None] + values.mean()
    wanted = 6 * rows.var(ddof=1) / ((left**2).sum() / 5)
    assert choose_interval(grid(values)).f == pytest.approx(wanted, rel=1e-9)


def test_three_shared_replicates_join_two_parts_of_noise() -> None:
    """By hand: the larger variance, with the degrees of freedom of both."""
    values = np.random.default_rng(2).normal(size=(3, 3, 2))
    rule = choose_interval(grid(values))
    assert rule.p > 0.5
    assert rule.primary == "joined"
    rows = [
        (a, b, s, values[s, int(a), int(b)]) for a, b, s in itertools.product("012", "01", range(3))
    ]
    frame = pd.DataFrame(rows, columns=["A", "B", "seed", "y"])
    study = from_frame(frame, ["A", "B"], "y", "seed")
    effects = study.effects()
    assert set(effects["method"]) == set(effects["mean_method"]) == {"joined"}
    for level in range(3):
        own = values[:, level].var(axis=0, ddof=1) / 12
        replicates = values[:, level].mean(axis=1)
        parts = own.sum(), replicates.var(ddof=1) / 3
        freedom = own.sum() ** 2 / (own**2 / 2).sum(), 2.0
        below = sum(part**2 / df for part, df in zip(parts, freedom, strict=True))
        df = max(max(parts) ** 2 / below, min(freedom))
        half = stats.t.ppf(0.975, df) * max(parts) ** 0.5
        assert effects["mean_high"].iloc[level] == pytest.approx(replicates.mean() + half)
    # Without a shared replicate runs are independent.
    assert from_frame(frame, ["A", "B"], "y").estimates().rule.primary == "welch"


def test_from_five_shared_replicates_the_larger_error_judges_itself() -> None:
    values = np.random.default_rng(3).normal(size=(5, 3, 2))
    cells = grid(values)
    assert choose_interval(cells).primary == "joined"
    for first, second in itertools.combinations("012", 2):
        weights = cells.difference({"A": first}, {"A": second})
        own, over = (Grid(cells).estimate(weights, method=one) for one in ("welch", "blocked"))
        larger = max((own, over), key=lambda one: one.se)
        found = Grid(cells).estimate(weights)
        assert (found.se, found.df) == (larger.se, larger.df)
        assert found.low == pytest.approx(larger.low)


def test_two_shared_replicates_have_the_wider_of_two_intervals() -> None:
    cells = grid(np.random.default_rng(2).normal(size=(2, 3, 2)))
    assert choose_interval(cells).primary == "wider"
    weights = cells.difference({"A": "0"}, {"A": "1"})
    both = [Grid(cells).estimate(weights, method=one) for one in ("welch", "blocked")]
    found = Grid(cells).estimate(weights)
    assert found.high - found.low == max(one.high - one.low for one in both)
    assert found.p == max(one.p for one in both)


def test_cells_that_move_together_exactly_are_a_shock() -> None:
    """Not 'no run varies around its cell': they all do, alike."""
    values = np.array([0.0, 0.1, 0.3])[:, None, None] + np.arange(6.0).reshape(3, 2)
    rule = choose_interval(grid(values))
    assert rule.primary == "blocked"
    assert rule.p < 1e-9


def test_a_grid_that_never_varies_has_no_test() -> None:
    rule = choose_interval(grid(np.ones((3, 3, 2)) * np.arange(6.0).reshape(3, 2)))
    assert rule.primary == "welch"
    assert np.isnan(rule.f)


def test_with_one_degree_of_freedom_the_test_is_t_over_replicates_squared() -> None:
    values = np.random.default_rng(1).normal(size=(4, 2, 3))
    found = replicate_test(Grid(grid(values)).margin(Term(("A",))))
    gaps = values[:, 1].mean(axis=1) - values[:, 0].mean(axis=1)
    t = stats.ttest_1samp(gaps, 0.0)
    assert found["F"] == pytest.approx(t.statistic**2, rel=1e-9)
    assert found["p"] == pytest.approx(t.pvalue, rel=1e-9)
    assert (found["df"], found["df_error"]) == (1.0, 3.0)


def test_several_degrees_of_freedom_are_cut_by_greenhouse_and_geisser() -> None:
    """Against repeated measures by hand: F of sums of squares, epsilon of the covariance."""
    values = (
        np.random.default_rng(2).normal(size=(6, 4, 2)) * np.array([1.0, 1.0, 3.0, 0.2])[:, None]
    )
    found = replicate_test(Grid(grid(values)).margin(Term(("A",))))
    levels = values.mean(axis=2)  # replicates x levels of A
    means = levels.mean(axis=0)
    between = 6 * ((means - means.mean()) ** 2).sum() / 3
    left = levels - means - levels.mean(axis=1, keepdims=True) + levels.mean()
    assert found["F"] == pytest.approx(between / ((left**2).sum() / 15), rel=1e-9)
    s = np.cov(levels, rowvar=False)
    centre = np.eye(4) - 0.25
    root = centre @ s @ centre
    epsilon = np.trace(root) ** 2 / (3 * np.trace(root @ root))
    assert found["df"] == pytest.approx(3 * epsilon, rel=1e-9)
    assert found["p"] == pytest.approx(stats.f.sf(found["F"], 3 * epsilon, 15 * epsilon), rel=1e-9)


def test_lost_runs_leave_a_test_over_replicates() -> None:
    values = np.random.default_rng(2).normal(size=(3, 2, 2))
    values[1, 0, 0] = np.nan
    for term in (Term(("A",)), Term(("A", "B"))):
        test = replicate_test(Grid(grid(values)).margin(term))
        assert 0 <= test["p"] <= 1
        assert test["df_error"] < 2
    values[:2, 0, 0] = np.nan
    values[0, 0, 1] = np.nan
    assert np.isfinite(replicate_test(Grid(grid(values)).margin(Term(("A",))))["F"])


def test_replicates_that_never_vary_have_no_test() -> None:
    constant = replicate_test(Grid(grid(np.ones((3, 2, 2)))).margin(Term(("A",))))
    assert np.isnan(constant["p"])


def test_a_term_of_one_degree_of_freedom_has_the_p_of_its_interval() -> None:
    values = np.random.default_rng(6).normal(size=(3, 2, 3))
    cells = Grid(grid(values))
    weights = cells.cells.difference({"A": "0"}, {"A": "1"})
    estimate = cells.estimate(weights)
    assert estimate.method == "joined"
    found = joined_test(cells.margin(Term(("A",))))
    assert found["p"] == pytest.approx(estimate.p, rel=1e-9)
    assert found["F"] == pytest.approx((estimate.estimate / estimate.se) ** 2, rel=1e-9)


def test_verdicts_rest_on_the_test_that_the_rule_picks() -> None:
    rng = np.random.default_rng(4)
    rows = []
    for seed in range(4):
        shock = rng.normal(0, 0.05)
        for a, b in itertools.product("pqr", "uvw"):
            rows.append((a, b, seed, 0.7 + 0.05 * (a == "q") + shock + rng.normal(0, 0.004)))
    frame = pd.DataFrame(rows, columns=["A", "B", "seed", "y"])
    study = from_frame(frame, ["A", "B"], "y", "seed")
    found = study.estimates()
    assert (found.rule.primary, found.deciding) == ("blocked", "blocked")
    blocked = found.tests("blocked")
    pd.testing.assert_frame_equal(study.tests()[blocked.columns], blocked, check_dtype=False)
    assert (study.tests()["test"] == "blocked").all()
    document = study.document()
    assert document["interval_rule"]["tests"] == "blocked"
    assert document["anova_note"].endswith("Every verdict rests on anova.blocked.")
    calm = from_frame(frame.assign(y=rng.normal(size=len(frame))), ["A", "B"], "y", "seed")
    found = calm.estimates()
    assert (found.rule.primary, found.deciding) == ("joined", "joined")
    # Of terms of several degrees of freedom the larger p of both counts.
    larger = np.maximum(found.tests("welch")["p"], found.tests("blocked")["p"])
    assert calm.tests()["p"].tolist() == pytest.approx(larger.tolist())
    assert calm.document()["anova_note"].endswith("Every verdict rests on anova.joined.")
    two = from_frame(calm.frame[calm.frame["seed"].isin(["0", "1"])], ["A", "B"], "y", "seed")
    assert two.estimates().deciding == "wider"
    note = "Every verdict rests on the larger p of anova.welch and anova.blocked."
    assert two.document()["anova_note"].endswith(note)
    once = from_frame(frame[frame["seed"] == 0], ["A", "B"], "y").estimates(order=1)
    assert once.deciding == "type3"
    assert once.decisive["term"].tolist() == ["A", "B"]
    assert np.isfinite(once.decisive["p"].astype(float)).all()
