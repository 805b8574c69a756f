"""Every reference case, through the shell: table in, effects.json out, R's numbers expected."""

from __future__ import annotations

import json
import math
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.commands import run
from analysis.model.cell_means import CellMeans
from analysis.table.reading import read_table
from tests.analysis.cases import CASES, HPO, NOT_COMMITTED, Case
from tests.analysis.published import folder

REL = 1e-8  # sums of squares, F, marginal means, standard errors
P_REL = 1e-6
TUKEY_ABS = 1e-6


HERE = [case for case in CASES if case.folder or case.name not in NOT_COMMITTED]


@pytest.mark.parametrize("name", NOT_COMMITTED)
def test_a_case_that_may_not_be_committed_is_here(name: str) -> None:
    """One skip for all the tests below that the absent case would run."""
    assert folder(name).is_dir()


@pytest.fixture(scope="module", params=HERE, ids=str)
def computed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Case, dict[str, Any], dict[str, Any]]:
    case: Case = request.param
    folder = tmp_path_factory.mktemp("case")
    case.write_table(folder / "table.csv")
    arguments = ["effects", "--table", str(folder / "table.csv"), "--factors", *case.factors]
    arguments += ["--response", case.response, "--order", case.order]
    arguments += ["--out", str(folder / "effects.json")]
    if case.block:
        arguments += ["--block", case.block]
    assert run(arguments) == 0
    text = Path(folder / "effects.json").read_text("utf-8")
    return case, case.load_expected(), json.loads(text)


def same(
    ours: float | None, theirs: float | None, rel: float, absolute: float, what: object
) -> None:
    if theirs is None:
        assert ours is None, f"{what}: {ours} where R cannot estimate"
        return
    assert ours is not None, f"{what}: null where R has {theirs}"
    assert math.isclose(ours, theirs, rel_tol=rel, abs_tol=absolute), (what, ours, theirs)


def scale(expected: dict[str, Any]) -> float:
    """Size of the response, below which a difference is rounding."""
    means = [row["mean"] for rows in expected["emm"].values() for row in rows]
    return max((abs(m) for m in means if m is not None), default=1.0)


def test_term_tests_are_those_of_r(computed: tuple[Case, dict[str, Any], dict[str, Any]]) -> None:
    _, expected, ours = computed
    assert ours["rank"] == expected["rank"]
    assert ours["residual_df"] == expected["resid_df"]
    tiny = 1e-12 * max(scale(expected) ** 2, 1e-300)
    compared = 0
    for kind in ("type1", "type2", "type3", "type3_hc3"):
        rows = {row["term"]: row for row in ours["anova"][kind]}
        for theirs in expected.get(f"anova_{kind}", []):
            if theirs["term"] == "(Intercept)" or (theirs["term"], kind) == (
                "Residuals",
                "type3_hc3",
            ):
                continue
            row = rows[theirs["term"]]
            assert row["df"] == theirs["df"], (kind, theirs["term"])
            if "ss" in theirs:
                same(row["ss"], theirs["ss"], REL, tiny, (kind, theirs["term"], "ss"))
            if kind != "type3_hc3" or theirs["F"] is not None:
                same(row["F"], theirs["F"], REL, 1e-12, (kind, theirs["term"], "F"))
                same(row["p"], theirs["p"], P_REL, 1e-12, (kind, theirs["term"], "p"))
            compared += 1
    for kind in ("type1", "type3"):
        for theirs in expected.get(f"anova_{kind}_saturated", []):
            row = {row["term"]: row for row in ours["anova"][kind]}[theirs["term"]]
            same(row["ss"], theirs["ss"], REL, tiny, (kind, theirs["term"]))
            assert row.get("F") is None
            compared += 1
    assert compared > 0


def test_effect_sizes_have_their_intervals(
    computed: tuple[Case, dict[str, Any], dict[str, Any]],
) -> None:
    _, expected, ours = computed
    rows = {row["term"]: row for row in ours["anova"]["type3"]}
    for theirs in expected.get("effect_sizes_type3", []):
        row = rows[theirs["term"]]
        same(row["partial_eta2"], theirs["eta2_partial"], REL, 1e-12, theirs["term"])
        same(row["partial_omega2"], theirs["omega2_partial"], REL, 1e-12, theirs["term"])
        # R's effectsize finds limits with a general optimiser that stops early now and then;
        # test_effect_sizes checks ours against the distribution itself.
        low, high = row["partial_eta2_low"], row["partial_eta2_high"]
        assert low <= row["partial_eta2"] <= high
        if theirs["eta2_partial_lo95"] > 0 and theirs["eta2_partial"] < 0.7:
            assert low == pytest.approx(theirs["eta2_partial_lo95"], abs=2e-4)
            assert high == pytest.approx(theirs["eta2_partial_hi95"], abs=2e-4)


def test_marginal_means_are_those_of_emmeans(
    computed: tuple[Case, dict[str, Any], dict[str, Any]],
) -> None:
    case, expected, ours = computed
    for method, singles, pairs in (("pooled", "emm", "emm2"), ("hc3", "emm_hc3", "emm2_hc3")):
        rows = {
            (row["term"], frozenset(row["levels"].items())): row
            for row in ours["marginal_means"][method]
        }
        for term, theirs in {**expected.get(singles, {}), **expected.get(pairs, {})}.items():
            for one in theirs:
                levels = frozenset((name, str(one[name])) for name in term.split(":"))
                row = rows[term, levels]
                if method == "pooled":
                    same(row["mean"], one["mean"], REL, 1e-12, (case, term, levels))
                se = one["se"]
                same(row["se"], se, REL, 1e-12 * scale(expected), (case, method, term, levels))
                same(row["low"], one["lo95"], REL, 1e-9 * scale(expected), (term, levels))
                same(row["high"], one["hi95"], REL, 1e-9 * scale(expected), (term, levels))
    # Every level and every pair of levels is there, estimable or not.
    sizes = [len(levels) for levels in ours["factors"].values()]
    many = sum(sizes) + sum(a * b for a, b in combinations(sizes, 2))
    for method in ("pooled", "welch", "blocked"):
        assert len(ours["marginal_means"][method]) == many
    if expected.get("grand_emm") is not None:
        same(ours["grand_mean"]["pooled"], expected["grand_emm"], REL, 0, "grand mean")


def _average_difference(expected: dict[str, Any], factor: str, level: str) -> float:
    """The effect of a level from R's pairwise differences."""
    levels = [str(x) for x in expected["levels"][factor]]
    pairs = zip(combinations(levels, 2), expected["pairwise"][factor], strict=True)
    signed = [one["est"] if level == a else -one["est"] for (a, b), one in pairs if level in (a, b)]
    return float(sum(signed) / len(levels))


def test_effects_are_those_of_emmeans(
    computed: tuple[Case, dict[str, Any], dict[str, Any]],
) -> None:
    case, expected, ours = computed
    tiny = 1e-10 * scale(expected)
    mains = {(row["term"], next(iter(row["levels"].values()))): row for row in ours["main_effects"]}
    for factor, theirs in expected["main_effects"].items():
        for one in theirs:
            value = mains[factor, str(one["level"])]["effect"]
            if one["effect"] is None and value is not None:
                # R took effects from the grand mean, which it could not estimate; the differences
                # of levels it could, and an effect is their average.
                assert expected["grand_emm"] is None, case
                average = _average_difference(expected, factor, str(one["level"]))
                same(value, average, REL, tiny, (factor, one["level"]))
                continue
            same(value, one["effect"], REL, tiny, (factor, one["level"]))
    inner = {
        (row["term"], frozenset(row["levels"].items())): row for row in ours["interaction_effects"]
    }
    for term, theirs in expected.get("interaction_effects", {}).items():
        for one in theirs:
            levels = frozenset((name, str(one[name])) for name in term.split(":"))
            same(inner[term, levels]["effect"], one["effect"], REL, tiny, (term, levels))
    for term, value in expected.get("two_level_effects", {}).items():
        sign = 1.0
        for name in term.split(":"):  # R's high level is the second in its own order
            if ours["factors"][name] != [str(x) for x in expected["levels"][name]]:
                sign = -sign
        same(ours["two_level_effects"][term], sign * value, REL, tiny, term)


def test_pairwise_contrasts_are_those_of_emmeans(
    computed: tuple[Case, dict[str, Any], dict[str, Any]],
) -> None:
    _, expected, ours = computed
    rows = {(row["term"], *row["levels"]): row for row in ours["contrasts"]}
    tiny = 1e-10 * scale(expected)
    for factor, theirs in expected.get("pairwise", {}).items():
        levels = [str(x) for x in expected["levels"][factor]]
        for (a, b), one in zip(combinations(levels, 2), theirs, strict=True):
            sign = 1.0 if (factor, a, b) in rows else -1.0
            row = rows[(factor, a, b) if sign > 0 else (factor, b, a)]
            if one["est"] is None:
                # emmeans has none of a row with a mean that it has not; nor do we.
                assert row["estimate"] is None, (factor, a, b)
                continue
            same(row["estimate"], sign * one["est"], REL, tiny, (factor, a, b))
            same(row["se"], one["se"], REL, 0, (factor, a, b))
            same(row["p"], one["p"], P_REL, 1e-12, (factor, a, b))
            same(row["p_tukey"], one["p_tukey"], 0, TUKEY_ABS, (factor, a, b))
            same(row["p_holm"], one["p_holm"], P_REL, 1e-12, (factor, a, b))
            ends = sorted(sign * one[k] for k in ("lo95_tukey", "hi95_tukey"))
            same(row["low_tukey"], ends[0], 1e-6, 1e-6 * one["se"], (factor, a, b))
            same(row["high_tukey"], ends[1], 1e-6, 1e-6 * one["se"], (factor, a, b))


def test_interaction_contrasts_are_those_of_emmeans(
    computed: tuple[Case, dict[str, Any], dict[str, Any]],
) -> None:
    _, expected, ours = computed
    tiny = 1e-10 * scale(expected)
    for term, theirs in expected.get("interaction_contrasts", {}).items():
        mine = [row for row in ours["interaction_contrasts"] if row["term"] == term]
        assert len(mine) == len(theirs)
        # Names differ ("(-1) - 1", "A1"); sizes and p-values identify the contrasts.
        by_size = sorted(mine, key=lambda row: (abs(row["estimate"]), row["p"] or 0))
        for row, one in zip(
            by_size, sorted(theirs, key=lambda o: (abs(o["est"]), o["p"] or 0)), strict=True
        ):
            same(abs(row["estimate"]), abs(one["est"]), 1e-7, tiny, (term, one))
            same(row["se"], one["se"], REL, 0, (term, one))
            same(row["p"], one["p"], P_REL, 1e-12, (term, one))
            same(row["p_holm"], one["p_holm"], 1e-5, 1e-9, (term, one))


@pytest.mark.parametrize(
    ("key", "factor", "first", "second"),
    [
        ("paired_seed_delta_lr_0.278_minus_1.67e3", "lr", "1.67e-3", "0.278"),
        ("paired_seed_delta_alpha", "alpha", "1e-8", "0.129"),
    ],
)
def test_seeds_as_blocks_are_paired_differences(
    key: str, factor: str, first: str, second: str
) -> None:
    case = Case("ml_hpobench_vehicle_5f", HPO, "acc", expected="computed_seed_block.json")
    expected = case.load_expected()[key]
    assert case.folder is not None
    table = read_table(case.folder / "data.csv", HPO, "acc", "seed")
    cells = CellMeans.of(table)
    weights = cells.difference({factor: second}, {factor: first})
    found = cells.contrast(weights, "blocked")
    assert found.estimate == pytest.approx(expected["mean"], rel=REL)
    assert found.estimate / found.se == pytest.approx(expected["t"], rel=REL)
    assert (found.df, found.replicates) == (4, 5)
    assert found.p == pytest.approx(expected["p"], rel=P_REL)
    assert (found.low, found.high) == pytest.approx((expected["lo95"], expected["hi95"]), rel=REL)
    np.testing.assert_allclose(cells.replicate_values(weights), expected["delta"], rtol=REL)
