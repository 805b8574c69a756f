"""Power and replicates against R's numbers and the planning table of a VGG on CIFAR-10."""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import pytest

from ablations.errors import InputError
from analysis.commands.power import run as command
from analysis.model.cell_means import CellMeans
from analysis.stats.estimates import Estimate
from analysis.table.tidy import tidy
from analysis.verdicts.power import detectable, detectable_in_plan, f_power
from analysis.verdicts.replicates import replicates_to_decide, t_power
from tests.analysis.published import expected
from tests.benchmarks.sign_flip import sign_flip_p, smallest_p

CASE = "power_multiplicity_permutation"


def grid(*levels: int) -> dict[str, list[str]]:
    return {chr(65 + k): [str(i) for i in range(n)] for k, n in enumerate(levels)}


def test_t_power_reproduces_r() -> None:
    want = expected(CASE, "expected.json")
    # R solves for n to 1e-4 of a run, which leaves the power off by 1e-6.
    n = want["power_t_test"]["n"]
    assert t_power(1, np.sqrt(2 / n), 2 * n - 2) == pytest.approx(0.9, abs=2e-6)
    n = want["power_t_paired"]["n"]
    assert t_power(0.5, np.sqrt(1 / n), n - 1) == pytest.approx(0.8, abs=2e-6)


def test_f_power_reproduces_r() -> None:
    want = expected(CASE, "expected.json")
    n = want["power_anova"][0]["n"]
    assert f_power(3, 4 * (n - 1), 3 * n / 3) == pytest.approx(0.8, abs=2e-6)
    assert f_power(3, 16, 5) == pytest.approx(want["power_anova"][1]["power"], rel=1e-9)
    for case in want["factorial_power_noncentralF"]:
        out = case["out"]
        got = f_power(out["df1"], out["df2"], out["lambda"])
        assert got == pytest.approx(out["power"], rel=1e-9)


# Runs, then the smallest detectable two-level main, three-level pair and 2 x 2 interaction, in
# points at sigma 0.39 (the seed deviation of VGG-11 on CIFAR-10).
PLANNING = [
    ((2,) * 5, 1, 0.41, None, 0.82),
    ((2,) * 5, 3, 0.23, None, 0.45),
    ((3, 3, 2, 2, 2), 1, 0.26, 0.32, 0.53),
    ((3, 3, 2, 2, 2), 2, 0.18, 0.22, 0.37),
    ((3, 3, 2, 2, 2), 3, 0.15, 0.18, 0.30),
    ((3, 3, 2, 2, 2), 5, 0.12, 0.14, 0.23),
    ((3, 3, 3, 3, 2), 1, 0.17, 0.21, None),
    ((3, 3, 3, 3, 2), 3, 0.10, 0.12, None),
]


@pytest.mark.parametrize(("levels", "replicates", "main", "pair", "interaction"), PLANNING)
def test_the_planning_table(
    levels: tuple[int, ...],
    replicates: int,
    main: float,
    pair: float | None,
    interaction: float | None,
) -> None:
    got = detectable_in_plan(grid(*levels), 0.39, replicates).set_index("term")["detectable"]
    assert got[chr(64 + len(levels))] == pytest.approx(main, abs=0.0051)
    if pair is not None:
        assert got["A"] == pytest.approx(pair, abs=0.0051)
    if interaction is not None:
        last = f"{chr(63 + len(levels))}:{chr(64 + len(levels))}"
        assert got[last] == pytest.approx(interaction, abs=0.0051)


def test_a_half_fraction_detects_what_half_the_runs_detect() -> None:
    signs = np.indices((2,) * 5).sum(0) % 2 == 0  # I = ABCDE
    got = detectable_in_plan(grid(2, 2, 2, 2, 2), 0.39, 2, ran=signs).set_index("term")[
        "detectable"
    ]
    assert got["A"] == pytest.approx(0.41, abs=0.0051)
    assert got["A:B"] == pytest.approx(0.82, abs=0.0075)  # the table has no replicate block


def test_a_design_without_error_term_detects_nothing_it_can_name() -> None:
    got = detectable_in_plan(grid(2, 2), 1.0, 1)
    assert got["detectable"].isna().all()
    assert got["se"].isna().all()


def test_an_aliased_term_has_no_detectable_effect() -> None:
    signs = np.indices((2, 2, 2)).sum(0) % 2 == 0  # C = AB
    got = detectable_in_plan(grid(2, 2, 2), 1.0, 3, ran=signs).set_index("term")["detectable"]
    assert got.isna().all()


def test_precision_is_reached_at_the_replicates_named_and_not_one_before() -> None:
    wanted = 0.1
    factors = grid(3, 2, 2)
    got = detectable_in_plan(factors, 0.5, 2, precision=wanted).set_index("term")
    for term in ("A", "B", "A:B"):
        k = int(got.loc[term, "replicates_for_precision"])
        assert (
            detectable_in_plan(factors, 0.5, k).set_index("term").loc[term, "half_width"] <= wanted
        )
        assert (
            detectable_in_plan(factors, 0.5, k - 1).set_index("term").loc[term, "half_width"]
            > wanted
        )


def test_the_power_named_is_the_power_simulated() -> None:
    rng = np.random.default_rng(4)
    factors = {"A": ["0", "1"], "B": ["0", "1"]}
    row = detectable_in_plan(factors, 1.0, 4).set_index("term").loc["A"]
    d, found = row["detectable"], 0
    y = rng.normal(size=(4000, 2, 2, 4))
    y[:, 1] += d
    # The model of the table: cells and replicates as blocks, 9 degrees of freedom.
    residual = y - y.mean(3, keepdims=True) - y.mean((1, 2), keepdims=True)
    residual += y.mean((1, 2, 3), keepdims=True)
    sd = np.sqrt((residual**2).sum((1, 2, 3)) / 9)
    effect = y[:, 1].mean((1, 2)) - y[:, 0].mean((1, 2))
    from scipy.stats import t

    found = (np.abs(effect) / (sd * np.sqrt(2 / 8)) > t.ppf(0.975, 9)).mean()
    assert found == pytest.approx(0.8, abs=0.025)


def test_a_study_uses_its_own_scatter_and_runs() -> None:
    rng = np.random.default_rng(0)
    rows = [(a, b, s, rng.normal(0, 2)) for a in "xy" for b in "pqr" for s in range(6)]
    table = tidy(pd.DataFrame(rows, columns=["A", "B", "s", "y"]), ["A", "B"], "y", "s")
    cells = CellMeans.of(table)
    got = detectable(cells)
    assert got["sigma"].iloc[0] == pytest.approx(np.sqrt(cells.pure_variance))
    stated = detectable_in_plan({"A": "xy", "B": "pqr"}, float(got["sigma"].iloc[0]), 6)
    np.testing.assert_allclose(got["detectable"], stated["detectable"])


def test_replicates_to_decide_grow_as_the_border_nears() -> None:
    estimate = Estimate(1.0, 0.4, 20, 0.2, 1.8, 0.02, "welch")
    far = replicates_to_decide(estimate, 1.0, 3)
    near = replicates_to_decide(estimate, 0.25, 3)
    assert 3 < far < near < 100
    assert np.isnan(replicates_to_decide(estimate, 1e-4, 3))
    k = int(near)
    df = 20 * (k - 1) / 2
    assert t_power(0.25, 0.4 * np.sqrt(3 / k), df) >= 0.8
    assert t_power(0.25, 0.4 * np.sqrt(3 / (k - 1)), 20 * (k - 2) / 2) < 0.8


def test_sign_flip_is_exact_and_says_when_it_can_say_nothing() -> None:
    want = expected(CASE, "expected.json")
    shoes = np.array(want["bhh_shoes"]["B"]) - np.array(want["bhh_shoes"]["A"])
    assert sign_flip_p(shoes) == pytest.approx(want["bhh_shoes"]["sign_flip_exact_two_sided"])
    for key, value in want["min_sign_flip_p_two_sided"].items():
        k = int(key.split("=")[1])
        assert smallest_p(k) == value
        assert sign_flip_p(np.arange(1.0, k + 1)) == value
    many = np.random.default_rng(1).normal(0.1, 1, 40)
    assert sign_flip_p(many, seed=3) == sign_flip_p(many, seed=3)
    assert np.isnan(sign_flip_p([]))


def options(**given: object) -> argparse.Namespace:
    empty = dict.fromkeys(
        (
            "study",
            "storage",
            "table",
            "levels",
            "factors",
            "sigma",
            "replicates",
            "precision",
            "size",
            "between",
            "tool",
            "outcome",
        )
    )
    return argparse.Namespace(**{**empty, "power": 0.8, "json": False, **given})


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    given = options(levels=[3, 2], factors=["bn", "aug"], sigma=0.4, replicates=3, precision=0.2)
    assert command(given) == 0
    text = capsys.readouterr().out
    assert "bn × aug" in text
    assert "With 3 runs per cell" in text
    assert "80% power" in text
    assert "found by its F test" in text
    assert "replicates for --precision" in text
    assert "NaN" not in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "name a study, or a design"),
        ({"levels": [2, 2]}, "needs --sigma"),
        ({"levels": [2, 1], "sigma": 1.0, "replicates": 2}, "two levels or more"),
        ({"levels": [2, 2], "sigma": -1.0, "replicates": 2}, "positive"),
        ({"levels": [2, 2], "sigma": 1.0, "replicates": 0}, "1 or more"),
        ({"levels": [2, 2], "factors": ["A"], "sigma": 1.0, "replicates": 2}, "one name"),
        ({"study": "s", "levels": [2, 2]}, "not both"),
        ({"power": 1.5}, "between 0 and 1"),
        ({"precision": 0.0}, "positive half-width"),
    ],
)
def test_bad_options_are_one_clear_sentence(given: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        command(options(**given))


def test_one_run_per_cell_takes_its_scatter_from_the_model() -> None:
    rng = np.random.default_rng(5)
    rows = [(a, b, c, rng.normal()) for a in "xy" for b in "pqr" for c in "uvw"]
    table = tidy(pd.DataFrame(rows, columns=["A", "B", "C", "y"]), ["A", "B", "C"], "y")
    got = detectable(CellMeans.of(table))
    # Mains and pairs take 14 of 18 degrees of freedom; what is left estimates sigma.
    assert got["df"].iloc[0] == 4
    assert 0.3 < got["sigma"].iloc[0] < 3
    stated = detectable_in_plan({"A": "xy", "B": "pqr", "C": "uvw"}, float(got["sigma"].iloc[0]), 1)
    np.testing.assert_allclose(got["detectable"], stated["detectable"])


def test_the_command_reads_a_study(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis.loading import from_frame

    rng = np.random.default_rng(0)
    rows = [(a, b, rng.normal()) for a in "xy" for b in "pq" for _ in range(3)]
    made = from_frame(pd.DataFrame(rows, columns=["bn", "init", "acc"]), ["bn", "init"], "acc")
    monkeypatch.setattr("analysis.commands.arguments.read_study", lambda options: made)
    assert command(options(study="five")) == 0
    assert "bn × init" in capsys.readouterr().out
