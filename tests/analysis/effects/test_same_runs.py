"""Levels that did nothing are named; a chance tie of rounded numbers, or divergence, is none."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from analysis.effects.same_runs import SameRuns, same_runs
from analysis.loading import from_frame
from analysis.report.words.caveats import caveats

FACTORS = {"weights": ["brought", "drawn"], "optimizer": ["sgd", "adam", "rmsprop"]}


def table(**columns: object) -> pd.DataFrame:
    """Twelve runs, two seeds; outcomes depend on optimizer and seed, not on `weights`."""
    rows = list(product(*FACTORS.values(), ["0", "1"]))
    frame = pd.DataFrame(rows, columns=[*FACTORS, "replicate"])
    code = frame.groupby(["optimizer", "replicate"], sort=False).ngroup()
    loss = np.sqrt(2.0 + code)
    return frame.assign(test_loss=loss, test_accuracy=1 / (1 + loss), **columns)


def of(frame: pd.DataFrame, response: str = "test_accuracy") -> list[SameRuns]:
    return same_runs(frame, FACTORS, response, "replicate")


def test_a_factor_whose_pairs_are_all_alike_did_nothing() -> None:
    assert of(table()) == [SameRuns("weights", ("brought", "drawn"), True, 6, True)]
    frame = table()
    frame.loc[0, "test_loss"] = np.nextafter(frame.loc[0, "test_loss"], 9)
    assert of(frame) == [], "one bit is a difference"


def test_some_levels_of_a_factor_may_have_done_the_same() -> None:
    frame = table()
    plateau = frame["optimizer"] == "rmsprop"
    like = (frame["optimizer"] == "sgd").to_numpy()
    for column in ("test_loss", "test_accuracy"):
        frame.loc[plateau, column] = frame.loc[like, column].to_numpy()
    assert of(frame)[1] == SameRuns("optimizer", ("sgd", "rmsprop"), False, 4, True)


def test_diverged_and_lost_runs_show_nothing() -> None:
    diverged = table(status="diverged").assign(test_loss=np.log(10), test_accuracy=0.1)
    assert of(diverged) == []
    half = table(status="converged")
    half.loc[half["optimizer"] == "sgd", "status"] = "diverged"
    half.loc[half["optimizer"] == "adam", ["test_loss", "test_accuracy"]] = np.nan
    assert of(half)[0].pairs == 2


def test_of_a_table_with_the_response_alone_a_few_equal_numbers_are_chance() -> None:
    alone = table().drop(columns="test_loss")
    assert of(alone) == [SameRuns("weights", ("brought", "drawn"), True, 6, False)]
    assert of(alone.assign(test_accuracy=lambda f: f["test_accuracy"].round(1))) == []
    assert of(alone.assign(test_accuracy=0.5)) == [], "a constant says nothing of any factor"
    assert same_runs(alone, FACTORS, "test_accuracy", None) == [], "no pairs without a replicate"


def test_the_report_and_effects_json_name_it() -> None:
    frame = table()
    study = from_frame(
        frame, factors=list(FACTORS), response="test_accuracy", replicate="replicate"
    )
    said = caveats(study, None)
    expected = (
        "Factor weights did nothing: all 6 pairs of runs that differ in it alone are bit-identical."
    )
    assert expected in said
    assert study.document()["same_runs"] == [
        {
            "factor": "weights", "levels": ("brought", "drawn"), "whole": True, "pairs": 6,
            "bits": True,
        }
    ]  # fmt: skip
    frame["test_loss"] += np.random.default_rng(0).normal(0, 1e-9, len(frame))
    other = from_frame(
        frame, factors=list(FACTORS), response="test_accuracy", replicate="replicate"
    )
    assert not any("did nothing" in text for text in caveats(other, None))
