"""The table of what was asked: factors, pairs, convergence, claims, each with its answer.

Verdicts are those of `Study.judgement`, as the table of factors and `Study.claims` have them; what
deciding would take is that of `Study.decided` and of the claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.effects.crossover import crossings
from analysis.effects.frames import by_method
from analysis.model.terms import pairs_of
from analysis.number_words import DifferenceText, difference_words, p_phrase, signed, sureness
from analysis.report.words.answer import UNTESTED, WHOLE, Answer
from analysis.report.words.brief.records import BriefRow
from analysis.report.words.names import readable
from analysis.report.words.pairs_shown import turning_terms
from analysis.study import known
from analysis.verdicts.looks_words import WORTH
from runner.content.response import Response
from runner.program.wording import counted

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study
    from analysis.verdicts.looks import Decided

DECIDED = "decided"
CANNOT = "other runs than these"
UNKNOWN = "not estimated"
"""Of a test for which nobody has worked out how many replicates it would take."""
CLAIMS = "Claims, planned before the runs"
TURNS = "turns round"
"""Of a pair in which one factor turns the order of the other's levels round."""
MOST_PAIRS = 5
"""Pairs of factors that have a row; the section on interactions has all."""


def factor_rows(study: Study, found: Answer) -> list[BriefRow]:
    """A row a factor, shown and large ones first."""
    look = known(study.decided)
    table = found.factors.assign(size=found.factors["estimate"].abs())
    table = table.sort_values(["shown", "size"], ascending=False, kind="stable")
    rows = []
    for row in table.to_dict("records"):
        words = difference_words(row["estimate"], row["low"], row["high"], study.measure)
        levels = f"{row['best']} over {row['worst']}"
        if pd.isna(row["best"]):
            same = row["estimate"] == 0
            words = DifferenceText("none" if same else "n/a", "")
            levels = "all levels equal" if same else ""
        rows.append(
            BriefRow(
                study.measure.title, str(row["factor"]), levels, words.value, words.interval,
                said_of(study, str(row["sure"])), _p(row["p_family"]), _of_factor(study, row, look),
            )
        )  # fmt: skip
    return rows


def said_of(study: Study, sure: str) -> str:
    """The verdict on a question that is so sure: none where too little ran for any."""
    return "undecided" if study.judgement.silent and sure != UNTESTED else sure


def _of_factor(study: Study, row: Mapping[Any, Any], look: Decided | None) -> str:
    """What deciding a factor's difference would take; what of it is open where that is decided."""
    if row["sure"] == UNTESTED:
        return CANNOT
    if study.judgement.silent:
        return _of_silence(study)
    if look is None:
        return DECIDED if row["shown"] else "a second replicate"
    own = look.table[look.table["factor"] == row["factor"]]
    if row["shown"] and row["sure"] != WHOLE:
        left = int((~own["decided"].astype(bool)).sum())
        return DECIDED if not left else f"{DECIDED}; {left} of {len(own)} open"
    pair = {row["best"], row["worst"]}
    same = [{a, b} == pair for a, b in zip(own["level"], own["reference"], strict=True)]
    if not any(same):
        return ""
    needed = float(own.loc[same, "replicates_to_decide"].iloc[0])
    told = replicates_words(needed, look.runs, look.planned, running=study.running)
    return f"which levels differ: {told}" if row["sure"] == WHOLE else told


def _of_silence(study: Study) -> str:
    if study.running:
        return "runs still to come"
    return "the next look" if study.look is not None else "a third replicate"


def replicates_words(needed: float, runs: float, planned: int, *, running: bool) -> str:
    """How many replicates more would decide, or that more than is worth it.

    Args:
        needed: replicates per combination in all; NaN where more than can be said, infinity where
            it takes other combinations.
        runs: those there are, on average.
        planned: those planned.
        running: whether runs are still to come.
    """
    if np.isposinf(needed):
        return "more combinations"
    more = max(int(np.ceil(needed - runs)), 1) if np.isfinite(needed) else None
    if more is None or more > WORTH * planned:
        return f"more than {WORTH * planned} replicates"
    if running:
        return f"about {needed:.0f} replicates of {planned}"
    return f"about {counted(more, 'more replicate')}"


def pair_rows(study: Study, found: Answer) -> list[BriefRow]:
    """The pairs of factors shown to depend on each other, or that none is, in one row."""
    if len(study.factors) < 2 or study.judgement.silent or study.screen is not None:
        return []
    p, level = study.judgement.p_of("pair"), study.judgement.level
    turning = turning_terms(study)
    shown = [f"{row['factor_a']}:{row['factor_b']}" for row in found.pairs.to_dict("records")]
    terms = [*shown, *(term for term in turning if term not in shown)]
    about = f"{study.measure.title}: two factors together"
    if not terms:
        count = len(pairs_of(study.factors))
        asked = "the pair of factors" if count == 1 else f"any of {count} pairs of factors"
        tested = any(np.isfinite(one) for one in p.values())
        answer = ("not shown", "", UNKNOWN) if tested else (UNTESTED, "", CANNOT)
        return [BriefRow(about, asked, "", "", "", *answer)]
    rows = []
    for term in terms[:MOST_PAIRS]:
        levels, words = (pair_effect if term in shown else _turning_effect)(study, term)
        verdict = sureness(p.get(term, np.nan), level) if term in shown else TURNS
        if term in shown and term in turning:
            levels += f"; the order {TURNS}"
        adjusted = p[term] if term in shown else turning[term]
        rows.append(BriefRow(about, readable(term), levels, *words, verdict, _p(adjusted), DECIDED))
    return rows


def _turning_effect(study: Study, term: str) -> tuple[str, DifferenceText]:
    """The two differences of the same levels, one up and one down, that show the order to turn.

    How far they are apart is another question, which their pair of factors leaves open.
    """
    found = crossings(study.estimates())
    one = found[found["term"] == term].nsmallest(1, "p_crossing").iloc[0]
    measure = study.measure
    up, down = (
        signed(float(one[by]) * measure.scale, measure.digits) for by in ("above_by", "below_by")
    )
    unit = f" {measure.difference}" if measure.difference else ""
    levels = f"{one['level']} over {one['versus']}"
    levels += f", up with {one['above']} and down with {one['below']}"
    return levels, DifferenceText(f"{up} and {down}{unit}", "")


def pair_effect(study: Study, term: str) -> tuple[str, DifferenceText]:
    """The largest difference of differences of a pair, its interval holding for all of them.

    Of those whose interval excludes zero, where there are any, else of the surest: a large one that
    nobody knows is no instance of what is shown.
    """
    effects = study.estimates()
    rows = by_method(effects.interaction_contrasts, effects.rule.primary)
    rows = rows[(rows["term"] == term) & np.isfinite(rows["estimate"].astype(float))]
    if rows.empty:
        return "", DifferenceText("", "")
    names = ["estimate", "low_simultaneous", "high_simultaneous"]
    size, lows, highs = (rows[name].to_numpy(float) for name in names)
    sure = (lows > 0) | (highs < 0)
    worth = np.abs(size) * sure if sure.any() else np.abs(size) / (highs - lows)
    one = rows.iloc[int(np.argmax(worth if np.isfinite(worth).all() else np.abs(size)))]
    estimate, low, high = (float(one[name]) for name in names)
    better, worse, more, less = (
        one[name] for name in ("level", "versus", "other_level", "other_versus")
    )
    if estimate < 0:
        estimate, low, high, more, less = -estimate, -high, -low, less, more
    # The same difference either way round: told of the level that is higher on the whole.
    means = effects.means_by_rule
    means = means[(means["factor"] == one["factor"]) & means["other"].isna()]
    whole = means.set_index("level")["estimate"]
    if whole.get(better, np.nan) < whole.get(worse, np.nan):
        better, worse, more, less = worse, better, less, more
    levels = f"{better} over {worse}, more with {more} than with {less}"
    return levels, difference_words(estimate, low, high, study.measure)


def convergence_rows(found: Answer, convergence: Convergence | None) -> list[BriefRow]:
    """A row a factor of which runs converged, where some did and some did not."""
    if convergence is None or not convergence.mixed or "conv_sure" not in found.factors:
        return []
    table = found.factors.sort_values("conv_estimate", ascending=False, kind="stable")
    rows = []
    for row in table.to_dict("records"):
        levels, words = rates_words(row, convergence.goal.record)
        verdict = str(row["conv_sure"])
        needed = {"not shown": UNKNOWN, "no difference": "", UNTESTED: CANNOT}.get(verdict, DECIDED)
        about = f"Runs that {convergence.goal.did}"
        p = _p(row["conv_p_family"])
        rows.append(BriefRow(about, str(row["factor"]), levels, *words, verdict, p, needed))
    return rows


def rates_words(row: Mapping[Any, Any], record: Response) -> tuple[str, DifferenceText]:
    """The levels of a factor with the best and the worst rate, and how far they are apart."""
    unnamed = pd.isna(row["conv_best"])
    if row["conv_estimate"] == 0 and unnamed:
        return "all levels equal", DifferenceText("none", "")
    if unnamed or not np.isfinite(row["conv_estimate"]):
        return "", DifferenceText("n/a", "")
    words = difference_words(row["conv_estimate"], row["conv_low"], row["conv_high"], record)
    return f"{row['conv_best']} over {row['conv_worst']}", words


def claim_rows(study: Study, claims: pd.DataFrame) -> list[BriefRow]:
    """A row a planned claim."""
    return [_claim(study, row) for row in claims.to_dict("records")]


def _claim(study: Study, row: Mapping[Any, Any]) -> BriefRow:
    verdict = str(row["verdict"])
    sure = verdict in ("supported", "refuted")
    needed = DECIDED
    if verdict == "undecided" and study.judgement.silent:
        needed = _of_silence(study)
    elif verdict == "undecided":
        counts = (float(row["replicates_to_decide"]), float(row["replicates"]))
        needed = replicates_words(*counts, _planned(study), running=study.running)
    elif not sure:
        needed = CANNOT
    so_far = " so far" if study.running and sure else ""
    numbers = (float(row["estimate"]), float(row["low"]), float(row["high"]))
    words = DifferenceText("n/a", "")
    if np.isfinite(float(row["estimate"])):
        words = difference_words(*numbers, claimed(study, str(row["outcome"])))
    reason = f"{verdict.capitalize()}{so_far}: {row['reason']}"
    return BriefRow(
        CLAIMS, str(row["claim"]), "", words.value, words.interval, f"{verdict}{so_far}",
        _p(row["p_family"]), needed, reason,
    )  # fmt: skip


def _planned(study: Study) -> int:
    look = known(study.decided)
    return 1 if look is None else look.planned


def claimed(study: Study, outcome: str) -> Response:
    """The record of what a claim is about."""
    home = (study.primary or study).measure
    return next((one for one in study.outcomes if one.claimed == outcome), home)


def _p(p: object) -> str:
    value = float(str(p))
    return p_phrase(value) if np.isfinite(value) else ""
