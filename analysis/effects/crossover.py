"""Is an interaction a matter of scale, or does it change which level is better?

A pair of factors crosses over where two levels of one differ in opposite directions at two levels
of the other: no change of scale removes that (Gail and Simon 1985 call it qualitative). An
interaction without it may vanish on another scale, as accuracies near a ceiling do on the logit
scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.effects.estimate import Effects
from analysis.effects.frames import by_method
from analysis.effects.term_tests.joined_tests import joined_test, larger_p
from analysis.effects.term_tests.replicate_tests import replicate_test
from analysis.effects.term_tests.welch_tests import welch_test
from analysis.model.grid import Grid
from analysis.model.terms import Term
from analysis.stats.multiplicity import holm
from analysis.table.tidy import Table

ALPHA = 0.05
COLUMNS = [
    "term",
    "factor_a",
    "factor_b",
    "p",
    "logit_p",
    "p_crossing",
    "crossover",
    "kind",
    "sentence",
]


def interaction_kinds(
    effects: Effects,
    p: Mapping[str, float] | None = None,
    logit_p: Mapping[str, float] | None = None,
    level: float = ALPHA,
) -> pd.DataFrame:
    """What kind of interaction every pair of factors has.

    Args:
        effects: on the scale of the response.
        p: adjusted p of the pairs; by default Holm's over all terms of the tests that decide.
        logit_p: Holm-adjusted p of the pairs on the logit scale (`logit_tests`), where there is
            one.
        level: up to which something is said to be so.

    Returns:
        Columns term, factor_a, factor_b; p and logit_p as given; p_crossing, crossover (bool, None
        where simple effects have no test): whether two simple effects of the pair are shown to
        have opposite signs, Holm-adjusted over all that was looked at in all pairs;
        kind ("crossover", "vanishes on the logit scale", "same direction", "not shown", "unknown");
        sentence (where it crosses over, else None).
    """
    if p is None:
        table = effects.decisive
        p = dict(zip(table["term"].astype(str), table["p_holm"].astype(float), strict=True))
    other = logit_p or {}
    crossing = crossings(effects)
    rows = []
    for first, second in combinations(effects.table.factors, 2):
        term = f"{first}:{second}"
        looked = crossing[crossing["term"] == term].dropna(subset=["p_crossing"])
        clearest = looked.nsmallest(1, "p_crossing")
        crosses = (
            bool(len(clearest)) and bool(clearest["p_crossing"].iloc[0] <= level) and level > 0
        )
        own, on_logit = p.get(term, np.nan), other.get(term, np.nan)
        rows.append(
            (
                term, first, second, own, on_logit,
                float(clearest["p_crossing"].iloc[0]) if len(clearest) else np.nan,
                crosses if len(looked) else None,
                _kind(own, on_logit, crosses, level),
                str(clearest["sentence"].iloc[0]) if crosses else None,
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def logit_tests(
    table: Table, right: pd.Series, total: pd.Series, terms: Sequence[Term]
) -> dict[str, float]:
    """Holm-adjusted p of terms where shares are replaced by log((right + 1/2) / (wrong + 1/2)).

    Args:
        table: of shares.
        right: images classified rightly per run.
        total: images tested per run.
        terms: tested together.

    Returns:
        By term, by the test that the rule picks on that scale; {} where no cell ran twice.
    """
    x, n = right.to_numpy(float), total.to_numpy(float)
    logit = np.log((x + 0.5) / (n - x + 0.5))
    y = np.where(np.isfinite(table.deviations), logit, np.nan)
    # The floor of cells that never vary is one of shares.
    frame = table.frame.drop(columns="n_test", errors="ignore").assign(**{table.response: y})
    grid = Grid.of(replace(table, frame=frame, deviations=y, shift=0.0))
    if grid.rule.primary == "pooled":
        return {}
    by_rule = {"welch": welch_test, "blocked": replicate_test, "wider": larger_p}
    test = by_rule.get(grid.rule.primary, joined_test)
    p = holm(np.array([test(grid.margin(term))["p"] for term in terms]))
    return {term.name: float(one) for term, one in zip(terms, p, strict=True)}


def _kind(p: float, logit_p: float, crosses: bool, level: float) -> str:
    if crosses:
        return "crossover"
    if not np.isfinite(p):
        return "unknown"
    if p > level or not level:
        return "not shown"
    if np.isfinite(logit_p) and logit_p > level:
        return "vanishes on the logit scale"
    return "same direction"


def crossings(effects: Effects) -> pd.DataFrame:
    """Every difference of two levels that another factor could turn round, and whether it does.

    The hypothesis is that its simple effects at the other factor's levels all have one sign. It is
    rejected where the clearest on either side is significant one-sided, Bonferroni over the levels
    (the range test of Piantadosi and Gail 1993); Holm over all that was looked at.

    Returns:
        Columns term, p_crossing, NaN where fewer than two have a test; where simple effects have
        both signs: sentence, and of the clearest on either side above and below (the level of the
        other factor) and above_by and below_by (the simple effect), else None and NaN.
    """
    columns = ["term", "p_crossing", "sentence", "above", "below", "above_by", "below_by"]
    table = by_method(effects.simple_effects, effects.rule.primary)
    if table.empty:
        return pd.DataFrame(columns=columns)
    names = ["term", "factor", "other", "level", "versus"]
    p, estimate = table["p"].to_numpy(float), table["estimate"].to_numpy(float)
    sides = table[names].assign(
        up=np.where(estimate > 0, p, np.nan), down=np.where(estimate < 0, p, np.nan), p=p
    )
    groups = sides.groupby(names, sort=False)
    found = groups.agg(up=("up", "min"), down=("down", "min"), tested=("p", "count"))
    weaker = found[["up", "down"]].max(axis=1, skipna=False) / 2 * groups.size()
    found["p_crossing"] = weaker.clip(upper=1.0).fillna(1.0).where(found["tested"] > 1)
    found[["sentence", "above", "below"]] = None
    found[["above_by", "below_by"]] = np.nan
    for row in found.index[weaker < 1]:
        own = groups.get_group(row)
        at = [own.index[int(np.nanargmin(own[side].to_numpy(float)))] for side in ("up", "down")]
        above, below = (str(table["other_level"][place]) for place in at)
        _, factor, other, level, versus = row
        found.at[row, "sentence"] = (
            f"{level} is above {versus} of {factor} with {other} = {above}, "
            f"below it with {other} = {below}"
        )
        found.loc[row, ["above", "below"]] = above, below
        found.loc[row, ["above_by", "below_by"]] = [float(table["estimate"][one]) for one in at]
    found = found.reset_index()
    return found.assign(p_crossing=holm(found["p_crossing"].to_numpy(float)))
