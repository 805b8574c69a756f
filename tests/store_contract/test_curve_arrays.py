"""Curves as arrays are the curves of the store: rows, order, and what is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from runner.content.outcome import Epoch
from runner.store import open_store
from tests.analysis.report import simulated


def test_arrays_hold_what_the_lists_hold(tmp_path: Path) -> None:
    settings = ["train.epochs=3", "replicates=1", "factors.scheduler=[constant, cosine]"]
    url, info = simulated.simulate(
        tmp_path, overrides=[*settings, "factors.init=[he, naive]", "claims=[]"], finished=0.6
    )
    with open_store(url) as store:
        held = store.claim(info, "host:2", lease_seconds=60, slot="cpu:0", device="cpu")
        assert held is not None
        made = simulated.outcome(held.cell)
        odd = Epoch(4, None, 0.1, math.inf, 0.1, 0.1, 1.5, 0.7, 1700.0)  # type: ignore[arg-type]
        assert store.finish(held, replace(made, curve=(*made.curve, odd)))
        lists, arrays = store.curves(info), store.curve_arrays(info)
    assert list(arrays) == list(lists)
    assert arrays["cell"].tolist() == lists["cell"]
    assert arrays["epoch"].tolist() == lists["epoch"]
    for name in list(lists)[2:]:
        wanted = np.array(lists[name], dtype=float)
        np.testing.assert_array_equal(arrays[name], wanted)
    assert np.isnan(arrays["train_loss"]).sum() == 1


def test_a_study_without_epochs_has_empty_arrays(tmp_path: Path) -> None:
    url, info = simulated.simulate(tmp_path, overrides=["claims=[]"], finished=0.0)
    with open_store(url) as store:
        arrays = store.curve_arrays(info)
    assert {len(values) for values in arrays.values()} == {0}
    assert arrays["epoch"].dtype == np.int64
