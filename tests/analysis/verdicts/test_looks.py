"""Is it decided yet: at the study's one level, with what would decide the rest."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from ablations.errors import InputError
from analysis.loading import from_frame
from analysis.study import Study
from analysis.verdicts.looks import complete_waves
from analysis.verdicts.looks_words import in_one_line

FACTORS = {"A": ("x", "y"), "B": ("p", "q", "r")}


def study(waves: int, planned: int, effect: float, seed: int = 1) -> Study:
    """The first waves of a planned grid; with as many as planned a finished one."""
    rng = np.random.default_rng(seed)
    rows = [
        (a, b, str(k), effect * (a == "y") + rng.normal() if k < waves else np.nan)
        for k, a, b in product(range(planned), *FACTORS.values())
    ]
    frame = pd.DataFrame(rows, columns=["A", "B", "replicate", "y"])
    frame["status"] = np.where(frame["y"].isna(), "not_run", "converged")
    return from_frame(frame, ["A", "B"], "y", "replicate", levels=FACTORS)


def test_while_runs_are_to_come_the_level_is_strict_and_at_the_end_it_is_whole() -> None:
    early, late = study(6, 10, 0.8).decided(), study(10, 10, 0.8).decided()
    assert (early.alpha, late.alpha) == (0.001, 0.05)
    rows = early.table.set_index("factor")
    assert rows.loc["A", "p_family"] > 0.001
    assert not rows["decided"].any()
    assert bool(late.table.set_index("factor").loc["A", "decided"])
    assert "after 6 of 10 replicates, with runs still to come" in early.sentence
    assert "1 of 4 differences between levels is decided, after 10 replicates" in late.sentence


def test_what_is_very_clear_is_decided_early() -> None:
    found = study(6, 10, 50.0).decided()
    rows = found.table.set_index("factor")
    assert bool(rows.loc["A", "decided"])
    assert rows.loc["A", "replicates_to_decide"] == 6
    assert not rows.loc["B", "decided"].any()


def test_before_the_second_replicate_nothing_is_decided() -> None:
    found = study(1, 5, 50.0).decided()
    assert found.alpha == 0
    assert not found.table["decided"].any()
    assert "1 of 5 replicates is complete" in in_one_line(found)


def test_precision_is_a_rule_of_its_own() -> None:
    runs = study(8, 8, 0.0)
    width = float(runs.decided().table["half_width"].max())
    wide, narrow = runs.decided(width * 1.01), runs.decided(0.01)
    assert wide.precise is True
    assert "as narrow as wanted" in wide.sentence
    assert narrow.precise is False
    assert runs.decided().precise is None


def test_one_replicate_is_refused() -> None:
    with pytest.raises(InputError, match="two or more"):
        study(1, 1, 0.0).decided()


def test_a_finished_study_that_lost_runs_is_at_its_last_look() -> None:
    """F3: one cell kept one of three runs; the study judged at level 0 for ever."""
    whole = study(3, 3, 40.0)
    frame = whole.frame.copy()
    first = (frame["A"] == "x") & (frame["B"] == "p") & (frame["replicate"] != "0")
    frame.loc[first, "y"] = np.nan
    frame.loc[first, "status"] = "failed"
    lost = from_frame(frame, ["A", "B"], "y", "replicate", levels=FACTORS)
    assert complete_waves(lost.frame, ["A", "B"]) == 3
    found = lost.decided()
    assert found.alpha == 0.05
    assert bool(found.table.set_index("factor").loc["A", "decided"])
    assert "with 1 to 3 runs a combination" in in_one_line(found)


def test_a_table_has_the_replicates_it_has() -> None:
    """F4: the largest count of any cell was taken for a plan that the others had yet to reach."""
    rng = np.random.default_rng(0)
    rows = [
        (a, b, 3.0 * (a == "y") + rng.normal())
        for a, b, runs in (("x", "p", 40), ("x", "q", 5), ("y", "p", 5), ("y", "q", 12))
        for _ in range(runs)
    ]
    found = from_frame(pd.DataFrame(rows, columns=["A", "B", "y"]), ["A", "B"], "y").decided()
    assert found.alpha == 0.05
    assert bool(found.table.set_index("factor").loc["A", "decided"])
    line = in_one_line(found)
    assert "with 5 to 40 runs a combination" in line
    assert "of 40" not in line


def test_replicates_are_asked_for_only_where_they_could_decide() -> None:
    """g2: levels that always go together are not told apart by more of the same."""
    rng = np.random.default_rng(0)
    pairs = [("0", "2"), ("0.1", "4"), ("0.2", "6")]
    rows = [
        (smooth, epochs, optimizer, seed, rng.normal())
        for (smooth, epochs), optimizer, seed in product(pairs, ("adam", "sgd"), range(3))
    ]
    frame = pd.DataFrame(rows, columns=["smooth", "epochs", "optimizer", "seed", "y"])
    line = in_one_line(from_frame(frame, ["smooth", "epochs", "optimizer"], "y", "seed").decided())
    assert "Not to be estimated from the combinations that ran, however often" in line
    assert "3 of smooth" in line


def test_a_difference_and_the_claim_on_it_take_the_same_replicates() -> None:
    """Counted from the fewest runs of a combination it took 6, from their mean 10."""
    rng = np.random.default_rng(3)
    runs = {("x", "p"): 3, ("x", "q"): 3, ("y", "p"): 3, ("y", "q"): 1}
    rows = [
        (a, b, str(seed), 0.9 + 0.05 * (a == "y") + rng.normal(0, 0.06))
        for (a, b), count in runs.items()
        for seed in range(count)
    ]
    frame = pd.DataFrame(rows, columns=["A", "B", "seed", "acc"])
    one = from_frame(frame, ["A", "B"], "acc", "seed", claims=["A: y > x"])
    look, claim = one.decided(), one.claims().iloc[0]
    needed = look.table.set_index("factor").loc["A", "replicates_to_decide"]
    assert (claim["verdict"], look.runs) == ("undecided", 2.5)
    assert needed == claim["replicates_to_decide"] > 3
    assert f"about {needed:.0f} replicates per cell" in claim["sentence"]
