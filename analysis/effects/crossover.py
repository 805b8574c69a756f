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
    "p_holm",
    "logit_p_holm",
    "crossover",
    "kind",
    "sentence",
]


def interaction_kinds(effects: Effects, logit_p: Mapping[str, float] | None = None) -> pd.DataFrame:
    """What kind of interaction every pair of factors has.

    Args:
        effects: on the scale of the response.
        logit_p: Holm-adjusted p of the pairs on the logit scale (`logit_tests`), where there is
            one.

    Returns:
        Columns term, factor_a, factor_b; p_holm and logit_p_holm by the tests that decide;
        crossover (bool, None where simple effects have no test): whether two simple effects of the
        pair are shown to have opposite signs, Holm-adjusted over the simple effects of one factor;
        kind ("crossover", "vanishes on the logit scale", "same direction", "not shown", "unknown");
        sentence (where it crosses over, else None).
    """
    table = effects.decisive
    p = dict(zip(table["term"].astype(str), table["p_holm"].astype(float), strict=True))
    other = logit_p or {}
    rows = []
    for first, second in combinations(effects.table.factors, 2):
        term = f"{first}:{second}"
        crossing = _crossing(effects, first, second)
        own, on_logit = p.get(term, np.nan), other.get(term, np.nan)
        kind = _kind(own, on_logit, crossing)
        sentence = crossing if isinstance(crossing, str) else None
        known = None if crossing is None else bool(crossing)
        rows.append((term, first, second, own, on_logit, known, kind, sentence))
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
    test = replicate_test if grid.rule.primary == "blocked" else welch_test
    p = holm(np.array([test(grid.margin(term))["p"] for term in terms]))
    return {term.name: float(one) for term, one in zip(terms, p, strict=True)}


def _kind(p: float, logit_p: float, crossing: str | bool | None) -> str:
    if crossing:
        return "crossover"
    if not np.isfinite(p):
        return "unknown"
    if p > ALPHA:
        return "not shown"
    if np.isfinite(logit_p) and logit_p > ALPHA:
        return "vanishes on the logit scale"
    return "same direction"


def _crossing(effects: Effects, first: str, second: str) -> str | bool | None:
    """Where the pair crosses over in words; False where it does not, None where nothing is known.

    The clearest of the opposite pairs is named: the one whose weaker side is most significant.
    """
    known = False
    clearest: tuple[float, str] | None = None
    table = by_method(effects.simple_effects, effects.rule.primary)
    for factor, given in ((first, second), (second, first)):
        rows = table[(table["factor"] == factor) & (table["other"] == given)]
        p = holm(rows["p"].to_numpy(float))
        known |= bool(np.isfinite(p).any())
        sure = rows.assign(p=p)
        sure = sure[sure["p"] < ALPHA]
        for (level, versus), group in sure.groupby(["level", "versus"], sort=False):
            up, down = group[group["estimate"] > 0], group[group["estimate"] < 0]
            if up.empty or down.empty:
                continue
            best, worst = (side.iloc[int(side["p"].argmin())] for side in (up, down))
            weaker = max(float(best["p"]), float(worst["p"]))
            if clearest is None or weaker < clearest[0]:
                text = (
                    f"{level} is above {versus} of {factor} with {given} = "
                    f"{best['other_level']}, below it with {given} = {worst['other_level']}"
                )
                clearest = weaker, text
    return clearest[1] if clearest else (False if known else None)
