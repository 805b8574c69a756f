"""Terms on one axis of |t|: the coordinates of a Pareto plot with the usual line.

A term stands by the |t| that has the p value of its test (as Minitab does for several degrees of
freedom), worked out on the logarithm of p so that a p too small for a float still has its place.
The test is the one that decides (`Effects.decisive`), whose error degrees of freedom differ from
term to term; the |t| of all are on the residual degrees of freedom, so that one line serves all.
Without an error term the contrasts stand by Lenth's pseudo standard error instead.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from analysis.effects.aliases.lenth import Lenth
from analysis.effects.estimate import Effects
from analysis.stats.distributions.f_tails import equivalent_t

COLUMNS = ["term", "t", "sign", "p", "alpha_line", "together_line", "shown"]


def standardised_effects(
    effects: Effects, shown: Mapping[str, bool] | None = None, alpha: float = 0.05
) -> pd.DataFrame:
    """Pareto coordinates of every tested term, largest first.

    Args:
        effects: of one outcome.
        shown: which terms are shown, as the study's questions are judged; by default those with a
            Holm-adjusted p up to alpha.
        alpha: level of the lines.

    Returns:
        Columns term, t (absolute), sign (+1 or -1 where two levels differ, 0 otherwise), p,
        alpha_line (critical |t| of one term alone), together_line (of all contrasts together, of
        Lenth's method; else NaN), shown. Empty where nothing can be tested.
    """
    table = effects.decisive
    df_error = float(effects.fit.residual_df)
    rows = table[np.isfinite(table["F"].astype(float))]
    if rows.empty or df_error <= 0:
        return _from_lenth(effects.lenth)
    columns = rows[["F", "df", "df_error"]].to_numpy(float)
    t = [equivalent_t(f, df, own, df_error) for f, df, own in columns.tolist()]
    frame = pd.DataFrame(
        {
            "term": rows["term"].astype(str),
            "t": t,
            "sign": [_sign(effects, str(term)) for term in rows["term"]],
            "p": rows["p"].astype(float),
        }
    )
    frame = frame.sort_values("t", ascending=False, kind="stable", ignore_index=True)
    frame["alpha_line"] = float(-stdtrit(df_error, alpha / 2))
    frame["together_line"] = np.nan
    if shown is None:
        shown = dict(zip(rows["term"].astype(str), rows["p_holm"] <= alpha, strict=True))
    frame["shown"] = frame["term"].map(dict(shown)).eq(True)
    return frame[COLUMNS]


def _sign(effects: Effects, term: str) -> int:
    """+1 where the second of two levels has the higher mean, -1 the lower, 0 for other terms."""
    if len(effects.table.factors.get(term, ())) != 2:
        return 0
    rows = effects.differences[effects.differences["term"] == term].set_index("method")["estimate"]
    value = float(rows["pooled"])
    if not np.isfinite(value):
        value = float(rows["welch"])
    return 0 if not np.isfinite(value) else int(-np.sign(value))


def _from_lenth(analysed: Lenth | None) -> pd.DataFrame:
    if analysed is None or not np.isfinite(analysed.pse):
        return pd.DataFrame(columns=COLUMNS)
    judged = analysed.effects.dropna(subset=["absolute"])  # those of blocks stand beside, unjudged
    rows = judged.sort_values("absolute", ascending=False, ignore_index=True)
    return pd.DataFrame(
        {
            "term": rows["contrast"].astype(str),
            "t": rows["absolute"] / analysed.pse,
            "sign": np.sign(rows["effect"].astype(float)).astype(int),
            "p": rows["p"],
            "alpha_line": analysed.me / analysed.pse,
            "together_line": analysed.sme / analysed.pse,
            "shown": rows["absolute"] > analysed.sme,
        }
    )
