"""All looks together err as often as they may."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, norm

from analysis.adaptive.spending import POWER, chance_to_decide, look_at, nominal_levels
from analysis.study import Study
from analysis.table.statuses import NOT_RUN
from runner.spec.adaptive import Adaptive


def test_one_look_has_the_whole_level() -> None:
    assert nominal_levels([1.0]) == pytest.approx((0.05,), abs=1e-9)


@pytest.mark.parametrize("fractions", [(0.5, 1.0), (0.375, 0.5, 0.75), (0.2, 0.6, 1.0)])
def test_each_look_spends_its_share(fractions: tuple[float, ...]) -> None:
    """By the normal distribution of the z of all looks, which are correlated as sqrt(s / t)."""
    t = np.array(fractions)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    border = norm.isf(np.array(nominal_levels(fractions)) / 2)
    for looks in range(1, len(t) + 1):
        among = multivariate_normal(cov=correlation[:looks, :looks], seed=1)
        kept = among.cdf(border[:looks], lower_limit=-border[:looks])
        assert 1 - kept == pytest.approx(0.05 * t[looks - 1] ** POWER, abs=2e-5)


@pytest.mark.parametrize("fractions", [[0.5, 1.0], [0.25, 0.3, 0.7, 1.0], np.arange(3, 9) / 8])
def test_all_looks_together_spend_the_level(fractions: list[float]) -> None:
    rng = np.random.default_rng(3)
    steps = np.diff([0.0, *fractions])
    score = np.cumsum(rng.normal(size=(200_000, len(steps))) * np.sqrt(steps), axis=1)
    z = np.abs(score) / np.sqrt(fractions)
    borders = norm.isf(np.array(nominal_levels(list(fractions))) / 2)
    crossed = (z > borders).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=0.002)  # four standard errors


def test_conditional_power_is_how_often_the_last_look_decides() -> None:
    rng = np.random.default_rng(4)
    t, now, level = 0.6, 1.5, 0.03
    drift = now / np.sqrt(t)  # of the score, as the trend is
    score = now * np.sqrt(t) + drift * (1 - t) + np.sqrt(1 - t) * rng.normal(size=400_000)
    share = (score > norm.isf(level / 2)).mean()
    assert chance_to_decide(np.array([now]), np.array([t]), level)[0] == pytest.approx(
        share, abs=0.004
    )


def test_nothing_is_decided_before_the_first_runs_of_each() -> None:
    rule = Adaptive(2, 8)
    looks = [look_at(rule, 12, runs) for runs in (24, 36, 72, 95, 96, 200)]
    numbers = [(one.number, one.of) for one in looks]
    assert numbers == [(1, 4), (1, 4), (2, 4), (3, 4), (4, 4), (4, 4)]
    assert looks[1].level == 0
    assert 0 < looks[2].level < looks[3].level < looks[4].level == looks[4].last < 0.05
    assert look_at(Adaptive(2, 3), 12, 36).level == pytest.approx(0.05)
    # Fewer combinations, more runs of each; never beyond what the file allows.
    assert [rule.first(n) for n in (2, 23, 24, 400)] == [6, 6, 4, 4]
    assert [Adaptive(7, 8).first(n) for n in (2, 400)] == [7, 7]
    assert Adaptive(2, 3).first(2) == 3


def waves(ended: int, planned: int) -> Study:
    """Two combinations in waves of 2 to 7 runs, `ended` of the `planned` runs of each."""
    rows = [
        {"opt": opt, "replicate": k, "acc": 0.3 * at + 0.001 * k, "status": "reached"}
        | ({"acc": np.nan, "status": NOT_RUN} if k >= ended else {})
        for at, opt in enumerate(("adam", "sgd"))
        for k in range(planned)
    ]
    rule = {"least": 2, "most": 7, "until": "mains", "half_width": None}
    return Study(
        pd.DataFrame(rows),
        {"opt": ("adam", "sgd")},
        "acc",
        "replicate",
        shares_seeds=False,
        info={"spec": {"adaptive": rule}},
    )


def test_a_wave_that_is_cut_is_no_look() -> None:
    cut = waves(2, 6)
    assert cut.look == look_at(Adaptive(2, 7), 2, 4)
    assert "decide nothing yet" in cut.judgement.silent
    whole = waves(6, 6)
    assert whole.look is not None
    assert whole.look.number == 2
