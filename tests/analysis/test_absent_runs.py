"""Runs that are not there: every part of the analysis says the same of what they leave open."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from analysis import Study, from_frame
from analysis.compare.comparison import compare
from analysis.report.words.answer import answer
from analysis.report.words.caveats import caveats

WHY = (
    "not estimable: the cell optimizer = adam, lr = 0.1 has no result and only a model without "
    "interactions would replace it"
)


def empty_cell(claims: tuple[str, ...] = ()) -> Study:
    """adam at 0.1 never gave a result; without interactions it would have had 115 %."""
    means = {("sgd", "0.01"): 0.7, ("sgd", "0.1"): 0.9, ("adam", "0.01"): 0.95}
    rows = [
        (optimizer, lr, seed, means[optimizer, lr] + 0.002 * (-1) ** (seed + len(lr)) * seed)
        for (optimizer, lr), seed in itertools.product(means, range(3))
    ]
    rows += [("adam", "0.1", seed, np.nan) for seed in range(3)]
    frame = pd.DataFrame(rows, columns=["optimizer", "lr", "seed", "acc"])
    levels = {"optimizer": ("sgd", "adam"), "lr": ("0.01", "0.1")}
    return from_frame(frame, ["optimizer", "lr"], "acc", "seed", levels=levels, claims=claims)


def three_factors() -> Study:
    """One of eight combinations has no result."""
    rows = [
        (a, b, c, seed, 0.5 + 0.1 * (a == "1") + 0.01 * (b == c) + 0.003 * (-1) ** seed * seed)
        for a, b, c in itertools.product("01", repeat=3)
        for seed in range(3)
        if (a, b, c) != ("1", "1", "1")
    ]
    frame = pd.DataFrame(rows, columns=["A", "B", "C", "seed", "acc"])
    return from_frame(frame, list("ABC"), "acc", "seed", claims=("A: 1 > 0",))


def test_no_estimate_anywhere_is_made_of_a_model_without_interactions() -> None:
    study = empty_cell(("optimizer: adam > sgd",))
    effects = study.effects().set_index("level")
    assert effects["effect"].isna().all()
    assert np.isfinite(effects.loc[["sgd", "0.01"], "mean"]).all()
    assert effects.loc[["adam", "0.1"], "mean"].isna().all()
    assert set(effects["rests_on"]) == set(study.contrasts()["rests_on"]) == {WHY}
    assert study.contrasts()["estimate"].isna().all()
    assert study.marginal_means()["mean"].notna().tolist() == [True, False, True, False]
    assert study.contrast("lr: 0.01 - 0.1").rests_on == WHY
    assert study.tests()["p"].isna().all()
    assert study.power()["detectable"].isna().all()
    look = study.decided().table
    assert look["estimate"].isna().all()
    assert not look["decided"].any()
    (claim,) = study.claims().to_dict("records")
    assert claim["verdict"] == "not testable"
    assert claim["reason"] == f"{WHY.removeprefix('not estimable: ')}."
    document = study.document()
    means = [row for rows in document["marginal_means"].values() for row in rows]
    assert all(row["mean"] is None or 0 <= row["mean"] <= 1 for row in means)
    assert document["contrasts"][0]["rests_on"] == WHY
    assert document["fallback"] is None
    opening = " ".join(answer(study).sentences)
    assert "What improves" not in opening
    assert "Decided: 0 of 2" in opening
    notes = " ".join(caveats(study, None))
    assert "only a model without interactions would replace it" in notes
    assert "assuming" not in notes


def test_what_assumes_that_three_factors_do_not_interact_says_so_in_the_same_words() -> None:
    words = "assuming that three or more factors do not interact"
    study = three_factors()
    rows = study.effects()
    assert set(rows["rests_on"]) == {"model of order 2"}
    assert any(words in note for note in study.estimates().notes)
    (claim,) = study.claims().to_dict("records")
    assert words in claim["sentence"]
    other = compare([study, from_frame(study.frame, list("ABC"), "acc", "seed", name="other")])
    assert any(words in note for note in other.notes)


def test_the_means_and_differences_of_one_factor_rest_on_one_model() -> None:
    rows = three_factors().effects()
    for _, own in rows.groupby("factor"):
        mean, effect = (own[name].to_numpy(float) for name in ("mean", "effect"))
        assert np.isfinite(mean).all()
        np.testing.assert_allclose(mean[1] - mean[0], effect[1] - effect[0], atol=1e-12)
