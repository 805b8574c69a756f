"""What the answer says of convergence: how many runs got there, what decides it, which is best.

Converging means what the study's goal says (`table.statuses.Goal`), and every sentence names it.
One test speaks, the exact one, at the study's level (`Study.judgement`); a combination of two
levels is told where no factor alone is shown to decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.number_words import p_phrase, sureness, value_text
from analysis.report.words.progress import STRICT, so_far
from analysis.study import known
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study

TOGETHER = "by all levels together"
"""Of a factor of three or more levels, where the interval of the two named holds zero."""
MOST_TIED = 3
"""Combinations of one mean that are named one by one."""


def opening(study: Study, convergence: Convergence | None) -> list[str]:
    """How much was run and how much of it got there; what the target is where nobody named it."""
    cells = len(study.cells.ran)
    text = f"{counted(study.cells.n, 'run')} over {counted(cells, 'combination')} of levels"
    if convergence is None:
        return [f"{text}."]
    reached, runs, goal = convergence.converged, convergence.runs, convergence.goal
    text += f": {reached} of {counted(runs, 'run')} {goal.did} ({reached / runs:.0%})"
    learned = known(study.learned)
    if learned is not None and learned.converged != reached:
        text += f", {learned.converged} of {learned.runs} {_better(learned.converged)}"
    sentences = [f"{text}."]
    if goal.target is not None and goal.target.derived:
        sentences.append(
            f"The file names no train.target: {goal.target.words} is half way from chance to the "
            f"best combination{so_far(study)}."
        )
    return sentences


def _better(count: int) -> str:
    return "was better than guessing" if count == 1 else "were better than guessing"


def convergence_sentences(study: Study, convergence: Convergence) -> list[str]:
    """What decides convergence: factors, else a combination of two levels, else that none is shown.

    Where every run converged, or none, the same of being better than guessing.
    """
    if convergence.mixed:
        return _deciding(study, convergence)
    goal = convergence.goal
    none = f"Every run {goal.did}" if convergence.converged else f"No run {goal.did}"
    if study.running:
        return [f"{none} so far; which factors decide that cannot be said yet."]
    learned = known(study.learned)
    second = [] if learned is None or not learned.mixed else _deciding(study, learned)
    if not convergence.converged and goal.target is not None:
        return [f"{none}, so what decides that cannot be said; a lower train.target would tell "
                "runs apart, and retrains nothing.", *second]  # fmt: skip
    return [f"{none}, so no factor decides that in this grid.", *second]


def deciding_table(study: Study, convergence: Convergence) -> tuple[pd.DataFrame, float]:
    """A row a factor (factor, conv_*), and up to which p it is said to decide."""
    judgement = (study.primary or study).judgement
    level, p = judgement.level_of_rates, judgement.p_of("convergence")
    rows = [
        {"factor": name} | convergence_row(name, convergence, p.get(name, np.nan), level)
        for name in study.factors
    ]
    return pd.DataFrame(rows), level


def _deciding(study: Study, convergence: Convergence) -> list[str]:
    """Of an outcome that some runs have and some do not."""
    goal = convergence.goal
    judgement = (study.primary or study).judgement
    table, level = deciding_table(study, convergence)
    clear = table[table["conv_p_family"] <= level].sort_values("conv_estimate", ascending=False)
    if not clear.empty:
        told = [_factor(row, convergence) for row in clear.to_dict("records")]
        lead = f"What makes runs {goal.to_do} here{so_far(study)}: {listed(told)}."
        both = convergence.together(clear["factor"].tolist(), level)
        if both is None:
            return [lead]
        return [
            lead,
            f"Together: {against(both, convergence)}.",
            _simple_effects(both, convergence),
        ]
    combined = judgement.of("combination")
    p_combined = float(combined["p_family"].iloc[0]) if len(combined) else np.nan
    if not combined["shown"].any():
        none = f"No factor is shown{so_far(study)} to decide whether runs {goal.do}"
        furthest = _furthest(table, convergence, p_combined)
        strict = f"; {STRICT}" if furthest and judgement.running else ""
        return [f"{none}{furthest}{strict}."]
    row = convergence.clearest | {"p_family": p_combined}
    return [_combination(study, row, convergence), _simple_effects(row, convergence)]


def _furthest(table: pd.DataFrame, convergence: Convergence, p_combined: float) -> str:
    """What stands furthest apart where nothing is shown, so that few runs are seen to be few."""
    apart = table[table["conv_best"].notna() & (table["conv_p_family"] < 1)]
    nearest = float(apart["conv_p_family"].min()) if len(apart) else 1.0
    if p_combined < nearest:
        row = convergence.clearest
        return (
            f"; furthest apart: {row['factor']} {row['level']} with {row['other']} "
            f"{row['other_level']} ({row['converged']} of {row['runs']} runs against "
            f"{row['elsewhere_converged']} of {row['elsewhere_runs']} elsewhere, "
            f"{p_phrase(p_combined)})"
        )
    if apart.empty:
        return ""
    one = apart.sort_values("conv_p_family", kind="stable").to_dict("records")[0]
    rates = convergence.rates[convergence.rates["factor"] == one["factor"]]
    counts = {
        row["level"]: f"{row['converged']} of {row['runs']}" for row in rates.to_dict("records")
    }
    best, worst = one["conv_best"], one["conv_worst"]
    return (
        f"; furthest apart: {one['factor']} ({counts[best]} runs with {best} against "
        f"{counts[worst]} with {worst}, {p_phrase(one['conv_p_family'])})"
    )


def _factor(row: dict[Any, Any], convergence: Convergence) -> str:
    rates = convergence.rates[convergence.rates["factor"] == row["factor"]]
    rates = rates.set_index("level")["rate"]
    sure = p_phrase(row["conv_p_family"])
    if pd.isna(row["conv_best"]):  # equal rates over unequal combinations
        return f"{row['factor']} ({sure})"
    return (
        f"{row['factor']} (from {float(rates[row['conv_worst']]):.0%} with {row['conv_worst']} "
        f"to {float(rates[row['conv_best']]):.0%} with {row['conv_best']}, {sure})"
    )


def _combination(study: Study, row: dict[str, Any], convergence: Convergence) -> str:
    """The combination that decides, and how sure that is."""
    return (
        f"No factor alone is shown{so_far(study)} to decide it, a combination is: "
        f"{against(row, convergence)} (Fisher's exact test, {p_phrase(row['p_family'])}, all "
        f"{len(convergence.combinations)} combinations of two levels looked at)."
    )


def against(row: dict[str, Any], convergence: Convergence) -> str:
    """A combination's runs against all others."""
    x, n = int(row["converged"]), int(row["runs"])
    y, m = int(row["elsewhere_converged"]), int(row["elsewhere_runs"])
    if y == 0:
        how = "only with"
    elif x == 0 and y == m:
        how = "except with"
    else:
        how = "more often with" if x / n > y / m else "less often with"
    return (
        f"runs {convergence.goal.do} {how} {row['factor']} {row['level']} and {row['other']} "
        f"{row['other_level']}: {x} of {counted(n, 'run')} against {y} of {m} elsewhere"
    )


def _simple_effects(row: dict[str, Any], convergence: Convergence) -> str:
    """What each of the two factors does at the other's level, and what it does elsewhere."""
    first, second = (row["factor"], row["level"]), (row["other"], row["other_level"])
    return f"{_at_levels(first, second, convergence)}. {_at_levels(second, first, convergence)}."


def _at_levels(of: tuple[str, str], given: tuple[str, str], convergence: Convergence) -> str:
    cells = convergence.cells

    def named(factor: str, level: str) -> str:
        others = [one for one in convergence.factors[factor] if one != level]
        return others[0] if len(others) == 1 else f"the other levels of {factor}"

    def counts(level_is: bool, given_is: bool) -> tuple[int, int]:
        at = cells.index.get_level_values(of[0]).astype(str) == of[1]
        where = cells.index.get_level_values(given[0]).astype(str) == given[1]
        part = cells[(at == level_is) & (where == given_is)]
        return int(part["converged"].sum()), int(part["runs"].sum())

    def compared(given_is: bool) -> str:
        (x, n), (y, m) = counts(True, given_is), counts(False, given_is)
        if not n or not m:
            return "not compared"
        shown = f"{x} of {n} against {y} of {m}"
        return f"no difference ({shown})" if x * m == y * n else shown

    there, elsewhere = compared(True), compared(False)
    return f"{of[1]} over {named(*of)} with {given[1]}: {there}; with {named(*given)}: {elsewhere}"


def convergence_row(
    factor: str, convergence: Convergence, p: float, level: float
) -> dict[str, object]:
    """The columns conv_* of a factor's row: best and worst rate, their difference, how sure."""
    rates = convergence.rates[convergence.rates["factor"] == factor].dropna(subset=["rate"])
    row: dict[str, object] = {"conv_p_family": p, "conv_sure": sureness(p, level)}
    row |= {"conv_best": None, "conv_worst": None, "conv_estimate": np.nan}
    row |= {"conv_low": np.nan, "conv_high": np.nan}
    if len(rates) < 2:
        return row
    by_level = rates.set_index("level")["rate"].astype(float)
    best, worst = str(by_level.idxmax()), str(by_level.idxmin())
    if by_level[best] == by_level[worst]:
        return row | {"conv_estimate": 0.0, "conv_sure": "no difference"}
    pairs = convergence.differences[convergence.differences["factor"] == factor]
    for first, second, sign in ((best, worst, 1.0), (worst, best, -1.0)):
        one = pairs[(pairs["level"] == first) & (pairs["reference"] == second)]
        if len(one):
            numbers = sign * one[["estimate", "low", "high"]].to_numpy(float)[0]
            low, high = sorted(numbers[1:])
            row |= {"conv_estimate": float(numbers[0]), "conv_low": low, "conv_high": high}
            if p <= level and low <= 0 <= high:  # more than two levels: no pair says it alone
                row["conv_sure"] = f"{row['conv_sure']} {TOGETHER}"
    return row | {"conv_best": best, "conv_worst": worst}


# --- the best combination -------------------------------------------------------------------------


def best_sentences(study: Study, convergence: Convergence | None) -> list[str]:
    """The combination of the best mean, ties said, and how often the best ones converged."""
    means, measure = study.cells.means, study.measure
    if (
        len(study.factors) < 2
        or not np.isfinite(means).any()
        or np.nanmax(means) == np.nanmin(means)
    ):
        return _often(convergence, None)
    values = measure.sign * means
    tied = np.flatnonzero((values == np.nanmax(values)).ravel())
    names = [_cell(study, int(place)) for place in tied[:MOST_TIED]]
    value = value_text(float(means.ravel()[tied[0]]), measure)
    rather = "lower" if measure.higher_is_better else "higher"
    first = "best" if measure.known_direction else "highest"
    its = "its true mean is" if len(tied) == 1 else "their true means are"
    picked = f"being picked as the {first} of many, {its} probably a little {rather}"
    if len(tied) == 1:
        text = f"The {first} combination seen{so_far(study)} is {names[0]} with a mean of {value}"
    else:
        more = [f"{len(tied) - len(names)} more"] if len(tied) > len(names) else []
        text = (
            f"The {first} combinations seen{so_far(study)}, of the same mean of {value}, are "
            f"{listed([*names, *more])}"
        )
    return [f"{text}; {picked}.", *_often(convergence, int(tied[0]) if len(tied) == 1 else None)]


def _cell(study: Study, place: int) -> str:
    levels = study.cells.cell_levels(place)
    return ", ".join(f"{factor} {level}" for factor, level in levels.items())


def _often(convergence: Convergence | None, best: int | None) -> list[str]:
    """The combinations whose runs converged most often; ties are counted."""
    if convergence is None or not convergence.mixed or len(convergence.factors) < 2:
        return []
    hits, runs = convergence.hits.ravel(), convergence.counted.ravel()
    rate = np.divide(hits, runs, out=np.full(len(runs), -1.0), where=runs > 0)
    top = np.flatnonzero(rate == rate.max())
    did = convergence.goal.did
    ran = int((runs > 0).sum())
    if len(top) > 1:
        among = (
            ""
            if best is None
            else (", this one among them" if best in top else ", this one not among them")
        )
        each = "every run" if rate.max() == 1 else f"{rate.max():.0%} of the runs of each"
        return [f"In {len(top)} of {counted(ran, 'combination')} {each} {did}{among}: no "
                "combination is best by that."]  # fmt: skip
    one = int(top[0])
    shown = f"{int(hits[one])} of {counted(int(runs[one]), 'run')}"
    if one == best:
        return [f"It is also the one with most runs that {did}: {shown}."]
    places = np.unravel_index(one, convergence.hits.shape)
    levels = zip(convergence.factors.items(), places, strict=True)
    name = ", ".join(f"{factor} {labels[int(k)]}" for (factor, labels), k in levels)
    return [f"Runs {did} most often with {name}: {shown}."]
