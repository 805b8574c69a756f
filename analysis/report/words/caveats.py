"""What a reader must keep in mind about this very grid, each in one sentence, worst first.

Only what the data show is said: missing cells, few replicates, unequal variances, replicates that
share a shock, separated levels, effects that come bundled with parameters, weights, time or place.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analysis.confounds.flags import flag_sentences
from analysis.effects.same_runs import SameRuns, same_runs
from analysis.number_words import p_phrase
from analysis.report.words.names import INTERCEPT, readable
from analysis.report.words.places import places
from analysis.study import known
from analysis.table.cells import residual_table
from analysis.table.tidy import named
from analysis.verdicts.judgement import FAMILIES, level_words
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study

UNEQUAL = 3.0
"""Ratio of upper to lower quartile of the cells' standard deviations worth a sentence."""
FEW = 3
SIGNIFICANT = 0.05
"""p below which replicates are said to differ as a whole."""
MOST_TERMS = 3
"""So many terms that cannot be estimated are named one by one, and what each is mixed with."""
CLOSE = 2.0
"""Times the level, or its part, within which a p is so close to it that little turns a verdict."""
MOST_CLOSE = 4
DRIFT = 0.01
"""p below which residuals are said to move with the order of running."""


SMALL = 23
"""Combinations up to which looks at runs in two modes err more often than they promise
(decision 110)."""


def caveats(study: Study, convergence: Convergence | None) -> list[str]:
    """The sentences, in the order a careful reader would ask."""
    sentences = [
        *_retired(study),
        *_missing(study),
        *_together(study),
        *did_nothing(study),
        *_not_estimable(study),
        *_looks(study),
        *_replicates(study),
        *_jumps(study),
        *_variances(study),
        *_shock(study),
        *(_separation(study, convergence) if convergence is not None else ()),
        *_bundles(study),
        *_weights(study),
        *flag_sentences(study),
        *_drift(study),
        *places(study),
        *_close(study),
        *(_sentence(note) for note in named(study.estimates().note_templates, study.measure.name)),
    ]
    return [text.rstrip(".") + "." for text in dict.fromkeys(sentences)]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _retired(study: Study) -> list[str]:
    """A design that was cut after it was planned, perhaps by somebody else's command."""
    gone = int(study.info.get("retired", 0))
    if not gone:
        return []
    are, them = ("is", "it") if gone == 1 else ("are", "them")
    return [
        f"{counted(gone, 'run')} that an earlier version of this study's file planned {are} no "
        f"part of its design now, and nothing here counts {them}"
    ]


def _not_estimable(study: Study) -> list[str]:
    """Terms that the runs at hand do not tell: each by itself, or many in one sentence."""
    if study.screen is not None and study.screen.clear:
        return [
            "A design that is made for main effects: pairs of factors do not bias them, but which "
            "pair acts together cannot be told"
        ]
    if study.grid.screening:
        return [
            "A fraction that is made for main effects: each stands for itself only where factors "
            "do not interact, and no interaction can be estimated"
        ]
    lost = study.estimates().not_estimable
    if len(lost) <= MOST_TERMS:
        return [_sentence(one.told(_others(one.aliased_with))) for one in lost]
    names = [readable(one.term) for one in lost[:MOST_TERMS]]
    return [
        f"{len(lost)} terms cannot be estimated in full yet, because combinations of their levels "
        f"never ran: {', '.join(names)} and {len(lost) - len(names)} more; effects.json names "
        "what each lacks"
    ]


def _together(study: Study) -> list[str]:
    """Factors of which one's level says the other's: paired values, bundles."""
    ran = study.runs[study.runs[study.response].notna()]
    sentences = []
    for first, second in combinations(study.factors, 2):
        pairs = ran[[first, second]].astype(str).drop_duplicates()
        for factor, other in ((first, second), (second, first)):
            if len(pairs) != len(study.factors[factor]) or pairs[factor].duplicated().any():
                continue
            known = dict(zip(pairs[factor], pairs[other], strict=True))
            told = listed([f"{known[one]} with {one}" for one in study.factors[factor]])
            sentences.append(
                f"{other} goes with {factor} ({told}), so what they do cannot be told apart; "
                f"written as one factor of {len(known)} levels it can be compared"
            )
            break
    return sentences


def _others(terms: Sequence[str]) -> str:
    """A long list of what a term cannot be told from says no more than that there are many."""
    if len(terms) > MOST_TERMS:
        return f"{len(terms)} other terms"
    return ", ".join("the grand mean" if one == INTERCEPT else one for one in terms)


def _missing(study: Study) -> list[str]:
    missing = known(study.missing)
    return [] if missing is None else list(missing.warnings)


def did_nothing(study: Study) -> list[str]:
    """A sentence for each factor, or some of its levels, that left every pair of runs alike."""
    return [
        _nothing_words(one, study.measure.name)
        for one in same_runs(study.runs, study.factors, study.response, study.block)
    ]


def _nothing_words(same: SameRuns, outcome: str) -> str:
    few = {1: "the one pair", 2: "both pairs"}
    pairs = few.get(same.pairs, f"all {same.pairs:,} pairs")
    verb = "is" if same.pairs == 1 else "are"
    alike = "bit-identical" if same.bits else f"equal in {outcome}"
    if same.whole:
        return (
            f"Factor {same.factor} did nothing: {pairs} of runs that differ in it alone {verb} "
            f"{alike}"
        )
    return (
        f"Levels {listed(same.levels)} of {same.factor} did the same: {pairs} of runs that differ "
        f"in them alone {verb} {alike}"
    )


def _looks(study: Study) -> list[str]:
    """Replicates in waves: how often it was looked, and what that costs."""
    if (look := study.look) is None or study.adaptive is None:
        return []
    counts = study.cells.counts[~study.cells.empty]
    few, many = int(counts.min()), int(counts.max())
    runs = f"{few} to {many} runs of a combination" if few < many else f"{few} runs of each"
    decides = f"decides at p up to {level_words(look.level)} instead of .05"
    small = len(counts) <= SMALL and study.estimates().jumps is not None
    more = "; here it may be more, for the grid is small and some of its runs fall" if small else ""
    return [
        f"Replicates came in waves, {runs} so far, more where the runs of neighbouring "
        f"combinations scatter more; the study was looked at {counted(look.number, 'time')}, and "
        f"so that all looks together err in 5 % at most, this one "
        f"{decides if look.level else 'decides nothing yet'}; intervals are 95 % each{more}"
    ]


def _replicates(study: Study) -> list[str]:
    counts = study.cells.counts[~study.cells.empty]
    if not counts.size or int(counts.min()) >= FEW:
        return []
    if int(counts.max()) <= 1:
        return ["Every combination ran once: noise is judged from the model or by Lenth's method"]
    few = int((counts < FEW).sum())
    return [
        f"{few} of {len(counts)} combinations have fewer than {FEW} replicates: their intervals "
        "rest on few degrees of freedom"
    ]


def _variances(study: Study) -> list[str]:
    deviation = np.sqrt(study.cells.variances[study.cells.counts > 1])
    deviation = deviation[deviation > 0]
    if len(deviation) < 4:
        return []
    low, high = np.quantile(deviation, [0.25, 0.75])
    if high < UNEQUAL * low:
        return []
    return [
        "Combinations vary unequally (the quartiles of their standard deviations differ "
        f"{high / low:.0f} times): the classical F tests assume that they do not, so no verdict "
        "rests on them"
    ]


def _jumps(study: Study) -> list[str]:
    """Runs in two modes: an interval over replicates sees only what happened."""
    jumps = study.estimates().jumps
    if jumps is None:
        return []
    fallen, runs = int(jumps.low.sum()), len(jumps.low)
    return [
        f"{study.measure.name.capitalize()} jumps: {fallen} of {runs} runs lie in the lower of "
        "two modes, and runs of one combination in both. An interval over replicates cannot see "
        "runs that would have fallen, so means have bounds instead"
    ]


def _shock(study: Study) -> list[str]:
    rule = study.grid.rule
    if not rule.p < SIGNIFICANT:
        return []
    return [
        "Replicates differ as a whole: the same seed moves all cells together "
        f"(F = {rule.f:.1f}, {p_phrase(rule.p)})"
    ]


def _separation(study: Study, convergence: Convergence) -> list[str]:
    told = (study.primary or study).judgement.of("combination")["shown"].any()
    if not convergence.separation or told:  # which the answer says
        return []
    shown = [text.rstrip(".") for text in convergence.separation[:3]]
    more = len(convergence.separation) - len(shown)
    return [*shown, *([f"{more} more levels or pairs are separated"] if more > 0 else [])]


def _bundles(study: Study) -> list[str]:
    """Factors whose levels differ in parameters too: a level is then a bundle."""
    levels: Mapping[str, Mapping[str, Any]] = study.info.get("levels") or {}
    sentences = []
    for factor, labels in levels.items():
        parameters = [dict(one.get("parameters") or {}) for one in labels.values()]
        if "." in factor:
            continue
        shared = set.intersection(*(set(one) for one in parameters)) if parameters else set()
        shared -= {factor}  # an argument called like the factor is what its levels are
        shared -= {r.name.removeprefix(f"{factor}.") for one in study.searched for r in one.ranges}
        differing = sorted(
            name for name in shared if len({repr(one[name]) for one in parameters}) > 1
        )
        if differing:
            sentences.append(
                f"Levels of {factor} also differ in {listed(differing)}: each is compared with the "
                "settings it came with, not one at a time"
            )
    return sentences


def _weights(study: Study) -> list[str]:
    if "parameters" not in study.facts:
        return []
    weights = study.facts["parameters"].dropna()
    labels = study.frame.loc[weights.index, list(study.factors)]
    spans = {factor: _span(weights, labels, factor, study.running) for factor in study.factors}
    return [
        f"Levels of {factor} change the number of weights ({int(low):,} to {int(high):,})"
        for factor, (low, high) in spans.items()
        if high > low * 1.0001
    ]


def _span(
    weights: pd.Series, labels: pd.DataFrame, factor: str, running: bool
) -> tuple[float, float]:
    """Fewest and most weights that the levels of a factor make beside the same others; else zeros.

    Of a fraction, in which no two runs differ in it alone, by the medians of its levels; those of
    a grid would differ wherever runs were lost or are still to come.
    """
    others = [labels[name] for name in labels if name != factor]
    beside = others or pd.Series(0, weights.index)
    codes = labels[factor].cat.codes.groupby(beside, observed=True)
    if not (codes.transform("nunique") > 1).any():
        if running:
            return 0.0, 0.0
        medians = weights.groupby(labels[factor], observed=True).median()
        return float(medians.min()), float(medians.max())
    ends = weights.groupby(beside, observed=True).agg(["min", "max"])
    differ = ends[ends["max"] > ends["min"] * 1.0001]
    return (float(differ["min"].min()), float(differ["max"].max())) if len(differ) else (0.0, 0.0)


def _drift(study: Study) -> list[str]:
    if "run_order" not in study.facts or study.cells.pure_df < 10:
        return []
    rows = residual_table(study.runs, study.factors, study.response).dropna()
    if len(rows) < 10 or rows["residual"].std() == 0:
        return []
    moved = rows[["run_order", "residual"]].astype(float)
    if study.shares_seeds:  # replicates run one after the other, and may differ by their seeds
        moved -= moved.groupby(rows["replicate"]).transform("mean")
    correlation, p = _rank_correlation(moved["run_order"], moved["residual"])
    if not p < DRIFT:
        return []
    return [
        f"Residuals move with the order of running (Spearman {correlation:+.2f}, {p_phrase(p)}): "
        "something changed while the grid ran"
    ]


def _rank_correlation(one: pd.Series, other: pd.Series) -> tuple[float, float]:
    """Spearman's coefficient and its two-sided p value by Student's t, as `scipy.stats.spearmanr`.

    Importing `scipy.stats` takes as long as most answers.
    """
    correlation = float(one.rank().corr(other.rank()))
    df = len(one) - 2
    with np.errstate(divide="ignore"):
        t = correlation * np.sqrt(df / ((1 + correlation) * (1 - correlation)))
    return correlation, float(2 * stdtr(df, -abs(t)))


def _close(study: Study) -> list[str]:
    """Verdicts that other seeds, or the same ones on another processor, may turn."""
    judged = study.judgement
    if judged.running or not judged.level:
        return []
    about = judged.table[~judged.table["kind"].isin(list(FAMILIES))]
    ratio = about["p_family"] / judged.level
    near = about[(ratio > 1 / CLOSE) & (ratio < CLOSE)].sort_values("p_family", kind="stable")
    if near.empty:
        return []
    told = [
        f"{_question(study, row)} ({p_phrase(row['p_family'])}, "
        f"{'' if row['p_family'] <= judged.level else 'not '}said to be so)"
        for row in near.head(MOST_CLOSE).reset_index(names="row").to_dict("records")
    ]
    more = [f"{len(near) - MOST_CLOSE} more"] if len(near) > MOST_CLOSE else []
    turn = "it" if len(near) == 1 else "them"
    return [
        f"Close to the line, so that other seeds or another machine may turn {turn}: "
        f"{listed([*told, *more])}"
    ]


def _question(study: Study, asked: Mapping[Hashable, Any]) -> str:
    """A question of the judgement as people call it."""
    if asked["kind"] == "claim":
        claim = study.judgement.claims.index(asked["row"])
        return f"the claim {study.planned_claims[claim]!r}"
    if asked["kind"] == "difference":
        return f"{asked['factor']}: {asked['first']} against {asked['second']}"
    return readable(str(asked["factor"]))
