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

from analysis.model.cell_means import CellMeans, Method
from analysis.model.completion import rests_on
from analysis.model.grid import Grid
from analysis.outcomes.convergence import Convergence
from analysis.outcomes.time_to_target import TimeToTarget
from analysis.stats.estimates import NAN, Estimate, no_estimate
from analysis.stats.multiplicity import holm
from analysis.table.statuses import Goal
from analysis.verdicts.rate_claims import MANY, RateDifference, rate_difference
from analysis.verdicts.replicates import replicates_to_decide
from runner.content.response import ACCURACY, CONVERGED, EPOCHS, RESPONSES, Response
from runner.spec.claims import Claim, check_claim, parse_claim

COLUMNS = (
    "claim", "outcome", "verdict", "estimate", "se", "df", "low", "high", "margin", "p", "p_holm",
    "method", "replicates", "replicates_to_decide", "reason", "sentence",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evidence:
    """What claims on other outcomes than accuracy are judged by; None where a table lacks it."""

    convergence: Convergence | None = None
    time_to_target: TimeToTarget | None = None


@dataclass(frozen=True, slots=True)
class _Tested:
    """A claim with its estimate: p of the side the estimate is on, and whether that is support."""

    claim: Claim
    estimate: Estimate
    margin: float  # response units
    p: float
    supports: bool
    distance: float  # from the estimate to the border between true and false
    replicates: float  # mean runs of the cells that ran; one more wave adds one
    problem: str = ""
    rates: tuple[tuple[int, int, int, int], Goal] | None = None  # of a claim on convergence


def judge(
    grid: Grid,
    planned: Sequence[str],
    factors: Mapping[str, Sequence[str]],
    confidence: float = 0.95,
    method: Method | None = None,
    about: Response = ACCURACY,
    others: Evidence | None = None,
) -> pd.DataFrame:
    """Judge every claim.

    Args:
        grid: Of the outcome that claims without "on" are about.
        planned: Claims as written.
        factors: Factor name to its declared levels.
        confidence: Of the intervals; 1 - confidence is the level of the whole family.
        method: How errors are estimated; by default what the study's rule picks.
        about: The record of that outcome; margins are in its shown unit.
        others: What claims on convergence and epochs are judged by.

    Returns:
        One row per claim, in order: claim, outcome, verdict, estimate (left minus right), se, df,
        low, high (not adjusted), margin, p (two-sided, against the margin), p_holm, method,
        replicates (now, per cell), replicates_to_decide (NaN: cannot be said, or more than 1000),
        reason (why, in words), sentence (verdict and reason). Numbers as stored: accuracy and
        convergence as shares, epochs as epochs.

    Raises:
        InputError: A claim cannot be read, or names what the study lacks.
    """
    claims = [check_claim(parse_claim(text, about), factors) for text in planned]
    if not claims:
        return pd.DataFrame(columns=list(COLUMNS))
    others = others or Evidence()
    tested = [_tested(grid, claim, method, confidence, about, others) for claim in claims]
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
        reason = _reason(one, verdict, needed, confidence)
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
                "reason": reason,
                "sentence": f"{verdict.capitalize()}: {reason}",
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _replicates(cells: CellMeans) -> float:
    """Mean runs of the cells that ran; one more wave adds one."""
    return float(cells.counts[~cells.empty].mean())


def _tested(
    grid: Grid,
    claim: Claim,
    method: Method | None,
    confidence: float,
    own: Response,
    others: Evidence,
) -> _Tested:
    """One claim, on the outcome it is about."""
    if claim.about.column == own.column or (claim.about is ACCURACY and own not in RESPONSES):
        return _test(grid, claim, method, confidence)
    if claim.about is EPOCHS and others.time_to_target is not None:
        times = others.time_to_target
        only: Method | None = "welch" if times.censored else None
        return _test(times.grid, claim, method or only, confidence)
    if claim.about is CONVERGED and others.convergence is not None:
        hits, runs, goal = (getattr(others.convergence, k) for k in ("hits", "counted", "goal"))
        said = replace(claim, about=goal.record)
        rates = rate_difference(hits, runs, said, grid.cells.factors, confidence)
        one = _test_rates(said, rates)
        return replace(one, rates=(rates.counts, goal))
    nothing = no_estimate("none", confidence)
    what = {
        CONVERGED.claimed: "which runs converged",
        EPOCHS.claimed: "when runs reached their target",
    }
    lacks = f"the table does not say {what.get(claim.outcome, claim.about.name)}"
    return _Tested(claim, nothing, _margin(claim), NAN, False, NAN, NAN, lacks)


def _margin(claim: Claim) -> float:
    """The margin as the outcome is stored."""
    return claim.margin / claim.about.scale


def _test_rates(claim: Claim, rates: RateDifference) -> _Tested:
    one = _judge(claim, rates.estimate, _margin(claim), rates.below, rates.replicates)
    if rates.problem:
        return replace(one, p=float("nan"), problem=rates.problem)
    if claim.sign != "=" and claim.margin == 0:
        # Exact where there is an exact test; without an informative stratum there is no evidence.
        return replace(one, p=rates.p if np.isfinite(rates.p) else 1.0)
    return one


def _test(grid: Grid, claim: Claim, method: Method | None, confidence: float) -> _Tested:
    cells = grid.cells
    given = claim.given(cells.factors)
    weights = cells.difference({claim.factor: claim.left}, {claim.factor: claim.right}, given)
    margin = _margin(claim)
    estimate = grid.estimate(weights, confidence, method)
    if estimate.rests_on == rests_on(1):
        # Without interactions anything can be claimed of a cell that never ran.
        estimate = replace(estimate, estimate=float("nan"), se=float("nan"))
    elif np.isfinite(estimate.estimate) and not np.isfinite(estimate.se):
        # Its cells ran once each: only a model has an error term.
        estimate = grid.model_estimate(weights, confidence)
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


def _reason(one: _Tested, verdict: str, needed: float, confidence: float) -> str:
    """Why, as a person would say it, in the outcome's shown unit."""
    if verdict == "not testable":
        return f"{one.problem}."
    claim, words = one.claim, one.claim.about.words
    left, right = f"{claim.factor} = {claim.left}", claim.right
    d, low, high = (
        v * claim.about.scale for v in (one.estimate.estimate, one.estimate.low, one.estimate.high)
    )
    gap = " ".join(part for part in (_number(abs(d), claim), words.unit) if part)
    than = f"{gap} {words.more if d > 0 else words.less} than {right}{_where(claim)}"
    span = f"{_number(low, claim, '+')} to {_number(high, claim, '+')}"
    statement = f"{left} {words.verb} {than} ({confidence:.0%} interval {span})"
    if one.rates is not None:
        interval = f"{confidence:.0%} interval {span} {words.unit}"
        statement = _counted(claim, d, *one.rates, interval)
    if one.estimate.rests_on == rests_on(2):
        statement += ", assuming that three or more factors do not interact"
    if verdict == "supported":
        return f"{statement}."
    if verdict == "refuted":
        return f"{statement}, so it {words.denied} {_wanted(claim)}."
    if one.rates is not None and d == 0 and claim.sign != "=":
        return f"{statement}; these runs do not tell them apart."
    end = "the difference is too near to the claim's border for any affordable number of replicates"
    if np.isfinite(needed):
        end = f"about {needed:.0f} replicates per cell would decide it if the estimate holds"
    return f"{statement}; {end}."


def _counted(
    claim: Claim, d: float, counts: tuple[int, int, int, int], goal: Goal, interval: str
) -> str:
    """The statement of a claim on convergence, with the runs it counts.

    Args:
        claim: in the words of the goal.
        d: left minus right, in points.
        counts: converged and counted runs of the left level, then of the right one.
        goal: what those runs did.
        interval: of the difference, in words.
    """
    a, m, b, k = counts
    left, words = f"{claim.factor} = {claim.left}", claim.about.words
    if d == 0:
        return (
            f"runs with {left} and with {claim.right} {goal.did} equally often{_where(claim)}: "
            f"{a} of {m} and {b} of {k} ({interval})"
        )
    more = words.more if d > 0 else words.less
    return (
        f"{left} {words.verb} {_number(abs(d), claim)} {words.unit} {more} than {claim.right}"
        f"{_where(claim)}: {a} of {m} runs against {b} of {k} ({interval})"
    )


def _number(value: float, claim: Claim, sign: str = "") -> str:
    """Two decimals of points and epochs; three figures of a unit that nobody named."""
    form = ".2f" if claim.about.words.unit else ".3g"
    return f"{value:{sign}{form}}".replace("-", "\N{MINUS SIGN}")


def _wanted(claim: Claim) -> str:
    """What the claim says of the difference."""
    words = claim.about.words
    margin = f"{claim.margin:g} {words.unit}".rstrip()
    if claim.sign == "=":
        return f"within {margin}"
    direction = words.more if claim.sign == ">" else words.less
    return f"{direction} by {margin}" if claim.margin else direction


def _where(claim: Claim) -> str:
    parts = []
    for one in claim.conditions:
        labels = " or ".join(one.labels)
        parts.append(f"{one.factor} {'is not' if one.negated else 'is'} {labels}")
    return f", where {' and '.join(parts)}" if parts else ""
