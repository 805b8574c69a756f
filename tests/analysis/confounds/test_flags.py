"""What could explain an effect is said, and of clean grids nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.confounds.flags import flag_sentences, flags
from analysis.confounds.measures import measured, ratios
from analysis.loading import from_frame


def grid(
    seed: int = 0, runs: int = 3, effect: float = 0.05, noise: float = 0.1, **columns
) -> pd.DataFrame:
    """Two by three; `net: big` is better by `effect`; time and memory are noise."""
    draw = np.random.default_rng(seed)
    rows = [
        {"net": net, "init": init, "seed": replicate,
         "acc": 0.8 + effect * (net == "big") + draw.normal(0, 0.005),
         "seconds": 10 * np.exp(draw.normal(0, noise)),
         "peak_memory_bytes": 1e8 * np.exp(draw.normal(0, 0.02)),
         "parameters": 1000.0}
        for net, init, replicate in product(["small", "big"], ["a", "b", "c"], range(runs))
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    for name, of_big in columns.items():
        frame.loc[frame["net"] == "big", name] *= of_big
    return frame


def study_of(frame: pd.DataFrame):
    return from_frame(frame, ["net", "init"], "acc")


def test_a_bigger_network_that_wins_may_win_by_its_size():
    study = study_of(grid(parameters=4.0, seconds=2.0))
    (flag,) = flags(study)
    assert (flag.factor, flag.better, flag.worse) == ("net", "big", "small")
    assert flag.estimate == pytest.approx(0.05, abs=0.01)
    assert flag.more["parameters"] == pytest.approx(4.0)
    assert flag.more["seconds"] == pytest.approx(2.0, rel=0.2)
    (sentence,) = flag_sentences(study)
    assert "net: that big is better than small could be explained by" in sentence
    assert "4 times the parameters" in sentence


def test_a_smaller_network_that_wins_does_not_win_by_its_size():
    assert flags(study_of(grid(parameters=0.25, seconds=0.5))) == []


def test_no_effect_no_flag():
    assert flags(study_of(grid(effect=0.0, parameters=4.0))) == []


def test_less_is_better_of_a_loss():
    frame = grid(parameters=4.0).rename(columns={"acc": "loss"})
    assert flags(from_frame(frame, ["net", "init"], "loss")) == []  # big has the higher loss
    frame["loss"] *= -1
    (flag,) = flags(from_frame(frame, ["net", "init"], "loss"))
    assert flag.better == "big"
    assert flag.estimate < 0


def test_time_of_runs_that_ended_early_is_no_time():
    frame = grid().assign(status="reached")
    frame.loc[0, ["status", "seconds"]] = ["diverged", 0.1]
    values = measured(study_of(frame))
    assert np.isnan(values.loc[0, "seconds"])
    assert values.loc[1:, "seconds"].notna().all()


def test_levels_are_compared_beside_the_same_others():
    """Runs of the slow init are lost with one net: that does not make the other net slower."""
    frame = grid()
    frame.loc[frame["init"] == "c", "parameters"] *= 10
    frame = frame[~((frame["init"] == "c") & (frame["net"] == "small"))]
    rows = ratios(study_of(frame)).set_index(["factor", "first", "second", "measure"])["ratio"]
    assert rows["net", "small", "big", "parameters"] == pytest.approx(1.0)
    assert rows["init", "a", "c", "parameters"] == pytest.approx(0.1)


@pytest.mark.long
def test_of_clean_grids_95_percent_raise_no_flag():
    """Effects there are, and time and memory that vary by chance alone, with few replicates."""
    studies = [study_of(grid(seed, runs=2 + seed % 3, noise=0.5)) for seed in range(200)]
    assert sum(bool(flags(one)) for one in studies) <= 0.05 * 200
    # Of those whose ratio alone would have raised one there are many.
    assert sum(_slower(one) for one in studies) > 0.1 * 200


def _slower(study) -> bool:
    rows = ratios(study)
    chosen = rows[(rows["factor"] == "net") & (rows["measure"] == "seconds")]
    return bool((chosen["ratio"] <= 1 / 1.2).all())


def test_at_equal_time_the_curves_are_read_where_the_cheaper_level_ends():
    """Big gains 0.01 an epoch and takes twice as long: at equal time it has had half its epochs."""
    frame = grid(seconds=2.0, noise=0.0).assign(cell=lambda rows: [f"c{i}" for i in rows.index])
    curves = pd.DataFrame(
        [
            {"cell": row.cell, "epoch": epoch,
             "validation_accuracy": row.acc - 0.01 * (10 - epoch) * (row.net == "big")}
            for row in frame.itertuples()
            for epoch in range(1, 11)
        ]
    )  # fmt: skip
    study = replace(study_of(frame), read_curves=lambda: curves)
    (flag,) = flags(study)
    assert flag.equal_by == "seconds"
    assert flag.equal[0] == pytest.approx(flag.estimate - 0.05, abs=1e-9)
    assert "at equal training time, from the curves" in flag_sentences(study)[0]


def test_a_budget_that_ends_within_the_first_epoch_tells_nothing():
    frame = grid(seconds=20.0, noise=0.0).assign(cell=lambda rows: [f"c{i}" for i in rows.index])
    curves = pd.DataFrame({"cell": np.repeat(frame["cell"], 4), "epoch": [1, 2, 3, 4] * len(frame),
                           "validation_accuracy": 0.5})  # fmt: skip
    (flag,) = flags(replace(study_of(frame), read_curves=lambda: curves))
    assert flag.equal_by == ""


def test_a_misset_rate_is_a_suspect_until_it_is_tuned():
    rates = {"small": {"lr": 0.1}, "big": {"lr": 0.001}}
    levels = {"net": {name: {"name": name, "parameters": one} for name, one in rates.items()}}
    study = replace(study_of(grid()), info={"levels": levels})
    (sentence,) = flag_sentences(study)
    assert "0.01 times the effective learning rate" in sentence
    assert "tune the rate per net" in sentence
    tuned = SimpleNamespace(group=(("net", "big"),))
    assert flags(replace(study, searched=(tuned,))) == []
