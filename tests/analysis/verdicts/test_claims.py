"""Claims get the verdict their numbers earn, in a sentence a person understands."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

import analysis
from ablations.errors import InputError
from analysis.model.cell_means import CellMeans
from analysis.model.grid import Grid
from analysis.table.tidy import tidy
from tests.analysis.judged import judge

FACTORS = {"bn": ("before", "after"), "optimizer": ("sgd", "adam", "adamw")}
NOISE = np.array([-0.004, 0.001, 0.003])


def grid(
    effect: dict[tuple[str, str], float], noise: np.ndarray = NOISE, skip: tuple = ()
) -> CellMeans:
    """Accuracy 0.8 plus the cell's effect plus the same noise, in another order per cell."""
    rows = []
    for index, cell in enumerate(product(*FACTORS.values())):
        if cell in skip:
            continue
        for seed, e in enumerate(np.roll(noise, index)):
            rows.append((*cell, str(seed), 0.8 + effect.get(cell, 0.0) + e))
    frame = pd.DataFrame(rows, columns=[*FACTORS, "replicate", "acc"])
    levels = None if skip else FACTORS
    return CellMeans.of(tidy(frame, list(FACTORS), "acc", "replicate", levels=levels))


def one(cells: CellMeans, *claims: str) -> pd.Series:
    return judge(Grid(cells), claims, FACTORS, method="welch").iloc[0]


BEFORE = {("before", o): 0.05 for o in FACTORS["optimizer"]}


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("bn: before > after", "supported"),
        ("bn: after > before", "refuted"),
        ("bn: after < before", "supported"),
        ("bn: before < after", "refuted"),
        ("bn: before > after by 4", "supported"),
        ("bn: before > after by 6", "refuted"),
        ("bn: before > after by 5.1", "undecided"),
        ("bn: after < before by 4", "supported"),
        ("bn: after < before by 6", "refuted"),
        ("bn: before = after by 6", "supported"),
        ("bn: before = after by 4", "refuted"),
        ("bn: before = after by 5.1", "undecided"),
        ("optimizer: sgd > adam", "undecided"),
        ("optimizer: sgd = adam by 1", "supported"),
        ("bn: before > after | optimizer = adam", "supported"),
    ],
)
def test_verdicts(claim: str, verdict: str) -> None:
    assert one(grid(BEFORE), claim)["verdict"] == verdict


def test_the_estimate_is_the_contrast_of_cell_means() -> None:
    row = one(grid(BEFORE), "bn: before > after by 4")
    assert row["estimate"] == pytest.approx(0.05)
    assert row["margin"] == pytest.approx(0.04)
    variance = NOISE.var(ddof=1) / 3 / 3 * 2  # three cells a side, three runs a cell
    assert row["se"] == pytest.approx(np.sqrt(variance))
    assert row["df"] == pytest.approx(12)
    assert row["low"] < 0.05 < row["high"]


def test_a_condition_restricts_the_cells() -> None:
    effect = {("before", "adam"): 0.05}
    cells = grid(effect)
    assert one(cells, "bn: before > after | optimizer = adam")["estimate"] == pytest.approx(0.05)
    assert one(cells, "bn: before > after | optimizer != adam")["estimate"] == pytest.approx(0.0)
    both = one(cells, "bn: before > after | optimizer in {adam, sgd}")
    assert both["estimate"] == pytest.approx(0.025)


def test_holm_makes_many_claims_harder() -> None:
    cells = grid({("before", o): 0.0045 for o in FACTORS["optimizer"]})
    alone = one(cells, "bn: before > after")
    assert alone["verdict"] == "supported"
    margins = [f"optimizer: sgd > adam by {margin}" for margin in (0.1, 0.2, 0.25, 0.3)]
    others = ["optimizer: sgd > adamw", "optimizer: adam > adamw"]
    claims = ["bn: before > after", *margins, *others]
    family = judge(Grid(cells), claims, FACTORS, method="welch")
    assert family["p"].iloc[0] == pytest.approx(alone["p"])
    assert family["p_family"].iloc[0] > alone["p_family"]
    assert family["verdict"].iloc[0] == "undecided"


def test_an_undecided_claim_names_the_replicates_it_would_take() -> None:
    row = one(grid({("before", o): 0.002 for o in FACTORS["optimizer"]}), "bn: before > after")
    assert row["verdict"] == "undecided"
    assert row["replicates"] == 3
    assert 3 < row["replicates_to_decide"] < 60
    assert f"about {row['replicates_to_decide']:.0f} replicates per cell" in row["sentence"]


def test_a_hopeless_claim_says_so_instead_of_a_number() -> None:
    row = one(grid({}), "bn: before > after")
    assert np.isnan(row["replicates_to_decide"])
    assert "too near" in row["sentence"]


def test_sentences_speak_percentage_points() -> None:
    row = one(grid(BEFORE), "bn: before > after | optimizer = adam")
    assert row["sentence"].startswith("Supported: bn = before is 5.00 points better than after")
    assert "where optimizer is adam" in row["sentence"]
    assert "95% interval" in row["sentence"]
    refuted = one(grid(BEFORE), "bn: after > before")["sentence"]
    assert refuted.endswith("so it is not better.")


def test_a_lost_cell_is_bridged_by_a_model_that_is_named() -> None:
    cells = grid(BEFORE, skip=(("after", "adam"),))
    bridged = one(cells, "bn: before > after")
    assert bridged["verdict"] == "not testable"  # mains and pairs of two factors are saturated
    assert "bn = after, optimizer = adam" in bridged["sentence"]
    assert one(cells, "bn: before > after | optimizer = sgd")["verdict"] == "supported"


def test_a_fraction_is_answered_by_the_model_of_mains_and_pairs() -> None:
    names = ["A", "B", "C", "D"]
    factors = {name: ("lo", "hi") for name in names}
    rng = np.random.default_rng(1)
    rows = []
    for cell in product((0, 1), repeat=4):
        if cell == (1, 1, 1, 1):
            continue
        y = 0.7 + 0.06 * cell[0] + 0.01 * rng.normal()
        rows.append((*(("lo", "hi")[c] for c in cell), y))
    cells = CellMeans.of(tidy(pd.DataFrame(rows, columns=[*names, "acc"]), names, "acc"))
    row = judge(Grid(cells), ["A: hi > lo"], factors).iloc[0]
    assert row["method"] == "model of order 2"
    assert row["verdict"] == "supported"
    assert row["estimate"] == pytest.approx(0.06, abs=0.03)
    assert "assuming that three or more factors do not interact" in row["sentence"]


def test_one_run_per_cell_and_no_error_term_is_not_testable() -> None:
    row = judge(Grid(grid(BEFORE, noise=np.array([0.0]))), ["bn: before > after"], FACTORS).iloc[0]
    assert row["verdict"] == "not testable"
    assert "nothing estimates the noise" in row["sentence"]


def test_cells_that_never_varied_are_not_evidence() -> None:
    row = one(grid(BEFORE, noise=np.zeros(3)), "bn: before > after")
    assert row["verdict"] == "not testable"
    assert "never varied" in row["sentence"]


def test_no_claims_is_an_empty_table_and_a_wrong_one_a_sentence() -> None:
    assert judge(Grid(grid(BEFORE)), [], FACTORS).empty
    with pytest.raises(InputError, match="did you mean 'adam"):
        judge(Grid(grid(BEFORE)), ["optimizer: adan > sgd"], FACTORS)


@pytest.mark.no_cover  # a simulation
def test_wrong_verdicts_stay_rare_over_the_family() -> None:
    """Five true-null claims: any supported or refuted is an error; at most 5 % of studies."""
    rng = np.random.default_rng(8)
    claims = ["bn: before > after", "optimizer: sgd > adam", "optimizer: adam < adamw",
              "optimizer: sgd > adamw", "bn: before > after | optimizer = sgd"]  # fmt: skip
    base = pd.DataFrame(list(product(*FACTORS.values(), range(3))), columns=[*FACTORS, "replicate"])
    wrong = 0
    for _ in range(200):
        frame = base.assign(acc=rng.normal(0.5, 0.02, len(base)))
        cells = CellMeans.of(tidy(frame, list(FACTORS), "acc", "replicate", levels=FACTORS))
        wrong += bool((judge(Grid(cells), claims, FACTORS)["verdict"] != "undecided").any())
    assert wrong / 200 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


def test_replicates_that_agree_by_chance_do_not_make_a_claim_untestable() -> None:
    """Counted images agree over replicates now and then while each cell varied."""
    rows = [
        (a, b, seed, value)
        for (a, b), values in {
            ("hi", "x"): (0.90, 0.91, 0.90),
            ("hi", "y"): (0.81, 0.80, 0.81),
            ("lo", "x"): (0.10, 0.10, 0.10),
            ("lo", "y"): (0.10, 0.10, 0.10),
        }.items()
        for seed, value in enumerate(values)
    ]
    frame = pd.DataFrame(rows, columns=["a", "b", "seed", "y"])
    study = analysis.from_frame(frame, ["a", "b"], response="y", replicate="seed")
    answered = judge(Grid(study.cells), ["a: hi > lo"], study.factors, method="blocked")
    assert answered["verdict"].tolist() == ["supported"]
    assert answered["se"].iloc[0] > 0
