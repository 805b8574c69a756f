"""The answer a reader came for: what makes training converge, what improves accuracy, how sure.

One row a factor and a paragraph in plain words, both made from the estimates. Nothing is claimed
that the table beside it does not show. One rule for both, that of `Study.judgement`: a factor is
said to matter where one of its differences between levels is shown with all questions of the study
judged together, or, of three levels or more, where it is as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.model.completion import assumption
from analysis.number_words import difference_text, difference_words, sureness
from analysis.report.words.convergence_words import (
    best_sentences,
    convergence_row,
    convergence_sentences,
    opening,
)
from analysis.report.words.pairs_shown import pair_terms
from analysis.report.words.progress import STRICT, so_far
from analysis.screening.words import screening_sentences
from analysis.study import known
from analysis.tuning.words import tuning_sentences
from analysis.verdicts.looks_words import in_one_line
from runner.content.response import Response
from runner.program.wording import listed

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study

WHOLE = "supported as a whole"
"""Levels differ; which of them is open."""
OPEN = "open"
"""The difference's own interval excludes zero, but not with all questions judged together."""
UNTESTED = "cannot be tested"
"""No difference of the factor can be estimated, or none has a test."""
ALONE = 0.05
"""p of a difference by itself, up to which it is called open where it is not shown."""


@dataclass(frozen=True)
class Answer:
    """What the report opens with.

    Attributes:
        sentences: the paragraph.
        factors: one row a factor: factor, best, worst (of the largest difference that is shown,
            else of the largest; None where all levels are equal), top (the level with the best
            mean), estimate, low, high, rests_on, p_family (of that difference; of the factor as a
            whole where only that is shown), shown (bool), share, share_low, share_high, sure
            (words) and, where convergence is known, conv_best, conv_worst, conv_estimate, conv_low,
            conv_high, conv_p_family, conv_sure.
        pairs: the pairs whose interaction is supported, strongest first: term, share, p_family.
        next_file: of a screening study, the specification of the study that comes next, else "".
    """

    sentences: tuple[str, ...]
    factors: pd.DataFrame
    pairs: pd.DataFrame
    next_file: str = ""


def answer(study: Study) -> Answer:
    """Sum the study up. The study looks at accuracy (or the outcome of somebody's table)."""
    convergence = known(study.convergence)
    table = factor_table(study, convergence)
    pairs = _pairs(study)
    sentences = opening(study, convergence)
    if convergence is not None:
        sentences += convergence_sentences(study, convergence)
    sentences += _outcome_sentences(study, table)
    if (found := study.screened) is not None:
        sentences += [] if study.running else screening_sentences(found, study.follow_up)
    else:
        sentences += _pair_sentences(study, pairs)
    sentences += best_sentences(study, convergence)
    sentences += tuning_sentences(study)
    decided = known(study.decided)
    if decided is not None and not study.judgement.silent and study.screen is None:
        sentences.append(in_one_line(decided))
    return Answer(tuple(sentences), table, pairs)


def all_differences(study: Study) -> pd.DataFrame:
    """All differences between levels, with p_family and whether they are shown (`judgement`)."""
    judged = study.judgement.of("difference")
    return study.contrasts().assign(p_family=judged["p_family"], shown=judged["shown"])


def factor_table(study: Study, convergence: Convergence | None) -> pd.DataFrame:
    """One row a factor: the difference that stands for it, in accuracy and in convergence."""
    level = study.judgement.level
    whole = study.judgement.p_of("factor")
    home = study.primary or study
    speaks = home.speaking is known(home.convergence)
    of_convergence = home.judgement.p_of("convergence") if speaks else {}
    shares = study.estimates().shares.of_terms
    contrasts = all_differences(study)
    means = study.effects()
    rows = []
    for factor in study.factors:
        own = means[means["factor"] == factor]
        pairs = contrasts[contrasts["factor"] == factor]
        row: dict[str, object] = {"factor": factor, "best": None, "worst": None, "top": None}
        row |= dict.fromkeys(("estimate", "low", "high", "p_family"), float("nan"))
        row |= {"sure": UNTESTED, "shown": False, "rests_on": ""}
        if pairs["estimate"].notna().any():
            row |= _standing(own, pairs, level, study.measure)
            p = whole.get(factor, np.nan)
            if not row["shown"] and p <= level and level:
                row |= {"shown": True, "sure": WHOLE, "p_family": p}
        for name, column in (("share", "percent"), ("share_low", "low"), ("share_high", "high")):
            row[name] = float(shares[column].get(factor, np.nan)) / 100
        if convergence is not None:
            p = of_convergence.get(factor, np.nan)
            row |= convergence_row(factor, convergence, p, home.judgement.level_of_rates)
        rows.append(row)
    return pd.DataFrame(rows)


def _standing(
    means: pd.DataFrame, pairs: pd.DataFrame, level: float, measure: Response
) -> dict[str, object]:
    """The largest difference that is shown, or the largest there is, and how sure it is."""
    top: str | None = None
    if means["mean"].notna().all():
        top, last = _extremes(means, "mean", measure)
        if top == last:  # no level is best where all have the same mean
            return {"estimate": 0.0, "sure": "no difference"}
    shown = pairs[pairs["shown"]]
    known = shown if len(shown) else pairs.dropna(subset=["estimate"])
    one = known.iloc[int(np.argmax(np.abs(known["estimate"].to_numpy(float))))]
    best, worst = str(one["first"]), str(one["second"])
    if measure.sign * float(one["estimate"]) < 0:
        best, worst = worst, best
    numbers = _difference(pairs, best, worst)
    sure = sureness(numbers["p_family"], level)
    if not len(shown) and float(one["p"]) <= ALONE:
        sure = OPEN
    found = {"best": best, "worst": worst, "top": top, "sure": sure, "shown": bool(len(shown))}
    return {**found, "rests_on": str(one["rests_on"]), **numbers}


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
            p = float(one.get("p_family", np.nan))
            estimate = sign * float(one["estimate"])
            return {"estimate": estimate, "low": ends[0], "high": ends[1], "p_family": p}
    return dict.fromkeys(("estimate", "low", "high", "p_family"), float("nan"))


def _pairs(study: Study) -> pd.DataFrame:
    if len(study.factors) < 2:
        return pd.DataFrame(columns=["factor_a", "factor_b", "share", "share_low", "p_family"])
    rows = pair_terms(study)
    rows = rows[rows["shown"]]
    return rows.sort_values(["share", "p_family"], ascending=[False, True], ignore_index=True)


# --- sentences ------------------------------------------------------------------------------------


def _outcome_sentences(study: Study, table: pd.DataFrame) -> list[str]:
    measure = study.measure
    if table["sure"].eq("no difference").all():
        return [f"There is no difference in {measure.name} between any levels{so_far(study)}."]
    named = table[table["estimate"].notna() & table["best"].notna()]
    if study.judgement.silent:
        return _seen_only(study, named)
    clear = named[named["shown"] & (named["sure"] != WHOLE)]
    whole, unsure = named[named["sure"] == WHOLE], named[named["sure"] == OPEN]
    sentences = []
    if len(clear):
        told = _told(clear, measure) + _assuming(study, clear)
        verb = "improves" if measure.known_direction else "changes"
        sentences.append(f"What {verb} {measure.name}{so_far(study)}: {told}.")
        sentences += _turns(study, clear)
    elif whole.empty and not table["sure"].eq(UNTESTED).all():
        sentences.append(f"No factor is shown{so_far(study)} to change {measure.name}.")
    if len(whole):
        names = listed([str(name) for name in whole["factor"]])
        sentences.append(f"Levels differ, which of them is open: {names}.")
    if len(unsure):
        its = "its" if len(unsure) == 1 else "each"
        sentences.append(
            f"Open: {_told(unsure, measure)}{_assuming(study, unsure)}; {its} interval excludes "
            f"zero by itself, but {_why_open(study)}."
        )
    untested = table[table["sure"] == UNTESTED]
    rest = table[~table["shown"] & ~table["sure"].isin([OPEN, UNTESTED])]
    if len(rest) and len(rest) < len(table):
        names = listed([str(name) for name in rest["factor"]])
        sentences.append(f"Not shown{so_far(study)} to matter by itself: {names}.")
    if len(untested):
        names = listed([str(name) for name in untested["factor"]])
        sentences.append(f"Cannot be tested with the runs at hand: {names}.")
    return sentences


def _told(rows: pd.DataFrame, measure: Response) -> str:
    """Factors with their differences, the largest first; the best level where it is another."""
    rows = rows.sort_values("estimate", ascending=False, key=abs)
    parts = []
    for row in rows.to_dict("records"):
        difference = difference_text(row["estimate"], row["low"], row["high"], measure)
        text = f"{row['factor']} ({row['best']} over {row['worst']}: {difference}"
        if row["shown"] and isinstance(row["top"], str) and row["top"] != row["best"]:
            first = "best" if measure.known_direction else "highest"
            text += f"; {row['top']} has the {first} mean, not told from {row['best']}"
        parts.append(f"{text})")
    return listed(parts)


def _assuming(study: Study, rows: pd.DataFrame) -> str:
    """What the differences that are told assume, where they rest on a model."""
    words = {assumption(str(one), len(study.factors)) for one in rows["rests_on"]} - {""}
    return f", {max(words)}" if words else ""


def _why_open(study: Study) -> str:
    judgement = study.judgement
    if judgement.running:
        return STRICT
    return f"not with all {judgement.count} questions of this study judged together"


def _seen_only(study: Study, named: pd.DataFrame) -> list[str]:
    """Where too little ran for anything to be said to be so."""
    text = f"{study.judgement.silent[:1].upper()}{study.judgement.silent[1:]}."
    if study.running or named.empty:
        return [text]
    row = named.sort_values("estimate", key=abs).iloc[-1]
    value = difference_words(row["estimate"], np.nan, np.nan, study.measure).value
    value = value.removesuffix(" (no interval)")
    seen = f"Seen, not tested: {row['best']} over {row['worst']} of {row['factor']}, {value}."
    return [text, seen]


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
    return kinds[kinds["crossover"].eq(True)].sort_values("p_crossing", kind="stable")


def _pair_sentences(study: Study, pairs: pd.DataFrame) -> list[str]:
    if len(study.factors) < 2 or study.judgement.silent:
        return []
    # Named, because the sentences before it may be about which runs converge.
    about = f"in {study.measure.name}{so_far(study)}"
    tested = study.judgement.of("pair")["p_family"].notna()
    if not tested.any():
        return [f"Whether factors depend on each other {about} cannot be tested."]
    if pairs.empty and not _crossing(study).empty:  # a test over all levels sees less than one pair
        return [f"No interaction of two factors is shown {about} as a whole."]
    if pairs.empty:
        return [f"No two factors are shown to depend on each other {about}."]
    names = [
        f"{row['factor_a']} × {row['factor_b']}"
        + (f" ({row['share']:.1%} of the variance)" if np.isfinite(row["share"]) else "")
        for row in pairs.head(3).to_dict("records")
    ]
    more = f", and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
    return [f"These factors depend on each other {about}: {listed(names)}{more}."]


__all__ = [
    "Answer",
    "all_differences",
    "answer",
    "factor_table",
]
