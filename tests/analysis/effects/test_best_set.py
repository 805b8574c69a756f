"""The set of cells and levels that are not shown to be worse than the best."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.effects.best_set import RIVALS, not_worse
from analysis.loading import from_frame
from analysis.report.gallery.combinations import draw_cell_strip


def test_each_p_is_welchs_one_sided_t_over_the_number_of_rivals() -> None:
    """By hand, against SciPy's Welch test, for three groups of unequal variance and size."""
    rng = np.random.default_rng(0)
    groups = [rng.normal(0.80, 0.01, 4), rng.normal(0.79, 0.03, 3), rng.normal(0.75, 0.01, 5)]
    p = not_worse(
        np.array([g.mean() for g in groups]),
        np.array([g.var(ddof=1) / len(g) for g in groups]),
        np.array([len(g) - 1.0 for g in groups]),
    )
    for i, own in enumerate(groups):
        tests = [
            stats.ttest_ind(other, own, equal_var=False, alternative="greater").pvalue
            for j, other in enumerate(groups)
            if j != i
        ]
        assert p[i] == pytest.approx(min(1.0, 2 * min(tests)), rel=1e-9) or p[i] == 1.0
    assert p[int(np.argmax([g.mean() for g in groups]))] == 1.0
    assert p[2] < 0.05


def test_the_truly_best_cell_is_in_the_set_as_often_as_promised() -> None:
    """Eight equal cells of very unequal noise, three runs each: any of them is the best."""
    rng = np.random.default_rng(1)
    spread = np.array([0.002, 0.01, 0.004, 0.02, 0.003, 0.005, 0.03, 0.01])
    inside = []
    for _ in range(600):
        y = rng.normal(0.8, spread, (3, 8))
        p = not_worse(y.mean(axis=0), y.var(axis=0, ddof=1) / 3, np.full(8, 2.0))
        inside.append(p > 0.05)
    assert np.mean(inside, axis=0).min() > 0.93


def test_what_is_unknown_stays_unknown() -> None:
    nothing = not_worse(np.array([1.0, 2.0]), np.array([0.0, 0.0]), np.array([2.0, 2.0]))
    assert np.isnan(nothing).all(), "cells that never varied do not rank each other"
    some = not_worse(
        np.array([1.0, np.nan, 3.0]), np.array([0.01, np.nan, 0.01]), np.array([2.0, 1.0, 2.0])
    )
    assert np.isnan(some[1])
    assert np.isfinite(some[[0, 2]]).all()


def test_of_many_cells_only_the_highest_are_rivals_yet_all_are_counted() -> None:
    n = RIVALS + 40
    means = np.linspace(0, 1, n)
    p = not_worse(means, np.full(n, 0.01), np.full(n, 4.0))
    gap = stats.t.sf((means[-1] - means[-10]) / 0.02**0.5, 8)
    assert p[-10] == pytest.approx(min(1.0, gap * (n - 1)))
    assert p[0] < p[-1] == 1.0


def _study(worse: float = 0.05) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        [
            (a, b, 0.8 - worse * (a == "z") + 0.02 * (b == "q") + rng.normal(0, 0.004))
            for a, b in itertools.product("xyz", "pq")
            for _ in range(6)
        ],
        columns=["a", "b", "acc"],
    )


def test_a_study_names_cells_and_levels_and_the_document_holds_them() -> None:
    study = from_frame(_study(), ["a", "b"], "acc")
    found = study.best()
    levels = found.levels.set_index(["factor", "level"])["best"]
    assert levels.to_dict() == {
        ("a", "x"): True, ("a", "y"): True, ("a", "z"): False,
        ("b", "p"): False, ("b", "q"): True,
    }  # fmt: skip
    assert found.best.tolist() == [[False, True], [False, True], [False, False]]
    section = study.document()["best"]
    assert section["n_cells"] == 2
    assert [one["levels"]["b"] for one in section["cells"]] == ["q", "q"]
    assert section["cells"][0]["p"] == 1.0


def test_of_times_the_lowest_is_best() -> None:
    frame = _study().rename(columns={"acc": "seconds"})
    levels = from_frame(frame, ["a", "b"], "seconds").best().levels
    assert levels.set_index("level")["best"].to_dict() == {
        "x": False, "y": False, "z": True, "p": True, "q": False,
    }  # fmt: skip


def test_without_noise_nothing_is_named() -> None:
    frame = _study().drop_duplicates(["a", "b"])
    section = from_frame(frame, ["a", "b"], "acc").document()["best"]
    assert section["n_cells"] is None
    assert section["cells"] == []


def test_a_low_mean_among_them_is_not_called_as_good_as_the_best() -> None:
    """37 % was marked "not worse than the best" where the best had 99.5 %: it varied so much."""
    rows = [("steady", 0.99), ("steady", 1.0), ("falls", 0.94), ("falls", 0.10), ("falls", 0.07)]
    rows += [("poor", 0.30), ("poor", 0.301)]
    study = from_frame(pd.DataFrame(rows, columns=["a", "acc"]), ["a"], "acc")
    assert study.best().best.tolist() == [True, True, False]
    caption = draw_cell_strip(study).caption
    assert "2 combinations (diamonds) are not shown to be worse than the best" in caption
    assert "a low mean is among them where its simultaneous interval is too wide" in caption
    assert caption.count("not worse") == 0
    assert "More than half are left, so these runs hardly say which to take." in caption
