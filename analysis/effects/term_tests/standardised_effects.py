"""Terms on one axis of |t|: the coordinates of a Pareto plot with the usual and Holm's line.

A term stands by the |t| that has the p value of its test (as Minitab does for several degrees of
freedom), worked out on the logarithm of p so that a p too small for a float still has its place.
The test is the one that decides (`Effects.decisive`), whose error degrees of freedom differ from
term to term; the |t| of all are on the residual degrees of freedom, so that one line serves all.
Without an error term the contrasts stand by Lenth's pseudo standard error instead.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import betainc, betaln
from scipy.stats import t as student

from analysis.effects.aliases.lenth import Lenth
from analysis.effects.estimate import Effects

COLUMNS = ["term", "t", "sign", "p", "alpha_line", "holm_line"]


def standardised_effects(effects: Effects, alpha: float = 0.05) -> pd.DataFrame:
    """Pareto coordinates of every tested term, largest first.

    Args:
        effects: of one outcome.
        alpha: level of both lines.

    Returns:
        Columns term, t (absolute), sign (+1 or -1 where two levels differ, 0 otherwise), p,
        alpha_line and holm_line (critical |t| alone and at the term's step of Holm's procedure).
        Empty where nothing can be tested.
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
    count = len(frame)
    frame["alpha_line"] = float(student.isf(alpha / 2, df_error))
    frame["holm_line"] = [
        float(student.isf(alpha / 2 / (count - step), df_error)) for step in range(count)
    ]
    return frame[COLUMNS]


def equivalent_t(f: float, df: float, df_error: float, df_shown: float) -> float:
    """|t| on `df_shown` degrees of freedom with the p value of F(df, df_error) = f."""
    if f <= 0:
        return 0.0
    if df == 1 and df_error == df_shown:
        return float(np.sqrt(f))
    wanted = log_p(f, df, df_error)
    upper = float(np.sqrt(f * df)) + 1.0
    while log_p(upper * upper, 1.0, df_shown) > wanted:
        upper *= 2
    return float(brentq(lambda t: log_p(t * t, 1.0, df_shown) - wanted, 0.0, upper, xtol=1e-10))


def log_p(f: float, df: float, df_error: float) -> float:
    """Natural logarithm of P(F(df, df_error) > f), finite where the probability underflows.

    The regularised incomplete beta function I_x(df_error / 2, df / 2) at
    x = df_error / (df_error + df f), by its continued fraction (DLMF 8.17.22) where that converges
    fast, which is where the probability is small.
    """
    a, b = df_error / 2, df / 2
    x = df_error / (df_error + df * f)
    if x >= 1:
        return 0.0
    if x >= (a + 1) / (a + b + 2):
        return float(np.log(betainc(a, b, x)))
    fraction = _continued_fraction(a, b, x)
    return float(a * np.log(x) + b * np.log1p(-x) - np.log(a) - betaln(a, b) + np.log(fraction))


def _continued_fraction(a: float, b: float, x: float, steps: int = 10_000) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for step in range(steps):
        if step == 0:
            term = 1.0
        elif step % 2:
            m = (step - 1) // 2
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            m = step // 2
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 + term * d
        d = 1.0 / (d if abs(d) > tiny else tiny)
        c = 1.0 + term / (c if abs(c) > tiny else tiny)
        change = c * d
        value *= change
        if abs(change - 1.0) < 1e-15:
            break
    return value - 1.0


def _sign(effects: Effects, term: str) -> int:
    """+1 where the second of two levels has the higher mean, -1 the lower, 0 for other terms."""
    if len(effects.table.factors.get(term, ())) != 2:
        return 0
    rows = effects.contrasts[effects.contrasts["term"] == term]
    value = float(rows["estimate"].iloc[0]) if len(rows) else 0.0
    if not np.isfinite(value):
        value = float(rows["welch_estimate"].iloc[0])
    return 0 if not np.isfinite(value) else int(-np.sign(value))


def _from_lenth(found: Lenth | None) -> pd.DataFrame:
    if found is None or not np.isfinite(found.pse):
        return pd.DataFrame(columns=COLUMNS)
    judged = found.effects.dropna(subset=["absolute"])  # those of blocks stand beside, unjudged
    rows = judged.sort_values("absolute", ascending=False, ignore_index=True)
    return pd.DataFrame(
        {
            "term": rows["contrast"].astype(str),
            "t": rows["absolute"] / found.pse,
            "sign": np.sign(rows["effect"].astype(float)).astype(int),
            "p": rows["p"],
            "alpha_line": found.me / found.pse,
            "holm_line": found.sme / found.pse,
        }
    )
