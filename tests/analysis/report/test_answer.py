"""The opening, its table, the claims and what is decided never contradict each other."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.loading import from_frame
from analysis.report.gallery.factors import draw_forest, draw_pareto
from analysis.report.gallery.pairs import draw_interaction_heat_maps
from analysis.report.page.page import _claim, _judged
from analysis.report.words.answer import (
    OPEN,
    WHOLE,
    all_differences,
    answer,
)
from analysis.report.words.brief.rows import pair_rows
from analysis.report.words.caveats import caveats
from analysis.report.words.papers.methods import methods
from analysis.report.words.papers.tables import ablation_rows
from analysis.study import Study, known
from analysis.verdicts.looks import complete_waves
from tests.analysis.report.simulated import simulate


@pytest.fixture(scope="module")
def contrary(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Tests over two degrees of freedom: whole terms are not shown where differences are."""
    folder = tmp_path_factory.mktemp("contrary")
    url, info = simulate(folder, seed=1, overrides=["train.epochs=6"])
    return analysis.load(info.name, url)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Five of 216 runs have an outcome."""
    folder = tmp_path_factory.mktemp("begun")
    url, info = simulate(folder, seed=1, overrides=["train.epochs=6"], finished=5 / 216)
    return analysis.load(info.name, url)


def test_the_opening_says_what_is_decided(contrary: Study) -> None:
    found = answer(contrary)
    decided = known(contrary.decided)
    assert decided is not None
    done = decided.table[decided.table["decided"]]
    rows = found.factors.set_index("factor")
    assert set(done["factor"]) == set(rows.index[rows["shown"]])
    for factor in done["factor"]:
        row = rows.loc[factor]
        own = done[done["factor"] == factor]
        pairs = [set(pair) for pair in zip(own["level"], own["reference"], strict=True)]
        assert {row["best"], row["worst"]} in pairs
        assert row["low"] > 0 or row["high"] < 0
    lead = next(text for text in found.sentences if text.startswith("What improves test accuracy"))
    assert all(f"{factor} (" in lead for factor in set(done["factor"]))


def test_an_order_that_turns_round_is_not_called_no_dependence() -> None:
    """Simple effects of both signs are known; a test over all levels may see less than one pair."""
    rng = np.random.default_rng(3)
    rows = [
        {"a": a, "b": b, "seed": seed, "acc": 0.5 + turn + 0.002 * rng.standard_normal()}
        for seed in range(3)
        for a in ("one", "two")
        for b in ("w", "x", "y", "z")
        for turn in [0.1 * (a == "one") * (-1 if b == "z" else 1)]
    ]
    study = from_frame(pd.DataFrame(rows), factors=["a", "b"], response="acc", replicate="seed")
    assert study.interaction_kinds()["crossover"].eq(True).any()
    text = " ".join(answer(study).sentences)
    assert "No two factors" not in text


def test_a_claim_on_a_shown_difference_has_a_verdict(contrary: Study) -> None:
    rows = answer(contrary).factors.set_index("factor")
    row = rows.loc["bn_placement"]
    claim = contrary.claims().set_index("claim").loc["bn_placement: before > none"]
    assert (row["best"], row["worst"], row["shown"]) == ("none", "before", True)
    assert claim["verdict"] == "refuted"
    assert (-claim["estimate"], -claim["high"], -claim["low"]) == pytest.approx(
        (row["estimate"], row["low"], row["high"])
    )


def test_a_difference_whose_interval_excludes_zero_is_open_at_least(contrary: Study) -> None:
    rows = answer(contrary).factors
    without = rows[(rows["low"] > 0) | (rows["high"] < 0)]
    assert "not shown" not in set(without["sure"])
    assert set(rows[rows["factor"] == "init"]["sure"]) == {OPEN}
    text = " ".join(answer(contrary).sentences)
    assert "init (he over naive: +" in text
    count = contrary.judgement.count
    assert f"but not with all {count} questions of this study judged together" in text
    assert "Not shown to matter by itself: augmentation." in text


def test_every_display_has_the_one_judgement(contrary: Study) -> None:
    """Paragraph, decided, claims, paper, page, forest, matrix, Pareto and heat maps."""
    judged = contrary.judgement
    shown = judged.of("difference")["shown"].tolist()
    decided = known(contrary.decided)
    assert decided is not None
    assert (decided.table["decided"].tolist(), decided.alpha) == (shown, judged.level)
    assert all_differences(contrary)["shown"].tolist() == shown
    assert draw_forest(contrary).data["shown"].tolist()[: len(shown)] == shown  # type: ignore[union-attr]
    rows = ablation_rows(contrary).dropna(subset=["estimate"])
    first = judged.of("difference").set_index(["factor", "second"])
    for row in rows.to_dict("records"):
        at = first.loc[(row["factor"], row["level"])]
        at = at[at["first"] == contrary.factors[row["factor"]][0]] if at.ndim > 1 else at
        assert bool(row["stars"]) == bool(np.all(at["shown"]))
    terms = judged.terms()["shown"]
    bars = draw_pareto(contrary).data.set_index("term")["shown"]  # type: ignore[union-attr]
    assert bars.to_dict() == terms[bars.index].to_dict()
    pairs = answer(contrary).pairs
    named = {f"{a}:{b}" for a, b in zip(pairs["factor_a"], pairs["factor_b"], strict=True)}
    assert named == set(terms.index[terms & terms.index.str.contains(":")])
    stars = draw_interaction_heat_maps(contrary).data  # type: ignore[union-attr]
    stars = stars[stars["shown"]]
    assert set(stars["factor_a"] + ":" + stars["factor_b"]) <= named
    claims = contrary.claims()
    sure = claims["verdict"].isin(["supported", "refuted"])
    assert sure.tolist() == (claims["p_family"] <= judged.level).tolist()


def test_the_lead_says_where_an_order_turns_round() -> None:
    rng = np.random.default_rng(4)
    rows = [
        (a, b, seed, 0.5 + (0.3 if b == "w" else -0.1) * (a == "one") + rng.normal(0, 0.004))
        for a, b, seed in itertools.product(("one", "two"), "wx", range(5))
    ]
    frame = pd.DataFrame(rows, columns=["a", "b", "seed", "test accuracy"])
    study = from_frame(frame, ["a", "b"], "test accuracy", "seed")
    sentences = answer(study).sentences
    crossing = study.interaction_kinds().dropna(subset=["sentence"])
    assert len(crossing) == 1
    place = next(n for n, text in enumerate(sentences) if text.startswith("But the order turns"))
    assert str(crossing["sentence"].iloc[0]) in sentences[place]
    assert sentences[place - 1].startswith("What improves test accuracy")


def _crossed() -> Study:
    """One is above two with x and below it with z, for sure; with y nearly nothing is known."""
    rng = np.random.default_rng(1)
    step = {"x": 0.06, "y": 0.0, "z": -0.02}
    noise = {"x": 0.002, "y": 0.1, "z": 0.002}
    rows = [
        {"a": a, "b": b, "acc": 0.5 + step[b] * (a == "one") + noise[b] * rng.standard_normal()}
        for a in ("one", "two") for b in step for _ in range(4)
    ]  # fmt: skip
    return from_frame(pd.DataFrame(rows), ["a", "b"], "acc")


def test_a_pair_that_is_shown_is_told_by_a_difference_that_is_known() -> None:
    study = _crossed()
    (row,) = pair_rows(study, answer(study))
    assert row.levels == "one over two, more with x than with z; the order turns round"
    low, high = (float(one.replace("−", "-")) for one in row.interval.strip("[]").split(", "))
    assert low > 0 or high < 0


def test_an_order_that_turns_round_in_a_pair_that_is_not_shown_is_told_by_both_ways() -> None:
    study = _crossed()
    judged = study.judgement
    table = judged.table.assign(shown=judged.table["shown"] & ~judged.table["kind"].eq("pair"))
    study.__dict__["judgement"] = replace(judged, table=table)
    (row,) = pair_rows(study, answer(study))
    assert row.levels == "one over two, up with x and down with z"
    up, down = row.effect.replace("−", "-").split(" and ")
    assert float(up) == pytest.approx(0.06, abs=0.005)
    assert float(down) == pytest.approx(-0.02, abs=0.005)
    assert (row.interval, row.verdict) == ("", "turns round")


def test_the_best_combination_names_its_factors(contrary: Study) -> None:
    text = next(one for one in answer(contrary).sentences if one.startswith("The best comb"))
    assert all(f"{factor} " in text for factor in contrary.factors)


def test_a_factor_may_be_supported_as_a_whole_only() -> None:
    rng = np.random.default_rng(5)
    rows = [
        (a, b, seed, 0.5 + 0.05 * {"x": -1, "y": 0, "z": 1}[a] + rng.normal(0, 0.06))
        for a, b, seed in itertools.product("xyz", "pq", range(6))
    ]
    study = from_frame(pd.DataFrame(rows, columns=["a", "b", "seed", "acc"]), ["a", "b"], "acc")
    row = answer(study).factors.set_index("factor").loc["a"]
    smallest = all_differences(study).query("factor == 'a'")["p_family"].min()
    whole, level = study.judgement.p_of("factor")["a"], study.judgement.level
    assert row["shown"] == bool(min(smallest, whole) <= level)
    assert (row["sure"] == WHOLE) == (smallest > level >= whole)


def test_no_wave_is_complete_before_every_planned_cell_ran(begun: Study) -> None:
    assert complete_waves(begun.frame, list(begun.factors)) == 0
    assert any("0 of 3 replicates are complete" in text for text in answer(begun).sentences)


def test_a_run_that_failed_for_good_does_not_hold_its_wave_up() -> None:
    frame = pd.DataFrame({"a": ["x", "y"] * 2, "status": ["stalled", "failed"] + ["not_run"] * 2})
    assert complete_waves(frame, ["a"]) == 1
    assert complete_waves(frame.drop(columns="status"), ["a"]) == 2


def test_while_it_runs_everything_is_said_so_far(begun: Study, contrary: Study) -> None:
    assert begun.running
    text = " ".join(answer(begun).sentences)
    assert "so no factor decides" not in text
    assert "What improves test accuracy:" not in text
    supported = {"claim": "a: x > y", "outcome": "accuracy", "verdict": "supported",
                 "estimate": 0.1, "low": 0.05, "high": 0.15, "reason": "x is better."}  # fmt: skip
    shown = _claim(supported, begun)
    assert (shown["verdict"], shown["sentence"]) == (
        "supported so far", "Supported so far: x is better.",
    )  # fmt: skip
    assert _claim(supported, contrary)["sentence"] == "Supported: x is better."
    assert "none is a decision" in _judged(begun)


def _with_p(study: Study, p: float) -> Study:
    """The study as if the replicates' F test had this p."""
    copy = replace(study)
    copy.grid.__dict__["rule"] = replace(study.grid.rule, p=p)
    return copy


def test_replicates_differ_only_where_a_test_says_so(contrary: Study) -> None:
    sure = next(text for text in caveats(_with_p(contrary, 0.004), None) if "as a whole" in text)
    assert sure.startswith("Replicates differ as a whole")
    assert not any("as a whole" in text for text in caveats(_with_p(contrary, 0.4), None))
    assert "were not independent" in methods(_with_p(contrary, 0.004))
    assert "could not be ruled out" in methods(_with_p(contrary, 0.4))


def test_what_nobody_calls_better_is_not_called_better() -> None:
    rng = np.random.default_rng(0)
    rows = [
        (a, b, seed, 5.0 * (a == "x") + rng.normal())
        for a, b, seed in itertools.product("xy", "pq", range(5))
    ]
    study = from_frame(pd.DataFrame(rows, columns=["a", "b", "seed", "y"]), ["a", "b"], "y", "seed")
    text = " ".join(answer(study).sentences)
    assert "What changes y: a (x over y" in text
    assert "The highest combination seen" in text
    assert "best" not in text


def test_where_the_best_level_is_not_told_from_the_best_that_is_shown_it_is_named() -> None:
    """ "Geno1 over Geno5" was the largest difference shown, and read as the best of all levels."""
    runs = {
        "Geno1": (22.0, 22.4, 21.7, 22.1, 21.9),
        "Geno4": (14.0, 33.0, 20.0, 29.0, 19.0),  # 23 on average, anything in a single run
        "Geno5": (15.2, 14.8, 15.1, 14.9, 15.0),
    }
    rows = [(level, value) for level, values in runs.items() for value in values]
    frame = pd.DataFrame(rows, columns=["Genotype", "Tillering"])
    study = from_frame(frame, ["Genotype"], "Tillering", higher_is_better=True)
    row = answer(study).factors.iloc[0]
    assert (row["best"], row["worst"], row["top"]) == ("Geno1", "Geno5", "Geno4")
    text = " ".join(answer(study).sentences)
    assert "What improves Tillering: Genotype (Geno1 over Geno5: +7.0" in text
    assert "; Geno4 has the best mean, not told from Geno1)." in text
