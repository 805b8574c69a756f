"""Accuracy given convergence: common support, bounds that hold, and nothing where there is none."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from ablations.errors import InputError
from analysis.outcomes.given_converged import GivenConverged, given_converged
from analysis.table.columns import typed
from tests.analysis.published import table

FACTORS = {"A": ("x", "y"), "B": ("easy", "hard")}
NOISE = (-0.01, 0.0, 0.01)


def grid(accuracy: dict[tuple[str, str], float | None], classes: int = 10) -> pd.DataFrame:
    """Three runs per cell around its accuracy; None for a cell that diverged."""
    rows = [
        (*cell, seed, 0.1 if mean is None else mean + e, float(mean is not None), classes)
        for index, (cell, mean) in enumerate(accuracy.items())
        for seed, e in enumerate(np.roll(NOISE, index))
    ]
    names = ["A", "B", "replicate", "test_accuracy", "converged", "classes"]
    return pd.DataFrame(rows, columns=names)


# y is worse everywhere it converges, but only converges where it is easy.
SURVIVORS = grid({("x", "easy"): 0.9, ("x", "hard"): 0.5, ("y", "easy"): 0.8, ("y", "hard"): None})


def difference(got: GivenConverged, factor: str) -> pd.Series:
    return got.differences.set_index("factor").loc[factor]


def test_survivors_are_compared_where_both_converged() -> None:
    converged = SURVIVORS[SURVIVORS["converged"] == 1]
    naive = converged.groupby("A")["test_accuracy"].mean()
    assert naive["y"] > naive["x"]  # the trap: dropping diverged runs turns the sign
    row = difference(given_converged(SURVIVORS, FACTORS), "A")
    assert (row["level"], row["reference"]) == ("y", "x")
    assert row["estimate"] == pytest.approx(-0.1)
    assert (row["support"], row["strata"]) == (1, 2)
    # The wider of one variance per stratum, sqrt(2 x 0.0001 / 3), and t over three replicates.
    assert row["se"] == pytest.approx(0.01)
    assert row["low"] < -0.1 < row["high"] < 0


def test_bounds_put_the_unseen_cell_at_chance_and_at_the_best_cell() -> None:
    row = difference(given_converged(SURVIVORS, FACTORS), "A")
    assert row["bound_low"] == pytest.approx(((0.8 - 0.9) + (0.1 - 0.5)) / 2)
    assert row["bound_high"] == pytest.approx(((0.8 - 0.9) + (0.9 - 0.5)) / 2)


def test_bounds_hold_whatever_the_unseen_cell_would_have_given() -> None:
    row = difference(given_converged(SURVIVORS, FACTORS), "A")
    for unseen in (0.1, 0.5, 0.9):
        full = given_converged(
            grid(
                {("x", "easy"): 0.9, ("x", "hard"): 0.5, ("y", "easy"): 0.8, ("y", "hard"): unseen}
            ),
            FACTORS,
        )
        truth = difference(full, "A")["estimate"]
        assert row["bound_low"] - 1e-12 <= truth <= row["bound_high"] + 1e-12


def test_when_everything_converged_bounds_close_on_the_plain_difference() -> None:
    cells = dict(zip(product("xy", ("easy", "hard")), (0.9, 0.5, 0.8, 0.6), strict=True))
    got = given_converged(grid(cells), FACTORS)
    row = difference(got, "A")
    assert row["estimate"] == pytest.approx(0.0)
    assert row["bound_low"] == pytest.approx(row["bound_high"])
    assert not got.notes
    assert got.means.set_index(["factor", "level"])["mean"][("A", "x")] == pytest.approx(0.7)


def test_levels_that_never_converged_under_the_same_conditions_are_not_compared() -> None:
    got = given_converged(
        grid({("x", "easy"): 0.9, ("x", "hard"): None, ("y", "easy"): None, ("y", "hard"): 0.4}),
        FACTORS,
    )
    row = difference(got, "A")
    assert row["support"] == 0
    assert np.isnan(row["estimate"])
    assert np.isnan(row["p"])
    assert np.isfinite(row["bound_low"])
    assert any(note.startswith("A: y and x never both converged") for note in got.notes)
    assert json.loads(json.dumps(got.to_dict(), allow_nan=False))["differences"][0]["p"] is None


def test_a_level_that_never_converged_leaves_the_others() -> None:
    factors = {"A": ("x", "y", "z"), "B": ("easy", "hard")}
    cells = {("x", "easy"): 0.9, ("x", "hard"): 0.5, ("y", "easy"): 0.8, ("y", "hard"): 0.4}
    got = given_converged(grid({**cells, ("z", "easy"): None, ("z", "hard"): None}), factors)
    rows = got.differences[got.differences["factor"] == "A"].set_index(["level", "reference"])
    assert rows.loc[("y", "x"), "estimate"] == pytest.approx(-0.1)
    assert np.isnan(rows.loc[("z", "x"), "estimate"])
    assert got.means.set_index(["factor", "level"]).loc[("A", "z"), "support"] == 0


def test_a_published_table_with_a_rule_that_never_converges() -> None:
    frame = typed(table("ml_caffenet_tanh_batchsize_nc"), (), "accuracy")
    factors = {"batch": ("256", "128", "64", "32"), "lr_rule": ("1x", "up", "down")}
    got = given_converged(frame, factors, response="accuracy", replicate=None, chance=0.001)
    rows = got.differences.set_index(["factor", "level", "reference"])
    # down against 1x stands where both ran: batches 128 and 64, by the printed accuracies.
    row = rows.loc[("lr_rule", "down", "1x")]
    assert (row["support"], row["strata"]) == (2, 4)
    assert row["estimate"] == pytest.approx(((0.402 - 0.407) + (0.401 - 0.384)) / 2)
    assert np.isnan(row["se"])  # one run a cell
    assert np.isnan(rows.loc[("lr_rule", "up", "1x"), "estimate"])


def test_unknown_chance_leaves_bounds_open_rather_than_zero() -> None:
    row = difference(given_converged(SURVIVORS.drop(columns="classes"), FACTORS), "A")
    assert np.isnan(row["bound_low"])
    assert np.isfinite(row["estimate"])


def test_no_converged_run_and_no_column_are_one_sentence() -> None:
    with pytest.raises(InputError, match="no run converged"):
        given_converged(SURVIVORS.assign(converged=0.0), FACTORS)
    with pytest.raises(InputError, match="no column 'converged'"):
        given_converged(SURVIVORS.drop(columns="converged"), FACTORS)


@pytest.mark.parametrize("classes", [0, 1, -1, float("nan"), "many"])
def test_a_number_of_classes_that_is_none_gives_no_chance(classes: object) -> None:
    assert np.isnan(given_converged(SURVIVORS.assign(classes=classes), FACTORS).chance)
