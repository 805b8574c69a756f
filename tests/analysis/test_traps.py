"""Ways in which other tools silently return a wrong number; each must be right or null here."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.commands import run
from analysis.effects.frames import by_method
from analysis.loading import from_frame


def noise_table() -> pd.DataFrame:
    """A 3 x 2 x 2 grid with three runs a cell and a real three-factor interaction."""
    means = {
        ("S", "Std", "L"): 83.0, ("M", "Std", "L"): 84.5, ("L", "Std", "L"): 77.5,
        ("S", "Octel", "L"): 82.0, ("M", "Octel", "L"): 82.0, ("L", "Octel", "L"): 76.5,
        ("S", "Std", "R"): 82.0, ("M", "Std", "R"): 84.5, ("L", "Std", "R"): 77.5,
        ("S", "Octel", "R"): 82.0, ("M", "Octel", "R"): 82.0, ("L", "Octel", "R"): 77.5,
    }  # fmt: skip
    rows = [(*cell, mean + wobble) for cell, mean in means.items() for wobble in (-0.5, 0.1, 0.4)]
    return pd.DataFrame(rows, columns=["size", "type", "side", "noise"])


def least_squares(frame: pd.DataFrame, terms: list[tuple[str, ...]], y: str) -> tuple[float, int]:
    """Residual sum of squares and rank by dummy columns and a pseudo-inverse."""
    columns = [np.ones(len(frame))]
    for term in terms:
        keys = frame[list(term)].astype(str).agg("|".join, axis=1)
        columns += [(keys == key).to_numpy(float) for key in keys.unique()]
    x = np.column_stack(columns)
    response = frame[y].to_numpy(float)
    fitted = x @ np.linalg.lstsq(x, response, rcond=1e-10)[0]
    return float(((response - fitted) ** 2).sum()), int(np.linalg.matrix_rank(x, tol=1e-8))


def test_an_empty_cell_gives_type_two_by_model_comparison_and_no_type_three() -> None:
    """With an empty cell a coefficient-based type II or III is garbage (F off by 100x)."""
    frame = noise_table()
    gone = (frame["size"] == "L") & (frame["type"] == "Octel") & (frame["side"] == "R")
    frame = frame[~gone]
    found = from_frame(frame, ["size", "type", "side"], "noise").estimates(order=None)
    base = [("type",), ("side",), ("type", "side")]
    full = [("size", "type", "side")]
    rss_without, rank_without = least_squares(frame, base, "noise")
    rss_with, rank_with = least_squares(frame, [*base, ("size",)], "noise")
    rss_full, rank_full = least_squares(frame, full, "noise")
    error = rss_full / (len(frame) - rank_full)
    row = found.tests("type2").set_index("term").loc["size"]
    assert row["df"] == rank_with - rank_without == 2
    expected = (rss_without - rss_with) / 2 / error
    assert row["F"] == pytest.approx(expected, rel=1e-9)
    assert 100 < row["F"] < 10_000
    lost = {one.term: one for one in found.not_estimable}
    assert set(lost) == set(found.tests("type3")["term"]) - {"Residuals"}
    assert lost["size"].missing_cells == [{"size": "L", "type": "Octel", "side": "R"}]
    assert found.tests("type3").set_index("term").drop("Residuals")["F"].isna().all()
    # The marginal mean of the untouched level of size is there, that of the touched one is not.
    means = by_method(found.means, "pooled").set_index("level")["estimate"]
    assert np.isfinite(means["S"]).any()
    assert np.isnan(means.loc["L"].to_numpy(float)).any()


def test_partly_estimable_terms_have_a_joint_test_with_fewer_degrees_of_freedom() -> None:
    frame = noise_table()
    gone = (frame["size"] == "L") & (frame["type"] == "Octel") & (frame["side"] == "R")
    frame = frame[~gone]
    found = from_frame(frame, ["size", "type", "side"], "noise").estimates(order=None)
    lost = {one.term: one for one in found.not_estimable}
    assert [lost[t].estimable_df for t in ("size", "type", "size:type")] == [1, 0, 1]
    # What is left of size is S against M, both of whose means can be estimated.
    differences = by_method(found.differences, "pooled").set_index(["level", "versus"])
    contrast = differences.loc[("S", "M")]
    assert lost["size"].f == pytest.approx(
        float(contrast["estimate"] / contrast["se"]) ** 2, rel=1e-9
    )
    assert lost["size"].p == pytest.approx(float(contrast["p"]), rel=1e-9)
    # The hole changes no interval of what ran, and is predicted for what needs it.
    assert found.rule.primary == "welch"
    rests = by_method(found.differences, "welch").set_index(["level", "versus"])["rests_on"]
    assert rests.loc[("S", "M")] == "cell means"
    assert rests.loc[("S", "L")] == "model of order 2 and its misfit"
    # And the model of order 2, where all can be estimated, is offered beside it.
    assert found.fallback is not None
    assert found.fallback.order == 2


def test_type_three_uses_equal_weights_whatever_the_level_order() -> None:
    """Treatment coding gives another, meaningless type III; recoding must not matter."""
    rng = np.random.default_rng(0)
    rows = [
        (a, b, rng.normal(i * j, 1))
        for (i, a), (j, b), n in zip(
            itertools.cycle(enumerate("xyz")), itertools.cycle(enumerate("pq")), range(23),
            strict=False,
        )
        for _ in range(1 + n % 3)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["A", "B", "y"])
    tables = []
    for order in (["x", "y", "z"], ["z", "x", "y"]):
        coded = frame.assign(A=pd.Categorical(frame["A"], order))
        tables.append(from_frame(coded, ["A", "B"], "y").tests("type3", None))
    np.testing.assert_allclose(tables[0]["ss"], tables[1]["ss"], rtol=1e-10)
    # The hypothesis itself: equal-weight means of A are equal, tested directly.
    study = from_frame(frame, ["A", "B"], "y")
    fit = study.estimates(None).fit
    means, unit = fit.estimate(fit.effect_rows(fit.terms[0]))
    assert abs(means.sum()) < 1e-12
    assert np.isfinite(unit).all()


@pytest.mark.parametrize(
    ("factor", "levels", "response"),
    [
        ("C", ["a", "b"], "y"),
        ("aug", ["None", "flip"], "y"),
        ("A", ["a", "b"], "yield"),
        ("type", ["a", "b"], "class"),
        ("Größe 大", ["σ=0,5", "a b"], "Güte (%)"),
        ("index", ["1", "2"], "term"),
        ("mean", ["nan", "NA"], "p"),
    ],
)
def test_any_name_is_a_name(factor: str, levels: list[str], response: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        (a, b, rng.normal(i)) for i, a in enumerate(levels) for b in ("u", "v") for _ in range(3)
    ]
    frame = pd.DataFrame(rows, columns=[factor, "other", response])
    frame.to_csv(tmp_path / "t.csv", index=False)
    out = tmp_path / "e.json"
    arguments = ["effects", "--table", str(tmp_path / "t.csv"), "--factors", factor, "other"]
    assert run([*arguments, "--response", response, "--out", str(out)]) == 0
    document = json.loads(out.read_text("utf-8"))
    assert document["factors"][factor] == levels
    means = [row for row in document["marginal_means"]["welch"] if row["term"] == factor]
    for row in means:
        expected = frame[frame[factor] == row["levels"][factor]][response].mean()
        assert row["mean"] == pytest.approx(expected, rel=1e-12)


def test_means_weigh_the_grid_and_not_the_data() -> None:
    frame = pd.DataFrame(
        {
            "a": ["x"] * 5 + ["z"] * 4,
            "b": ["p", "p", "p", "p", "q", "p", "p", "q", "q"],
            "y": [1, 1.1, 0.9, 1, 5, 2, 2.2, 6, 6.4],
        }
    )
    means = from_frame(frame, ["a", "b"], "y").marginal_means("a", method="welch")
    assert means["mean"].tolist() == pytest.approx([3.0, (2.1 + 6.2) / 2])
    assert frame.groupby("a")["y"].mean()["x"] == pytest.approx(1.8)  # what it must not be


def test_noise_alone_has_no_share_of_variance() -> None:
    """A surrogate's importance of pure noise is large; a noise-corrected share is around zero."""
    rng = np.random.default_rng(5)
    rows = [(*cell, rng.normal()) for cell in itertools.product("ab", "cd", "ef") for _ in range(6)]
    frame = pd.DataFrame(rows, columns=["A", "B", "C", "y"])
    shares = from_frame(frame, ["A", "B", "C"], "y").variance_shares().set_index("term")
    assert shares.loc["noise", "percent"] > 70
    assert (shares.loc[["A", "B", "C", "A:B"], "low"] == 0).all()


def test_a_term_confounded_with_blocks_is_named_and_left_out() -> None:
    """The textbook npk layout: N:P:K is the difference between blocks."""
    rng = np.random.default_rng(2)
    rows = []
    for cell in itertools.product((0, 1), repeat=3):
        for pair in range(3):
            rows.append((*cell, f"{pair}{sum(cell) % 2}", rng.normal(sum(cell))))
    frame = pd.DataFrame(rows, columns=["N", "P", "K", "block", "yield"])
    found = from_frame(frame, ["N", "P", "K"], "yield", "block").estimates(order=None)
    (lost,) = found.not_estimable
    assert (lost.term, lost.aliased_with) == ("N:P:K", ["block"])
    without = from_frame(frame, ["N", "P", "K"], "yield", "block").estimates(order=2)
    for kind in ("type1", "type2", "type3"):
        full = found.tests(kind).set_index("term").drop("N:P:K")
        pd.testing.assert_frame_equal(full, without.tests(kind).set_index("term"), rtol=1e-9)
    assert without.not_estimable == []


def test_aliased_pairs_of_a_fraction_are_null_and_name_each_other() -> None:
    rng = np.random.default_rng(0)
    rows = [
        (*cell, rng.normal(cell[0]))
        for cell in itertools.product((-1, 1), repeat=4)
        if np.prod(cell) == 1
        for _ in range(2)
    ]
    frame = pd.DataFrame(rows, columns=[*"ABCD", "y"])
    study = from_frame(frame, list("ABCD"), "y")
    found = study.estimates()
    assert {one.term: one.aliased_with for one in found.not_estimable} == {
        "A:B": ["C:D"], "A:C": ["B:D"], "A:D": ["B:C"],
        "B:C": ["A:D"], "B:D": ["A:C"], "C:D": ["A:B"],
    }  # fmt: skip
    assert found.estimable == ["A", "B", "C", "D"]
    document = study.document()
    assert document["two_level_effects"]["A:B"] is None
    raw = frame.groupby("A")["y"].mean()
    assert document["two_level_effects"]["A"] == pytest.approx(raw[1] - raw[-1])
    assert all(row["effect"] is None for row in document["interaction_effects"])


def test_two_identical_calls_agree_and_leave_numpys_own_generator_alone() -> None:
    """Elsewhere a seed is taken and ignored, and resampling draws from the global generator."""
    frame = noise_table().assign(seed=["s0", "s1", "s2"] * 12)
    before = np.random.get_state()[1].copy()
    factors = ["size", "type", "side"]
    once, again = (from_frame(frame, factors, "noise", "seed").document() for _ in range(2))
    assert once == again
    shares = {row["term"]: row for row in once["variance_shares"]}
    assert shares["size"]["low"] < shares["size"]["percent"] < shares["size"]["high"]
    np.testing.assert_array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ([1.0, 2.0, 4.0, 8.0], "there is no error term to test by"),
        ([0.1] * 8, "y is the same in every run: no effect can be tested"),
    ],
    ids=["one replicate", "constant, as where all cells diverged"],
)
def test_without_noise_there_are_estimates_and_no_tests(
    outcome: list[float], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = itertools.cycle(itertools.product("ab", "cd"))
    frame = pd.DataFrame([(*next(cells), y) for y in outcome], columns=["A", "B", "y"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    out = tmp_path / "e.json"
    arguments = ["effects", "--table", str(tmp_path / "t.csv"), "--factors", "A", "B"]
    assert run([*arguments, "--response", "y", "--out", str(out)]) == 0
    assert sentence in capsys.readouterr().out
    document = json.loads(out.read_text("utf-8"))
    expected = frame.groupby("A")["y"].mean()
    row = document["contrasts"][0]
    assert row["estimate"] == pytest.approx(expected["a"] - expected["b"], abs=1e-12)
    untested = {"low", "high", "p", "t", "p_tukey", "p_holm", "low_tukey", "high_tukey"}
    assert {row[key] for key in untested} == {None}
    tests = [row for row in document["anova"]["type3"] if row["term"] != "Residuals"]
    assert [row["term"] for row in tests] == ["A", "B", "A:B"]
    assert {row[key] for row in tests for key in ("F", "p", "p_holm", "partial_eta2")} == {None}
