"""Claims on convergence and on epochs to the target: the right test, the right words."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.loading import from_frame
from analysis.outcomes.rates.compared import Compared
from analysis.outcomes.time_to_target import TimeToTarget
from analysis.stats.arrays import Floats
from analysis.stats.counts.cmh import exact_test
from analysis.stats.counts.common_difference import CommonDifference
from analysis.study import Study
from analysis.table.cells import Factors
from analysis.verdicts.rate_claims import rate_difference
from runner.content.outcome import Target
from runner.spec.claims import parse_claim

FACTORS = {"init": ("he", "naive"), "bn": ("none", "before"), "opt": ("sgd", "adam")}


def study(*claims: str, drop: tuple[str, ...] = ()) -> Study:
    """Eight cells, five runs each: naive converges only with bn, bn reaches the target earlier."""
    rng = np.random.default_rng(1)
    rows = []
    for init, bn, opt, seed in itertools.product(*FACTORS.values(), range(5)):
        fails = init == "naive" and bn == "none" and seed != 2
        epochs = np.nan if fails else float(10 - 4 * (bn == "before") + rng.integers(0, 2))
        accuracy = 0.1 if fails else 0.8 + rng.normal(0, 0.01)
        status = "diverged" if fails else "converged"
        rows.append((init, bn, opt, seed, accuracy, float(not fails), status, epochs, 20, 20))
    names = [*FACTORS, "seed", "acc", "converged", "status", "epochs_to_target", "epochs_run",
             "epochs_budget"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=names).drop(columns=list(drop))
    made = from_frame(frame, list(FACTORS), "acc", "seed")
    return replace(made, planned_claims=claims)


def over(hits: Floats, runs: Floats, factors: Factors) -> Compared:
    """Counts over a grid, compared."""
    return Compared(hits, runs, runs, factors, 2, 0.95)


def one(claim: str) -> pd.Series:
    return study(claim).claims().iloc[0]


def test_a_claim_on_convergence_is_the_common_difference_and_the_exact_test() -> None:
    row = one("init: he > naive on convergence")
    assert row["outcome"] == "convergence"
    assert row["verdict"] == "supported"
    assert row["estimate"] == pytest.approx(20 / 20 - 12 / 20)
    runs = np.full((4, 2), 5.0)
    hits = np.array([[5, 1], [5, 1], [5, 5], [5, 5]], float)
    wanted = CommonDifference.of(hits, runs).limits()
    assert [row["low"], row["high"]] == pytest.approx(wanted)
    assert row["p"] == pytest.approx(exact_test(hits, runs).p)
    assert row["method"] == "score"
    assert row["replicates"] == 5
    assert row["sentence"].startswith(
        "Supported: init = he converges 40.00 points more often than naive: 20 of 20 runs against "
        "12 of 20 (95% interval +"
    )


def test_conditions_restrict_the_runs_that_are_counted() -> None:
    row = one("init: he > naive on convergence | bn = none")
    assert row["estimate"] == pytest.approx(10 / 10 - 2 / 10)
    row = one("init: he = naive on convergence by 40 | bn = before")
    assert row["estimate"] == 0.0
    assert row["verdict"] == "supported"
    assert row["sentence"] == (
        "Supported: runs with init = he and with naive converged equally often, where bn is "
        "before: 10 of 10 and 10 of 10 (95% interval −29.91 to +29.91 points)."
    )


def test_two_levels_whose_runs_all_converged_are_said_to_be_alike() -> None:
    """No "converges 0.00 points less often"."""
    row = one("init: he > naive on convergence | bn = before")
    assert row["verdict"] == "undecided"
    assert row["sentence"] == (
        "Undecided: runs with init = he and with naive converged equally often, where bn is "
        "before: 10 of 10 and 10 of 10 (95% interval −29.91 to +29.91 points); these runs do not "
        "tell them apart."
    )


def test_a_claim_on_convergence_names_the_target_of_the_study() -> None:
    made = replace(study("init: he > naive on convergence"), info={"target": Target(0.9)})
    sentence = made.claims().iloc[0]["sentence"]
    assert sentence.startswith(
        "Supported: init = he reaches 90% validation accuracy 40.00 points more often than naive: "
        "20 of 20 runs against 12 of 20 (95% interval +"
    )


def test_a_refuted_and_an_undecided_claim_say_so_in_shares() -> None:
    row = one("init: he < naive on convergence")
    assert row["verdict"] == "refuted"
    assert row["sentence"].endswith("so it does not converge less often.")
    row = one("init: he > naive on convergence by 35")
    assert row["verdict"] == "undecided"
    assert row["replicates_to_decide"] > 5
    assert "replicates per cell would decide it" in row["sentence"]


def test_the_p_at_a_margin_is_where_the_interval_ends_there() -> None:
    """Two-sided p = 1 - level at which the margin is the interval's limit."""
    claim = parse_claim("init: he > naive on convergence by 5")
    hits, runs = np.array([18.0, 12.0]), np.array([20.0, 20.0])
    found = rate_difference(over(hits, runs, {"init": FACTORS["init"]}), claim, 0.95)
    for level in (0.5, 0.8, 0.9):
        low, high = CommonDifference.of([[18, 12]], [[20, 20]]).limits(level)
        assert found.below(high) == pytest.approx((1 - level) / 2, rel=1e-6)
        assert found.below(low) == pytest.approx((1 + level) / 2, rel=1e-6)
    assert found.below(0.3) == pytest.approx(0.5)
    assert found.below(1.5) < 1e-9
    assert found.below(-1.5) > 1 - 1e-9


def test_a_claim_on_epochs_is_a_contrast_of_restricted_means() -> None:
    made = study("bn: before < none on epochs by 2", "bn: none > before on epochs | init = he")
    rows = made.claims()
    table = TimeToTarget.of(made.frame, made.factors, "seed").differences
    (wanted,) = table[table["factor"] == "bn"].to_dict("records")
    sign = 1 if wanted["level"] == "before" else -1
    assert rows["estimate"].iloc[0] == pytest.approx(sign * wanted["estimate"])
    assert rows["margin"].iloc[0] == 2.0
    assert rows["verdict"].tolist() == ["supported", "supported"]
    assert "epochs earlier than none" in rows["sentence"].iloc[0]
    assert rows["sentence"].iloc[1].startswith("Supported: bn = none reaches the target ")


def test_claims_on_several_outcomes_are_one_family() -> None:
    rows = study(
        "init: he > naive", "init: he > naive on convergence", "init: he < naive on epochs"
    ).claims()
    p = rows["p"].to_numpy(float)
    assert rows["outcome"].tolist() == ["acc", "convergence", "epochs"]
    # Half of the level is the claims', a third of that each: six times the smallest at most.
    assert 1.0 < rows["p_family"].min() / p.min() <= 6.0 + 1e-9
    document = study("init: he > naive on convergence").document()
    assert document["claims"][0]["outcome"] == "convergence"
    assert document["claims"][0]["df"] is None


@pytest.mark.parametrize(
    ("claim", "drop", "says"),
    [
        ("init: he > naive on convergence", ("converged", "status"), "which runs converged"),
        ("init: he < naive on epochs", ("epochs_budget",), "when runs reached their target"),
    ],
)
def test_an_outcome_the_table_lacks_is_not_testable(
    claim: str, drop: tuple[str, ...], says: str
) -> None:
    row = study(claim, drop=drop).claims().iloc[0]
    assert row["verdict"] == "not testable"
    assert says in row["sentence"]


def test_levels_that_never_met_are_not_testable() -> None:
    claim = parse_claim("init: he > naive on convergence")
    runs = np.array([[4.0, 0.0], [0.0, 4.0]])
    factors = {"init": ("he", "naive"), "bn": ("none", "before")}
    found = rate_difference(over(runs / 2, runs, factors), claim, 0.95)
    assert found.problem == "no combination of the other factors ran at both levels"


def test_wrong_verdicts_on_convergence_stay_rare() -> None:
    """Rates that differ by the other factor only; at a margin of the true difference too."""
    rng = np.random.default_rng(3)
    factors = {"a": ("x", "y"), "b": ("p", "q", "r")}
    rate = np.array([[0.2, 0.5, 0.9], [0.2, 0.5, 0.9]])
    runs = np.full((2, 3), 6.0)
    none = parse_claim("a: x > y on convergence")
    p = []
    for _ in range(400):
        hits = rng.binomial(6, rate).astype(float)
        p.append(rate_difference(over(hits, runs, factors), none, 0.95).estimate.p)
    rejected = np.mean(np.nan_to_num(p, nan=1.0) <= 0.05)
    assert rejected <= stats.binom.ppf(0.999, 400, 0.05) / 400


def test_verdict_and_interval_cannot_contradict_each_other() -> None:
    """Whatever the runs: what is decided without a margin excludes zero, and no sentence else."""
    rng = np.random.default_rng(8)
    factors = {"a": ("x", "y"), "b": ("p", "q", "r", "s")}
    claim = parse_claim("a: x > y on convergence")
    decided = 0
    for _ in range(150):
        runs = rng.integers(1, 7, (2, 4)).astype(float)
        rates = np.stack([rng.choice([0.6, 0.95, 1.0], 4), rng.choice([0.0, 0.2, 0.9], 4)])
        hits = rng.binomial(runs.astype(int), rates).astype(float)
        found = rate_difference(over(hits, runs, factors), claim, 0.95)
        p = 2 * min(found.below(0.0), 1 - found.below(0.0))
        holds = found.estimate.low <= 0 <= found.estimate.high
        assert min(p, 1.0) == pytest.approx(found.estimate.p)
        assert holds == (found.estimate.p > 0.05)
        decided += not holds
    assert 15 < decided < 135


def test_lost_runs_are_told_where_shares_of_all_runs_say_something_else() -> None:
    full = study("init: he > naive on convergence")
    frame = full.frame.copy()
    gone = frame["init"].eq("naive") & frame["bn"].eq("before") & frame["seed"].astype(int).ge(2)
    frame.loc[gone, ["converged", "acc"]] = np.nan
    frame.loc[gone, "status"] = "failed"
    made = replace(from_frame(frame, list(FACTORS), "acc", "seed"),
                   planned_claims=full.planned_claims)  # fmt: skip
    row = made.claims().iloc[0]
    assert "within the same levels of the other factors: 20 of 20 runs against" in row["sentence"]
