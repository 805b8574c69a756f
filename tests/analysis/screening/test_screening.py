"""A screening study: which factors it names, what they may be mistaken for, how often it errs."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.screening.array import effect_weights, spare_contrasts
from analysis.screening.noise import MainEffects, unreplicated
from analysis.screening.screen import Screen, Screened, screened
from analysis.stats.arrays import Floats
from analysis.stats.distributions.lenth_limits import lenth_limits, lenth_p
from analysis.stats.multiplicity import holm
from runner.content.response import ACCURACY
from runner.design.search.screening import array_of

SIZES = [(8, 12), (11, 12), (8, 16), (12, 16), (13, 20), (8, 24), (12, 24), (15, 24)]


def signs_of(factors: int, runs: int) -> Floats:
    return np.asarray(1.0 - 2.0 * array_of(factors, runs))


def screen_of(signs: Floats, means: Floats, se: float | None = None) -> Screen:
    """With the noise of the runs themselves, or with a known one."""
    effects = unreplicated(signs, means)
    if se is not None:
        size, many = effects.estimate, np.full(signs.shape[1], 30.0)
        width = np.full(signs.shape[1], se)
        p = 2 * np.exp(-0.5 * (size / se) ** 2)
        effects = MainEffects(size, width, many, size - 2 * se, size + 2 * se, np.minimum(p, 1))
    levels = {f"f{place:02d}": ("a", "b") for place in range(signs.shape[1])}
    return Screen(levels, signs, means, effects)


def told(screen: Screen) -> Screened:
    names = list(screen.factors)
    shown = [names[place] for place, p in enumerate(holm(screen.p)) if p <= 0.05]
    return screened(screen, shown, ACCURACY)


@pytest.mark.parametrize(("factors", "runs"), SIZES)
def test_spare_contrasts_hold_no_main_effect_and_have_the_noise_of_one(
    factors: int, runs: int
) -> None:
    signs = signs_of(factors, runs)
    draws = np.random.default_rng(3).standard_normal((400, runs))
    found = [spare_contrasts(signs, one, effect_weights(signs) @ one) for one in draws]
    sizes = {len(one) for one in found}
    assert min(sizes) >= (3 if runs - 1 - factors >= 3 else 0)
    every = np.concatenate(found)
    if every.size:
        assert abs(every.std() / (2 / runs**0.5) - 1) < 0.08
    mains = signs @ np.arange(1.0, factors + 1)
    assert (
        np.abs(spare_contrasts(signs, mains, effect_weights(signs) @ mains)).max(initial=0) < 1e-9
    )


@pytest.mark.parametrize(("factors", "runs"), SIZES)
def test_where_nothing_matters_something_is_shown_in_five_percent_of_studies_at_most(
    factors: int, runs: int
) -> None:
    signs, rng = signs_of(factors, runs), np.random.default_rng(11)
    studies = 150
    false = sum(
        bool((holm(unreplicated(signs, rng.standard_normal(runs)).p) <= 0.05).any())
        for _ in range(studies)
    )
    assert false / studies <= 0.05 + 2 * (0.05 * 0.95 / studies) ** 0.5


def test_p_of_a_single_effect_is_the_share_of_noise_beyond_its_limit() -> None:
    for m in (11, 17, 23):
        limit = lenth_limits(m)[0]
        assert lenth_p(np.array([limit]), m)[0] == pytest.approx(0.05, rel=0.01)
    p = lenth_p(np.array([0.0, 1.0, 3.0, 1e9, np.nan]), 17)
    assert p[0] == pytest.approx(1.0)
    assert p[0] > p[1] > p[2] > p[3] > 0
    assert np.isnan(p[4])


@pytest.mark.parametrize("factors", [8, 10, 12])
def test_of_mirrored_runs_the_few_are_named_although_two_of_them_act_together(
    factors: int,
) -> None:
    signs, rng = signs_of(factors, 24), np.random.default_rng(5)
    mean = 2.0 * signs[:, 1] - 2.0 * signs[:, 4] + 1.5 * signs[:, 6]
    mean = mean + 2.0 * signs[:, 1] * signs[:, 4] + rng.normal(0, 0.5, 24)
    said = told(screen_of(signs, mean))
    assert set(said.matter) == {"f01", "f04", "f06"}
    assert not said.rivals
    assert said.acting_together == (("f01", "f04"),)
    assert {one: said.better[one] for one in said.matter} == {"f01": "a", "f04": "b", "f06": "a"}
    assert set(said.next) >= {"f01", "f04", "f06"}


@pytest.mark.parametrize(("factors", "runs"), [(11, 12), (14, 20), (15, 24)])
def test_what_a_pair_makes_of_other_factors_is_said_to_be_the_pair(factors: int, runs: int) -> None:
    signs, rng = signs_of(factors, runs), np.random.default_rng(2)
    mean = 3.0 * signs[:, 0] + 3.0 * signs[:, 1] + 3.0 * signs[:, 0] * signs[:, 1]
    screen = screen_of(signs, mean + rng.normal(0, 0.1, runs), se=2 / runs**0.5 * 0.1)
    said = told(screen)
    assert set(said.matter) == {"f00", "f01"}
    assert not said.rivals
    assert said.acting_together == (("f00", "f01"),)
    alone = [f"f{one:02d}" for one, p in enumerate(holm(screen.effects.p)) if p <= 0.05]
    ghosts = set(alone) - {"f00", "f01"}
    assert ghosts, "the pair leans on others of this array"
    assert not ghosts & {*said.matter, *said.open, *said.next}
    assert ghosts <= set(said.shadows)


def test_of_16_runs_a_factor_that_is_a_pair_exactly_is_told_with_its_rival() -> None:
    signs = signs_of(12, 16)
    one, a, b = next(
        (one, a, b)
        for a in range(12)
        for b in range(a)
        for one in range(12)
        if one not in (a, b) and abs(np.sum(signs[:, one] * signs[:, a] * signs[:, b])) == 16
    )
    mean = 3.0 * signs[:, a] + 2.5 * signs[:, b] + 2.0 * signs[:, one]
    said = told(screen_of(signs, mean + np.random.default_rng(1).normal(0, 0.2, 16)))
    pair = tuple(sorted((f"f{a:02d}", f"f{b:02d}")))
    assert pair in said.rivals[f"f{one:02d}"]


def test_a_single_factor_that_matters_is_followed_up_with_the_next_largest() -> None:
    signs = signs_of(10, 24)
    mean = 2.0 * signs[:, 3] + np.random.default_rng(8).normal(0, 0.5, 24)
    said = told(screen_of(signs, mean))
    assert said.matter == ("f03",)
    assert len(said.next) >= 2
    assert "f03" in said.next


def test_where_nothing_is_shown_or_open_nothing_follows() -> None:
    signs = signs_of(10, 24)
    flat = screen_of(signs, np.zeros(24))
    assert flat.effects.refused
    assert not told(flat).next
    assert flat.clear
    assert not screen_of(signs_of(13, 24), np.arange(24.0)).clear
