"""What a reader is told to keep in mind names its cause, and none where there is none."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from analysis.loading import from_frame
from analysis.report.words.caveats import caveats
from analysis.study import Study


def grid(shift: float = 0.0, drift: float = 0.0) -> pd.DataFrame:
    """Eight combinations, run replicate by replicate, each in an order of its own."""
    rng = np.random.default_rng(6)
    rows = []
    for seed in range(4):
        places = rng.permutation(8)
        for place, (a, bn) in zip(places, product("wxyz", ("none", "before")), strict=True):
            value = 0.5 + shift * seed + drift * place + rng.normal(0, 0.001)
            rows.append((a, bn, seed, value, 8 * seed + place, 120 if bn == "before" else 100))
    names = ["optimizer", "bn", "replicate", "acc", "run_order", "parameters"]
    return pd.DataFrame(rows, columns=names)


def study(frame: pd.DataFrame) -> Study:
    return from_frame(frame, ["optimizer", "bn"], "acc", "replicate")


def told(frame: pd.DataFrame, word: str) -> list[str]:
    return [text for text in caveats(study(frame), None) if word in text]


def test_replicates_that_differ_are_no_change_while_the_grid_ran() -> None:
    """They run one after the other: their seeds alone make residuals move with the order."""
    assert told(grid(shift=0.01), "Replicates differ as a whole")
    assert not told(grid(shift=0.01), "order of running")
    assert told(grid(drift=0.002), "something changed while the grid ran")
    assert told(grid(shift=-0.05, drift=0.002), "something changed while the grid ran")


def test_runs_that_were_lost_make_no_factor_change_the_number_of_weights() -> None:
    frame = grid()
    lost = (frame["optimizer"] == "w") & (frame["bn"] == "before") & (frame["replicate"] > 0)
    frame.loc[lost, ["acc", "parameters"]] = np.nan
    said = ["Levels of bn change the number of weights (100 to 120)."]
    assert told(frame, "number of weights") == said
    half = [("w", "none"), ("x", "before")]  # no two combinations that ran differ in bn alone
    fraction = frame[[pair in half for pair in zip(frame["optimizer"], frame["bn"], strict=True)]]
    assert len(told(fraction, "number of weights")) == 2
    running = fraction.assign(status="done")
    running.loc[running.index[-1], ["acc", "parameters", "status"]] = np.nan, np.nan, "not_run"
    assert not told(running, "number of weights")


def test_a_verdict_close_to_the_line_is_named_with_its_p() -> None:
    """What stands or falls with little is said, on either side; what is clear is not."""

    def close(effect: float) -> list[str]:
        rng = np.random.default_rng(5)
        rows = [
            {"A": a, "seed": seed, "acc": 0.7 + effect * (a == "on") + 0.01 * rng.normal()}
            for a in ("off", "on")
            for seed in range(6)
        ]
        study = from_frame(pd.DataFrame(rows), ["A"], "acc", "seed")
        return [text for text in caveats(study, None) if text.startswith("Close to the line")]

    assert close(0.05) == []
    found = {text for effect in np.linspace(0, 0.02, 41) for text in close(float(effect))}
    assert any("A: off against on (p = .0" in one and ", said to be so)" in one for one in found)
    assert any(", not said to be so)" in one for one in found)
    assert close(0.0) == []
