"""The fast replay of adaptive studies judges as the program does."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis import from_frame
from analysis.stats import multiplicity
from tests.benchmarks import adaptive

SHAPE = (3, 2, 2)


def test_differences_are_those_of_the_report() -> None:
    rng = np.random.default_rng(5)
    cells = list(product(*map(range, SHAPE)))
    n = rng.integers(2, 5, len(cells))
    runs = rng.normal(size=(1, len(cells), 4))
    frame = pd.DataFrame(
        {"a": f"a{cell[0]}", "b": f"b{cell[1]}", "c": f"c{cell[2]}", "y": value}
        for cell, count, values in zip(cells, n, runs[0], strict=True)
        for value in values[:count]
    )
    table = from_frame(frame, ["a", "b", "c"], "y").contrasts()
    rows = adaptive.differences(SHAPE)
    estimate, se, df = adaptive.welch(*adaptive.moments(runs, n[None]), n[None], rows)
    assert set(table["method"]) == {"welch"}
    for name, found in (("estimate", estimate), ("se", se), ("df", df)):
        assert table[name].to_numpy(float) == pytest.approx(found[0]), name
    assert table["p"].to_numpy(float) == pytest.approx(adaptive.p_of(estimate, se, df)[0])


def test_holm_is_the_programs() -> None:
    p = np.random.default_rng(6).uniform(size=(20, 7)) ** 3
    assert adaptive.holm(p) == pytest.approx(np.array([multiplicity.holm(row) for row in p]))


def test_plain_effects_end_a_study_early_and_null_ones_are_hopeless_sooner_or_later() -> None:
    rng = np.random.default_rng(7)
    size = (40, int(np.prod(SHAPE)), adaptive.RULE.most)
    cells = np.array(list(product(*map(range, SHAPE))))
    plain = rng.normal(size=size) + 30.0 * cells.sum(axis=1)[None, :, None]
    ended = adaptive.in_waves(plain, SHAPE)
    assert ended.shown.all()
    assert ended.runs.max() == 6  # at the first look that may decide
    nothing = adaptive.in_waves(rng.normal(size=size), SHAPE)
    assert nothing.runs.mean() < adaptive.RULE.most
    assert nothing.shown.any(axis=1).mean() < 0.25


def test_the_tables_are_made() -> None:
    assert len(adaptive.errors(8)) == 2 + len(adaptive.SHAPES) * len(adaptive.NULL)
