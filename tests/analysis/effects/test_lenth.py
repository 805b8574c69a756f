"""Lenth's analysis: the reference cases, factors of any number of levels, and refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from analysis.effects.aliases.lenth import lenth, pseudo_standard_error
from analysis.model.cell_means import CellMeans
from analysis.stats.coding import polynomial_contrasts
from analysis.stats.distributions.lenth_limits import MOST_SIMULATED, lenth_limits, ratios
from analysis.table.tidy import tidy
from tests.analysis.published import expected as numbers
from tests.analysis.published import table as published

CASES = [
    ("nist_eddy_2x3", ["X1", "X2", "X3"], "Y", "computed_lenth.json", None),
    ("montgomery_filtration_2x4", list("ABCD"), "Filtration", "computed_lenth.json", None),
    ("montgomery_drill_2x4", list("ABCD"), "rate", "computed_lenth.json", None),
    ("montgomery_drill_2x4", list("ABCD"), "rate", "computed_lenth_log.json", "log"),
    ("bhh_pilot_2x3", list("TCK"), "yield", "computed_lenth.json", None),
    ("bhh_process_2x4", list("ABCD"), "conversion", "computed_lenth.json", None),
    ("ml_caffenet_bn_init_arch_2x3", ["arch", "bn", "init"], "accuracy",
     "computed_lenth.json", None),
    ("ml_gcr_cifar10_bn_relu_depth_2x3", ["layers", "final_relu", "bn"], "test_error",
     "computed_lenth.json", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "factors", "response", "file", "transform"), CASES)
def test_published_limits_and_half_normal_coordinates(
    name: str, factors: list[str], response: str, file: str, transform: str | None
) -> None:
    frame = published(name)
    if transform:
        frame[response] = np.log(frame[response].astype(float))
    found = lenth(CellMeans.of(tidy(frame, factors, response)))
    assert found is not None
    expected = numbers(name, file)["lenth_alpha05"]
    assert found.m == expected["m"]
    for key in ("s0", "pse", "me", "sme"):
        assert getattr(found, key) == pytest.approx(expected[key], rel=1e-8), key
    rows = found.effects.set_index("term")
    for key in ("active_me", "active_sme"):
        assert set(rows.index[rows[key].astype(bool)]) == set(expected[key])
    theirs = sorted(expected["half_normal"], key=lambda row: row["z_ppoints_half"])
    ours = found.effects.sort_values("quantile")
    np.testing.assert_allclose(
        ours["quantile"], [row["z_ppoints_half"] for row in theirs], rtol=1e-8
    )
    np.testing.assert_allclose(
        ours["absolute"], [row["abs_effect"] for row in theirs], rtol=1e-8, atol=1e-12
    )


@pytest.mark.parametrize("response", ["y1", "y2", "y3", "y4"])
def test_a_saturated_design_of_fifteen_factors(response: str) -> None:
    case = "box_meyer_1986_2x4"
    factors = [f"X{i}" for i in range(1, 16)]
    found = lenth(CellMeans.of(tidy(published(case), factors, response)))
    assert found is not None
    expected = numbers(case, "computed.json")["responses"][response]
    assert list(found.effects["term"]) == factors
    for key in ("pse", "me", "sme"):
        assert getattr(found, key) == pytest.approx(expected["lenth"][key], rel=1e-8)
    assert "X2:X3" in found.effects.set_index("term").loc["X1", "aliases"]


def table(*levels: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (*[str(i) for i in cell], 3.0 * cell[0] + rng.normal())
        for cell in itertools.product(*[range(n) for n in levels])
    ]
    return pd.DataFrame(rows, columns=[*"ABCDEF"[: len(levels)], "y"])


def test_contrasts_of_longer_factors_stand_on_the_same_scale() -> None:
    """Every effect has the variance of a two-level one, so their squares carry all of y's."""
    frame = table(3, 4, 2)
    found = lenth(CellMeans.of(tidy(frame, list("ABC"), "y")))
    assert found is not None
    assert found.m == 23
    total = ((frame["y"] - frame["y"].mean()) ** 2).sum()
    assert (found.effects["effect"] ** 2).sum() * 24 / 4 == pytest.approx(total)
    assert list(found.effects["contrast"][:6]) == ["A^1", "A^2", "B^1", "B^2", "B^3", "C"]
    largest = found.effects.sort_values("absolute").iloc[-1]
    assert largest["contrast"] == "A^1"


def test_polynomial_contrasts_are_orthonormal_and_rise() -> None:
    for levels in (2, 3, 6):
        c = polynomial_contrasts(levels)
        np.testing.assert_allclose(c.T @ c, np.eye(levels - 1), atol=1e-12)
        np.testing.assert_allclose(c.sum(axis=0), 0, atol=1e-12)
        assert (np.diff(c[:, 0]) > 0).all()


def test_a_fraction_shows_each_effect_with_its_aliases() -> None:
    frame = table(2, 2, 2, 2)
    sign = (frame[list("ABCD")] == "1").sum(axis=1) % 2
    half = frame[sign == 0].reset_index(drop=True)
    found = lenth(CellMeans.of(tidy(half, list("ABCD"), "y")))
    assert found is not None
    rows = found.effects.set_index("term")
    assert dict(rows["aliases"]) == {
        "A": ["B:C:D"], "B": ["A:C:D"], "C": ["A:B:D"], "D": ["A:B:C"],
        "A:B": ["C:D"], "A:C": ["B:D"], "A:D": ["B:C"],
    }  # fmt: skip
    by_hand = half.groupby("A")["y"].mean()
    assert rows.loc["A", "effect"] == pytest.approx(by_hand["1"] - by_hand["0"])
    other = frame[sign == 1].reset_index(drop=True)
    negative = lenth(CellMeans.of(tidy(other, list("ABCD"), "y")))
    assert negative is not None
    assert negative.effects.set_index("term").loc["A:B", "aliases"] == ["-C:D"]


def test_a_lost_run_leaves_one_contrast_fewer() -> None:
    found = lenth(CellMeans.of(tidy(table(2, 2, 2, 2)[1:], list("ABCD"), "y")))
    assert found is not None
    assert found.m == 14
    assert found.pse > 0


def test_where_it_says_nothing_it_refuses() -> None:
    replicated = pd.concat([table(2, 2, 2)] * 2)
    assert lenth(CellMeans.of(tidy(replicated, list("ABC"), "y"))) is None
    few = lenth(CellMeans.of(tidy(table(2, 2), list("AB"), "y")))
    assert few is not None
    assert few.refused is not None
    assert "3 effects are too few" in few.refused
    assert np.isnan([few.pse, few.me, few.sme]).all()
    assert few.effects["effect"].notna().all()
    flat = lenth(CellMeans.of(tidy(table(2, 2, 2).assign(y=1.0), list("ABC"), "y")))
    assert flat is not None
    assert "exactly zero" in str(flat.refused)


@pytest.mark.parametrize(("m", "one", "largest"), [(7, 2.297, 4.867), (15, 2.156, 4.240)])
def test_simulated_limits_are_the_published_critical_values(
    m: int, one: float, largest: float
) -> None:
    """Ye and Hamada (2000), as tabled for 8 and 16 runs: individual and experimentwise 5 %."""
    found = lenth_limits(m)
    assert found[0] == pytest.approx(one, rel=0.01)
    assert found[1] == pytest.approx(largest, rel=0.01)
    assert lenth_limits(m) == found
    wider = lenth_limits(m, 0.99)
    assert wider[0] > found[0]
    assert wider[1] > found[1]


@pytest.mark.no_cover  # a simulation
@pytest.mark.parametrize("m", [7, 8, 23])
def test_simulated_limits_hold_their_level_on_fresh_noise(m: int) -> None:
    frames = np.random.default_rng(99).standard_normal((4000, m))
    single = largest = 0.0
    for row in frames[:400]:  # through the analysis itself
        table = pd.DataFrame({"term": "x", "contrast": "x", "effect": row})
        found = pseudo_standard_error(table)
        single += float(np.mean(found.effects["active_me_simulated"].astype(float)))
        largest += float(found.effects["active_sme_simulated"].any())
    assert single / 400 == pytest.approx(0.05, abs=0.02)
    assert largest / 400 == pytest.approx(0.05, abs=0.035)
    one, all_of_them = lenth_limits(m)
    fresh = ratios(np.abs(frames))
    assert (fresh > one).mean() == pytest.approx(0.05, abs=0.006)
    assert (fresh.max(axis=1) > all_of_them).mean() == pytest.approx(0.05, abs=0.014)


def test_the_ratio_is_that_of_the_analysis() -> None:
    effects = np.random.default_rng(4).normal(size=12)
    found = pseudo_standard_error(pd.DataFrame({"term": "x", "contrast": "x", "effect": effects}))
    np.testing.assert_allclose(
        ratios(np.abs(effects)[None])[0], np.sort(found.effects["absolute"]) / found.pse, rtol=1e-12
    )


def test_limits_of_very_many_effects_join_the_simulated_ones() -> None:
    below, above = lenth_limits(MOST_SIMULATED), lenth_limits(MOST_SIMULATED + 1)
    assert above[0] == pytest.approx(below[0], rel=0.01)
    assert above[1] == pytest.approx(below[1], rel=0.02)
