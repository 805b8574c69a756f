"""Variance shares: exact on a noiseless grid, honest under noise, summing to 100 %."""

from __future__ import annotations

import gzip
import itertools

import numpy as np
import pandas as pd
import pytest

from analysis.effects.shares.grid_shares import grid_shares
from analysis.loading import from_frame
from analysis.model.cell_means import CellMeans
from analysis.table.tidy import tidy
from tests.analysis.published import expected as numbers
from tests.analysis.published import folder


def grid(
    levels: tuple[int, ...], sigma: float, replicates: int, seed: int, shock: float = 0.0
) -> pd.DataFrame:
    """Main effect of A of variance 1, interaction A:B of variance 0.25, on two-level factors."""
    rng = np.random.default_rng(seed)
    shocks = rng.normal(0, shock, replicates)
    rows = []
    for cell in itertools.product(*[range(n) for n in levels]):
        sign = [2 * i / (n - 1) - 1 for i, n in zip(cell, levels, strict=True)]
        mean = sign[0] + 0.5 * sign[0] * sign[1]
        rows += [
            (*map(str, cell), f"s{k}", mean + shocks[k] + rng.normal(0, sigma))
            for k in range(replicates)
        ]
    return pd.DataFrame(rows, columns=[*"ABCDE"[: len(levels)], "seed", "y"])


def shares(frame: pd.DataFrame, replicate: str | None = None, seed: int = 0) -> pd.DataFrame:
    factors = [c for c in frame.columns if c in "ABCDE"]
    cells = CellMeans.of(tidy(frame, factors, "y", replicate))
    return grid_shares(cells, draws=200, seed=seed).table.set_index("term")


def test_a_grid_without_noise_is_decomposed_exactly() -> None:
    found = shares(grid((2, 2, 2), 0.0, 2, 0))
    assert found.loc["A", "percent"] == pytest.approx(80.0)
    assert found.loc["A:B", "percent"] == pytest.approx(20.0)
    rest = found.drop(["A", "A:B", "replicate"])["percent"]
    np.testing.assert_allclose(rest, 0.0, atol=1e-9)


def test_noise_is_taken_out_of_every_term_on_average() -> None:
    many = [shares(grid((2, 2, 2), 1.0, 3, seed))["raw_percent"] for seed in range(60)]
    mean = pd.concat(many, axis=1).mean(axis=1)
    # Variances 1, 0.25 and 1 of noise: 44.4, 11.1 and 44.4 per cent.
    assert mean["A"] == pytest.approx(44.4, abs=3)
    assert mean["A:B"] == pytest.approx(11.1, abs=2)
    assert mean["noise"] == pytest.approx(44.4, abs=3)
    assert mean[["B", "C", "A:C", "B:C", "higher"]].abs().max() < 2


def test_a_shared_shock_is_the_replicates_share() -> None:
    found = shares(grid((2, 2, 2), 0.1, 20, 1, shock=1.0), "seed")
    assert found.loc["replicate", "percent"] > 15
    assert found.loc["noise", "percent"] < 2
    assert found["percent"].sum() == pytest.approx(100)


def test_intervals_hold_the_truth_most_of_the_time() -> None:
    hits = []
    for seed in range(80):
        found = shares(grid((2, 2, 2), 0.7, 4, 100 + seed), seed=seed)
        truth = 100 / (1 + 0.25 + 0.49)
        hits.append(found.loc["A", "low"] <= truth <= found.loc["A", "high"])
    assert np.mean(hits) >= 0.88  # 95 % nominal, 80 draws


@pytest.mark.parametrize("replicates", [1, 2, 3])
@pytest.mark.parametrize("levels", [(2, 2), (3, 2, 4), (2, 2, 2, 3)])
def test_shares_sum_to_a_hundred(levels: tuple[int, ...], replicates: int) -> None:
    for block in (None, "seed"):
        found = shares(grid(levels, 0.5, replicates, 3), block)
        assert found["percent"].sum(skipna=True) == pytest.approx(100, abs=1e-9)
        assert found["raw_percent"].sum(skipna=True) == pytest.approx(100, abs=1e-9)
        known = found.dropna(subset=["low"])
        assert (known["low"] <= known["percent"]).all()
        assert (known["percent"] <= known["high"]).all()


def test_without_replicates_noise_is_in_the_higher_orders_and_said_so() -> None:
    cells = CellMeans.of(tidy(grid((2, 2, 2), 0.3, 1, 0), list("ABC"), "y"))
    found = grid_shares(cells)
    assert np.isnan(found.table.set_index("term").loc["noise", "percent"])
    assert "no cell ran twice" in str(found.reason)


def test_an_incomplete_grid_falls_back_to_a_model_and_says_so() -> None:
    frame = grid((2, 2, 2), 0.3, 3, 0)
    study = from_frame(frame[3:], list("ABC"), "y", "seed")
    found = study.estimates().shares
    assert "incomplete" in str(found.reason)
    table = found.table.set_index("term")
    assert table["percent"].sum(skipna=True) == pytest.approx(100)
    whole = from_frame(frame, list("ABC"), "y", "seed").variance_shares().set_index("term")
    assert table.loc["A", "percent"] == pytest.approx(whole.loc["A", "percent"], abs=4)
    assert np.isnan(table.loc["higher", "percent"])
    # A whole pair missing: only without interactions could mains be told from the rest.
    gone = frame[~((frame["A"] == "0") & (frame["B"] == "0"))]
    fallen = from_frame(gone, list("ABC"), "y").estimates().shares
    assert fallen.table["percent"].isna().all()
    assert "not estimable: 2 combinations" in str(fallen.reason)
    diagonal = frame[(frame["A"] == frame["B"]) & (frame["B"] == frame["C"])]
    none = from_frame(diagonal, list("ABC"), "y").estimates().shares
    assert none.table["percent"].isna().all()
    assert "never ran" in str(none.reason)


def test_the_exact_decomposition_of_a_published_grid_of_15625_cells() -> None:
    case = "ml_nasbench201_cifar10_5x6"
    with gzip.open(folder(case) / "data.csv.gz", "rt", encoding="utf-8") as file:
        frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    expected = numbers(case, "expected.json")
    factors = [f"Op{i}" for i in range(6)]
    response = next(c for c in frame.columns if "acc" in c)
    cells = CellMeans.of(tidy(frame, factors, response))
    assert cells.n == expected["n_rows"]
    found = grid_shares(cells, draws=100).table.set_index("term")
    for term, share in expected["exact_functional_anova_variance_fraction"].items():
        # Expected fractions are of the cell means as observed, noise included.
        assert found.loc[term, "cell_percent"] == pytest.approx(100 * share, rel=1e-5), term
    higher = sum(expected["fraction_by_interaction_order"][str(k)] for k in (3, 4, 5, 6))
    assert found.loc["higher", "cell_percent"] == pytest.approx(100 * higher, rel=1e-5)


@pytest.mark.parametrize("lost", [0, 1])
def test_factors_called_noise_replicate_and_higher_keep_their_shares(lost: int) -> None:
    frame = grid((2, 2, 2), sigma=0.1, replicates=3, seed=1)
    frame = frame[~((frame["A"] == "0") & (frame["B"] == "0") & (frame["C"] == "0") & bool(lost))]
    named = frame.rename(columns={"A": "noise", "B": "replicate", "C": "higher"})
    plain, reserved = (
        from_frame(one, list(one.columns[:3]), "y", "seed").variance_shares()
        for one in (frame, named)
    )
    assert reserved["kind"].tolist() == plain["kind"].tolist()
    assert reserved["term"].tolist() == [
        *("noise", "replicate", "higher", "noise:replicate", "noise:higher", "replicate:higher"),
        *("higher", "replicate", "noise"),
    ]
    same = ["percent", "low", "high", "raw_percent", "cell_percent", "df"]
    pd.testing.assert_frame_equal(reserved[same], plain[same])
    assert reserved["percent"][0] > 50
