"""Aliases are those of the cells that ran, by the names a person gave."""

from __future__ import annotations

import json
from itertools import product

import pandas as pd
import pytest

from analysis.effects.aliases.aliasing import aliasing
from analysis.model.cell_means import CellMeans
from analysis.table.tidy import tidy

NAMES = ["bn", "init", "optimizer"]


def cells(keep: list[tuple[int, ...]], repeats: int = 1) -> CellMeans:
    rows = [(*(str(v) for v in cell), k, float(sum(cell))) for cell in keep for k in range(repeats)]
    return CellMeans.of(tidy(pd.DataFrame(rows, columns=[*NAMES, "s", "y"]), NAMES, "y"))


GRID = list(product((0, 1), repeat=3))
HALF = [cell for cell in GRID if sum(cell) % 2 == 0]


def test_a_full_grid_mixes_nothing() -> None:
    got = aliasing(cells(GRID, repeats=2))
    assert got.complete
    assert got.sets == ()
    assert got.partial.empty
    assert got.correlations.loc["bn", "init:optimizer"] == 0
    assert got.measures["resolution"] is None


def test_a_half_fraction_names_its_aliases() -> None:
    got = aliasing(cells(HALF))
    assert not got.complete
    assert got.sets == (
        ("bn", "init:optimizer"),
        ("init", "bn:optimizer"),
        ("optimizer", "bn:init"),
    )
    assert got.correlations.loc["bn", "init:optimizer"] == pytest.approx(1.0)
    assert got.measures["resolution"] == 3
    json.dumps(got.to_dict(), allow_nan=False)


def test_one_lost_cell_mixes_terms_in_part_and_only_in_part() -> None:
    got = aliasing(cells(GRID[:-1]))
    assert not got.complete
    assert got.sets == ()
    assert 0 < got.partial["correlation"].iloc[0] < 1
    assert got.partial["correlation"].round(9).is_monotonic_decreasing


def test_unequal_repetition_counts() -> None:
    rows = [(*(str(v) for v in cell), 1.0 + k) for cell in GRID for k in range(1 + sum(cell))]
    uneven = CellMeans.of(tidy(pd.DataFrame(rows, columns=[*NAMES, "y"]), NAMES, "y"))
    got = aliasing(uneven)
    assert not got.complete
    assert got.partial["correlation"].iloc[0] > 0
