"""Smaller designs of a study are parts of it, and are asked what it is asked."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

import analysis
from tests.benchmarks.study_cost import designs, drawn, measure, page, verdicts

CLAIMS = ["a: x > w by 0.1", "b: 0 > 1", "c: q > p | a = x"]


@pytest.fixture(scope="module")
def study() -> analysis.Study:
    rng = np.random.default_rng(2)
    rows = []
    for a, b, c, k in product("wxyz", "01", "pq", range(5)):
        if k < 3 or a == "x":  # a wave went where the noise is
            acc = 0.5 + 0.3 * (a == "x") + 0.1 * (b == "0") + 0.01 * rng.normal()
            rows.append({"a": a, "b": b, "c": c, "acc": acc, "id": f"{a}{b}{c}{k}"})
    return analysis.from_frame(pd.DataFrame(rows), ["a", "b", "c"], "acc", claims=CLAIMS)


def test_a_smaller_design_is_a_part_of_the_study(study):
    rng = np.random.default_rng(3)
    seen = {str(one) for one in designs(study)}
    assert "all 16 x 3" in seen
    assert "D-optimal for mains, 8 of 16 x 2" in seen
    for design in designs(study):
        part = drawn(study, design, rng)
        counts = part.frame.groupby(list(part.factors), observed=True).size()
        assert (counts == design.replicates).all()
        assert len(counts) == design.combinations
        assert set(part.frame["id"]) <= set(study.frame["id"])
        assert not part.frame["id"].duplicated().any()


def test_all_of_it_says_what_it_says_and_one_run_of_each_says_less(study):
    reference = verdicts(study)
    assert reference[:2] == ["supported", "supported"]
    rows = {str(one): measure(study, one, reference, 5) for one in designs(study)}
    assert rows["all 16 x 3"][2:] == (1.0, 1.0, 0.0)
    assert rows["all 16 x 1"][3] < 1.0
    assert rows["D-optimal for mains, 8 of 16 x 1"][1] == pytest.approx(8 / len(study.frame))
    text = page(list(rows.values()), 5, "command")
    assert "| all 16 x 3 |" in text
