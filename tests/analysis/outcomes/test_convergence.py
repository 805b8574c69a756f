"""Convergence as an outcome: against R on a real grid, and on the grids that break other tools."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from ablations.errors import InputError
from analysis.outcomes.convergence import Convergence
from tests.analysis.published import expected, table

VEHICLE = {
    "alpha": ("1e-8", "0.129"),
    "batch": ("4", "256"),
    "depth": ("1", "2", "3"),
    "lr": ("1e-5", "1.67e-3", "0.278"),
    "width": ("16", "1024"),
}


@pytest.fixture(scope="module")
def vehicle() -> Convergence:
    return Convergence.of(table("ml_hpobench_vehicle_5f"), VEHICLE)


@pytest.fixture(scope="module")
def reference() -> dict:
    return expected("ml_hpobench_vehicle_5f", "computed_convergence.json")


def grid(rule: dict[tuple[str, str], list[int]]) -> pd.DataFrame:
    """A literal frame: (A, B) -> outcomes of its runs."""
    rows = [(a, b, y) for (a, b), outcomes in rule.items() for y in outcomes]
    return pd.DataFrame(rows, columns=["A", "B", "converged"])


TWO = {"A": ("x", "y"), "B": ("p", "q")}


def test_rates_have_the_wilson_limits_of_r(vehicle: Convergence, reference: dict) -> None:
    assert (vehicle.converged, vehicle.runs) == (reference["n_converged"], 360)
    got = vehicle.rates.set_index(["factor", "level"])
    for factor, rows in reference["level_counts"].items():
        for row in rows:
            mine = got.loc[(factor, row["level"])]
            assert (mine["converged"], mine["runs"]) == (row["x"], row["n"])
            assert mine["low"] == pytest.approx(row["wilson_lo"], rel=1e-9)
            assert mine["high"] == pytest.approx(row["wilson_hi"], rel=1e-9)


def test_marginal_rates_are_g_computed_from_mains_and_pairs(
    vehicle: Convergence, reference: dict
) -> None:
    got = vehicle.marginal_rates.set_index(["factor", "level"])["rate"]
    for factor, levels in reference["firth_2fi_gcomp_prob"].items():
        for level, rate in levels.items():
            assert got[(factor, level)] == pytest.approx(rate, abs=1e-5)


def test_odds_ratios_and_exact_tests_stand_beside_the_rates(
    vehicle: Convergence, reference: dict
) -> None:
    want = reference["firth_main"]
    got = vehicle.odds_ratios.set_index(["factor", "level"]).loc[("lr", "1.67e-3")]
    at = want["terms"].index("lr1.67e-3")
    assert np.log(got["odds_ratio"]) == pytest.approx(want["coef"][at], abs=1e-5)
    assert np.log(got["high"]) == pytest.approx(want["hi95_profile"][at], abs=1e-5)
    assert got["p"] == pytest.approx(want["p_plr"][at], rel=1e-6)
    tests = vehicle.tests.set_index("factor")
    assert tests.loc["width", "p"] == pytest.approx(
        reference["cmh_exact"]["width"]["exact_p"], rel=1e-6
    )
    assert (tests["p_holm"] >= tests["p"]).all()


def test_separation_is_named_by_level_and_pair_without_saying_it_twice(
    vehicle: Convergence,
) -> None:
    assert vehicle.separated
    assert "All 120 runs with lr = 1.67e-3 converged." in vehicle.separation
    assert "All 60 runs with batch = 4 and lr = 1e-5 converged." in vehicle.separation
    assert sum("1.67e-3" in sentence for sentence in vehicle.separation) == 1


def test_a_term_that_decides_everything_has_a_finite_p_and_a_finite_odds_ratio() -> None:
    frame = grid({(a, b): [int(a == "y")] * 3 for a, b in product("xy", "pq")})
    got = Convergence.of(frame, TWO)
    terms = got.terms.set_index("term")
    assert terms.loc["A", "p"] < 0.01
    assert terms.loc["B", "p"] > 0.5
    ratio = got.odds_ratios.set_index("factor").loc["A"]
    assert 1 < ratio["low"] < ratio["odds_ratio"] < np.inf


def test_an_odds_ratio_without_a_value_is_null_from_both_sides_and_named() -> None:
    for always in "xy":
        frame = grid({(a, b): [int(a == always)] * 3 for a, b in product("xy", "pq")})
        got = Convergence.of(frame, TWO)
        pair = got.pairs.set_index("factor").loc["A"]
        assert np.isnan(pair["odds_ratio"])
        assert np.isnan(pair[["low", "high"]].to_numpy(float)).sum() == 1
        assert pair["p"] < 0.01
        assert any("zero or infinite, so null, for A: y / x" in note for note in got.notes)


def test_when_every_run_converged_rates_stand_and_tests_do_not_exist() -> None:
    got = Convergence.of(grid({cell: [1, 1, 1] for cell in product("xy", "pq")}), TWO)
    assert got.rates["rate"].eq(1.0).all()
    assert got.rates["low"].between(0.5, 0.7).all()
    assert got.terms["p"].isna().all()
    assert got.tests["p"].isna().all()
    assert got.odds_ratios["odds_ratio"].isna().all()
    assert not got.separation
    assert "All of the 12 runs converged" in got.notes[0]


def test_two_runs_are_both() -> None:
    frame = grid({("x", "p"): [1], ("x", "q"): [1], ("y", "p"): [0], ("y", "q"): [1]})
    assert "Both runs with A = x converged." in Convergence.of(frame, TWO).separation


def test_lost_runs_are_neither_yes_nor_no() -> None:
    frame = grid({("x", "p"): [1, 0], ("x", "q"): [1], ("y", "p"): [0], ("y", "q"): [1, 1]})
    lost = pd.concat(
        [frame, pd.DataFrame({"A": ["y"], "B": ["p"], "converged": [np.nan]})], ignore_index=True
    )
    got, without = Convergence.of(lost, TWO), Convergence.of(frame, TWO)
    assert got.rates.equals(without.rates)
    assert got.cells.loc[("y", "p"), "lost"] == 1


def test_an_empty_cell_takes_the_interaction_and_says_so() -> None:
    frame = grid({("x", "p"): [1, 0, 1], ("x", "q"): [1, 1, 0], ("y", "p"): [0, 0, 1]})
    got = Convergence.of(frame, TWO)
    terms = got.terms.set_index("term")["p"]
    assert terms.index.tolist() == ["A", "B", "A:B"]  # named, though it has no number
    assert np.isnan(terms["A:B"])
    assert np.isfinite(terms["A"])
    assert "model of order 1" in got.notes[0]
    assert got.cells["runs"].tolist() == [3, 3, 3, 0]


def test_a_level_that_never_ran_is_nan_not_zero() -> None:
    frame = grid({("x", "p"): [1, 0], ("x", "q"): [1, 1], ("y", "p"): [0, 1], ("y", "q"): [1, 0]})
    got = Convergence.of(frame, {"A": ("x", "y", "z"), "B": ("p", "q")})
    rate = got.rates.set_index(["factor", "level"]).loc[("A", "z")]
    assert rate["runs"] == 0
    assert np.isnan(rate["rate"])
    marginal = got.marginal_rates.set_index(["factor", "level"])["rate"]
    assert np.isnan(marginal[("A", "z")])
    assert np.isfinite(marginal[("A", "x")])


def test_a_published_table_in_which_one_level_never_converges() -> None:
    frame = table("ml_caffenet_tanh_batchsize_nc")
    factors = {"batch": ("256", "128", "64", "32"), "lr_rule": ("1x", "up", "down")}
    got = Convergence.of(frame, factors)
    assert got.runs - got.converged == 3
    assert "None of the 3 runs with lr_rule = up converged." in got.separation
    assert got.separated
    p = got.tests.set_index("factor")["p"]
    # By hand: 3 x 3 x 2 equally likely tables, and one other is as extreme as the observed.
    assert p["lr_rule"] == pytest.approx(2 / 18)
    assert np.isnan(p["batch"])  # within a rule all batches did the same
    assert got.terms.set_index("term").loc["lr_rule", "p"] < 0.15


def test_json_has_null_where_a_number_does_not_exist() -> None:
    got = Convergence.of(grid({cell: [1, 1] for cell in product("xy", "pq")}), TWO).to_dict()
    text = json.dumps(got, allow_nan=False)
    assert got["terms"][0]["p"] is None
    assert '"p": null' in text
    assert {"rates", "differences", "tests", "pairs", "terms", "cells"} <= set(got)
    first = dict(zip(TWO, ("x", "p"), strict=True))
    assert got["cells"][0] == {**first, "converged": 2, "runs": 2, "lost": 0}


def test_awkward_names_pass_through() -> None:
    factors = {"C": ("None", "NA"), "yield": ("ü", "β")}
    rows = [(c, y, (i + j + k) % 2) for i, c in enumerate(factors["C"])
            for j, y in enumerate(factors["yield"]) for k in range(3)]  # fmt: skip
    got = Convergence.of(pd.DataFrame(rows, columns=["C", "yield", "converged"]), factors)
    assert set(got.rates["level"]) == {"None", "NA", "ü", "β"}
    assert got.rates["runs"].eq(6).all()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"A": ["x"], "B": ["p"], "convergd": [1]}), "did you mean 'convergd'"),
        (pd.DataFrame({"A": ["x"], "B": ["p"], "converged": [0.5]}), "expected 1 .yes., 0 .no."),
        (pd.DataFrame({"A": ["x"], "B": ["p"], "converged": ["maybe"]}), "'maybe'"),
        (pd.DataFrame({"A": ["x"], "B": ["p"], "converged": [np.nan]}), "no outcome yet"),
        (pd.DataFrame({"A": ["z"], "B": ["p"], "converged": [1]}), "no level 'z'"),
    ],
)
def test_bad_input_is_one_clear_sentence(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Convergence.of(frame, TWO)
