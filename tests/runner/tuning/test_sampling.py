"""Suggestions: within the range, never twice, the same for the same trials."""

from __future__ import annotations

import math

import pytest

from runner.spec.tune import Range
from runner.tuning.sampling import startup, suggest

RATE = Range("lr", 1e-4, 1.0)
DECAY = Range("weight_decay", 0.0, 0.1, log=False)


def run(sampler, trials: int, waves: int, score, ranges=(RATE,)):
    tried = {tuple(one.middle for one in ranges): score(*(one.middle for one in ranges))}
    while len(tried) < trials:
        count = min(waves, trials - len(tried))
        new = suggest(ranges, tried, count, sampler=sampler, trials=trials, seed=7)
        assert len(set(new)) == count
        assert not set(new) & set(tried)
        for values in new:
            assert all(r.low <= v <= r.high for r, v in zip(ranges, values, strict=True))
            tried[values] = score(*values)
    return tried


def peak(rate: float) -> float:
    return -((math.log10(rate / 0.02)) ** 2)


@pytest.mark.parametrize("sampler", ["tpe", "quasi_random"])
def test_the_best_is_found_and_repeats(sampler):
    tried = run(sampler, 16, 2, peak)
    best = max(tried, key=lambda values: tried[values])[0]
    assert 0.007 < best < 0.06
    assert run(sampler, 16, 2, peak) == tried


def test_quasi_random_trials_do_not_depend_on_the_waves():
    assert set(run("quasi_random", 9, 1, peak)) == set(run("quasi_random", 9, 4, peak))


def test_two_parameters_and_trials_that_failed():
    tried = run("tpe", 10, 3, lambda lr, wd: None if lr > 0.1 else peak(lr) - wd, (RATE, DECAY))
    assert len({lr for lr, _ in tried}) == len(tried) == 10
    assert run("quasi_random", 6, 2, lambda lr: None)


def test_half_is_quasi_random_first():
    assert [startup(n) for n in (2, 8, 9, 40)] == [4, 4, 5, 20]
