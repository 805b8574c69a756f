"""The answer a reader came for: what makes training converge, what improves accuracy, how sure.

One row a factor and a paragraph in plain words, both made from the estimates. Nothing is claimed
that the table beside it does not show. One rule for both: a factor is said to matter where one of
its differences between levels is there with all differences of the study judged together (Holm), at
the level that this look may spend (`verdicts.looks`); the test of the factor as a whole only adds
where it has three levels or more and no single difference is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.number_words import difference_text, stars, sureness
from analysis.report.words.convergence_words import (
    best_sentences,
    convergence_row,
    convergence_sentences,
    opening,
)
from analysis.report.words.pairs_shown import pair_terms
from analysis.report.words.progress import so_far, still_running
from analysis.stats.multiplicity import holm
from analysis.study import known
from analysis.verdicts.looks_words import in_one_line
from runner.content.response import Response
from runner.program.wording import listed

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study

CLEAR = 0.05
"""Holm-adjusted p up to which an effect is said to be there, where a study is looked at once."""
WHOLE = "supported as a whole"
"""Levels differ; which of them is open."""
OPEN = "open"
"""The difference's own interval excludes zero, but not with all differences judged together."""


@dataclass(frozen=True)
class Answer:
    """What the report opens with.

    Attributes:
        sentences: the paragraph.
        factors: one row a factor: factor, best, worst (of the largest difference that is shown,
            else of the largest; None where all levels are equal), estimate, low, high, p_holm (of
            that difference, over all differences of the study; of the factor as a whole where
            only that is shown), shown (bool), share, share_low, share_high, sure (words) and, where
            convergence is known, conv_best, conv_worst, conv_estimate, conv_low, conv_high,
            conv_p_holm, conv_sure.
        pairs: the pairs whose interaction is supported, strongest first: term, share, p_holm.
    """

    sentences: tuple[str, ...]
    factors: pd.DataFrame
    pairs: pd.DataFrame


def answer(study: Study) -> Answer:
    """Sum the study up. The study looks at accuracy (or the outcome of somebody's table)."""
    convergence = known(study.convergence)
    table = factor_table(study, convergence)
    pairs = _pairs(study)
    sentences = opening(study, convergence)
    if convergence is not None:
        sentences += convergence_sentences(study, convergence)
    sentences += _outcome_sentences(study, table)
    sentences += _pair_sentences(study, pairs)
    sentences += best_sentences(study, convergence)
    decided = known(study.decided)
    if decided is not None:
        sentences.append(in_one_line(decided))
    return Answer(tuple(sentences), table, pairs)


def level_of(study: Study) -> float:
    """Up to which Holm-adjusted p a difference is said to be there: what this look may spend."""
    decided = known(study.decided)
    return CLEAR if decided is None else min(decided.alpha, CLEAR)


def count_of(study: Study) -> int:
    """Differences between levels of all factors."""
    return sum(len(levels) * (len(levels) - 1) // 2 for levels in study.factors.values())


def all_differences(study: Study) -> pd.DataFrame:
    """All differences between levels, `p_holm` over all of them rather than within each factor."""
    rows = study.contrasts()
    return rows.assign(p_holm=holm(rows["p"].to_numpy(float)))


def factor_table(study: Study, convergence: Convergence | None) -> pd.DataFrame:
    """One row a factor: the difference that stands for it, in accuracy and in convergence."""
    level = level_of(study)
    whole = _term_p(study)
    shares = study.variance_shares().set_index("term")
    contrasts = all_differences(study)
    means = study.effects()
    rows = []
    for factor, levels in study.factors.items():
        own = means[means["factor"] == factor].dropna(subset=["mean"])
        row: dict[str, object] = {"factor": factor, "best": None, "worst": None}
        row |= dict.fromkeys(("estimate", "low", "high", "p_holm"), float("nan"))
        row |= {"sure": "cannot be tested", "shown": False}
        if len(own) >= 2:
            pairs = contrasts[contrasts["factor"] == factor]
            row |= _standing(own, pairs, level, study.measure)
            p = whole.get(factor, np.nan)
            if len(levels) > 2 and not row["shown"] and p <= level:
                row |= {"shown": True, "sure": WHOLE, "p_holm": p}
        for name, column in (("share", "percent"), ("share_low", "low"), ("share_high", "high")):
            row[name] = float(shares[column].get(factor, np.nan)) / 100
        if convergence is not None:
            row |= convergence_row(factor, convergence)
        rows.append(row)
    return pd.DataFrame(rows)


def _standing(
    means: pd.DataFrame, pairs: pd.DataFrame, level: float, measure: Response
) -> dict[str, object]:
    """The largest difference that is shown, or that between best and worst, and how sure it is."""
    best, worst = _extremes(means, "mean", measure)
    if best == worst:  # no level is best where all have the same mean
        return {"estimate": 0.0, "sure": "no difference"}
    shown = pairs[pairs["p_holm"] <= level]
    if len(shown):
        one = shown.iloc[int(np.argmax(np.abs(shown["estimate"].to_numpy(float))))]
        first, second = str(one["first"]), str(one["second"])
        ahead = measure.sign * float(one["estimate"]) > 0
        best, worst = (first, second) if ahead else (second, first)
    numbers = _difference(pairs, best, worst)
    sure = sureness(numbers["p_holm"], level)
    if not len(shown) and (numbers["low"] > 0 or numbers["high"] < 0):
        sure = OPEN
    return {"best": best, "worst": worst, "sure": sure, "shown": bool(len(shown)), **numbers}


def _term_p(study: Study) -> Mapping[str, float]:
    """Holm-adjusted p of every term by the tests that hold (`Effects.decisive`)."""
    table = study.estimates().decisive
    rows = zip(table["term"], table["p_holm"].astype(float), strict=True)
    return {str(term): float(p) for term, p in rows if np.isfinite(p)}


def _extremes(rows: pd.DataFrame, column: str, measure: Response) -> tuple[str, str]:
    """The levels with the best and the worst value; the same one twice where all are equal."""
    values = measure.sign * rows[column].to_numpy(float)
    levels = rows["level"].astype(str).tolist()
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        return levels[0], levels[0]
    return levels[int(np.argmax(values))], levels[int(np.argmin(values))]


def _difference(rows: pd.DataFrame, best: str, worst: str) -> dict[str, float]:
    """The contrast best minus worst, turned round where it is stored the other way."""
    for first, second, sign in ((best, worst, 1.0), (worst, best, -1.0)):
        chosen = rows[(rows["first"] == first) & (rows["second"] == second)]
        if len(chosen):
            one = chosen.iloc[0]
            ends = sorted((sign * float(one["low"]), sign * float(one["high"])))
            p = float(one.get("p_holm", np.nan))
            estimate = sign * float(one["estimate"])
            return {"estimate": estimate, "low": ends[0], "high": ends[1], "p_holm": p}
    return dict.fromkeys(("estimate", "low", "high", "p_holm"), float("nan"))


def _pairs(study: Study) -> pd.DataFrame:
    if len(study.factors) < 2:
        return pd.DataFrame(columns=["factor_a", "factor_b", "share", "share_low", "p_holm"])
    rows = pair_terms(study)
    rows = rows[rows["p_holm"] <= level_of(study)]
    return rows.sort_values(["share", "p_holm"], ascending=[False, True], ignore_index=True)


# --- sentences ------------------------------------------------------------------------------------


def _outcome_sentences(study: Study, table: pd.DataFrame) -> list[str]:
    measure = study.measure
    if table["sure"].eq("no difference").all():
        return [f"There is no difference in {measure.name} between any levels{so_far(study)}."]

    def told(rows: pd.DataFrame) -> str:
        rows = rows.sort_values("estimate", ascending=False, key=abs)
        return listed(
            [
                f"{row['factor']} ({row['best']} over {row['worst']}: "
                f"{difference_text(row['estimate'], row['low'], row['high'], measure)})"
                for row in rows.to_dict("records")
            ]
        )

    named = table[table["estimate"].notna() & table["best"].notna()]
    clear = named[named["shown"] & (named["sure"] != WHOLE)]
    whole, unsure = named[named["sure"] == WHOLE], named[named["sure"] == OPEN]
    sentences = []
    if len(clear):
        sentences.append(f"What improves {measure.name}{so_far(study)}: {told(clear)}.")
        sentences += _turns(study, clear)
    elif whole.empty:
        sentences.append(f"No factor is shown{so_far(study)} to change {measure.name}.")
    if len(whole):
        names = listed([str(name) for name in whole["factor"]])
        sentences.append(f"Levels differ, which of them is open: {names}.")
    if len(unsure):
        one = len(unsure) == 1
        sentences.append(
            f"Open: {told(unsure)}; {'its' if one else 'each'} interval excludes zero by itself, "
            f"but not with all {count_of(study)} differences judged together."
        )
    rest = table[~table["shown"] & (table["sure"] != OPEN)]
    if len(rest) and len(rest) < len(table):
        names = listed([str(name) for name in rest["factor"]])
        sentences.append(f"Not shown{so_far(study)} to matter by itself: {names}.")
    return sentences


def _turns(study: Study, clear: pd.DataFrame) -> list[str]:
    """Where the order of levels of a factor said to matter turns round with another factor."""
    crossing = _crossing(study)
    turning = [
        str(row["sentence"])
        for row in crossing.to_dict("records")
        if {row["factor_a"], row["factor_b"]} & set(clear["factor"])
    ]
    if not turning:
        return []
    more = f"; so it does in {len(turning) - 3} more pairs of factors" if len(turning) > 3 else ""
    return [f"But the order turns round{so_far(study)}: {listed(turning[:3])}{more}."]


def _crossing(study: Study) -> pd.DataFrame:
    """Pairs of factors of which one turns round the order of the other's levels."""
    kinds = study.interaction_kinds() if len(study.factors) > 1 else pd.DataFrame()
    if kinds.empty:
        return kinds
    return kinds[kinds["crossover"].eq(True)].sort_values("p_holm", kind="stable")


def _pair_sentences(study: Study, pairs: pd.DataFrame) -> list[str]:
    if len(study.factors) < 2:
        return []
    if pairs.empty and not _crossing(study).empty:  # a test over all levels sees less than one pair
        return [f"No interaction of two factors is shown{so_far(study)} as a whole."]
    if pairs.empty:
        return [f"No two factors are shown{so_far(study)} to depend on each other."]
    names = [
        f"{row['factor_a']} × {row['factor_b']}"
        + (f" ({row['share']:.1%} of the variance)" if np.isfinite(row["share"]) else "")
        for row in pairs.head(3).to_dict("records")
    ]
    more = f", and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
    return [f"These factors depend on each other{so_far(study)}: {listed(names)}{more}."]


__all__ = [
    "Answer",
    "all_differences",
    "answer",
    "count_of",
    "factor_table",
    "level_of",
    "stars",
    "still_running",
]
