"""A place that varies within a study is named, with what it may have done."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from analysis.loading import from_frame
from analysis.report.words.places import places, within_combinations


def runs(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = itertools.product("pq", "uvw", range(6))
    frame = pd.DataFrame(rows, columns=["A", "B", "run"])
    return frame.assign(y=0.8 + 0.01 * rng.normal(size=len(frame)))


def said(frame: pd.DataFrame) -> list[str]:
    return places(from_frame(frame, ["A", "B"], "y"))


def test_one_place_is_not_worth_a_sentence() -> None:
    assert said(runs().assign(host="here")) == []


def test_places_that_show_in_nothing_are_named() -> None:
    frame = runs()
    frame["host"] = np.where(frame["run"] % 2, "one", "two")
    assert said(frame) == [
        "Cells ran on several machines (one and two); outcomes and levels show nothing of it"
    ]


def test_runs_of_one_combination_that_differ_by_machine() -> None:
    frame = runs()
    frame["host"] = np.where(frame["run"] % 2, "one", "two")
    frame["y"] += 0.03 * (frame["host"] == "one")
    (text,) = said(frame)
    assert "runs of one combination differ by it (p < .001), which no interval allows for" in text
    assert "goes with" not in text


def test_a_machine_that_goes_with_a_factor() -> None:
    frame = runs()
    frame["host"] = np.where(frame["A"] == "p", "one", "two")
    (text,) = said(frame)
    assert "it goes with A (2 levels nearly always in one place), whose effect may be that" in text
    assert "differ by it" not in text  # no combination ran in both


def test_the_test_of_places_errs_as_it_says() -> None:
    rng = np.random.default_rng(1)
    cell = np.repeat(np.arange(8), 4)
    p = [
        within_combinations(rng.normal(size=32), cell, rng.choice(["a", "b"], 32))
        for _ in range(400)
    ]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.03)
