"""The planned claims answered: supported, refuted, undecided or not testable, in plain words.

Each claim is one contrast of the cell-means model (of convergence: a difference of shares), tested
against its margin in both directions and Holm-adjusted over all claims of the study, so that
"supported" and "refuted" are both wrong for any claim with at most 5 %. Claims are written before
the runs (`runner.spec.claims` reads them); this module never proposes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analysis.model.cell_means import CellMeans, Estimate, Method
from analysis.model.completion import rests_on
from analysis.model.grid_model import model_contrast
from analysis.model.interval_rule import by_rule
from analysis.stats.multiplicity import holm
from analysis.verdicts.rate_claims import MANY, Outcomes, RateDifference, rate_difference
from analysis.verdicts.replicates import replicates_to_decide
from runner.spec.claims import Claim, check_claim, parse_claim

COLUMNS = (
    "claim", "outcome", "verdict", "estimate", "se", "df", "low", "high", "margin", "p", "p_holm",
    "method", "replicates", "replicates_to_decide", "sentence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Tested:
    """A claim with its estimate: p of the side the estimate is on, and whether that is support."""

    claim: Claim
    estimate: Estimate
    margin: float  # response units
    p: float
    supports: bool
    distance: float  # from the estimate to the border between true and false
    replicates: float  # mean runs per cell that ran: what one more wave raises by one
    problem: str = ""


def answer(
    cells: CellMeans,
    planned: Sequence[str],
    factors: Mapping[str, Sequence[str]],
    confidence: float = 0.95,
    method: Method | None = None,
    point: float = 0.01,
    others: Outcomes | None = None,
) -> pd.DataFrame:
    """Answer every claim.

    Args:
        cells: The grid, of the claims' outcome (test accuracy).
        planned: Claims as written.
        factors: Factor name to its declared levels.
        confidence: Of the intervals; 1 - confidence is the level of the whole family.
        method: How errors are estimated; by default what the study's rule picks.
        point: One percentage point in units of the response.
        others: What claims on convergence and epochs are about.

    Returns:
        One row per claim, in order: claim, outcome, verdict, estimate (left minus right), se, df,
        low, high (not adjusted), margin, p (two-sided, against the margin), p_holm, method,
        replicates (now, per cell), replicates_to_decide (NaN: cannot be said, or more than 1000),
        sentence. Accuracy and convergence as shares, epochs as epochs.

    Raises:
        InputError: A claim cannot be read, or names what the study lacks.
    """
    claims = [check_claim(parse_claim(text), factors) for text in planned]
    if not claims:
        return pd.DataFrame(columns=list(COLUMNS))
    others = others or Outcomes()
    tested = [_tested(cells, claim, method, confidence, point, others) for claim in claims]
    adjusted = holm(np.array([one.p for one in tested]))
    alpha = 1 - confidence
    rows = []
    for one, p_holm in zip(tested, adjusted, strict=True):
        verdict = _verdict(one, float(p_holm), alpha)
        now = one.replicates
        needed = float("nan")
        if verdict == "undecided":
            needed = replicates_to_decide(one.estimate, one.distance, now, alpha / len(claims))
        elif verdict != "not testable":
            needed = now
        rows.append(
            {
                "claim": one.claim.text,
                "outcome": one.claim.outcome,
                "verdict": verdict,
                **{k: getattr(one.estimate, k) for k in ("estimate", "se", "low", "high")},
                "df": one.estimate.df if one.estimate.df < MANY else float("nan"),
                "margin": one.margin,
                "p": one.p,
                "p_holm": float(p_holm),
                "method": one.estimate.method,
                "replicates": now,
                "replicates_to_decide": needed,
                "sentence": _sentence(one, verdict, needed, confidence, _unit(one.claim, point)),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _replicates(cells: CellMeans) -> float:
    """Mean runs per cell that ran: what one more wave raises by one."""
    return float(cells.counts[~cells.empty].mean())


def _unit(claim: Claim, point: float) -> float:
    """The unit a claim's numbers are told in, in units of its outcome."""
    return {"accuracy": point, "convergence": 0.01, "epochs": 1.0}[claim.outcome]


def _tested(
    cells: CellMeans,
    claim: Claim,
    method: Method | None,
    confidence: float,
    point: float,
    others: Outcomes,
) -> _Tested:
    """One claim, on the outcome it is about."""
    if claim.outcome == "accuracy":
        return _test(cells, claim, method, confidence, point)
    if claim.outcome == "epochs" and others.epochs is not None:
        only: Method | None = "welch" if others.censored else None
        return _test(others.epochs, claim, method or only, confidence, 1.0)
    if claim.outcome == "convergence" and others.hits is not None and others.runs is not None:
        found = rate_difference(others.hits, others.runs, claim, cells.factors, confidence)
        return _test_rates(claim, found)
    nan = float("nan")
    nothing = Estimate(nan, nan, nan, nan, nan, nan, "none", confidence)
    what = {"convergence": "which runs converged", "epochs": "when runs reached their target"}
    lacks = f"the table does not say {what[claim.outcome]}"
    return _Tested(claim, nothing, claim.margin, nan, False, nan, nan, lacks)


def _test_rates(claim: Claim, found: RateDifference) -> _Tested:
    one = _judge(claim, found.estimate, claim.margin * 0.01, found.below, found.replicates)
    if found.problem:
        return replace(one, p=float("nan"), problem=found.problem)
    if claim.sign != "=" and claim.margin == 0:
        # Exact where there is an exact test; without an informative stratum there is no evidence.
        return replace(one, p=found.p if np.isfinite(found.p) else 1.0)
    return one


def _test(
    cells: CellMeans, claim: Claim, method: Method | None, confidence: float, point: float
) -> _Tested:
    given = claim.given(cells.factors)
    weights = cells.difference({claim.factor: claim.left}, {claim.factor: claim.right}, given)
    margin = claim.margin * point
    estimate = by_rule(cells, weights, confidence, method)
    if estimate.rests_on == rests_on(1):
        # Without interactions anything can be claimed of a cell that never ran.
        estimate = replace(estimate, estimate=float("nan"), se=float("nan"))
    elif np.isfinite(estimate.estimate) and not np.isfinite(estimate.se):
        # Its cells ran once each: only a model has an error term.
        estimate = model_contrast(cells, weights, 2, confidence)
    d, se, df = estimate.estimate, estimate.se, estimate.df
    problem = _problem(cells, weights, estimate)
    if problem:
        return _Tested(claim, estimate, margin, np.nan, False, np.nan, _replicates(cells), problem)

    def below(value: float) -> float:
        """One-sided p of the true difference lying at or above `value`."""
        return float(stdtr(df, (d - value) / se))

    return _judge(claim, estimate, margin, below, _replicates(cells))


def _judge(
    claim: Claim,
    estimate: Estimate,
    margin: float,
    below: Callable[[float], float],
    replicates: float,
) -> _Tested:
    """The estimate against the claim's border, in both directions."""
    d = estimate.estimate
    if claim.sign == "=":
        inside = max(below(margin), 1 - below(-margin))
        supports = abs(d) < margin
        # Outside: the true difference may lie beyond either end, so each end is tested alone.
        p = inside if supports else min(1 - below(margin), below(-margin))
        p = min(1.0, 2 * p)
        return _Tested(claim, estimate, margin, p, supports, margin - abs(d), replicates)
    sign = 1 if claim.sign == ">" else -1
    border = sign * margin
    p = 2 * min(below(border), 1 - below(border))
    supports = sign * d > margin
    return _Tested(claim, estimate, margin, min(1.0, p), supports, sign * d - margin, replicates)


def _problem(cells: CellMeans, weights: np.ndarray[Any, Any], estimate: Estimate) -> str:
    """Why a claim cannot be tested, or nothing."""
    empty = np.flatnonzero((weights != 0).ravel() & cells.empty.ravel())
    if not np.isfinite(estimate.estimate):
        levels = ", ".join(f"{k} = {v}" for k, v in cells.cell_levels(int(empty[0])).items())
        others = f" and {len(empty) - 1} more of its cells" if len(empty) > 1 else ""
        return f"the cell {levels}{others} has no result, and no smaller model replaces it"
    if not np.isfinite(estimate.se):
        return "nothing estimates the noise: no cell ran twice and no model leaves an error term"
    if estimate.se == 0:
        return "the cells it compares never varied, so nothing says how sure the difference is"
    return ""


def _verdict(one: _Tested, p_holm: float, alpha: float) -> str:
    if one.problem:
        return "not testable"
    if not p_holm <= alpha:
        return "undecided"
    return "supported" if one.supports else "refuted"


def _sentence(one: _Tested, verdict: str, needed: float, confidence: float, point: float) -> str:
    """The answer as a person would say it, in percentage points or epochs."""
    claim = one.claim
    left, right = f"{claim.factor} = {claim.left}", claim.right
    where = _where(claim)
    if verdict == "not testable":
        return f"Not testable: {one.problem}."
    d, low, high = (v / point for v in (one.estimate.estimate, one.estimate.low, one.estimate.high))
    unit, more, less, verb = _WORDS[claim.outcome]
    than = f"{abs(d):.2f} {unit} {more if d > 0 else less} than {right}{where}"
    span = f"{low:+.2f} to {high:+.2f}".replace("-", "\N{MINUS SIGN}")
    told = f"{left} {verb} {than} ({confidence:.0%} interval {span})"
    if one.estimate.rests_on == rests_on(2):
        told += ", assuming that three or more factors do not interact"
    margin = f" by {claim.margin:g} {unit}" if claim.margin else ""
    within = f"within {claim.margin:g} {unit}"
    wanted = {">": f"{more}{margin}", "<": f"{less}{margin}", "=": within}
    if verdict == "supported":
        return f"Supported: {told}."
    if verdict == "refuted":
        return f"Refuted: {told}, so it {_NOT[verb]} {wanted[claim.sign]}."
    end = "the difference is too near to the claim's border for any affordable number of replicates"
    if np.isfinite(needed):
        end = f"about {needed:.0f} replicates per cell would decide it if the estimate holds"
    return f"Undecided: {told}; {end}."


_WORDS = {
    "accuracy": ("points", "better", "worse", "is"),
    "convergence": ("points", "more often", "less often", "converges"),
    "epochs": ("epochs", "later", "earlier", "reaches the target"),
}
_NOT = {
    "is": "is not",
    "converges": "does not converge",
    "reaches the target": "does not reach it",
}


def _where(claim: Claim) -> str:
    parts = []
    for one in claim.conditions:
        labels = " or ".join(one.labels)
        parts.append(f"{one.factor} {'is not' if one.negated else 'is'} {labels}")
    return f", where {' and '.join(parts)}" if parts else ""
