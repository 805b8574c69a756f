"""Runs that are not there: every part of the analysis says the same of what they leave open."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import Study, from_frame, load
from analysis.compare.comparison import compare
from analysis.dashboard.study_panels import interactions_panel
from analysis.report.gallery.catalogue import BY_NAME
from analysis.report.page.data import page_data
from analysis.report.words.answer import answer
from analysis.report.words.caveats import caveats
from analysis.report.words.papers.tables import markdown_table
from tests.analysis.report.simulated import simulate, specification

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
    assert "Whether factors depend on each other in acc cannot be tested." in opening
    line = "however often each is repeated: optimizer (adam or sgd), lr (0.1 or 0.01)."
    assert f"Not to be estimated from the combinations that ran, {line}" in opening
    assert "would take more than" not in opening
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
    for name in ("main_effects", "forest", "interaction_matrix"):
        drawing = BY_NAME[name].drawing(study)
        assert drawing is not None
        assert f"estimates are made {words}." in drawing.caption
    assert words in markdown_table(study)
    other = compare([study, from_frame(study.frame, list("ABC"), "acc", "seed", name="other")])
    assert any(words in note for note in other.notes)


def test_the_means_and_differences_of_one_factor_rest_on_one_model() -> None:
    rows = three_factors().effects()
    for _, own in rows.groupby("factor"):
        mean, effect = (own[name].to_numpy(float) for name in ("mean", "effect"))
        assert np.isfinite(mean).all()
        np.testing.assert_allclose(mean[1] - mean[0], effect[1] - effect[0], atol=1e-12)


def beyond_all() -> Study:
    """Accuracies whose empty cell would have to be 113 % were there no three-way interaction."""
    high = {("0", "0"): 0.35, ("0", "1"): 0.92, ("1", "0"): 0.99, ("1", "1"): np.nan}
    rows = [
        (a, b, c, seed, high[a, b] if c == "1" else 0.34 + 0.32 * (a == "1" or b == "1"), 359)
        for a, b, c in itertools.product("01", repeat=3)
        for seed in range(2)
    ]
    names = ["A", "B", "C", "seed", "test_accuracy", "n_test"]
    frame = pd.DataFrame(rows, columns=names)
    frame["test_accuracy"] += 0.004 * (frame["seed"] - 0.5)
    return from_frame(frame, list("ABC"), "test_accuracy", "seed")


def test_no_mean_of_a_share_leaves_its_limits() -> None:
    study = beyond_all()
    raw = study.estimates().means
    assert raw["estimate"].max() > 1
    columns = ("mean", "mean_low", "mean_high")
    shown = study.effects()
    for rows in (shown[list(columns)], study.marginal_means("A", "B")[["mean"]],
                 study.interactions()[["mean"]]):  # fmt: skip
        assert rows["mean"].max() <= 1
    document = study.document()
    means = [row["mean"] for rows in document["marginal_means"].values() for row in rows]
    assert max(one for one in means if one is not None) <= 1
    for name in ("main_effects", "interaction_matrix", "forest"):
        assert BY_NAME[name].drawing(study) is not None
    data = page_data(study, None)
    (one,) = [one for one in data["outcomes"] if one["key"] == "accuracy"]
    numbers = [value for rows in one["means"].values() for row in rows for value in row]
    assert all(value is None or 0 <= value <= 1 for value in numbers)
    assert interactions_panel(study) is not None


def lost_means(mean_of: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8)) -> Study:
    """d0 to d3 differ by ten points each; y never ran with m2, so that no mean of data is known."""
    rng = np.random.default_rng(0)
    rows = [
        (f"d{k}", bn, model, mean_of[k] + 0.01 * (bn == "y") + 0.001 * rng.normal())
        for k, bn, model in itertools.product(range(4), "xy", ("m0", "m1", "m2"))
        if (bn, model) != ("y", "m2")
    ]
    frame = pd.DataFrame(rows, columns=["data", "bn", "model", "acc"])
    return from_frame(frame, ["data", "bn", "model"], "acc")


def test_a_factor_without_means_is_judged_by_its_differences() -> None:
    study = lost_means()
    found = answer(study)
    row = found.factors.set_index("factor").loc["data"]
    assert row["shown"]
    assert (row["best"], row["worst"]) == ("d3", "d0")
    assert abs(row["estimate"] - 0.3) < 0.003
    assert any("What improves acc: data (d3 over d0" in one for one in found.sentences)
    assert found.factors.set_index("factor").loc["bn", "sure"] == "cannot be tested"


def stopped() -> Study:
    """Both optimizers reach the target, but the last run of each met its time limit before."""
    rows = [
        ("adam", 0, 5.0, 5, "converged", 0.9), ("adam", 1, 6.0, 6, "converged", 0.91),
        ("adam", 2, np.nan, 9, "timeout", np.nan), ("sgd", 0, 20.0, 20, "converged", 0.92),
        ("sgd", 1, 22.0, 22, "converged", 0.93), ("sgd", 2, np.nan, 24, "timeout", np.nan),
    ]  # fmt: skip
    names = ["optimizer", "seed", "epochs_to_target", "epochs_run", "status", "acc"]
    frame = pd.DataFrame(rows, columns=names).assign(epochs_budget=30)
    claims = ("optimizer: adam < sgd on epochs", "optimizer: adam < sgd")
    return from_frame(frame, ["optimizer"], "acc", claims=claims)


def test_where_every_last_run_met_its_time_limit_nothing_is_made_up() -> None:
    study = stopped()
    times = study.time_to_target()
    means = times.means.set_index("level")
    assert means["mean"].isna().all()
    assert means["se"].isna().all()
    np.testing.assert_allclose(means["bound_low"], [7, 67 / 3])
    np.testing.assert_allclose(means["bound_high"], [41 / 3, 24])
    assert times.differences["estimate"].isna().all()
    assert any("bounds only" in note for note in times.notes)
    verdicts = study.claims().set_index("outcome")
    assert verdicts.loc["epochs", "verdict"] == "not testable"
    assert verdicts.loc["epochs", "sentence"] == (
        "Not testable: in the cell optimizer = adam (and in 1 more) the last run was stopped by "
        "its time limit before the target, so the mean epochs are known within bounds only."
    )
    assert np.isnan(verdicts.loc["epochs", "estimate"])
    assert verdicts.loc["acc", "verdict"] != "not testable"
    assert study.document()["time_to_target"]["means"][0]["mean"] is None


def still_levels() -> Study:
    """Two of five levels never vary, so that their difference has no variance."""
    rng = np.random.default_rng(0)
    rows = [
        (w, a, 10.0 if w in "23" else 40 + 10 * i + 2 * j + rng.normal())
        for (i, w), (j, a) in itertools.product(enumerate("23468"), enumerate("248"))
        for _ in range(3)
    ]
    return from_frame(pd.DataFrame(rows, columns=["w_bits", "a_bits", "acc"]),
                      ["w_bits", "a_bits"], "acc")  # fmt: skip


def test_a_term_of_which_one_contrast_never_varied_is_tested() -> None:
    study = still_levels()
    tests = study.tests().set_index("term")
    assert list(tests.index) == ["w_bits", "a_bits", "w_bits:a_bits"]
    assert tests.loc["w_bits", "p"] < 1e-8
    assert tests.loc["w_bits", "test"] == "welch"
    assert any(line.startswith("w_bits: F(") for line in study.summary())


def test_a_term_without_a_test_says_why_and_never_vanishes() -> None:
    constant = pd.DataFrame({"g": list("aabbcc"), "y": [1.0, 1, 2, 2, 3, 3]})
    study = from_frame(constant, ["g"], "y")
    why = "the cells it compares never varied, so nothing says how sure it is"
    assert study.tests()["problem"].tolist() == [why]
    assert f"g: not testable: {why}" in study.summary()
    once = from_frame(pd.DataFrame({"g": list("abc"), "y": [1.0, 2, 3]}), ["g"], "y")
    (line,) = [line for line in once.summary() if line.startswith("g: ")]
    assert line == (
        "g: not testable: the model takes every degree of freedom, so nothing is left to judge it "
        "by"
    )
    tests = empty_cell().tests().set_index("term")
    assert tests.loc["lr", "problem"] == WHY.removeprefix("not estimable: ")
    many = pd.DataFrame(
        [(f"a{i}", f"b{j}", i + j + 0.1 * k * (-1) ** (i + j))
         for i in range(21) for j in range(20) for k in range(2)], columns=["a", "b", "y"],
    )  # fmt: skip
    wide = from_frame(many, ["a", "b"], "y").tests().set_index("term")
    assert wide.loc["a:b", "problem"] == (
        "its 420 combinations of levels are more than the 400 that are tested"
    )


def test_where_replicates_agree_to_the_last_digit_the_cells_variances_test() -> None:
    rows = []
    for a, b in itertools.product("01", repeat=2):
        # Within each replicate two cells go up and two go down, so that no contrast of A varies.
        for seed, shift in enumerate((-0.01, 0.0, 0.01)):
            up = 1 if b == "0" else -1
            rows.append((a, b, seed, 0.5 + 0.1 * (a == "1") + up * shift))
    frame = pd.DataFrame(rows, columns=["A", "B", "seed", "acc"])
    study = from_frame(frame, ["A", "B"], "acc", "seed")
    tests = study.tests().set_index("term")
    assert np.isfinite(tests.loc["A", "p"])


def test_a_report_says_what_was_cut_from_its_design(tmp_path: Path) -> None:
    factors = {"init": ["he", "naive"], "optimizer": ["adam", "sgd"]}
    simulate(tmp_path, specification(tmp_path, factors, replicates=3))
    url, info = simulate(tmp_path, specification(tmp_path, factors, replicates=2))
    study = load(info.name, url)
    assert len(study.runs) == 8
    assert caveats(study, None)[0] == (
        "4 runs that an earlier version of this study's file planned are no part of its design "
        "now, and nothing here counts them."
    )
