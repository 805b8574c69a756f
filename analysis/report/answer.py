"""The answer a reader came for: what makes training converge, what improves accuracy, how sure.

One row a factor and a paragraph in plain words, both made from the estimates. Nothing is claimed
that the table beside it does not show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.decided_words import in_one_line
from analysis.report import kept
from analysis.report.drawings import measure_of, pair_terms
from analysis.report.wording import (
    counted,
    difference_text,
    listed,
    p_words,
    stars,
    sureness,
    value_text,
)

if TYPE_CHECKING:
    from analysis.convergence import Convergence
    from analysis.study import Study

CLEAR = 0.05
"""Holm-adjusted p below which an effect is said to be there."""


@dataclass(frozen=True)
class Answer:
    """What the report opens with.

    Attributes:
        sentences: the paragraph.
        factors: one row a factor: factor, best, worst (None where all levels are equal), estimate,
            low, high, p_holm, share, share_low, share_high, sure (words) and, where convergence is
            known, conv_best, conv_worst, conv_estimate, conv_low, conv_high, conv_p_holm,
            conv_sure.
        pairs: the pairs whose interaction is supported, strongest first: term, share, p_holm.
    """

    sentences: tuple[str, ...]
    factors: pd.DataFrame
    pairs: pd.DataFrame


def answer(study: Study) -> Answer:
    """Sum the study up. The study looks at accuracy (or the outcome of somebody's table)."""
    found = kept.convergence(study)
    table = factor_table(study, found)
    pairs = _pairs(study)
    sentences = [_opening(study, found)]
    if found is not None:
        sentences += _convergence_sentences(table, found)
    sentences += _outcome_sentences(study, table)
    sentences += _pair_sentences(study, pairs)
    decided = kept.decided(study)
    if decided is not None:
        sentences.append(in_one_line(decided))
    return Answer(tuple(sentences), table, pairs)


def factor_table(study: Study, found: Convergence | None) -> pd.DataFrame:
    """One row a factor: its best against its worst level, for accuracy and for convergence."""
    p = term_p(study)
    shares = study.variance_shares().set_index("term")
    contrasts = study.contrasts()
    means = study.effects()
    rows = []
    for factor in study.factors:
        own = means[means["factor"] == factor].dropna(subset=["mean"])
        row: dict[str, object] = {"factor": factor, "best": None, "worst": None}
        numbers = dict.fromkeys(("estimate", "low", "high"), float("nan"))
        if len(own) >= 2:
            best, worst = _extremes(own, "mean")
            if best == worst:  # no level is best where all have the same mean
                numbers["estimate"] = 0.0
            else:
                row |= {"best": best, "worst": worst}
                numbers = _difference(contrasts[contrasts["factor"] == factor], best, worst)
        row |= numbers
        row["p_holm"] = p.get(factor, float("nan"))
        row["sure"] = sureness(float(str(row["p_holm"])))
        if row["best"] is None and row["estimate"] == 0.0:
            row["sure"] = "no difference"
        for name, column in (("share", "percent"), ("share_low", "low"), ("share_high", "high")):
            row[name] = float(shares[column].get(factor, np.nan)) / 100
        if found is not None:
            row |= _convergence_row(factor, found)
        rows.append(row)
    return pd.DataFrame(rows)


def term_p(study: Study) -> Mapping[str, float]:
    """Holm-adjusted p of every term by the tests that hold (`Effects.decisive`)."""
    table = study.estimates().decisive
    found = zip(table["term"], table["p_holm"].astype(float), strict=True)
    return {str(term): float(p) for term, p in found if np.isfinite(p)}


def _extremes(rows: pd.DataFrame, column: str) -> tuple[str, str]:
    """The levels with the highest and the lowest value; the same one twice where all are equal."""
    values = rows[column].to_numpy(float)
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
            return {"estimate": sign * float(one["estimate"]), "low": ends[0], "high": ends[1]}
    return dict.fromkeys(("estimate", "low", "high"), float("nan"))


def _convergence_row(factor: str, found: Convergence) -> dict[str, object]:
    rates = found.rates[found.rates["factor"] == factor].dropna(subset=["rate"])
    tests = found.tests.set_index("factor")["p_holm"]
    p = float(tests.get(factor, np.nan))
    row: dict[str, object] = {"conv_p_holm": p, "conv_sure": sureness(p)}
    row |= {"conv_best": None, "conv_worst": None, "conv_estimate": np.nan}
    row |= {"conv_low": np.nan, "conv_high": np.nan}
    if len(rates) < 2:
        return row
    best, worst = _extremes(rates, "rate")
    if best == worst:
        return row | {"conv_estimate": 0.0, "conv_sure": "no difference"}
    row |= {"conv_best": best, "conv_worst": worst}
    pairs = found.differences[found.differences["factor"] == factor]
    renamed = pairs.rename(columns={"level": "first", "reference": "second"})
    got = _difference(renamed, best, worst)
    return row | {f"conv_{name}": value for name, value in got.items()}


def _pairs(study: Study) -> pd.DataFrame:
    if len(study.factors) < 2:
        return pd.DataFrame(columns=["factor_a", "factor_b", "share", "share_low", "p_holm"])
    rows = pair_terms(study)
    rows = rows[rows["p_holm"] < CLEAR]
    return rows.sort_values(["share", "p_holm"], ascending=[False, True], ignore_index=True)


# --- sentences ------------------------------------------------------------------------------------


def _opening(study: Study, found: Convergence | None) -> str:
    cells = int((~study.cells.empty).sum())
    text = f"{counted(study.cells.n, 'run')} over {counted(cells, 'combination')} of levels"
    if found is None:
        return text + "."
    share = found.converged / found.runs
    return f"{text}: {found.converged} of {found.runs} runs converged ({share:.0%})."


def _convergence_sentences(table: pd.DataFrame, found: Convergence) -> list[str]:
    if found.converged in (0, found.runs):
        none = "No run converged" if found.converged == 0 else "Every run converged"
        return [f"{none}, so no factor decides convergence in this grid."]
    clear = table[table["conv_p_holm"] < CLEAR].sort_values("conv_estimate", ascending=False)
    if clear.empty:
        return ["No factor is shown to decide whether training converges."]
    parts = []
    for row in clear.to_dict("records"):
        rates = found.rates[found.rates["factor"] == row["factor"]].set_index("level")["rate"]
        parts.append(
            f"{row['factor']} (from {float(rates[row['conv_worst']]):.0%} with {row['conv_worst']} "
            f"to {float(rates[row['conv_best']]):.0%} with {row['conv_best']}, "
            f"p {_equals(row['conv_p_holm'])})"
        )
    return [f"What makes training converge here: {listed(parts)}."]


def _equals(p: float) -> str:
    text = p_words(p)
    return text if text.startswith("<") else f"= {text}"


def _outcome_sentences(study: Study, table: pd.DataFrame) -> list[str]:
    measure = measure_of(study)
    clear = table[(table["p_holm"] < CLEAR) & table["estimate"].notna()]
    clear = clear.sort_values("estimate", ascending=False, key=abs)
    sentences = []
    if table["sure"].eq("no difference").all():
        sentences.append(f"There is no difference in {measure.name} between any levels.")
    elif clear.empty:
        sentences.append(f"No factor is shown to change {measure.name}.")
    else:
        parts = [
            f"{row['factor']} ({row['best']} over {row['worst']}: "
            f"{difference_text(row['estimate'], row['low'], row['high'], measure)})"
            for row in clear.to_dict("records")
        ]
        sentences.append(f"What improves {measure.name}: {listed(parts)}.")
    unsure = table[~table["factor"].isin(clear["factor"])]
    if len(unsure) and len(clear):
        names = listed([str(name) for name in unsure["factor"]])
        sentences.append(f"Not shown to matter by itself: {names}.")
    return sentences


def _pair_sentences(study: Study, pairs: pd.DataFrame) -> list[str]:
    if len(study.factors) < 2:
        return []
    if pairs.empty:
        return ["No two factors are shown to depend on each other."]
    names = [
        f"{row['factor_a']} × {row['factor_b']}"
        + (f" ({row['share']:.1%} of the variance)" if np.isfinite(row["share"]) else "")
        for row in pairs.head(3).to_dict("records")
    ]
    more = f", and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
    best = _best_cell(study)
    text = f"These factors depend on each other: {listed(names)}{more}."
    return [text, best] if best else [text]


def _best_cell(study: Study) -> str:
    means = study.cells.means
    if not np.isfinite(means).any() or np.nanmax(means) == np.nanmin(means):
        return ""
    levels = study.cells.cell_levels(int(np.nanargmax(means)))
    name = ", ".join(levels.values())
    value = value_text(float(np.nanmax(means)), measure_of(study))
    return (
        f"The best combination seen is {name} with a mean of {value}; being picked as the best of "
        "many, its true mean is probably a little lower."
    )


__all__ = ["Answer", "answer", "factor_table", "stars", "term_p"]
