"""|t| equivalents have the p of their F test, however small, and what is shown is marked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import analysis
from analysis.effects.standardised_effects import standardised_effects
from analysis.stats.distributions.f_tails import equivalent_t, log_p


@pytest.mark.parametrize("df", [1, 2, 4, 15])
@pytest.mark.parametrize("df_error", [3, 40, 502, 9_900])
@pytest.mark.parametrize("f", [0.2, 1.0, 3.7, 20.0])
def test_log_p_is_scipys_where_scipy_has_digits(f: float, df: int, df_error: int) -> None:
    assert log_p(f, df, df_error) == pytest.approx(stats.f.logsf(f, df, df_error), rel=1e-9)


@pytest.mark.parametrize(("f", "df", "df_error"), [(1e6, 3, 200), (900.0, 2, 9_900), (5e4, 1, 60)])
def test_log_p_stays_exact_where_p_underflows(f: float, df: int, df_error: int) -> None:
    mpmath = pytest.importorskip("mpmath")
    x = mpmath.mpf(df_error) / (df_error + df * mpmath.mpf(f))
    with mpmath.workdps(50):
        exact = mpmath.log(mpmath.betainc(df_error / 2, df / 2, 0, x, regularized=True))
    assert log_p(f, df, df_error) == pytest.approx(float(exact), rel=1e-9)


def test_the_equivalent_t_has_the_p_of_the_f_test() -> None:
    t = equivalent_t(3.2, 2, 100, 100)
    assert 2 * stats.t.sf(t, 100) == pytest.approx(stats.f.sf(3.2, 2, 100), rel=1e-8)
    assert equivalent_t(9.0, 1, 100, 100) == 3.0
    assert equivalent_t(0.0, 3, 100, 100) == 0.0
    assert 50 < equivalent_t(2e4, 4, 9_900, 9_900) < np.sqrt(8e4) + 1
    few = equivalent_t(40.0, 2, 3.5, 100)  # 3.5 error degrees of freedom shown on 100
    assert 2 * stats.t.sf(few, 100) == pytest.approx(stats.f.sf(40.0, 2, 3.5), rel=1e-8)


def _study() -> analysis.Study:
    random = np.random.default_rng(5)
    rows = [
        (a, b, seed, 0.8 - 0.2 * (a == "low") + random.normal(0, 0.01))
        for a in ("high", "low")
        for b in ("x", "y", "z")
        for seed in range(3)
    ]
    frame = pd.DataFrame(rows, columns=["a", "b", "seed", "acc"])
    return analysis.from_frame(frame, ["a", "b"], "acc", "seed")


def test_terms_are_sorted_signed_and_say_what_is_shown() -> None:
    found = _study().estimates()
    table = standardised_effects(found).set_index("term")
    assert table.index[0] == "a"
    assert table.loc["a", "sign"] == -1, "the second level is lower"
    assert table.loc["b", "sign"] == 0
    df = found.fit.residual_df
    assert table["alpha_line"].iloc[0] == pytest.approx(stats.t.isf(0.025, df))
    assert table["together_line"].isna().all(), "what is shown is told by filled bars"
    assert table["shown"].tolist() == [True, False, False]


def test_bars_pass_a_line_exactly_where_the_deciding_test_rejects() -> None:
    """Not where the classical F does: with unequal variances that one is no test at 5 %."""
    random = np.random.default_rng(14)
    spread = {"x": 0.002, "y": 0.01, "z": 0.06}
    rows = [
        (a, b, 0.8 + 0.004 * (a == "low") + random.normal(0, spread[b]))
        for a in ("high", "low")
        for b in spread
        for _ in range(4)
    ]
    found = analysis.from_frame(pd.DataFrame(rows, columns=["a", "b", "acc"]), ["a", "b"], "acc")
    effects = found.estimates()
    assert effects.deciding == "welch"
    table = standardised_effects(effects).set_index("term")
    decisive = effects.tests("welch").set_index("term")
    for term, row in table.iterrows():
        assert row["p"] == pytest.approx(decisive.loc[term, "p"])
        assert (row["t"] > row["alpha_line"]) == (decisive.loc[term, "p"] < 0.05)
    classical = effects.tests("type3").set_index("term")["p"]
    assert not np.allclose(table["p"], classical[table.index].astype(float), rtol=0.05)


def test_without_an_error_term_lenth_takes_its_place() -> None:
    random = np.random.default_rng(6)
    rows = [
        (a, b, c, d, 1.0 * (a == "1") + random.normal(0, 0.01))
        for a in "01"
        for b in "01"
        for c in "01"
        for d in "01"
    ]
    frame = pd.DataFrame(rows, columns=["a", "b", "c", "d", "acc"])
    found = analysis.from_frame(frame, ["a", "b", "c", "d"], "acc").estimates(order=None)
    assert found.lenth is not None
    table = standardised_effects(found)
    assert table["t"].iloc[0] == pytest.approx(
        found.lenth.effects["absolute"].max() / found.lenth.pse
    )
    assert table["together_line"].iloc[0] == pytest.approx(found.lenth.sme / found.lenth.pse)
