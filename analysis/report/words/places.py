"""Where runs were made: devices, machines and versions of the code that vary within a study.

Runs of one place may move together as runs of one seed may. Nothing is corrected for; what is said
is whether runs of one combination differ by place, and whether a place goes with the levels of a
factor, so that its effect cannot be told from that of the place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import fdtrc

from analysis.number_words import p_phrase
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.study import Study

CLEAR = 0.01
"""p below which runs are said to differ by place, and places to go with levels (Bonferroni over the
factors)."""
ALONE = 0.9
"""Share of a level's runs from which it is said to have run in one place."""


def places(study: Study) -> list[str]:
    """A sentence for each kind of place of which there are several."""
    sentences = []
    for noun, of in _kinds(study).items():
        names = sorted(of.dropna().unique())
        if len(names) < 2:
            continue
        if noun == "versions of the code":  # nobody reads hashes
            text = f"Cells were trained by {len(names)} versions of the code"
        else:
            text = f"Cells ran on several {noun} ({listed(names)})"
        sentences.append(text + _told(study, of))
    attempts = study.attempt_rows
    if attempts is None or "dirty" not in attempts:
        return sentences
    if attempts["dirty"].fillna(value=False).astype(bool).any():
        sentences.append("Some cells were trained by code with uncommitted changes")
    return sentences


def _kinds(study: Study) -> dict[str, pd.Series]:
    """Place of every run, by what places are called."""
    kinds = {}
    for column, noun in (("device", "kinds of devices"), ("host", "machines")):
        if column in study.facts:
            values = study.facts[column]
            kinds[noun] = values.astype(str).str.split(":").str[0].where(values.notna())
    attempts = study.attempt_rows
    if attempts is not None and {"commit", "cell"} <= set(attempts) and "cell" in study.facts:
        last = attempts.dropna(subset="commit").drop_duplicates("cell", keep="last")
        commits = last.set_index("cell")["commit"].astype(str)
        kinds["versions of the code"] = study.facts["cell"].map(commits)
    return kinds


def _told(study: Study, place: pd.Series) -> str:
    """What a place has to do with outcomes and levels, as clauses."""
    ran = study.runs[study.response].notna() & place.notna()
    runs, place = study.runs[ran], place[ran]
    found = []
    p = within_combinations(
        runs[study.response].to_numpy(float),
        runs[list(study.factors)].astype(str).agg("\0".join, axis=1).to_numpy(),
        place.to_numpy(),
    )
    if p < CLEAR:
        found.append(
            f"runs of one combination differ by it ({p_phrase(p)}), which no interval allows for"
        )
    # Here, as one place is what most studies ran in and importing it takes longer than the rest.
    from scipy.stats import chi2_contingency

    for factor in study.factors:
        table = pd.crosstab(runs[factor].astype(str), place)
        if min(table.shape) < 2:
            continue
        chance = float(chi2_contingency(table).pvalue)
        if not chance < CLEAR / len(study.factors):
            continue
        share = table.div(table.sum(axis=1), axis=0)
        alone = [f"{level} on {row.idxmax()}" for level, row in share.iterrows()
                 if row.max() >= ALONE]  # fmt: skip
        goes = f"it goes with {factor}"
        if alone:
            goes += f" ({counted(len(alone), 'level')} nearly always in one place)"
        found.append(f"{goes}, whose effect may be that of the place")
    return f"; {'; '.join(found)}" if found else "; outcomes and levels show nothing of it"


def within_combinations(values: np.ndarray, cell: np.ndarray, place: np.ndarray) -> float:
    """Whether runs of one combination differ by place: a p, NaN where none ran in several.

    F of the places beside the combinations, each on the scale of its own standard deviation, as
    replicates are tested (`model.interval_rule`).

    Args:
        values: outcome of every run.
        cell: its combination.
        place: its place.
    """
    frame = pd.DataFrame({"y": values, "cell": cell})
    groups = frame.groupby("cell")["y"]
    runs = groups.transform("size").to_numpy(float)
    deviation = groups.transform("std").to_numpy(float)
    varies = (runs > 1) & (deviation > 1e-12)
    if not varies.any():
        return float("nan")
    residual = ((frame["y"] - groups.transform("mean")) / deviation).to_numpy()[varies]
    shown = pd.get_dummies(pd.Series(place[varies])).astype(float)
    shown -= shown.groupby(cell[varies]).transform("mean")
    fitted, _, rank, _ = np.linalg.lstsq(shown.to_numpy(), residual, rcond=None)
    rest = float(((residual - shown.to_numpy() @ fitted) ** 2).sum())
    df = len(residual) - len(np.unique(cell[varies])) - int(rank)
    if rank < 1 or df < 1 or rest <= 0:
        return float("nan")
    f = (float((residual**2).sum()) - rest) / int(rank) / (rest / df)
    return float(fdtrc(int(rank), df, f))
