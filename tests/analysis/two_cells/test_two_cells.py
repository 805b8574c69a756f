"""Two cells side by side: which is meant, what differs, and the interval of their own runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import analysis
from ablations.errors import InputError
from analysis.stats.counts.proportions import newcombe
from analysis.study import Study
from analysis.two_cells.side_by_side import (
    Compared,
    causes_of_side,
    compared,
    curve_ends,
    differing,
    statuses,
)
from analysis.two_cells.sides import side_of
from tests.analysis.report.simulated import simulate, specification

FACTORS = {
    "init": ["he", "naive"],
    "bn_placement": ["none", "before"],
    "optimizer": ["adam", {"sgd_momentum": {"lr": 0.1}}],
}
ONE, TWO = (f"init=he,bn_placement=none,optimizer={name}" for name in ("adam", "sgd_momentum"))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder: Path = tmp_path_factory.mktemp("two_cells")
    url, info = simulate(folder, specification(folder, FACTORS, replicates=3))
    return analysis.load(info.name, url)


def of(rows: list[Compared], column: str) -> Compared:
    (found,) = (one for one in rows if one.measure.column == column)
    return found


def table(**columns: object) -> Study:
    """A table of somebody's with two combinations of four runs each."""
    rows = pd.DataFrame({"kind": ["a, b=1"] * 4 + ["c"] * 4, "y": np.arange(8.0) ** 2, **columns})
    return analysis.from_frame(rows, ["kind"], response="y")


def test_a_run_is_named_by_the_beginning_of_its_id(study: Study):
    cell = str(study.frame["cell"].iloc[5])
    side = side_of(study, cell[:10])
    assert (side.rows, side.one_run) == ((5,), True)
    assert side.name.endswith(f", replicate {study.frame['replicate'].iloc[5]}")


def test_a_combination_is_named_by_as_many_levels_as_it_takes(study: Study):
    side = side_of(study, "optimizer=adam, init=he,bn_placement=none")
    assert side == side_of(study, ONE)
    assert side.name == "he, none, adam"
    assert len(side.rows) == 3
    assert not side.one_run
    odd = table()
    assert side_of(odd, "kind=a, b=1").rows == (0, 1, 2, 3), "a level may hold what joins levels"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("zzzz", "no cell 'zzzz' in "),
        ("", "no cell ''"),
        ("init=he", "fits 4 combinations: say the level of bn_placement and optimizer too"),
        ("int=he", "unknown factor 'int': did you mean 'init'?"),
        ("init=hee", "no level 'hee': did you mean 'he'?"),
    ],
)
def test_what_is_no_cell_is_one_sentence(study: Study, text: str, words: str):
    with pytest.raises(InputError, match=re.escape(words)):
        side_of(study, text)


def test_levels_and_their_parameters_that_differ(study: Study):
    one, two = side_of(study, ONE), side_of(study, TWO)
    found = {each.name: each for each in differing(study, one, two)}
    assert found["optimizer"].values == ("adam", "sgd_momentum")
    assert found["optimizer.lr"].kind == "parameter"
    assert found["optimizer.lr"].values[1] == 0.1
    assert found["optimizer.momentum"].values[0] is None
    assert not {"init", "bn_placement"} & set(found)
    assert differing(study, one, one) == []


def test_sizes_that_differ_are_named():
    sized = table(parameters=[10] * 4 + [20] * 4, classes=[10] * 8)
    one, two = side_of(sized, "kind=a, b=1"), side_of(sized, "kind=c")
    assert [(each.name, each.values) for each in differing(sized, one, two)][1:] == [
        ("weights of the network", (10, 20))
    ]


def test_the_interval_is_welchs_of_the_runs_of_the_two(study: Study):
    one, two = side_of(study, ONE), side_of(study, TWO)
    found = of(compared(study, one, two), "test_accuracy")
    values = [study.runs["test_accuracy"].iloc[list(side.rows)] for side in (one, two)]
    welch = stats.ttest_ind(values[1], values[0], equal_var=False).confidence_interval()
    assert (found.interval, found.n) == ("Welch", (3, 3))
    assert [found.low, found.high] == pytest.approx(list(welch))
    assert found.difference == pytest.approx(values[1].mean() - values[0].mean())


def test_shares_of_runs_have_newcombes(study: Study):
    found = of(compared(study, side_of(study, ONE), side_of(study, TWO)), "converged")
    hits = [round(3 * mean) for mean in found.means]
    limits = newcombe(hits[1], 3, hits[0], 3)
    assert found.interval == "Newcombe"
    assert (found.low, found.high) == pytest.approx((float(limits.low), float(limits.high)))


def test_one_run_or_runs_that_agree_have_no_interval(study: Study):
    runs = [side_of(study, cell) for cell in study.frame["cell"].iloc[:2]]
    found = of(compared(study, *runs), "test_accuracy")
    assert (found.n, found.interval) == ((1, 1), "")
    assert np.isfinite(found.difference)
    alike = table(y=[1.0] * 4 + [1.0, 2.0, 3.0, 4.0])
    (found,) = compared(alike, side_of(alike, "kind=a, b=1"), side_of(alike, "kind=c"))
    assert (found.difference, found.interval) == (1.5, "")


def test_how_runs_ended_and_why(study: Study):
    assert study.causes is not None
    for row, (status, cause) in enumerate(zip(study.frame["status"], study.causes.of, strict=True)):
        side = side_of(study, str(study.frame["cell"].iloc[row]))
        assert statuses(study, side) == {status: 1}
        ill = cause is not None and not cause.healthy
        assert causes_of_side(study, side) == ({cause.title: 1} if cause and ill else {})


def test_first_last_and_best_of_curves_are_means_over_the_runs(study: Study):
    one, two = side_of(study, ONE), side_of(study, TWO)
    rows = study.curve_rows
    assert rows is not None
    (found,) = (each for each in curve_ends(study, one, two) if each.name == "train_loss")
    for place, side in enumerate((one, two)):
        curves = [rows.loc[rows["cell"] == study.frame["cell"].iloc[row], "train_loss"]
                  for row in side.rows]  # fmt: skip
        assert found.first[place] == pytest.approx(np.mean([curve.iloc[0] for curve in curves]))
        assert found.last[place] == pytest.approx(np.mean([curve.iloc[-1] for curve in curves]))
        assert found.best[place] == pytest.approx(np.mean([curve.min() for curve in curves]))


def test_a_table_without_curves_or_causes_is_compared_all_the_same():
    plain = table()
    one, two = side_of(plain, "kind=a, b=1"), side_of(plain, "kind=c")
    assert [each.n for each in compared(plain, one, two)] == [(4, 4)]
    assert curve_ends(plain, one, two) == []
    assert causes_of_side(plain, one) == {}
