"""Converging means reaching the target: what the answer says of it, with the number."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.loading import from_frame
from analysis.number_words import p_phrase
from analysis.outcomes.convergence import Convergence
from analysis.report.page.data import page_data
from analysis.report.words.answer import answer
from analysis.report.words.caveats import caveats
from analysis.report.words.convergence_words import (
    best_sentences,
    convergence_row,
    convergence_sentences,
    opening,
)
from analysis.study import Study, known
from analysis.table.statuses import AS_SAID, Goal
from analysis.verdicts.judgement import judge_together
from runner.content.outcome import Target

XAVIER = {"init": ("fan_in_gauss", "fan_in_uniform"), "optimizer": ("sgd_cool", "sgd_hot")}
REACHES = {("fan_in_uniform", "sgd_cool"): 3}


def study(
    reaches: dict[tuple[str, ...], int],
    factors: dict[str, tuple[str, ...]] = XAVIER,
    seeds: int = 3,
    target: Target | None = Target(0.9),  # noqa: B008 - frozen
) -> Study:
    """A study as a store gives it: so many runs of a combination reach the target."""
    rng = np.random.default_rng(7)
    rows: list[dict[str, Any]] = []
    for cell in product(*factors.values()):
        for seed in range(seeds):
            reached = seed < reaches.get(cell, 0)
            share = 0.97 if reached else 0.113
            rows.append(
                {
                    **dict(zip(factors, cell, strict=True)),
                    "replicate": seed,
                    "status": "reached" if reached else "short",
                    "converged": float(reached),
                    "better_than_guessing": 1.0,
                    "test_accuracy": share + 0.002 * rng.standard_normal(),
                    "classes": 10,
                }
            )
    frame = pd.DataFrame(rows)
    for name, levels in factors.items():
        frame[name] = pd.Categorical(frame[name], list(levels), ordered=True)
    return Study(frame, factors, "test_accuracy", "replicate", info={"target": target})


def said(one: Study) -> str:
    return " ".join(answer(one).sentences)


def test_one_pair_of_levels_that_decides_is_the_answer() -> None:
    """apache/mxnet#9866: one pair of levels gets there 3 of 3 times, the other nine runs never."""
    found = study(REACHES)
    text = said(found)
    assert text.startswith(
        "12 runs over 4 combinations of levels: 3 of 12 runs reached 90% validation accuracy "
        "(25%), 12 of 12 were better than guessing."
    )
    assert (
        "No factor alone is shown to decide it, a combination is: runs reach 90% validation "
        "accuracy only with init fan_in_uniform and optimizer sgd_cool: 3 of 3 runs against 0 of 9 "
        "elsewhere (Fisher's exact test, p = .036, all 4 combinations of two levels looked at)."
    ) in text
    assert (
        "fan_in_uniform over fan_in_gauss with sgd_cool: 3 of 3 against 0 of 3; with sgd_hot: no "
        "difference (0 of 3 against 0 of 3)."
    ) in text
    assert (
        "sgd_cool over sgd_hot with fan_in_uniform: 3 of 3 against 0 of 3; with fan_in_gauss: no "
        "difference (0 of 3 against 0 of 3)."
    ) in text
    assert "No factor is shown to decide" not in text
    assert "The best combination seen is init fan_in_uniform, optimizer sgd_cool" in text
    assert "It is also the one with most runs that reached 90% validation accuracy: 3 of 3" in text
    convergence = found.convergence()
    assert not any("runs with init" in one for one in caveats(found, convergence))
    row = convergence.to_dict()["combinations"][2]
    assert (row["level"], row["other_level"], row["converged"]) == ("fan_in_uniform", "sgd_cool", 3)
    assert row["p"] == pytest.approx(1 / 220)


def test_one_pair_of_levels_that_never_gets_there_is_said_as_the_exception() -> None:
    all_but = {cell: 3 for cell in product(*XAVIER.values())} | {("fan_in_gauss", "sgd_hot"): 0}
    text = said(study(all_but))
    assert (
        "runs reach 90% validation accuracy except with init fan_in_gauss and optimizer sgd_hot: 0 "
        "of 3 runs against 9 of 9 elsewhere"
    ) in text
    assert "In 3 of 4 combinations every run reached 90% validation accuracy" in text


def test_a_factor_that_decides_alone_is_named_with_its_rates_and_no_combination_is() -> None:
    factors = {"lr": ("low", "high"), "bn": ("none", "before", "after")}
    decided = study({("low", bn): 3 for bn in factors["bn"]}, factors)
    text = said(decided)
    judgement = decided.judgement
    p = judgement.p_of("convergence")["lr"]
    assert p < 0.01
    assert (
        "What makes runs reach 90% validation accuracy here: lr (from 0% with high to 100% with "
        f"low, {p_phrase(p)})."
    ) in text
    assert "elsewhere" not in text


def test_two_factors_that_act_only_together_are_said_so() -> None:
    text = said(study({("fan_in_uniform", "sgd_cool"): 5}, seeds=5))
    assert (
        "What makes runs reach 90% validation accuracy here: init (from 0% with fan_in_gauss to "
        "50% with fan_in_uniform, p = .016) and optimizer (from 0% with sgd_hot to 50% with "
        "sgd_cool, p = .016)."
    ) in text
    assert (
        "Together: runs reach 90% validation accuracy only with init fan_in_uniform and "
        "optimizer sgd_cool: 5 of 5 runs against 0 of 15 elsewhere."
    ) in text


def test_two_seeds_are_too_few_to_call_a_combination_decisive() -> None:
    text = said(study({("fan_in_uniform", "sgd_cool"): 2}, seeds=2))
    assert (
        "No factor is shown to decide whether runs reach 90% validation accuracy; furthest apart: "
        "init fan_in_uniform with optimizer sgd_cool (2 of 2 runs against 0 of 6 elsewhere, p = "
        ".286)."
    ) in text


def test_too_few_runs_of_one_factor_are_counted() -> None:
    """BVLC/caffe#1396: 98 % against 10 % in every seed, three of them."""
    found = study({("small",): 3}, {"weight_decay": ("small", "huge")})
    assert convergence_sentences(found, found.convergence()) == [
        "No factor is shown to decide whether runs reach 90% validation accuracy; furthest apart: "
        "weight_decay (3 of 3 runs with small against 0 of 3 with huge, p = .100)."
    ]


WEIGHT_DECAY = {
    ("wd_0.5", "none"): (0.100, 0.097, 0.103),
    ("wd_0.5", "before"): (0.100, 0.097, 0.103),
    ("wd_0.05", "none"): (0.657, 0.100, 0.103),
    ("wd_0.05", "before"): (0.738, 0.688, 0.721),
    ("wd_0.0005", "none"): (0.128, 0.100, 0.103),
    ("wd_0.0005", "before"): (0.981, 0.967, 0.989),
}
"""Accuracies of BVLC/caffe#1396 rebuilt on digits: far too much weight decay."""


def decayed(seeds: int, *claims: str) -> Study:
    factors = {"optimizer": ("wd_0.5", "wd_0.05", "wd_0.0005"), "bn_placement": ("none", "before")}
    rows = [(*cell, seed, value) for cell, values in WEIGHT_DECAY.items()
            for seed, value in enumerate(values[:seeds])]  # fmt: skip
    names = [*factors, "replicate", "test_accuracy"]
    frame = pd.DataFrame(rows, columns=names).assign(classes=10, n_test=360)
    reached = frame["test_accuracy"] > 0.9
    frame = frame.assign(status=np.where(reached, "reached", "short"), converged=reached * 1.0)
    for name, levels in factors.items():
        frame[name] = pd.Categorical(frame[name], list(levels), ordered=True)
    info = {"target": Target(0.9)}
    return Study(frame, factors, "test_accuracy", "replicate", info=info, planned_claims=claims)


def test_three_seeds_of_a_plain_case_are_told_and_agree_with_its_claims() -> None:
    """ "No factor is shown to change accuracy" stood three lines above a supported claim."""
    claims = ("optimizer: wd_0.0005 > wd_0.5 | bn_placement = before",
              "optimizer: wd_0.0005 > wd_0.5")  # fmt: skip
    one = decayed(3, *claims)
    text = said(one)
    assert one.claims()["verdict"].tolist() == ["supported", "supported"]
    assert "What improves test accuracy: optimizer (wd_0.0005 over wd_0.5: +44." in text
    assert "No factor is shown to change" not in text
    assert (
        "runs reach 90% validation accuracy only with optimizer wd_0.0005 and bn_placement before: "
        "3 of 3 runs against 0 of 15 elsewhere"
    ) in text
    # What follows is about another outcome, and says so.
    assert "No two factors are shown to depend on each other in test accuracy." in text


def test_two_seeds_of_a_plain_case_say_why_nothing_is_told() -> None:
    """Nothing was shown, without a reason, beside an interval of -43.9 to +145.7 points."""
    text = said(decayed(2))
    assert (
        "furthest apart: optimizer wd_0.0005 with bn_placement before (2 of 2 runs against 0 of 10 "
        "elsewhere, p = .182)"
    ) in text
    assert (
        "Two replicates of 6 combinations cannot tell a difference of means from runs that fail by "
        "chance, so none is called one; a third replicate could."
    ) in text
    assert "Seen, not tested: wd_0.05 over wd_0.5 of optimizer, +44.7 points." in text


def test_while_it_runs_a_small_p_that_is_not_shown_has_its_reason() -> None:
    """ "No factor is shown so far" with p = .007 beside it."""
    one = study({("fan_in_uniform", "sgd_cool"): 4, ("fan_in_uniform", "sgd_hot"): 4}, seeds=4)
    frame = one.frame.copy()
    last = (frame["replicate"] == 3) & (frame["optimizer"] == "sgd_hot")
    frame.loc[last, "status"] = "not_run"
    frame.loc[last, ["converged", "better_than_guessing", "test_accuracy"]] = np.nan
    text = said(replace(one, frame=frame))
    assert "No factor is shown so far to decide whether runs reach 90% validation accuracy" in text
    assert "; while runs are still to come only p below .001 counts." in text


def test_no_run_at_the_target_is_not_that_nothing_decides() -> None:
    text = said(study({}))
    assert "0 of 12 runs reached 90% validation accuracy (0%)" in text
    assert "a lower train.target would tell runs apart, and retrains nothing." in text
    assert "no factor decides" not in text


def test_where_no_run_got_there_the_second_outcome_speaks() -> None:
    one = study({})
    better = (one.frame["init"] == "fan_in_uniform") & (one.frame["optimizer"] == "sgd_cool")
    text = said(replace(one, frame=one.frame.assign(better_than_guessing=better.astype(float))))
    assert "No run reached 90% validation accuracy, so what decides that cannot be said" in text
    assert (
        "runs are better than guessing only with init fan_in_uniform and optimizer sgd_cool: 3 of "
        "3 runs against 0 of 9 elsewhere"
    ) in text


def test_a_derived_target_is_said() -> None:
    one = study(REACHES, target=Target(0.536, derived=True))
    text = said(one)
    assert "3 of 12 runs reached 53.6% validation accuracy" in text
    assert (
        "The file names no train.target: 53.6% validation accuracy is half way from chance to the "
        "best combination."
    ) in text


def test_ties_for_the_best_are_counted() -> None:
    factors = {"lr": ("low", "high"), "bn": ("none", "before", "after")}
    one = study({("low", bn): 3 for bn in factors["bn"]}, factors)
    assert (
        "In 3 of 6 combinations every run reached 90% validation accuracy, this one among them: "
        "no combination is best by that."
    ) in best_sentences(one, one.convergence())
    rows = [{"a": a, "b": b, "s": s, "acc": 0.5 + 0.25 * (a == "x")}
            for a in "xy" for b in "pq" for s in range(2)]  # fmt: skip
    even = from_frame(pd.DataFrame(rows), ["a", "b"], "acc", "s")
    (text,) = best_sentences(even, None)
    assert text.startswith("The best combinations seen, of the same mean of 0.750, are a x, b p")


def test_a_persons_own_column_keeps_meaning_what_they_say() -> None:
    frame = study(REACHES).frame.drop(columns=["status", "better_than_guessing"])
    text = said(from_frame(frame, list(XAVIER), "test_accuracy", "replicate"))
    assert "3 of 12 runs converged (25%)." in text
    assert "runs converge only with init fan_in_uniform and optimizer sgd_cool" in text
    assert "reach" not in text


@pytest.mark.parametrize("labels", [("yes", "no"), ("early", "late"), ("0", "1")])
def test_a_factor_called_converged_is_no_outcome(labels: tuple[str, str]) -> None:
    rows = [(label, lr, 0.5 + 0.01 * seed + 0.2 * (lr == "a"))
            for label in labels for lr in "ab" for seed in range(2)]  # fmt: skip
    one = from_frame(pd.DataFrame(rows, columns=["converged", "lr", "y"]), ["converged", "lr"], "y")
    assert known(one.convergence) is None
    assert one.document()["convergence"] is None
    assert "runs converged" not in said(one)
    assert {shown["key"] for shown in page_data(one, None)["outcomes"]} == {"response"}


def test_old_words_of_a_table_are_split_by_when_the_target_was_reached() -> None:
    """15.9 % right at a validation loss of 184,611 was called converged."""
    frame = pd.DataFrame(
        {
            "lr": ["low", "low", "high", "high"],
            "bn": ["none", "before"] * 2,
            "status": ["converged", "converged", "converged", "stalled"],
            "epochs_to_target": [3, 5, None, None],
            "epochs_run": 6,
            "epochs_budget": 6,
            "test_accuracy": [0.95, 0.96, 0.159, 0.1],
        }
    )
    one = from_frame(frame, ["lr", "bn"], "test_accuracy")
    assert one.runs["status"].tolist() == ["reached", "reached", "short", "stalled"]
    assert one.runs["converged"].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert one.goal == Goal.to(None)
    assert "2 of 4 runs reached the target (50%)" in opening(one, one.convergence())[0]


def test_what_converges_is_one_answer_the_exact_test() -> None:
    one = study(REACHES)
    convergence = one.convergence()
    text = " ".join(convergence_sentences(one, convergence))
    assert "Firth" not in text
    assert any(
        note.startswith("Verdicts and intervals rest on exact") for note in convergence.notes
    )
    assert convergence.to_dict()["terms"]


def test_better_than_guessing_is_an_outcome_of_its_own() -> None:
    one = study(REACHES)
    frame = one.frame.assign(better_than_guessing=lambda runs: runs["optimizer"] == "sgd_cool")
    guessing = replace(one, frame=frame)
    found = guessing.document()
    assert found["learned"]["learned"] == 6
    assert found["convergence"]["converged"] == 3
    assert found["target"] == {"accuracy": 0.9, "derived": False}
    assert {row["learned"] for row in found["learned"]["rates"]} == {3, 6, 0}
    looked = guessing.outcome("learned")
    assert looked.measure.name == "runs better than guessing"
    assert guessing.outcome("converged").measure.name == "runs that reached 90% validation accuracy"
    learned = known(guessing.learned)
    assert learned is not None
    assert learned.converged == 6


@pytest.mark.long
def test_a_combination_is_said_in_at_most_5_percent_of_grids_where_nothing_matters() -> None:
    """Both families together, factors and combinations, over shares of runs that get there."""
    rng = np.random.default_rng(11)
    for shape, seeds in (((2, 2), 3), ((2, 3), 3), ((2, 2, 2), 2)):
        factors = {f"f{k}": tuple("abc"[:n]) for k, n in enumerate(shape)}
        runs = np.full(shape, float(seeds))
        for share in (0.25, 0.5):
            said_of = 0
            for _ in range(100):
                hits = rng.binomial(seeds, share, shape).astype(float)
                one = Convergence(hits, runs, runs, factors, goal=AS_SAID)
                if one.mixed:
                    none = pd.DataFrame(columns=["factor", "first", "second", "p", "term"])
                    judged = judge_together(
                        none, none, factors, convergence=one.tests, combination=one.combined
                    )
                    said_of += bool(judged.table["shown"].any())
            assert said_of <= 5, (shape, share)


def test_a_factor_that_no_pair_shows_alone_is_supported_by_all_its_levels_together() -> None:
    """Else "supported" would stand beside an interval that holds zero."""
    hits, runs = np.array([[3.0, 1], [4, 4], [4, 0]]), np.full((3, 2), 4.0)
    factors = {"bn": ("none", "before", "after"), "opt": ("adam", "sgd")}
    convergence = Convergence(hits, runs, runs, factors)
    p = convergence.tests.set_index("factor")["p"].to_dict()["bn"]
    row = convergence_row("bn", convergence, p, 0.05)
    assert p == pytest.approx(2 / 99)
    assert row["conv_low"] == 0
    assert row["conv_sure"] == "supported by all levels together"
    assert convergence_row("bn", convergence, 0.2, 0.05)["conv_sure"] == "not shown"
