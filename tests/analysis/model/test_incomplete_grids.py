"""Lost runs and empty cells: the same intervals as on whole grids, from the cells that ran."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import from_frame
from analysis.effects.frames import by_method
from analysis.effects.term_tests.welch_tests import welch_test
from analysis.model.cell_means import CellMeans
from analysis.model.completion import Completion
from analysis.model.grid import Grid
from analysis.model.interval_rule import choose_interval
from analysis.model.terms import Term
from analysis.table.tidy import tidy

LEVELS = {"A": ("a", "b", "c"), "B": ("x", "y"), "C": ("u", "v")}
SHOCK = (0.05, -0.05, 0.0)


def frame(shock: tuple[float, ...] = (0.0, 0.0, 0.0), seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (a, b, c, s, 0.6 + shock[s] + 0.01 * (a == "a") + 0.002 * rng.normal())
        for a, b, c in itertools.product(*LEVELS.values())
        for s in range(3)
    ]
    return pd.DataFrame(rows, columns=[*LEVELS, "seed", "acc"])


def cells(table: pd.DataFrame, replicate: str | None = "seed") -> CellMeans:
    return CellMeans.of(tidy(table, list(LEVELS), "acc", replicate, levels=LEVELS))


def test_a_cell_that_is_empty_changes_nothing_that_does_not_need_it() -> None:
    whole = frame()
    lost = whole[~((whole["A"] == "b") & (whole["B"] == "y") & (whole["C"] == "v"))]
    both = [from_frame(one, list(LEVELS), "acc") for one in (whole, lost)]
    first, second = (one.contrast("A: a - b", given={"B": "x", "C": "u"}) for one in both)
    assert first == second
    assert second.rests_on == "cell means"
    assert both[1].contrast("A: a - c", given={"B": "y"}).rests_on == "cell means"
    needs = both[1].contrast("A: a - b", given={"B": "y"})
    assert needs.rests_on == "model of order 2 and its misfit"
    assert np.isfinite([needs.low, needs.high]).all()


def test_an_empty_cell_is_predicted_by_least_squares_and_the_rest_keep_their_means() -> None:
    lost = frame().drop(index=[0, 1, 2])
    grid = cells(lost)
    model = Completion(grid, 2)
    weights, order = model.of_grid(grid.marginal({"A": "a", "B": "x", "C": "u"}))
    assert order == 2
    assert model.of_grid(grid.marginal({"A": "b"}))[1] == 0
    # The prediction makes the three-way interaction of the completed table vanish there.
    predicted = float(weights @ grid.means.ravel()[grid.ran])
    full = grid.means.copy()
    full[0, 0, 0] = predicted
    fitted = full.copy()
    for axis in range(3):
        fitted = fitted - fitted.mean(axis=axis, keepdims=True)
    assert fitted[0, 0, 0] == pytest.approx(0.0, abs=1e-12)
    # Averages over the completed table are the least-squares estimates.
    margin = Grid(grid).margin(Term(("A",)))
    found = margin.combine(margin.mean_weights(), "welch")[0]
    assert found == pytest.approx(full.mean(axis=(1, 2)), rel=1e-12)
    pooled = by_method(from_frame(lost, list(LEVELS), "acc").estimates().means, "pooled")
    assert pooled["estimate"].iloc[:3].to_numpy() == pytest.approx(full.mean(axis=(1, 2)), rel=1e-9)


def test_lost_runs_do_not_let_a_shock_into_a_difference() -> None:
    table = frame(SHOCK).drop(index=[0, 7])
    grid = cells(table)
    assert choose_interval(grid).primary == "blocked"
    found = Grid(grid).estimate(grid.difference({"A": "a"}, {"A": "b"}))
    assert found.method == "blocked"
    assert found.estimate == pytest.approx(0.01, abs=0.003)
    assert found.se < 0.002  # the shock is 25 times the noise
    mean = Grid(grid).estimate(grid.marginal({"A": "a"}))
    assert mean.method == "blocked"
    assert mean.se == pytest.approx(0.05 / 3**0.5, rel=0.1)


def test_complete_replicates_give_the_t_over_replicates_exactly() -> None:
    """The general estimator against the plain one, for means and differences."""
    grid = cells(frame(SHOCK))
    weights = np.array(
        [grid.difference({"A": "a"}, {"A": "c"}).ravel(), grid.marginal({"B": "x"}).ravel()]
    )
    values = np.array([grid.replicate_values(w.reshape(grid.shape)) for w in weights])
    estimate, se, df = grid.over_replicates.estimate(weights)
    assert estimate + grid.shift * weights.sum(axis=1) == pytest.approx(values.mean(axis=1))
    assert se == pytest.approx(values.std(axis=1, ddof=1) / 3**0.5, rel=1e-10)
    assert df == pytest.approx([2.0, 2.0], rel=1e-10)


def test_replicates_of_their_own_in_every_cell_give_welchs_interval() -> None:
    table = frame()
    table["seed"] = range(len(table))
    grid = cells(table)
    assert choose_interval(grid).primary == "welch"
    weights = grid.marginal({"A": "a"})
    welch = grid.contrast(weights, "welch")
    _, se, df = grid.over_replicates.estimate(weights.ravel()[None])
    assert float(se[0]) == pytest.approx(welch.se, rel=1e-9)
    assert float(df[0]) == pytest.approx(welch.df, rel=1e-9)


def test_claims_and_contrasts_give_one_answer() -> None:
    for drop in ([], [0, 7], [0, 1, 2]):
        table = frame(SHOCK).drop(index=drop)
        study = replace(
            from_frame(table, list(LEVELS), "acc", "seed"), planned_claims=("A: a > b",)
        )
        document = study.document()
        claim = document["claims"][0]
        contrast = document["contrasts"][0]
        own = contrast[claim["method"]]
        for key in ("estimate", "se", "df", "low", "high", "p"):
            if key != "p" or document["interval_rule"]["primary"] != "wider":
                assert claim[key] == pytest.approx(own[key], rel=1e-9), (drop, key)
        assert claim["verdict"] == "supported"
        direct = study.contrast("A: a - b")
        assert direct.p == pytest.approx(claim["p"], rel=1e-9)


def test_the_term_test_agrees_with_the_contrast_of_two_levels() -> None:
    grid = cells(frame().drop(index=[0, 1, 2, 8]))
    margin = Grid(grid).margin(Term(("B",)))
    t = Grid(grid).estimate(grid.difference({"B": "x"}, {"B": "y"}), method="welch")
    found = welch_test(margin)
    assert found["p"] == pytest.approx(t.p, rel=1e-9)
    assert found["df_error"] == pytest.approx(t.df, rel=1e-9)


def test_what_only_a_model_without_interactions_would_give_is_not_estimable() -> None:
    rng = np.random.default_rng(2)
    rows = [(a, b, 0.5 + 0.1 * (a == "a") + 0.01 * rng.normal())
            for a in "abc" for b in "xy" for _ in range(3) if (a, b) != ("a", "x")]  # fmt: skip
    study = from_frame(pd.DataFrame(rows, columns=["A", "B", "acc"]), ["A", "B"], "acc")
    found = study.effects()
    assert found["effect"].isna().all()
    assert set(found.loc[found["mean"].notna(), "level"]) == {"b", "c", "y"}
    why = (
        "not estimable: the cell A = a, B = x has no result and only a model without interactions "
        "would replace it"
    )
    assert set(found["rests_on"]) == {why}
    contrasts = study.contrasts().set_index(["first", "second"])["rests_on"]
    assert contrasts.loc[("b", "c")] == "cell means"
    assert contrasts.loc[("y", "x")] == why
    assert any("without interactions" in note for note in study.estimates().notes)
    assert study.interactions()["effect"].isna().any()


def test_who_asks_for_the_model_without_interactions_gets_it_with_its_name() -> None:
    rows = [(a, b, 0.5 + 0.1 * (a == "a") + 0.01 * k)
            for a in "ab" for b in "xy" for k in range(3) if (a, b) != ("a", "x")]  # fmt: skip
    study = from_frame(pd.DataFrame(rows, columns=["A", "B", "acc"]), ["A", "B"], "acc")
    found = study.contrast("A: a - b", order=1, method="welch")
    assert found.estimate == pytest.approx(0.1)
    assert found.rests_on == "model of order 1"


def test_large_incomplete_grids_use_the_rough_moments_and_agree() -> None:
    import analysis.stats.over_replicates as module

    rng = np.random.default_rng(5)
    values = rng.normal(size=(12, 40))
    values[rng.random(values.shape) < 0.1] = np.nan
    fitted = module.OverReplicates.of(values, np.nanvar(values, axis=0, ddof=1))
    weights = np.vstack([np.repeat([1.0, -1.0], 20) / 20, np.full(40, 1 / 40)])
    exact = fitted.estimate(weights)
    most, module.MOST_EXACT = module.MOST_EXACT, 0
    try:
        rough = fitted.estimate(weights)
    finally:
        module.MOST_EXACT = most
    assert rough[0] == pytest.approx(exact[0])
    assert rough[1] == pytest.approx(exact[1], rel=0.1)
    assert rough[2] == pytest.approx(exact[2], rel=0.3)


def test_a_document_says_what_every_estimate_rests_on() -> None:
    lost = frame().drop(index=[0, 1, 2])
    document = from_frame(lost, list(LEVELS), "acc", "seed").document()
    first = document["contrasts"][0]
    assert first["rests_on"] == "model of order 2 and its misfit"
    assert document["contrasts"][2]["rests_on"] == "cell means"
    assert first["welch"]["p"] is not None
    means = document["marginal_means"]["blocked"]
    assert {row["rests_on"] for row in means} == {"cell means", "model of order 2 and its misfit"}


def test_the_grand_mean_is_what_the_marginal_means_average_to() -> None:
    for drop in ([0, 7], [0, 1, 2]):
        found = from_frame(frame(SHOCK).drop(index=drop), list(LEVELS), "acc", "seed")
        reported = found.document()["grand_mean"]["cells"]
        for _, rows in found.effects().groupby("factor"):
            assert rows["mean"].mean() == pytest.approx(reported, rel=1e-9)


def test_differences_of_differences_have_limits_for_all_at_once() -> None:
    rows = from_frame(frame(), list(LEVELS), "acc").document()["interaction_contrasts"]
    assert len(rows) == 3 + 3 + 1
    for row in rows:
        own = row["welch"]
        assert own["low_simultaneous"] < own["low"] < own["high"] < own["high_simultaneous"]
