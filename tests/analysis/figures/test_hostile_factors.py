"""Figures of factors that are called like the columns behind them."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from analysis import from_frame
from analysis.report.gallery.catalogue import BY_NAME, FIGURES

NAMES = [
    ("mean", "estimate", "p"),
    ("factor", "level", "method"),
    ("first", "second", "effect"),
    ("welch_a", "blocked_b", "runs"),
]


@pytest.mark.no_cover  # matplotlib at work: see test_layout
@pytest.mark.parametrize("names", NAMES)
def test_every_figure_draws_factors_named_like_its_columns(names: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    rows = list(itertools.product(["a0", "a1", "a2"], ["b0", "b1"], ["c0", "c1"], range(3)))
    frame = pd.DataFrame(rows, columns=[*names, "seed"])
    frame["y"] = 0.5 + 0.1 * (frame[names[0]] == "a0") + 0.02 * rng.normal(size=len(frame))
    study = from_frame(frame, list(names), "y", "seed")
    for one in FIGURES:
        drawing = one.drawing(study)
        assert drawing is None or len(drawing.figure.axes), one.name
    means = BY_NAME["interaction_matrix"].drawing(study)
    assert means is not None
    wanted = frame.groupby([names[0], names[1]])["y"].mean()
    own = means.data[(means.data["factor_a"] == names[0]) & (means.data["factor_b"] == names[1])]
    assert own["mean"].to_numpy() == pytest.approx(wanted.to_numpy())


def test_captions_and_the_grand_mean_tell_what_is_missing() -> None:
    rng = np.random.default_rng(1)
    rows = list(itertools.product("abc", "xy", "uv", range(3)))
    frame = pd.DataFrame(rows, columns=[*"ABC", "seed"])
    frame["y"] = 0.5 + 0.02 * rng.normal(size=len(frame))
    frame.loc[[0, 1, 2, 7], "y"] = np.nan
    study = from_frame(frame, list("ABC"), "y", "seed")
    drawing = BY_NAME["main_effects"].drawing(study)
    assert drawing is not None
    assert drawing.caption.endswith(
        "32 runs, 2 to 3 replicates per combination, 4 missing, 1 of 12 combinations empty."
    )
    assert drawing.data["grand_mean"].iloc[0] == pytest.approx(
        study.document()["grand_mean"]["cells"]
    )
