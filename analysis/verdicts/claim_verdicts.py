"""The planned claims answered: supported, refuted, undecided or not testable, in plain words.

Each claim is one contrast of the cell-means model (of convergence: a difference of shares), tested
against its margin in both directions and judged together with all questions of its study
(`judgement`), so that "supported" and "refuted" are both wrong for any claim with at most 5 %.
Claims are written before
the runs (`runner.spec.claims` reads them); this module never proposes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np
import pandas as pd

from analysis.model.cell_means import Method
from analysis.model.completion import assumption
from analysis.model.contrast_text import claim_weights
from analysis.model.grid import Grid
from analysis.model.margins import METHODS
from analysis.outcomes.convergence import Convergence
from analysis.outcomes.rates.modelled import SHARES
from analysis.outcomes.time_to_target import TimeToTarget
from analysis.stats.estimates import NAN, Estimate, no_estimate, wider
from analysis.table.statuses import Goal
from analysis.verdicts.rate_claims import MANY, RateDifference, rate_difference
from analysis.verdicts.replicates import mean_runs, replicates_to_decide
from runner.content.response import ACCURACY, CONVERGED, EPOCHS, RESPONSES, Response
from runner.spec.claims import Claim, check_claim, parse_claim

COLUMNS = (
    "claim", "outcome", "verdict", "estimate", "se", "df", "low", "high", "margin", "p", "p_family",
    "method", "replicates", "replicates_to_decide", "reason", "sentence",
)  # fmt: skip

WITHIN = "within the same levels of the other factors"
EQUAL = "with the other factors equal"


@dataclass(frozen=True, eq=False)
class Evidence:
    """What claims on other outcomes than accuracy are judged by; None where a table lacks it."""

    convergence: Convergence | None = None
    time_to_target: TimeToTarget | None = None
    grids: Mapping[str, Callable[[], Grid | None]] = field(default_factory=dict)
    """Of further responses of a trainer of one's own, by column."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A claim with its estimate: p of the side the estimate is on, and whether that is support."""

    claim: Claim
    estimate: Estimate
    margin: float  # response units
    p: float
    supports: bool
    distance: float  # from the estimate to the border between true and false
    replicates: float  # mean runs of the cells that ran; one more wave adds one
    problem: str = ""
    home: bool = False  # about the outcome that the study looks at
    factors: int = 0  # of the study
    rates: tuple[tuple[int, int, int, int], Goal] | None = None  # of a claim on convergence

    @property
    def difference(self) -> tuple[str, str, str] | None:
        """Factor and levels where it asks for a plain difference of the outcome looked at."""
        claim = self.claim
        plain = self.home and claim.sign != "=" and not claim.margin and not claim.conditions
        return (claim.factor, claim.left, claim.right) if plain else None


def claims_tested(
    grid: Grid,
    planned: Sequence[str],
    factors: Mapping[str, Sequence[str]],
    confidence: float = 0.95,
    method: Method | None = None,
    about: Response = ACCURACY,
    others: Evidence | None = None,
    outcomes: Sequence[Response] = RESPONSES,
) -> list[Tested]:
    """Every claim with its estimate and its own p, not judged yet.

    Args:
        grid: Of the outcome that claims without "on" are about.
        planned: Claims as written.
        factors: Factor name to its declared levels.
        confidence: Of the intervals.
        method: How errors are estimated; by default what the study's rule picks.
        about: The record of that outcome; margins are in its shown unit.
        others: What claims on convergence, epochs and further responses are judged by.
        outcomes: What a claim may name after "on".

    Raises:
        InputError: A claim cannot be read, or names what the study lacks.
    """
    claims = [check_claim(parse_claim(text, about, outcomes), factors) for text in planned]
    others = others or Evidence()
    tested = [_tested(grid, claim, method, confidence, about, others) for claim in claims]
    return [replace(one, factors=len(factors)) for one in tested]


def verdicts(
    tested: Sequence[Tested],
    p_family: Sequence[float],
    shares: Sequence[float],
    level: float,
    confidence: float,
    silent: str = "",
) -> pd.DataFrame:
    """What is so, given p values adjusted for everything asked.

    Args:
        tested: The claims.
        p_family: Adjusted p of each.
        shares: Of the level, that each claim has to itself.
        level: Up to which an adjusted p decides.
        confidence: Of the intervals.
        silent: Why nothing may be decided, or "".

    Returns:
        One row per claim, in order: claim, outcome, verdict, estimate (left minus right), se, df,
        low, high (not adjusted), margin, p (two-sided, against the margin), p_family, method,
        replicates (now, per cell), replicates_to_decide (NaN: cannot be said, or more than 1000;
        infinity: further combinations may, further runs of these will not), reason (why, in
        words), sentence (verdict and reason). Numbers as stored: accuracy and convergence as
        shares, epochs as epochs.
    """
    rows = []
    for one, adjusted, share in zip(tested, p_family, shares, strict=True):
        verdict = _verdict(one, adjusted, level)
        now = one.replicates
        needed = float("nan")
        if verdict == "undecided" and one.estimate.method == SHARES:
            needed = float("inf")
        elif verdict == "undecided" and level:
            needed = replicates_to_decide(one.estimate, one.distance, now, level * share)
        elif verdict in ("supported", "refuted"):
            needed = now
        reason = _reason(one, verdict, needed, confidence, silent)
        rows.append(
            {
                "claim": one.claim.text,
                "outcome": one.claim.outcome,
                "verdict": verdict,
                **{k: getattr(one.estimate, k) for k in ("estimate", "se", "low", "high")},
                "df": one.estimate.df if one.estimate.df < MANY else float("nan"),
                "margin": one.margin,
                "p": one.p,
                "p_family": adjusted,
                "method": one.estimate.method,
                "replicates": now,
                "replicates_to_decide": needed,
                "reason": reason,
                "sentence": f"{verdict.capitalize()}: {reason}",
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _tested(
    grid: Grid,
    claim: Claim,
    method: Method | None,
    confidence: float,
    own: Response,
    others: Evidence,
) -> Tested:
    """One claim, on the outcome it is about."""
    if claim.about.column == own.column:
        return replace(_test(grid, claim, method, confidence), home=True)
    if claim.about is EPOCHS and others.time_to_target is not None:
        times = others.time_to_target
        one = _test(times.judged, claim, method or times.only, confidence)
        why = times.unknown(claim_weights(times.grid.cells, claim)) if one.problem else ""
        return replace(one, problem=why or one.problem)
    if claim.about is CONVERGED and others.convergence is not None:
        goal = others.convergence.goal
        said = replace(claim, about=goal.record)
        rates = rate_difference(others.convergence.compared, said, confidence)
        one = _test_rates(said, rates)
        return replace(one, rates=(rates.counts, goal))
    own_grid = others.grids.get(claim.about.column, lambda: None)()
    if own_grid is not None:
        return _test(own_grid, claim, None, confidence)
    nothing = no_estimate("none", confidence)
    what = {
        CONVERGED.claimed: "which runs converged",
        EPOCHS.claimed: "when runs reached their target",
    }
    lacks = f"the table does not say {what.get(claim.outcome, claim.about.name)}"
    return Tested(claim, nothing, _margin(claim), NAN, False, NAN, NAN, lacks)


def _margin(claim: Claim) -> float:
    """The margin as the outcome is stored."""
    return claim.margin / claim.about.scale


def _test_rates(claim: Claim, rates: RateDifference) -> Tested:
    one = _judge(claim, rates.estimate, _margin(claim), rates.below, rates.replicates)
    if rates.problem:
        return replace(one, p=float("nan"), problem=rates.problem)
    return one


def _test(grid: Grid, claim: Claim, method: Method | None, confidence: float) -> Tested:
    """By one method, or where the wider of two counts by that with the larger p."""
    if method is None and grid.rule.primary == "wider":
        both = [_test(grid, claim, one, confidence) for one in METHODS]
        known = [one for one in both if not one.problem] or both[:1]
        estimate = reduce(wider, (one.estimate for one in known))
        return replace(max(known, key=lambda one: one.p), estimate=estimate)
    cells = grid.cells
    weights = claim_weights(cells, claim)
    margin = _margin(claim)
    estimate = grid.estimate(weights, confidence, method)
    if np.isfinite(estimate.estimate) and not np.isfinite(estimate.se):
        # Its cells ran once each: only a model has an error term.
        estimate = grid.model_estimate(weights, confidence)
    problem = _problem(estimate)
    if problem:
        return Tested(claim, estimate, margin, np.nan, False, np.nan, mean_runs(cells), problem)
    return _judge(claim, estimate, margin, estimate.below, mean_runs(cells))


def _judge(
    claim: Claim,
    estimate: Estimate,
    margin: float,
    below: Callable[[float], float],
    replicates: float,
) -> Tested:
    """The estimate against the claim's border, in both directions."""
    d = estimate.estimate
    if claim.sign == "=":
        inside = max(below(margin), 1 - below(-margin))
        supports = abs(d) < margin
        # Outside: the true difference may lie beyond either end, so each end is tested alone.
        # Inside: two one-sided tests, of which the weaker counts (Schuirmann 1987).
        p = inside if supports else min(1.0, 2 * min(1 - below(margin), below(-margin)))
        return Tested(claim, estimate, margin, p, supports, margin - abs(d), replicates)
    sign = 1 if claim.sign == ">" else -1
    border = sign * margin
    p = 2 * min(below(border), 1 - below(border))
    supports = sign * d > margin
    return Tested(claim, estimate, margin, min(1.0, p), supports, sign * d - margin, replicates)


def _problem(estimate: Estimate) -> str:
    """Why a claim cannot be tested, or nothing."""
    if not np.isfinite(estimate.estimate):
        return estimate.rests_on.removeprefix("not estimable: ")
    if not np.isfinite(estimate.se):
        return "nothing estimates the noise: no cell ran twice and no model leaves an error term"
    if estimate.se == 0:
        return "the cells it compares never varied, so nothing says how sure the difference is"
    return ""


def _verdict(one: Tested, p_family: float, level: float) -> str:
    if one.problem:
        return "not testable"
    if not p_family <= level or not level:
        return "undecided"
    return "supported" if one.supports else "refuted"


def _reason(one: Tested, verdict: str, needed: float, confidence: float, silent: str) -> str:
    """Why, as a person would say it, in the outcome's shown unit."""
    if verdict == "not testable":
        return f"{one.problem}."
    claim, words = one.claim, one.claim.about.words
    left, right = f"{claim.factor} = {claim.left}", claim.right
    d, low, high = (
        v * claim.about.scale for v in (one.estimate.estimate, one.estimate.low, one.estimate.high)
    )
    span = f"{_number(low, claim, '+')} to {_number(high, claim, '+')}"
    size, it = _number(abs(d), claim), "it"
    if words.unit and round(abs(d), 2) == 0:  # in the decimals that are shown
        size = f"less than 0.01 {words.unit}"
    elif words.unit:
        size += f" {words.unit}"
    than = f"{left} {words.verb} {size} {words.than(d)} than {right}"
    if d == 0:
        than, it = f"{left} and {right} show no difference", left
    statement = f"{than}{_where(claim)} ({confidence:.0%} interval {span})"
    if one.rates is not None:
        interval = f"{confidence:.0%} interval {span} {words.unit}"
        like = EQUAL if one.estimate.method == SHARES else WITHIN
        statement = _counted(claim, d, *one.rates, interval, like)
    assumed = assumption(one.estimate.rests_on, one.factors)
    if assumed:
        statement += f", {assumed}"
    if verdict == "supported":
        return f"{statement}."
    if verdict == "refuted":
        return f"{statement}, so {it} {words.denied} {_wanted(claim)}."
    if silent:
        return f"{statement}; {silent}."
    if one.rates is not None and d == 0 and claim.sign != "=":
        return f"{statement}; these runs do not tell them apart."
    if np.isposinf(needed):
        return f"{statement}; more combinations, rather than more runs of these, may decide it."
    end = "the difference is too near to the claim's border for any affordable number of replicates"
    if np.isfinite(needed):
        end = f"about {needed:.0f} replicates per cell would decide it if the estimate holds"
    return f"{statement}; {end}."


def _counted(
    claim: Claim, d: float, counts: tuple[int, int, int, int], goal: Goal, interval: str, like: str
) -> str:
    """The statement of a claim on convergence, with the runs it counts.

    Args:
        claim: in the words of the goal.
        d: left minus right, in points.
        counts: converged and counted runs of the left level, then of the right one.
        goal: what those runs did.
        interval: of the difference, in words.
        like: how runs were compared, where the shares of all runs differ by another number.
    """
    a, m, b, k = counts
    left, words = f"{claim.factor} = {claim.left}", claim.about.words
    # Lost runs, and fractions, make the shares of all runs differ by more or less than d.
    like = "" if abs(claim.about.scale * (a / m - b / k) - d) < 0.005 else f" {like}"
    if d == 0:
        return (
            f"runs with {left} and with {claim.right} {goal.did} equally often{_where(claim)}"
            f"{like}: {a} of {m} and {b} of {k} ({interval})"
        )
    more = words.more if d > 0 else words.less
    return (
        f"{left} {words.verb} {_number(abs(d), claim)} {words.unit} {more} than {claim.right}"
        f"{_where(claim)}{like}: {a} of {m} runs against {b} of {k} ({interval})"
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
