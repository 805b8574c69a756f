"""How flat an optimum is, whether it lies at an end, and what is said of both."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis.tuning.searched import Searched, _noise
from analysis.tuning.words import at_an_end, flat_sentence
from runner.spec.tune import Range
from runner.tuning.trials import Trial

RATE = Range("lr", 1e-4, 1.0)


def trial(*values: float, scores: tuple[float, ...], failed: int = 0) -> Trial:
    return Trial(values, scores, 0, failed, 0, 1.0)


def searched(scores: dict[float, float], noise: float = 0.02, **more) -> Searched:
    trials = tuple(trial(value, scores=(score,)) for value, score in scores.items())
    best = (min if more.get("lower") else max)(scores, key=lambda one: scores[one])
    about = {"group": (("opt", "sgd"),), "at": {}, "ranges": (RATE,), "given": {}, "study": "s"}
    return Searched(
        **{**about, "values": {"lr": best}, "trials": trials, "response": "acc", "lower": False,
           "noise": noise, **more}
    )  # fmt: skip


def test_flat_is_the_unbroken_stretch_around_the_best():
    one = searched({0.0003: 0.895, 0.001: 0.5, 0.01: 0.89, 0.03: 0.9, 0.1: 0.885, 0.5: 0.2})
    assert one.flat("lr") == (0.01, 0.1)  # 0.0003 is as good, but apart
    assert one.end("lr") is None
    assert len(one.close) == 4
    assert "lr 0.01 to 0.1" in flat_sentence(one)


def test_less_is_better_where_it_is_said():
    one = searched({0.001: 0.5, 0.01: 0.11, 0.03: 0.1, 0.1: 0.3}, lower=True)
    assert one.values == {"lr": 0.03}
    assert one.best is not None
    assert one.best.values == (0.03,)
    assert one.flat("lr") == (0.01, 0.03)


@pytest.mark.parametrize(
    ("best", "end"), [(1e-4, "low"), (0.00012, "low"), (0.9, "high"), (0.3, None)]
)
def test_a_best_at_an_end_is_said_loudly(best, end):
    scores = {0.00012: 0.1, 0.01: 0.2, 0.6: 0.3, 0.9: 0.2} | {best: 0.9}
    one = searched(scores)
    assert one.end("lr") == end
    said = at_an_end(SimpleNamespace(searched=(one,)))
    assert bool(said) is (end is not None)
    if end:
        assert said[0].startswith("WARNING: lr of opt=sgd was best at")
        assert "widen the range" in said[0]


def test_no_trial_beyond_the_best_is_an_end_as_well():
    assert searched({0.01: 0.2, 0.1: 0.5, 0.2: 0.9}).end("lr") == "high"


def test_nought_as_the_low_end_of_a_linear_range_is_no_alarm():
    """Nothing lies beyond: a decay of 0 is none."""
    decay = Range("lr", 0.0, 0.1, log=False)
    one = searched({0.0: 0.9, 0.05: 0.5, 0.1: 0.4}, ranges=(decay,))
    assert one.end("lr") is None


def test_noise_is_of_repeated_trials_else_of_the_grids_runs():
    frame = pd.DataFrame(
        {
            "opt": ["sgd"] * 4 + ["adam"] * 4,
            "aug": ["a", "a", "b", "b"] * 2,
            "acc": [1.0, 3.0, 10.0, 12.0, 0.0, 0.0, 0.0, 0.0],
        }
    )
    one = searched({0.1: 1.0, 0.2: 2.0}, noise=math.nan)
    assert _noise(one, frame, ["opt", "aug"]) == pytest.approx(math.sqrt(2))
    repeated = tuple(trial(v, scores=(v, v + 2.0)) for v in (0.1, 0.2))
    two = Searched(**{**vars(one), "trials": repeated})
    assert _noise(two, frame, ["opt", "aug"]) == pytest.approx(math.sqrt(2))
    assert math.isnan(_noise(one, frame.iloc[[0, 2]], ["opt", "aug"]))
    assert one.flat("lr") is None
    assert "cannot be told without noise" in flat_sentence(one)


def test_a_trial_that_failed_in_part_has_no_mean():
    assert trial(0.1, scores=(0.9,), failed=1).mean is None
