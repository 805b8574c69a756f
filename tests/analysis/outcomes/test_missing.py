"""Lost runs: counted by level, tested exactly, and said in a sentence where it matters."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from ablations.errors import InputError
from analysis.outcomes.missing import missing

FACTORS = {"optimizer": ("sgd", "adam"), "bn": ("before", "after")}


def study(replicates: int = 6) -> pd.DataFrame:
    rows = [(o, b, s) for s in range(replicates) for o, b in product(*FACTORS.values())]
    frame = pd.DataFrame(rows, columns=["optimizer", "bn", "replicate"])
    return frame.assign(status="converged", reason=None, test_accuracy=0.9)


def lose(frame: pd.DataFrame, rows: pd.Series, status: str = "failed") -> pd.DataFrame:
    return frame.assign(
        status=frame["status"].mask(rows, status),
        reason=frame["reason"].astype(object).mask(rows, "oom"),
    )


def test_a_complete_study_warns_of_nothing() -> None:
    got = missing(study(), FACTORS)
    assert (got.planned, got.finished, got.lost, got.waiting) == (24, 24, 0, 0)
    assert got.at_random is None
    assert got.warnings == ()
    assert got.tests["p"].isna().all()


def test_runs_lost_at_one_level_are_named_with_an_exact_p() -> None:
    frame = study()
    frame = lose(frame, (frame["optimizer"] == "adam") & (frame["replicate"] < 4))
    got = missing(frame, FACTORS)
    assert got.lost == 8
    assert got.at_random is False
    tests = got.tests.set_index("factor")
    assert tests.loc["optimizer", "p"] == pytest.approx(fisher_exact([[0, 12], [8, 4]]).pvalue)
    assert tests.loc["bn", "p"] == pytest.approx(1.0)
    assert len(got.warnings) == 1
    assert "8 of 12 runs with optimizer = adam were lost" in got.warnings[0]
    row = got.by_level.set_index(["factor", "level"]).loc[("optimizer", "adam")]
    assert (row["planned"], row["finished"], row["failed"]) == (12, 4, 8)
    assert row["share_lost"] == pytest.approx(8 / 12)
    assert row["low"] < row["share_lost"] < row["high"]
    assert got.reasons.to_dict("records") == [{"reason": "oom", "runs": 8}]


def test_a_few_scattered_losses_are_no_warning() -> None:
    frame = study()
    got = missing(lose(frame, pd.Series(frame.index.isin([0, 5, 10, 15]))), FACTORS)
    assert got.lost == 4
    assert got.at_random is True
    assert got.warnings == ()


def test_diverged_runs_are_results_and_waiting_runs_are_not_lost() -> None:
    frame = study()
    frame.loc[frame["optimizer"] == "adam", "status"] = "diverged"
    frame.loc[frame["replicate"] == 5, "status"] = "not_run"
    got = missing(frame, FACTORS)
    assert (got.finished, got.lost, got.waiting) == (20, 0, 4)
    assert got.at_random is None
    assert got.by_level["waiting"].sum() == 8  # each waiting run counts once per factor


def test_a_timeout_is_lost_too() -> None:
    frame = study()
    got = missing(lose(frame, frame["optimizer"] == "adam", "timeout"), FACTORS)
    assert got.by_level.set_index("level").loc["adam", "timeout"] == 12
    assert got.at_random is False


def test_cells_in_which_nothing_finished_are_listed() -> None:
    frame = study()
    whole = (frame["optimizer"] == "adam") & (frame["bn"] == "after")
    got = missing(lose(frame, whole), FACTORS)
    assert got.empty_cells == ({"optimizer": "adam", "bn": "after"},)
    assert any("1 cell has no run that finished (optimizer = adam, bn = after)" in sentence
               for sentence in got.warnings)  # fmt: skip
    waiting = lose(frame, whole & (frame["replicate"] > 0))
    waiting.loc[whole & (waiting["replicate"] == 0), "status"] = "not_run"
    assert missing(waiting, FACTORS).empty == 0


def test_a_table_without_status_counts_missing_responses() -> None:
    frame = study().drop(columns=["status", "reason"])
    frame.loc[frame["optimizer"] == "adam", "test_accuracy"] = np.nan
    got = missing(frame, FACTORS)
    assert got.lost == 12
    assert got.at_random is False
    with pytest.raises(InputError, match="neither a column 'status'"):
        missing(frame.drop(columns="test_accuracy"), FACTORS)


def test_json_has_null_for_what_was_not_tested() -> None:
    got = missing(study(), FACTORS).to_dict()
    assert json.loads(json.dumps(got, allow_nan=False))["tests"][0]["p"] is None
    assert got["at_random"] is None


def test_the_test_warns_at_most_at_its_level_when_losses_are_random() -> None:
    rng = np.random.default_rng(6)
    frame = study()
    warned = [
        missing(lose(frame, pd.Series(rng.random(len(frame)) < 0.25)), FACTORS).at_random is False
        for _ in range(200)
    ]
    assert np.mean(warned) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)
