"""The screening benchmark judges as a report does, and its lines count what happened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import analysis
from runner.content.response import ACCURACY
from tests.benchmarks.screening import (
    Counted,
    World,
    designs,
    line,
    outcomes,
    screened_values,
    signs_of,
    truth_of,
)

WORLD = World(3, 3.0, pairs=1)


@pytest.mark.parametrize(("factors", "runs", "replicates"), [(8, 12, 2), (10, 24, 1), (13, 24, 2)])
def test_a_study_says_what_the_benchmark_counts(factors: int, runs: int, replicates: int) -> None:
    rng = np.random.default_rng(6)
    signs = signs_of(factors, runs)
    values = outcomes(signs, truth_of(WORLD, factors, rng), replicates, "equal", rng)
    names = [f"f{place}" for place in range(factors)]
    rows = [
        {**{name: "a" if sign > 0 else "b" for name, sign in zip(names, run, strict=True)},
         "acc": value}
        for run, own in zip(signs.tolist(), values.tolist(), strict=True) for value in own
    ]  # fmt: skip
    levels = {name: ["a", "b"] for name in names}
    table = analysis.from_frame(pd.DataFrame(rows), names, "acc", levels=levels)
    study = replace(table, info={"spec": {"design": {"kind": "screen"}}})
    found, counted = study.screened, screened_values(signs, values, ACCURACY)
    assert found is not None
    for part in ("matter", "open", "shadows", "acting_together", "next"):
        said = [tuple(one) if isinstance(one, tuple) else one for one in getattr(found, part)]
        assert said == list(getattr(counted, part)), part
    assert dict(found.rivals) == dict(counted.rivals)


def test_every_design_of_a_world_is_one_study_and_a_line_counts_them() -> None:
    rng = np.random.default_rng(2)
    for name, runs, study in designs(11):
        counted = study(WORLD, rng)
        assert 0 <= counted.found <= 3
        assert 0 <= counted.taken_on <= counted.next <= 11
        assert f"| 3 of size 3, 1 pair | {name} | {runs} |" in line(name, runs, WORLD, [counted])
    two = [Counted(3, False, False, 3, 3), Counted(1, True, False, 2, 4)]
    assert line("24 x 1", 24, WORLD, two).endswith("| 67% | 50.0% | 0.0% | 83% | 3.5 |")
