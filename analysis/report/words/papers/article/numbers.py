"""What the macros of a paper hold: means, differences, factors, pairs and claims, with verdicts.

Verdicts are those of the study's judgement, as every other display has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.number_words import p_phrase, signed, sureness
from analysis.report.words.answer import ALONE, OPEN, Answer, all_differences
from analysis.report.words.brief.rows import TURNS, claimed, said_of
from analysis.report.words.names import readable
from analysis.report.words.pairs_shown import pair_terms, turning_terms
from analysis.report.words.papers.macros import Macros
from analysis.report.words.papers.tables import ablation_rows
from analysis.study import known
from runner.content.response import Response

if TYPE_CHECKING:
    from analysis.study import Study

Parts = dict[str, tuple[str, str]]
"""The end of a macro's name to the number as text and what it is."""


def study_numbers(study: Study, macros: Macros, findings: str) -> None:
    """What is said of the study as a whole."""
    measure = study.measure
    macros.say("Study", study.name, "name of the study")
    macros.say("Outcome", measure.name, "what is compared")
    macros.say("Unit", measure.unit, "unit of means")
    macros.say("Points", measure.difference, "unit of differences")
    macros.say("Findings", findings, "what the report opens with")
    macros.say("Factors", str(len(study.factors)), "factors")


def effect_numbers(study: Study, macros: Macros, found: Answer, claims: pd.DataFrame) -> None:
    """A macro for each number of every level, difference, factor, pair and claim."""
    measure = study.measure
    point = f" ({measure.difference})" if measure.difference else ""
    _means(study, macros)
    macros.section(f"Differences of {measure.name}{point}, with 95% interval, Holm's p and verdict")
    for row in all_differences(study).to_dict("records"):
        first, second = row["first"], row["second"]
        numbers = [-float(row[name]) for name in ("estimate", "high", "low")]
        whose = f"{row['factor']}: {second} minus {first}"
        parts = _bounds(whose, numbers, measure, sign=True) | _judged(study, whose, row)
        macros.block(["Diff", row["factor"], str(second), "Over", str(first)], parts)
    macros.section("The difference that stands for each factor: which it is depends on the runs")
    for row in found.factors.to_dict("records"):
        macros.block(["Factor", row["factor"]], _factor(study, row))
    _converging(study, macros, found)
    if len(study.factors) > 1:
        _pairs(study, macros)
    if len(claims):
        macros.section("Claims that were planned before the runs")
    for row in claims.to_dict("records"):
        macros.block(["Claim", row["claim"]], _claim(study, row))


def _means(study: Study, macros: Macros) -> None:
    measure = study.measure
    unit = f" ({measure.unit})" if measure.unit else ""
    macros.section(f"Mean {measure.name} of each level{unit}, with 95% interval")
    for row in ablation_rows(study).to_dict("records"):
        name = (str(row["factor"]), str(row["level"]))
        ends = measure.interval(float(row["mean_low"]), float(row["mean_high"]))
        macros.block(["Mean", *name], _bounds(" ".join(name), (float(row["mean"]), *ends), measure))
    convergence = known(study.convergence)
    if convergence is None:
        return
    record = convergence.goal.record
    macros.section(f"Share of {record.name} (%), with 95% interval, and how many of how many")
    macros.say("Reached", f"{convergence.converged:,}", record.name)
    for row in convergence.rates.to_dict("records"):
        name = (str(row["factor"]), str(row["level"]))
        whose, numbers = " ".join(name), (float(row[end]) for end in ("rate", "low", "high"))
        parts = _bounds(whose, tuple(numbers), record)
        parts["Count"] = (f"{int(row['converged']):,}", f"{whose}: {record.name}")
        parts["Of"] = (f"{int(row['runs']):,}", f"{whose}: runs")
        macros.block(["Rate", *name], parts)


def _bounds(
    whose: str, numbers: Sequence[float], measure: Response, name: str = "", *, sign: bool = False
) -> Parts:
    """A number and the limits of its interval, as shown.

    Args:
        whose: what it is.
        numbers: itself, its lower and its upper limit, as stored.
        measure: of the outcome.
        name: the end of its macro's name.
        sign: whether it is a difference.
    """
    ends = ((name, ""), ("Low", ", lower limit"), ("High", ", upper limit"))
    texts = [
        signed(one * measure.scale, measure.digits) if sign else _number(one, measure)
        for one in numbers
    ]
    return {
        end: (text if np.isfinite(one) else "n/a", f"{whose}{what}")
        for (end, what), text, one in zip(ends, texts, numbers, strict=True)
    }


def _number(value: float, measure: Response) -> str:
    return f"{value * measure.scale:.{measure.digits}f}".replace("-", "−")


def _judged(study: Study, whose: str, row: Mapping[Any, Any]) -> Parts:
    """Of a difference between two levels: its p and its verdict."""
    p = float(row["p_family"])
    sure = sureness(p, study.judgement.level)
    if not row["shown"] and float(row["p"]) <= ALONE:
        sure = OPEN
    return _verdict(whose, p, said_of(study, sure))


def _verdict(whose: str, p: float, verdict: str) -> Parts:
    return {
        "P": (p_phrase(p), f"{whose}: p, Holm-adjusted over all questions of the study"),
        "Verdict": (verdict, f"{whose}: what may be said"),
    }


def _factor(study: Study, row: Mapping[Any, Any]) -> Parts:
    factor = str(row["factor"])
    numbers = [float(row[name]) for name in ("estimate", "low", "high")]
    share = float(row["share"])
    percent = f"{share:.1%}".removesuffix("%") if np.isfinite(share) else "n/a"
    return {
        "": (factor, "its name"),
        **_levels(row),
        **_bounds(f"{factor}: the difference", numbers, study.measure, "Effect", sign=True),
        **_verdict(factor, float(row["p_family"]), said_of(study, str(row["sure"]))),
        "Share": (percent, f"{factor}: share of the variance of a run (%)"),
    }


def _converging(study: Study, macros: Macros, found: Answer) -> None:
    """The difference of shares that stands for each factor, where only some runs converged."""
    convergence = known(study.convergence)
    if convergence is None or not convergence.mixed or "conv_sure" not in found.factors:
        return
    record = convergence.goal.record
    macros.section(f"The same of {record.name} ({record.difference})")
    for row in found.factors.to_dict("records"):
        numbers = [float(row[f"conv_{name}"]) for name in ("estimate", "low", "high")]
        p, sure = float(row["conv_p_family"]), str(row["conv_sure"])
        parts = _levels(row, "conv_") | _verdict(str(row["factor"]), p, sure)
        parts |= _bounds(f"{row['factor']}: the difference", numbers, record, "Effect", sign=True)
        macros.block(["Converged", str(row["factor"])], parts)


def _levels(row: Mapping[Any, Any], of: str = "") -> Parts:
    """The two levels that stand for a factor."""
    best, worst = (
        "n/a" if pd.isna(row[name]) else str(row[name]) for name in (f"{of}best", f"{of}worst")
    )
    factor = str(row["factor"])
    return {
        "Best": (best, f"{factor}: the better level of the difference"),
        "Worst": (worst, f"{factor}: the other level of it"),
    }


def _pairs(study: Study, macros: Macros) -> None:
    macros.section("Whether two factors depend on each other")
    turning, level = turning_terms(study), study.judgement.level
    for row in pair_terms(study).to_dict("records"):
        factors = [str(row["factor_a"]), str(row["factor_b"])]
        term, p = ":".join(factors), float(row["p_family"])
        verdict = sureness(p, level)
        if term in turning and not row["shown"]:
            p, verdict = turning[term], TURNS
        macros.block(["Pair", *factors], _verdict(readable(term), p, said_of(study, verdict)))


def _claim(study: Study, row: Mapping[Any, Any]) -> Parts:
    claim, record = str(row["claim"]), claimed(study, str(row["outcome"]))
    numbers = [float(row[name]) for name in ("estimate", "low", "high")]
    point = f" ({record.difference})" if record.difference else ""
    so_far = " so far" if study.running and row["verdict"] in ("supported", "refuted") else ""
    return {
        "Text": (claim, "as it was written"),
        **_bounds(f"{claim}: left minus right{point}", numbers, record, sign=True),
        **_verdict(claim, float(row["p_family"]), f"{row['verdict']}{so_far}"),
    }
