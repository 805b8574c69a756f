"""Fault matrix, row T1: numbers that stop being finite, from the command line to the report."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.harness import specification

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.both_databases]

PLUGIN = Path(__file__).with_name("diverging.py")

DIVERGED_IN = {
    ("constant", "he"): None,
    ("constant", "nan_when_measured"): 1,
    ("constant", "nan_on_test_images"): 2,  # after the last of two epochs
    ("at once", "he"): 1,
    ("at once", "nan_when_measured"): 1,
    ("at once", "nan_on_test_images"): 1,
    ("later", "he"): 2,
    ("later", "nan_when_measured"): 1,
    ("later", "nan_on_test_images"): 2,
}
"""The epoch in which each combination diverges, None where it does not."""


@pytest.mark.long
def test_t1_what_is_not_finite_is_diverged_counted_and_reported(bench, tmp_path):
    file = specification(
        tmp_path,
        plugins=[str(PLUGIN)],
        factors={
            "scheduler": [
                "constant",
                {"as": "at once", "explodes": {"after": 0}},
                {"as": "later", "explodes": {"after": 1}},
            ],
            "init": ["he", "nan_when_measured", "nan_on_test_images"],
        },
        fixed={"augmentation": "none", "optimizer": "adam", "bn_placement": "before"},
        train={"epochs": 2},
    )
    code, output = bench.run("grid", file)
    assert code == 0, output
    bench.assert_exact(18)
    runs = bench.runs()
    for run in runs:
        epoch = DIVERGED_IN[run["factor:scheduler"], run["factor:init"]]
        assert run["diverged_epoch"] == epoch
        if epoch is not None:
            assert run["status"] == "diverged"
            assert run["test_accuracy"] == pytest.approx(0.1), "scored as guessing"
            assert f"in epoch {epoch}" in run["detail"]
    diverged = Counter(run["status"] for run in runs)["diverged"]
    assert diverged == 16

    study = bench.store().studies()[0].name
    code, output = bench.run("status", study)
    assert f"{diverged} diverged" in output
    effects = json.loads((bench.results / study / "effects.json").read_text("utf-8"))
    assert (effects["n_runs"], effects["n_planned"]) == (18, 18), "a diverged run is data"
    rates = {
        (row["factor"], row["level"]): (row["converged"], row["runs"])
        for row in effects["convergence"]["rates"]
    }
    assert rates["scheduler", "at once"] == (0, 6)
    page = (bench.results / study / "report.html").read_text("utf-8")
    assert f"{diverged} diverged" in page
    code, output = bench.run("export", study, "--to", "csv", "--out", tmp_path / "tables")
    assert code == 0, output
    with (tmp_path / "tables" / "cells.csv").open() as table:
        assert Counter(row["status"] for row in csv.DictReader(table))["diverged"] == diverged
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, "a diverged cell is a result: it is not trained again"
    assert "nothing to do" in output
