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

from analysis.number_words import (
    difference_text,
    difference_words,
    p_phrase,
    sureness,
    value_text,
)
from analysis.report.words.pairs_shown import pair_terms
from analysis.study import known
from analysis.verdicts.looks_words import in_one_line
from runner.content.response import CONVERGED, Response
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study

WHOLE = "supported as a whole"
"""Levels differ; which of them is open."""
OPEN = "open"
"""The difference's own interval excludes zero, but not with all questions judged together."""
ALONE = 0.05
"""p of a difference by itself, up to which it is called open where it is not shown."""


@dataclass(frozen=True)
class Answer:
    """What the report opens with.

    Attributes:
        sentences: the paragraph.
        factors: one row a factor: factor, best, worst (of the largest difference that is shown,
            else of the largest; None where all levels are equal), top (the level with the best
            mean), estimate, low, high, p_family (of that difference; of the factor as a whole
            where only that is shown), shown (bool), share, share_low, share_high, sure (words)
            and, where convergence is known, conv_best, conv_worst, conv_estimate, conv_low,
            conv_high, conv_p_family, conv_sure.
        pairs: the pairs whose interaction is supported, strongest first: term, share, p_family.
    """

    sentences: tuple[str, ...]
    factors: pd.DataFrame
    pairs: pd.DataFrame


def answer(study: Study) -> Answer:
    """Sum the study up. The study looks at accuracy (or the outcome of somebody's table)."""
    convergence = known(study.convergence)
    table = factor_table(study, convergence)
    pairs = _pairs(study)
    sentences = [_opening(study, convergence)]
    if convergence is not None:
        sentences += _convergence_sentences(study, table, convergence)
    sentences += _outcome_sentences(study, table)
    sentences += _pair_sentences(study, pairs)
    decided = known(study.decided)
    if decided is not None and not study.judgement.silent:
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
    of_convergence = (study.primary or study).judgement.p_of("convergence")
    shares = study.variance_shares().set_index("term")
    contrasts = all_differences(study)
    means = study.effects()
    rows = []
    for factor in study.factors:
        own = means[means["factor"] == factor]
        pairs = contrasts[contrasts["factor"] == factor]
        row: dict[str, object] = {"factor": factor, "best": None, "worst": None, "top": None}
        row |= dict.fromkeys(("estimate", "low", "high", "p_family"), float("nan"))
        row |= {"sure": "cannot be tested", "shown": False}
        if pairs["estimate"].notna().any():
            row |= _standing(own, pairs, level, study.measure)
            p = whole.get(factor, np.nan)
            if not row["shown"] and p <= level and level:
                row |= {"shown": True, "sure": WHOLE, "p_family": p}
        for name, column in (("share", "percent"), ("share_low", "low"), ("share_high", "high")):
            row[name] = float(shares[column].get(factor, np.nan)) / 100
        if convergence is not None:
            p = of_convergence.get(factor, np.nan)
            row |= _convergence_row(factor, convergence, p, level)
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
    return {**found, **numbers}


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


def _convergence_row(
    factor: str, convergence: Convergence, p: float, level: float
) -> dict[str, object]:
    rates = convergence.rates[convergence.rates["factor"] == factor].dropna(subset=["rate"])
    row: dict[str, object] = {"conv_p_family": p, "conv_sure": sureness(p, level)}
    row |= {"conv_best": None, "conv_worst": None, "conv_estimate": np.nan}
    row |= {"conv_low": np.nan, "conv_high": np.nan}
    if len(rates) < 2:
        return row
    best, worst = _extremes(rates, "rate", CONVERGED)
    if best == worst:
        return row | {"conv_estimate": 0.0, "conv_sure": "no difference"}
    row |= {"conv_best": best, "conv_worst": worst}
    pairs = convergence.differences[convergence.differences["factor"] == factor]
    pairs = pairs.rename(columns={"level": "first", "reference": "second"})
    numbers = _difference(pairs, best, worst)
    return row | {f"conv_{name}": numbers[name] for name in ("estimate", "low", "high")}


def _pairs(study: Study) -> pd.DataFrame:
    if len(study.factors) < 2:
        return pd.DataFrame(columns=["factor_a", "factor_b", "share", "share_low", "p_family"])
    rows = pair_terms(study)
    rows = rows[rows["shown"]]
    return rows.sort_values(["share", "p_family"], ascending=[False, True], ignore_index=True)


# --- sentences ------------------------------------------------------------------------------------


def _opening(study: Study, convergence: Convergence | None) -> str:
    cells = len(study.cells.ran)
    text = f"{counted(study.cells.n, 'run')} over {counted(cells, 'combination')} of levels"
    if convergence is None:
        return text + "."
    converged, runs = convergence.converged, convergence.runs
    return f"{text}: {converged} of {runs} runs converged ({converged / runs:.0%})."


def _convergence_sentences(
    study: Study, table: pd.DataFrame, convergence: Convergence
) -> list[str]:
    if not convergence.mixed:
        none = "Every run converged" if convergence.converged else "No run converged"
        if study.running:
            return [f"{none} so far; which factors decide convergence cannot be said yet."]
        return [f"{none}, so no factor decides convergence in this grid."]
    level = study.judgement.level
    clear = table[(table["conv_p_family"] <= level) & (level > 0)].sort_values(
        "conv_estimate", ascending=False
    )
    if clear.empty:
        return [f"No factor is shown{_so_far(study)} to decide whether training converges."]
    parts = []
    for row in clear.to_dict("records"):
        rates = convergence.rates[convergence.rates["factor"] == row["factor"]]
        rates = rates.set_index("level")["rate"]
        parts.append(
            f"{row['factor']} (from {float(rates[row['conv_worst']]):.0%} with {row['conv_worst']} "
            f"to {float(rates[row['conv_best']]):.0%} with {row['conv_best']}, "
            f"{p_phrase(row['conv_p_family'])})"
        )
    return [f"What makes training converge here{_so_far(study)}: {listed(parts)}."]


def _so_far(study: Study) -> str:
    return " so far" if study.running else ""


def _outcome_sentences(study: Study, table: pd.DataFrame) -> list[str]:
    measure = study.measure
    if table["sure"].eq("no difference").all():
        return [f"There is no difference in {measure.name} between any levels{_so_far(study)}."]
    named = table[table["estimate"].notna() & table["best"].notna()]
    if study.judgement.silent:
        return _seen_only(study, named)
    clear = named[named["shown"] & (named["sure"] != WHOLE)]
    whole, unsure = named[named["sure"] == WHOLE], named[named["sure"] == OPEN]
    sentences = []
    if len(clear):
        told = _told(clear, measure)
        sentences.append(f"What improves {measure.name}{_so_far(study)}: {told}.")
        sentences += _turns(study, clear)
    elif whole.empty:
        sentences.append(f"No factor is shown{_so_far(study)} to change {measure.name}.")
    if len(whole):
        names = listed([str(name) for name in whole["factor"]])
        sentences.append(f"Levels differ, which of them is open: {names}.")
    if len(unsure):
        its = "its" if len(unsure) == 1 else "each"
        sentences.append(
            f"Open: {_told(unsure, measure)}; {its} interval excludes zero by itself, but "
            f"{_why_open(study)}."
        )
    untested = table[table["sure"] == "cannot be tested"]
    rest = table[~table["shown"] & ~table["sure"].isin([OPEN, "cannot be tested"])]
    if len(rest) and len(rest) < len(table):
        names = listed([str(name) for name in rest["factor"]])
        sentences.append(f"Not shown{_so_far(study)} to matter by itself: {names}.")
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
            text += f"; {row['top']} has the best mean, not told from {row['best']}"
        parts.append(f"{text})")
    return listed(parts)


def _why_open(study: Study) -> str:
    judgement = study.judgement
    if judgement.running:
        return "while runs are still to come only p below .001 counts"
    return f"not with all {len(judgement.table)} questions of this study judged together"


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
    return [f"But the order turns round{_so_far(study)}: {listed(turning[:3])}{more}."]


def _crossing(study: Study) -> pd.DataFrame:
    """Pairs of factors of which one turns round the order of the other's levels."""
    kinds = study.interaction_kinds() if len(study.factors) > 1 else pd.DataFrame()
    if kinds.empty:
        return kinds
    return kinds[kinds["crossover"].eq(True)].sort_values("p_crossing", kind="stable")


def _pair_sentences(study: Study, pairs: pd.DataFrame) -> list[str]:
    if len(study.factors) < 2 or study.judgement.silent:
        return []
    if pairs.empty and not _crossing(study).empty:  # a test over all levels sees less than one pair
        return [f"No interaction of two factors is shown{_so_far(study)} as a whole."]
    if pairs.empty:
        return [f"No two factors are shown{_so_far(study)} to depend on each other."]
    names = [
        f"{row['factor_a']} × {row['factor_b']}"
        + (f" ({row['share']:.1%} of the variance)" if np.isfinite(row["share"]) else "")
        for row in pairs.head(3).to_dict("records")
    ]
    more = f", and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
    best = _best_cell(study)
    text = f"These factors depend on each other{_so_far(study)}: {listed(names)}{more}."
    return [text, best] if best else [text]


def _best_cell(study: Study) -> str:
    means, measure = study.cells.means, study.measure
    if not np.isfinite(means).any() or np.nanmax(means) == np.nanmin(means):
        return ""
    best = int(np.nanargmax(measure.sign * means))
    levels = study.cells.cell_levels(best)
    name = ", ".join(f"{factor} {level}" for factor, level in levels.items())
    value = value_text(float(means.ravel()[best]), measure)
    rather = "lower" if measure.higher_is_better else "higher"
    return (
        f"The best combination seen is {name} with a mean of {value}; being picked as the best of "
        f"many, its true mean is probably a little {rather}."
    )


__all__ = [
    "Answer",
    "all_differences",
    "answer",
    "factor_table",
]
