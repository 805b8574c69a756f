"""Interactions that turn the order round, and those that are a matter of scale."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from analysis.effects.crossover import interaction_kinds
from analysis.loading import from_frame


def runs(means: dict[tuple[str, str], float], noise: float = 0.004) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        (a, b, c, mean + rng.normal(0, noise))
        for (a, b), mean in means.items()
        for c in "mn"
        for _ in range(5)
    ]
    return pd.DataFrame(rows, columns=["a", "b", "c", "acc"])


def kinds(frame: pd.DataFrame) -> pd.DataFrame:
    return from_frame(frame, ["a", "b", "c"], "acc").interaction_kinds().set_index("term")


def test_opposite_simple_effects_are_a_crossover_and_said_in_words() -> None:
    frame = runs({("x", "p"): 0.9, ("x", "q"): 0.7, ("y", "p"): 0.8, ("y", "q"): 0.8})
    row = kinds(frame).loc["a:b"]
    assert bool(row["crossover"]) is True
    assert row["kind"] == "crossover"
    assert row["sentence"] == "x is above y of a with b = p, below it with b = q"


def test_an_interaction_in_one_direction_is_none() -> None:
    frame = runs({("x", "p"): 0.9, ("x", "q"): 0.85, ("y", "p"): 0.8, ("y", "q"): 0.6})
    found = kinds(frame)
    assert bool(found.loc["a:b", "crossover"]) is False
    assert found.loc["a:b", "kind"] == "same direction"
    assert found.loc["a:c", "kind"] == "not shown"


def test_a_sign_that_may_be_noise_is_no_crossover() -> None:
    frame = runs(
        {("x", "p"): 0.801, ("x", "q"): 0.85, ("y", "p"): 0.8, ("y", "q"): 0.95}, noise=0.02
    )
    assert bool(kinds(frame).loc["a:b", "crossover"]) is False


def test_without_replicates_nothing_is_known_of_a_saturated_grid() -> None:
    frame = pd.DataFrame(
        [(a, b, 0.5 + 0.1 * i) for i, (a, b) in enumerate(itertools.product("xy", "pq"))],
        columns=["a", "b", "acc"],
    )
    effects = from_frame(frame, ["a", "b"], "acc").estimates()
    row = interaction_kinds(effects).iloc[0]
    assert row["crossover"] is None
    assert row["kind"] == "unknown"


@pytest.mark.parametrize(("crossing", "kind"), [(False, "vanishes on the logit scale"),
                                                (True, "crossover")])  # fmt: skip
def test_effects_that_add_up_on_the_logit_scale_vanish_there(crossing: bool, kind: str) -> None:
    """Near the ceiling the same step in logits is a smaller step in accuracy."""
    rng = np.random.default_rng(5)
    rows = []
    for (i, a), (j, b), seed in itertools.product(enumerate("xy"), enumerate("pq"), range(8)):
        turn = -2.4 * i * j if crossing else 0.0
        logit = 0.5 + 1.2 * i + 2.5 * j + turn + rng.normal(0, 0.05)
        correct = round(10_000 / (1 + np.exp(-logit)))
        rows.append((a, b, f"{seed}", correct, 10_000, correct / 10_000))
    names = ["a", "b", "seed", "test_correct", "n_test", "test_accuracy"]
    frame = pd.DataFrame(rows, columns=names)
    study = from_frame(frame, ["a", "b"], "test_accuracy")
    row = study.interaction_kinds().iloc[0]
    assert row["p"] < 1e-6
    assert row["kind"] == kind
    assert bool(row["logit_p"] < 0.05) is crossing
    assert study.document()["interaction_kinds"][0]["kind"] == kind
