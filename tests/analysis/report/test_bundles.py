"""Values that go together by design: what can be said is said, and what cannot is told why."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis.loading import from_frame
from analysis.report.words.answer import answer
from analysis.report.words.caveats import caveats
from analysis.study import Study


def study_of(pairs: list[tuple[str, str]], names: tuple[str, str, str], seeds: int = 3) -> Study:
    """Two factors that go together, and one that is crossed with them: he is 5 points better."""
    rng = np.random.default_rng(0)
    rows = [
        (first, second, third, seed, 0.9 + 0.05 * (third == "he") + rng.normal(0, 0.005))
        for (first, second), third, seed in product(pairs, ("he", "xavier"), range(seeds))
    ]
    return from_frame(
        pd.DataFrame(rows, columns=[*names, "seed", "acc"]), list(names), "acc", "seed"
    )


def test_a_factor_that_is_crossed_with_a_bundle_is_estimated() -> None:
    """g3: Adam has batches of 32, the others of 128; nothing was estimated of init."""
    study = study_of(
        [("adam", "32"), ("sgd", "128"), ("nesterov", "128")], ("optimizer", "batch", "init")
    )
    row = study.contrasts().set_index("factor").loc["init"]
    assert row["estimate"] == pytest.approx(0.05, abs=0.01)
    assert row["rests_on"] == "the combinations of the other factors that ran"
    by_hand = study.frame.groupby("init")["acc"].mean()
    assert row["estimate"] == pytest.approx(by_hand["he"] - by_hand["xavier"])
    asked = study.contrast("init: he - xavier")
    assert (asked.estimate, asked.low) == pytest.approx((row["estimate"], row["low"]))
    text = " ".join(answer(study).sentences)
    assert "What improves acc: init (he over xavier" in text
    assert "Cannot be tested with the runs at hand: optimizer and batch." in text
    told = "batch goes with optimizer (32 with adam, 128 with sgd and 128 with nesterov)"
    assert any(sentence.startswith(told) for sentence in caveats(study, None))


def test_levels_that_always_change_together_are_told_as_one_factor() -> None:
    """g2: three losses, each with its own number of epochs."""
    study = study_of([("0", "2"), ("0.1", "4"), ("0.2", "6")], ("smooth", "epochs", "init"))
    text = " ".join(answer(study).sentences)
    assert "What improves acc: init (he over xavier" in text
    assert any("written as one factor of 3 levels" in told for told in caveats(study, None))


def test_a_factor_that_is_not_crossed_with_the_rest_stays_not_estimable() -> None:
    """F5: adam never gave a result at the hot rate; no difference at the cool one stands for it."""
    rng = np.random.default_rng(1)
    rows = [
        (optimizer, lr, seed, mean + rng.normal(0, 0.003))
        for optimizer, lr, mean in (
            ("sgd", "0.01", 0.7),
            ("sgd", "0.1", 0.9),
            ("adam", "0.01", 0.95),
        )
        for seed in range(3)
    ]
    frame = pd.DataFrame(rows, columns=["optimizer", "lr", "seed", "acc"])
    study = from_frame(frame, ["optimizer", "lr"], "acc", "seed")
    assert study.contrasts()["estimate"].isna().all()
    assert study.effects()["mean"].dropna().le(1).all()
    text = " ".join(answer(study).sentences)
    assert "What improves" not in text
    assert "Decided: 0 of 2" in text


def half_fraction(effect: float, seeds: int) -> Study:
    """Resolution III: c is a times b."""
    rng = np.random.default_rng(2)
    rows = [
        (f"a{a}", f"b{b}", f"c{a ^ b}", seed, 0.8 + effect * a + rng.normal(0, 0.004))
        for a, b, seed in product((0, 1), (0, 1), range(seeds))
    ]
    frame = pd.DataFrame(rows, columns=["A", "B", "C", "seed", "acc"])
    return from_frame(frame, ["A", "B", "C"], "acc", "seed")


def test_a_screening_fraction_has_main_effects_with_what_they_assume() -> None:
    study = half_fraction(0.05, 3)
    text = " ".join(answer(study).sentences)
    assert "What improves acc: A (a1 over a0" in text
    assert "assuming that two or more factors do not interact." in text
    assert study.contrasts()["rests_on"].eq("model of order 1").all()
    assert any("made for main effects" in told for told in caveats(study, None))


def test_a_screening_fraction_that_lost_a_run_is_still_one() -> None:
    frame = half_fraction(0.05, 3).frame.copy()
    frame.loc[frame.index[:3], "acc"] = np.nan  # all runs of one combination
    study = from_frame(frame, ["A", "B", "C"], "acc", "seed")
    assert study.grid.screening
    assert answer(study).sentences


def test_a_grid_with_a_hole_is_no_screening_fraction() -> None:
    frame = pd.DataFrame(
        [(a, b, c, s, 0.5) for a, b, c, s in product("xy", "pq", "uv", range(2))],
        columns=["A", "B", "C", "seed", "acc"],
    )
    frame["acc"] += np.random.default_rng(0).normal(0, 0.01, len(frame))
    assert not from_frame(frame[2:], ["A", "B", "C"], "acc", "seed").grid.screening
    assert not from_frame(frame, ["A", "B", "C"], "acc", "seed").grid.screening
