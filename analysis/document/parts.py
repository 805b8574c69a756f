"""The part of effects.json that tells of the outcome looked at: estimates, tests, shares, aliases.

`PARTS` is the list of its keys, each with what makes it and with what stands there where no effect
can be estimated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.effects.aliases.estimability import NotEstimable
from analysis.effects.best_set import BestSet
from analysis.effects.estimate import KINDS, Effects
from analysis.effects.frames import by_method, estimates, means_of
from analysis.effects.term_tests.anova import anova_table
from analysis.model.cell_means import CellMeans
from analysis.model.margins import METHODS
from analysis.model.terms import terms_up_to
from analysis.stats.estimates import INTERVAL
from analysis.table.records import plain, records
from analysis.verdicts.judgement import Judgement

ANOVA_NOTE = (
    "type1, type2 and type3 are classical F tests: they assume one error variance in all cells and "
    "reject a true null in 7-9 % of studies, not 5 %, where cells differ. Every verdict rests on "
    "{tests}."
)
"""What stands beside the classical tables; measured in results/benchmarks/coverage.md."""
MOST_CELLS = 1000
"""Cells listed one by one."""
MOST_LISTED = {"interaction_contrasts": 5_000, "simple_effects": 20_000}
"""Rows of the sections that grow with the square of the levels: of 25 x 20 levels there are 57,000
interaction contrasts, 52 MB that nobody reads. Those of the smallest p are listed."""
MEANS = ("pooled", *METHODS, "hc3")
Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """One key: what makes it, and what stands there without effects."""

    make: Callable[[Effects], Any]
    nothing: Any = None


def part_of(effects: Effects | None, part: Part, why: str) -> Any:
    """The value of a key; `why` fills the place of the notes where there are no effects."""
    if effects is not None:
        return part.make(effects)
    return part.nothing(why) if callable(part.nothing) else part.nothing


def best_section(best: BestSet, cells: CellMeans) -> dict[str, Any]:
    """The cells and levels not shown to be worse than the best, best first."""
    inside = np.flatnonzero(best.best.ravel())
    sign = -1.0 if best.higher else 1.0
    inside = inside[np.argsort(sign * cells.means.ravel()[inside], kind="stable")]
    return {
        "higher_is_better": best.higher,
        "confidence": best.confidence,
        "n_cells": len(inside) if np.isfinite(best.p).any() else None,
        "cells": [
            {
                "levels": cells.cell_levels(int(cell)),
                "mean": plain(float(cells.means.ravel()[cell])),
                "p": plain(float(best.p.ravel()[cell])),
            }
            for cell in inside[:MOST_CELLS]
        ],
        "levels": records(best.levels),
    }


# --- what is listed where there is too much -----------------------------------------------------


def _listed(effects: Effects, section: str) -> pd.DataFrame:
    """A long table, or the rows of its estimates with the smallest p, in its order."""
    table: pd.DataFrame = getattr(effects, section)
    count, most = _count(table), MOST_LISTED[section]
    if count <= most:
        return table
    p = by_method(table, effects.rule.primary)["p"].to_numpy(float)
    chosen = np.sort(np.argsort(p, kind="stable")[:most])  # NaN last
    starts = np.arange(0, len(table), count)
    return table.iloc[(starts[:, None] + chosen).ravel()]


def _count(table: pd.DataFrame) -> int:
    """Estimates of a long table, each of which stands once for every method."""
    return len(table) // max(table["method"].nunique(), 1)


def _notes(effects: Effects) -> list[str]:
    """Those of the effects, and what is not listed."""
    notes = list(effects.notes)
    for section, most in MOST_LISTED.items():
        count = _count(getattr(effects, section))
        if count > most:
            notes.append(
                f"{section} lists the {most:,} of {count:,} with the smallest p "
                f"({effects.rule.primary}); adjusted p and simultaneous limits are over all"
            )
    return notes


# --- rows of the long tables as objects ---------------------------------------------------------


def _columns(table: pd.DataFrame, *names: str) -> list[Row]:
    return records(table[list(names)])


def _nested(table: pd.DataFrame, base: str, *more: str) -> list[tuple[Row, Row]]:
    """Every estimate: its key with the numbers of one method, and those of welch and blocked.

    Args:
        table: of `effects.frames`.
        base: the method whose numbers stand beside the key.
        more: further columns of each method.
    """
    numbers = (*INTERVAL, *more)
    rows = records(by_method(table, base))
    others = {one: _columns(by_method(table, one), *numbers) for one in METHODS}
    rests = by_method(table, METHODS[0])["rests_on"].tolist()
    return [
        (row, {**{one: others[one][i] for one in METHODS}, "rests_on": rests[i]})
        for i, row in enumerate(rows)
    ]


def _levels(row: Row) -> dict[str, str]:
    levels = {row["factor"]: row["level"]}
    return levels if row["other"] is None else levels | {row["other"]: row["other_level"]}


def _difference(row: Row) -> Row:
    first, second = row["level"], row["versus"]
    return {"contrast": f"{first} - {second}", "levels": [first, second]}


def _numbers(row: Row) -> Row:
    return {key: row[key] for key in INTERVAL}


def _aliases(effects: Effects, *terms: str) -> list[str] | None:
    """What a term, or any of several that an estimate adds up, cannot be told from."""
    if effects.mixed is None:
        return None
    mixed = [other for term in terms for other in effects.mixed.whole.get(term, [])]
    return [other for other in dict.fromkeys(mixed) if other not in terms]


def _means(effects: Effects, table: pd.DataFrame) -> list[Row]:
    """Marginal means, with the aliases of the effects that they add up."""
    return [
        {
            "term": row["term"],
            "levels": _levels(row),
            "mean": row["estimate"],
            **{key: row[key] for key in ("se", "df", "low", "high")},
            **({} if row["method"] not in METHODS else {"rests_on": row["rests_on"]}),
            "aliases": _aliases(effects, *_added_up(row)),
        }
        for row in records(table)
    ]


def _shown_means(effects: Effects) -> list[Row]:
    """Those that are shown: with the interval that the rule picks, or bounds."""
    table = effects.means_by_rule
    rows = zip(_means(effects, table), table["method"], table["rests_on"], strict=True)
    return [row | {"method": method, "rests_on": rests_on} for row, method, rests_on in rows]


def _added_up(row: Row) -> list[str]:
    """The terms that a mean adds up: its factors and their interaction."""
    return [row["factor"]] if row["other"] is None else [row["factor"], row["other"], row["term"]]


def _contrasts(effects: Effects) -> list[Row]:
    table = effects.differences
    shown = _columns(by_method(table, effects.rule.primary), *INTERVAL, "p_holm", "method")
    return [
        {
            "term": row["term"],
            "factor": row["factor"],
            **_difference(row),
            **_numbers(row),
            "shown": shown[place],
            "t": _ratio(row["estimate"], row["se"]),
            "p_tukey": row["p_simultaneous"],
            "p_holm": row["p_holm"],
            "low_tukey": row["low_simultaneous"],
            "high_tukey": row["high_simultaneous"],
            **_with_games_howell(others),
            "aliases": _aliases(effects, row["term"]),
        }
        for place, (row, others) in enumerate(_nested(table, "pooled", "p_simultaneous", "p_holm"))
    ]


def _with_games_howell(others: Row) -> Row:
    """The simultaneous p by its name; only Welch's has one."""
    welch, blocked = dict(others["welch"]), dict(others["blocked"])
    welch["p_games_howell"] = welch.pop("p_simultaneous")
    blocked.pop("p_simultaneous")
    return {**others, "welch": welch, "blocked": blocked}


def _ratio(estimate: float | None, se: float | None) -> float | None:
    return estimate / se if estimate is not None and se else None


def _simple_effects(effects: Effects) -> list[Row]:
    return [
        {
            "factor": row["factor"],
            "given": {row["other"]: row["other_level"]},
            **_difference(row),
            **_numbers(row),
            **others,
            "aliases": _aliases(effects, row["factor"], row["term"]),
        }
        for row, others in _nested(_listed(effects, "simple_effects"), "pooled")
    ]


def _deviations(effects: Effects, table: pd.DataFrame) -> list[Row]:
    """`effect` is the name people look for; `estimate` the one every other section uses."""
    return [
        {
            "term": row["term"],
            "levels": _levels(row),
            "effect": row["estimate"],
            **_numbers(row),
            **others,
            "aliases": _aliases(effects, row["term"]),
        }
        for row, others in _nested(table, "pooled")
    ]


def _interaction_contrasts(effects: Effects) -> list[Row]:
    more = ("p_holm", "low_simultaneous", "high_simultaneous")
    return [
        {
            "term": row["term"],
            "contrast": {
                row["factor"]: f"{row['level']} - {row['versus']}",
                row["other"]: f"{row['other_level']} - {row['other_versus']}",
            },
            "levels": {
                row["factor"]: [row["level"], row["versus"]],
                row["other"]: [row["other_level"], row["other_versus"]],
            },
            **_numbers(row),
            **{key: row[key] for key in more},
            **others,
            "aliases": _aliases(effects, row["term"]),
        }
        for row, others in _nested(_listed(effects, "interaction_contrasts"), "pooled", *more)
    ]


# --- everything else ----------------------------------------------------------------------------


def _grand_mean(effects: Effects) -> dict[str, float | None]:
    fit = effects.fit
    intercept = fit.marginal_rows(terms_up_to(fit.factors, 1)[0])[:1] * 0.0
    intercept[:, fit.intercept] = 1.0
    pooled = fit.estimate(intercept)[0][0] + fit.shift
    return {"pooled": plain(float(pooled)), "cells": plain(effects.grand_mean)}


def _missing_cells(effects: Effects) -> list[dict[str, str]]:
    cells = effects.cells
    return cells.missing_cells() if int(cells.empty.sum()) <= MOST_CELLS else []


def _rule(effects: Effects) -> Row:
    rule = effects.rule
    return {
        "primary": rule.primary,
        "tests": effects.deciding,
        "reason": rule.reason,
        "F": plain(rule.f),
        "df": plain(rule.df),
        "df_error": plain(rule.df_error),
        "p": plain(rule.p),
        "replicate_variance_upper": plain(rule.upper),
    }


def _rested_on(effects: Effects) -> str:
    if effects.deciding == "wider":
        return "the larger p of anova.welch and anova.blocked"
    return f"anova.{effects.deciding}"


def judgement_section(judged: Judgement) -> Row:
    """What is said to be so: every question with its p, adjusted over all of them."""
    return {
        "rule": judged.rule,
        "level": judged.level,
        "running": judged.running,
        "questions": records(judged.table),
    }


def two_level_effects(effects: Effects) -> dict[str, float | None]:
    """High minus low (twice the -1/+1 coefficient) of each term of two-level factors only."""
    fit = effects.fit
    doubled: dict[str, float | None] = {}
    for term in terms_up_to(fit.factors, fit.order):
        if any(len(fit.factors[name]) != 2 for name in term.factors):
            continue
        values, _ = fit.estimate(fit.effect_rows(term)[-1:])
        lost = term in fit.confounded
        doubled[term.name] = None if lost else plain(2.0 * float(values[0]))
    return doubled


def _fallback(effects: Effects) -> Row | None:
    """Means and tests of the largest lower order that is wholly estimable."""
    fit = effects.fallback
    if fit is None:
        return None
    asked = [means_of(fit, one) for one in (*effects.mains, *effects.pairs)]
    means = by_method(estimates(fit, asked, effects.confidence), "pooled")
    return {
        "order": fit.order,
        "marginal_means": _means(effects, means),
        "type3": records(anova_table(fit, "type3", effects.confidence)),
    }


def _lost(one: NotEstimable) -> Row:
    joint = {"df": one.estimable_df, "ss": plain(one.ss), "F": plain(one.f), "p": plain(one.p)}
    return {
        "term": one.term,
        "df": one.df,
        "reason": one.reason,
        "missing_cells": one.missing_cells,
        "n_missing_cells": one.missing_count,
        "aliased_with": one.aliased_with,
        "estimable_part": joint,
    }


def _lenth(effects: Effects) -> Row | None:
    analysed = effects.lenth
    if analysed is None:
        return None
    numbers = ("s0", "pse", "df", "me", "sme", "me_simulated", "sme_simulated")
    return {
        "m": analysed.m,
        **{name: plain(getattr(analysed, name)) for name in numbers},
        "refused": analysed.refused,
        "effects": records(analysed.effects),
    }


PARTS: Mapping[str, Part] = {
    "grand_mean": Part(_grand_mean, {"pooled": None, "cells": None}),
    "rank": Part(lambda effects: effects.fit.rank),
    "residual_df": Part(lambda effects: effects.fit.residual_df),
    "residual_ss": Part(lambda effects: plain(effects.fit.residual_ss)),
    "sigma": Part(lambda effects: plain(effects.fit.sigma)),
    "pure_error_df": Part(lambda effects: effects.cells.pure_df),
    "pure_error_variance": Part(lambda effects: plain(effects.cells.pure_variance)),
    "estimable": Part(lambda effects: effects.estimable, []),
    "not_estimable": Part(lambda effects: [_lost(one) for one in effects.not_estimable], []),
    "missing_cells": Part(_missing_cells, []),
    "n_missing_cells": Part(lambda effects: int(effects.cells.empty.sum()), 0),
    "anova": Part(
        lambda effects: {kind: records(effects.tests(kind)) for kind in KINDS},
        {kind: [] for kind in KINDS},
    ),
    "anova_note": Part(
        lambda effects: ANOVA_NOTE.format(tests=_rested_on(effects)), "no test can be made"
    ),
    "interval_rule": Part(_rule),
    "marginal_means": Part(
        lambda effects: {
            "shown": _shown_means(effects),
            **{one: _means(effects, by_method(effects.means, one)) for one in MEANS},
        },
        {one: [] for one in ("shown", *MEANS)},
    ),
    "contrasts": Part(_contrasts, []),
    "simple_effects": Part(_simple_effects, []),
    "main_effects": Part(lambda effects: _deviations(effects, effects.main_effects), []),
    "two_level_effects": Part(two_level_effects, {}),
    "interaction_effects": Part(
        lambda effects: _deviations(effects, effects.interaction_effects), []
    ),
    "interaction_contrasts": Part(_interaction_contrasts, []),
    "variance_shares": Part(lambda effects: records(effects.shares.table), []),
    "variance_total": Part(lambda effects: plain(effects.shares.total_variance)),
    "variance_shares_note": Part(lambda effects: effects.shares.reason, lambda why: why),
    "lenth": Part(_lenth),
    "aliases": Part(lambda effects: effects.mixed and effects.mixed.whole),
    "partial_aliases": Part(lambda effects: effects.mixed and effects.mixed.partial),
    "aliased_effects": Part(
        lambda effects: (
            None if effects.aliased_effects is None else records(effects.aliased_effects)
        )
    ),
    "fallback": Part(_fallback),
    "notes": Part(_notes, lambda why: [f"no effect can be estimated: {why}"]),
}
"""The keys of effects.json about the outcome looked at."""
