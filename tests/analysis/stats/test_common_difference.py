"""The common difference of shares: published numbers, and one voice with the exact test."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from analysis.stats.counts.cmh import exact_test
from analysis.stats.counts.common_difference import CommonDifference
from analysis.stats.counts.proportions import newcombe

CISAPRIDE = np.array([
    (15, 16, 9, 16), (12, 16, 1, 16), (29, 34, 18, 34), (42, 56, 31, 56), (14, 22, 6, 22),
    (44, 54, 17, 55), (14, 17, 7, 15), (29, 58, 23, 58), (10, 14, 3, 15), (17, 26, 6, 27),
    (38, 44, 12, 45), (19, 29, 22, 30), (21, 38, 19, 38),
])  # fmt: skip
ADVERSE = np.array([
    (0, 432, 0, 142), (1, 375, 0, 125), (0, 80, 0, 40), (0, 248, 1, 84), (0, 50, 0, 24),
    (2, 251, 0, 85), (5, 605, 1, 209), (1, 466, 2, 231), (4, 525, 0, 175), (1, 80, 0, 40),
    (1, 375, 0, 124), (0, 189, 0, 59), (0, 55, 0, 27), (0, 110, 0, 56), (0, 85, 0, 85),
    (0, 170, 0, 85), (4, 1030, 1, 350),
])  # fmt: skip
LU = np.array([(3, 5, 1, 15), (4, 10, 3, 10), (18, 35, 2, 25)])


def of(table: np.ndarray) -> CommonDifference:
    """Rows of x1, n1, x2, n2."""
    return CommonDifference.of(table[:, [0, 2]], table[:, [1, 3]])


@pytest.mark.parametrize(
    ("table", "low", "high", "digits"),
    [
        # Hartung and Knapp's meta-analysis; limits by R's ratesci as its author gives them.
        (CISAPRIDE, 0.245286, 0.369981, 6),
        # Klingenberg 2014 (Statistics in Medicine 33:2968): hardly any events.
        (ADVERSE, -0.0027, 0.0038, 4),
        (LU, 0.1963, 0.5381, 4),  # Lu 2008, three strata of unlike sizes
    ],
)
def test_published_limits(table: np.ndarray, low: float, high: float, digits: int) -> None:
    score = of(table)
    z = 1.959963984540054
    assert score._end(-1.0, z) == pytest.approx(low, abs=0.51 * 10**-digits)
    assert score._end(1.0, z) == pytest.approx(high, abs=0.51 * 10**-digits)


def test_the_score_of_no_difference_is_the_statistic_of_the_test() -> None:
    for table in (CISAPRIDE, ADVERSE, LU):
        test = exact_test(table[:, [0, 2]], table[:, [1, 3]])
        assert of(table)._z(0.0) ** 2 == pytest.approx(test.statistic, rel=1e-12)


def test_one_stratum_is_miettinen_and_nurminens_interval() -> None:
    # Newcombe 1998 (17:873), table II, method 5: 56/70 - 48/80 -> 0.0528 to 0.3382.
    score = of(np.array([(56, 70, 48, 80)]))
    assert score.limits() == pytest.approx((0.0528, 0.3382), abs=5e-5)


def test_where_all_runs_or_none_succeed_the_interval_is_as_wide_as_the_runs_are_few() -> None:
    for hits in (0, 5):
        low, high = of(np.array([(hits, 5, hits, 5)] * 4)).limits()
        assert low == pytest.approx(-high)
        assert 0.1 < high < 0.25


def test_strata_that_lack_a_level_are_left_out() -> None:
    table = np.array([(3, 3, 1, 3), (0, 0, 3, 3), (2, 2, 0, 0)])
    assert of(table).limits() == of(table[:1]).limits()
    with pytest.raises(ValueError, match="met"):
        of(table[1:])


def test_interval_and_exact_test_cannot_contradict_each_other() -> None:
    """Zero lies in the interval just where the test leaves it open; at every level asked for."""
    rng = np.random.default_rng(5)
    seen = set()
    for _ in range(200):
        strata = int(rng.choice([1, 2, 4, 12]))
        runs = rng.integers(1, 8, (strata, 2))
        rates = rng.choice([0.0, 0.1, 0.5, 0.9, 1.0], (strata, 2))
        score = CommonDifference.of(rng.binomial(runs, rates), runs)
        for level in (0.8, 0.95, 0.99):
            low, high = score.limits(level)
            open_ = low <= 0 <= high
            assert open_ == (score.p > round(1 - level, 12))
            assert low <= score.estimate <= high
            seen.add(open_)
    assert seen == {True, False}


def test_the_p_at_a_border_is_where_the_interval_ends_there() -> None:
    for table in (LU, np.array([(4, 5, 1, 5), (5, 5, 3, 5)]), np.array([(3, 3, 2, 3)] * 3)):
        score = of(table)
        for level in (0.5, 0.9, 0.99):
            low, high = score.limits(level)
            if low:  # at zero the exact test takes over, and p jumps
                assert score.below(low) == pytest.approx((1 + level) / 2, abs=1e-6)
            if high < 1:
                assert score.below(high) == pytest.approx((1 - level) / 2, abs=1e-6)
        borders = np.linspace(-0.99, 0.99, 67)
        falling = np.array([score.below(one) for one in borders])
        assert (np.diff(falling) <= 1e-9).all()
        assert 2 * min(score.below(0.0), 1 - score.below(0.0)) == pytest.approx(min(score.p, 1.0))


def test_it_is_shorter_than_the_pooled_interval_where_strata_differ() -> None:
    table = np.array([(5, 5, 4, 5), (1, 5, 0, 5)] * 6)
    x1, n1, x2, n2 = table.sum(axis=0)
    pooled = newcombe(x1, n1, x2, n2)
    low, high = of(table).limits()
    assert high - low < 0.8 * float(pooled.high - pooled.low)


def test_swapping_levels_turns_the_interval_round() -> None:
    for counts in product(range(3), repeat=4):
        table = np.array([(counts[0], 2, counts[1], 2), (counts[2], 2, counts[3], 2)])
        low, high = of(table).limits()
        assert of(table[:, [2, 3, 0, 1]]).limits() == pytest.approx((-high, -low), abs=1e-9)
