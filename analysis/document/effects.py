"""Effects as one JSON document, the contract with everything outside Python.

The published schema is `effects.schema.json`. A number that cannot be estimated is null, never 0
and never absent. Other outcomes (convergence, time to target, claims) are null where the table has
no column for them. Longer than 300 lines because it is the document, key by key, in one place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.effects.aliases.estimability import NotEstimable
from analysis.effects.aliases.lenth import Lenth
from analysis.effects.best_set import BestSet
from analysis.effects.estimate import Effects
from analysis.effects.frames import factor_column, pooled_means
from analysis.effects.term_tests.anova import anova_table
from analysis.model.cell_means import CellMeans
from analysis.model.margins import INTERVAL
from analysis.model.terms import terms_up_to
from analysis.table.records import plain, records

if TYPE_CHECKING:
    from analysis.study import Study

SCHEMA_VERSION = 1
SCHEMA_ID = f"urn:ablation-grid-runner:effects:{SCHEMA_VERSION}"
ANOVA_NOTE = (
    "type1, type2 and type3 are classical F tests: they assume one error variance in all cells and "
    "reject a true null in 7-9 % of studies, not 5 %, where cells differ. Every verdict rests on "
    "anova.{tests}."
)
"""What stands beside the classical tables; measured in results/benchmarks/coverage.md."""
SCHEMA_PATH = Path(__file__).with_name("effects.schema.json")


def to_document(effects: Effects, others: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The whole document as plain values.

    Args:
        effects: of one outcome.
        others: JSON-ready results of other outcomes: convergence, time_to_target, claims,
            given_converged, missing.
    """
    fit, cells, rule = effects.fit, effects.cells, effects.rule
    shares = effects.shares
    missing = cells.missing_cells() if int(cells.empty.sum()) <= 1000 else []
    document: dict[str, Any] = {
        "$schema": SCHEMA_ID,
        "schema_version": SCHEMA_VERSION,
        "n_runs": cells.n,
        "n_planned": len(effects.table.frame),
        "n_cells": int(cells.counts.size),
        "response": effects.table.response,
        "block": effects.table.replicate,
        "factors": {name: list(levels) for name, levels in effects.table.factors.items()},
        "order": "full" if effects.order is None else effects.order,
        "confidence": effects.confidence,
        "grand_mean": _grand_mean(effects),
        "rank": fit.rank,
        "residual_df": fit.residual_df,
        "residual_ss": plain(fit.residual_ss),
        "sigma": plain(fit.error_variance**0.5),
        "pure_error_df": cells.pure_df,
        "pure_error_variance": plain(cells.pure_variance),
        "estimable": effects.estimable,
        "not_estimable": [_lost(one) for one in effects.not_estimable],
        "missing_cells": missing,
        "n_missing_cells": int(cells.empty.sum()),
        "anova": {kind: records(frame) for kind, frame in effects.anova.items()},
        "anova_note": ANOVA_NOTE.format(tests=effects.deciding),
        "interval_rule": {
            "primary": rule.primary,
            "means": rule.means,
            "tests": effects.deciding,
            "reason": rule.reason,
            "F": plain(rule.f),
            "df": plain(rule.df),
            "df_error": plain(rule.df_error),
            "p": plain(rule.p),
            "replicate_variance_upper": plain(rule.upper),
        },
        "marginal_means": {
            method: _with_aliases(frame, effects)
            for method, frame in effects.marginal_means.items()
        },
        "contrasts": [
            {**_contrast(row), "aliases": _aliases(effects, row["term"])}
            for row in records(effects.contrasts)
        ],
        "simple_effects": [
            {**_simple(row), "aliases": _aliases(effects, *_added_up(effects, row))}
            for row in records(effects.simple_effects)
        ],
        "main_effects": [_effect(row, effects) for row in _nested(effects.main_effects, effects)],
        "two_level_effects": two_level_effects(effects),
        "interaction_effects": [
            _effect(row, effects) for row in _nested(effects.interaction_effects, effects)
        ],
        "interaction_contrasts": [
            {**_interaction(row), "aliases": _aliases(effects, row["term"])}
            for row in records(effects.interaction_contrasts)
        ],
        "variance_shares": records(shares.table),
        "variance_total": plain(shares.total_variance),
        "variance_shares_note": shares.reason,
        "lenth": None if effects.lenth is None else _lenth(effects.lenth),
        "aliases": effects.aliases,
        "partial_aliases": effects.partial_aliases,
        "aliased_effects": None
        if effects.aliased_effects is None
        else records(effects.aliased_effects),
        "best": None,
        "interaction_kinds": None,
        "fallback": _fallback(effects),
        "convergence": None,
        "time_to_target": None,
        "given_converged": None,
        "missing": None,
        "claims": None,
        "notes": list(effects.notes),
    }
    document.update(plain(dict(others or {})))
    return document


def without_effects(
    study: Study,
    order: int | None,
    confidence: float,
    reason: str,
    others: Mapping[str, Any],
) -> dict[str, Any]:
    """The document where no effect on the response can be estimated but other outcomes are there.

    Args:
        study: whose table has no number to compare.
        order: as requested.
        confidence: as requested.
        reason: why, in a sentence; the note.
        others: results of other outcomes.
    """
    factors = {name: list(levels) for name, levels in study.factors.items()}
    value = pd.to_numeric(study.frame[study.response], errors="coerce")
    nothing: dict[str, Any] = dict.fromkeys(
        ("rank", "residual_df", "residual_ss", "sigma", "pure_error_df", "pure_error_variance",
         "interval_rule", "variance_total", "lenth", "aliases", "partial_aliases",
         "aliased_effects", "best", "interaction_kinds", "fallback", "convergence",
         "time_to_target", "given_converged", "missing", "claims")
    )  # fmt: skip
    empty: dict[str, Any] = {
        name: []
        for name in (
            "estimable", "not_estimable", "missing_cells", "contrasts", "simple_effects",
            "main_effects", "interaction_effects", "interaction_contrasts", "variance_shares",
        )
    }  # fmt: skip
    kinds = ("type1", "type2", "type3", "type3_hc3", "welch", "blocked")
    document: dict[str, Any] = {
        "$schema": SCHEMA_ID,
        "schema_version": SCHEMA_VERSION,
        "study": study.name,
        "n_runs": int(value.notna().sum()),
        "n_planned": len(study.frame),
        "n_cells": int(np.prod([len(levels) for levels in factors.values()])),
        "response": study.response,
        "block": study.replicate,
        "factors": factors,
        "order": "full" if order is None else order,
        "confidence": confidence,
        "grand_mean": {"pooled": None, "cells": None},
        **nothing,
        **empty,
        "n_missing_cells": 0,
        "anova": {kind: [] for kind in kinds},
        "anova_note": "no test can be made",
        "marginal_means": {method: [] for method in ("pooled", "welch", "blocked", "hc3")},
        "two_level_effects": {},
        "variance_shares_note": reason,
        "notes": [f"no effect can be estimated: {reason}"],
    }
    document.update(plain(dict(others)))
    return document


def best_section(found: BestSet, cells: CellMeans) -> dict[str, Any]:
    """The cells and levels not shown to be worse than the best; at most 1000 cells, best first."""
    inside = np.flatnonzero(found.best.ravel())
    sign = -1.0 if found.higher else 1.0
    inside = inside[np.argsort(sign * cells.means.ravel()[inside], kind="stable")]
    return {
        "higher_is_better": found.higher,
        "confidence": found.confidence,
        "n_cells": len(inside) if np.isfinite(found.p).any() else None,
        "cells": [
            {
                "levels": cells.cell_levels(int(cell)),
                "mean": plain(float(cells.means.ravel()[cell])),
                "p": plain(float(found.p.ravel()[cell])),
            }
            for cell in inside[:1000]
        ],
        "levels": records(found.levels),
    }


def write_document(document: Mapping[str, Any], path: Path) -> None:
    """Write JSON beside its final name, then rename: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".partial")
    text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(path)


def two_level_effects(effects: Effects) -> dict[str, float | None]:
    """High minus low (twice the -1/+1 coefficient) of each term of two-level factors only."""
    fit = effects.fit
    found: dict[str, float | None] = {}
    for term in terms_up_to(fit.factors, fit.order):
        if any(len(fit.factors[name]) != 2 for name in term.factors):
            continue
        values, _ = fit.estimate(fit.effect_rows(term)[-1:])
        lost = term in fit.confounded
        found[term.name] = None if lost else plain(2.0 * float(values[0]))
    return found


def _fallback(effects: Effects) -> dict[str, Any] | None:
    """Means and tests of the largest lower order that is wholly estimable."""
    fit = effects.fallback
    if fit is None:
        return None
    frame = pooled_means(fit, effects.confidence)
    return {
        "order": fit.order,
        "marginal_means": _with_aliases(frame, effects),
        "type3": records(anova_table(fit, "type3", effects.confidence)),
    }


def _grand_mean(effects: Effects) -> dict[str, float | None]:
    fit = effects.fit
    selector = fit.marginal_rows(terms_up_to(fit.factors, 1)[0]) * 0.0
    selector[:, fit.slices["\0(Intercept)"]] = 1.0
    pooled = fit.estimate(selector[:1])[0][0] + fit.shift
    return {"pooled": plain(float(pooled)), "cells": plain(effects.grand_mean)}


def _aliases(effects: Effects, *terms: str) -> list[str] | None:
    """What a term, or any of several that an estimate adds up, cannot be told from."""
    if effects.aliases is None:
        return None
    found = [other for term in terms for other in effects.aliases.get(term, [])]
    return [other for other in dict.fromkeys(found) if other not in terms]


def _added_up(effects: Effects, row: Mapping[str, Any]) -> tuple[str, str]:
    """The terms that a simple effect adds up: its factor and the interaction with the given."""
    both = [name for name in effects.table.factors if name in (row["factor"], row["given"])]
    return str(row["factor"]), ":".join(both)


def _with_aliases(frame: pd.DataFrame, effects: Effects) -> list[dict[str, Any]]:
    """Rows of marginal means with the aliases of the effects that they add up."""
    rows = _with_levels(frame, effects.table.factors)
    for row in rows:
        names = str(row["term"]).split(":")
        parts = [*names, *([row["term"]] if len(names) > 1 else [])]
        row["aliases"] = _aliases(effects, *parts)
    return rows


def _lost(one: NotEstimable) -> dict[str, Any]:
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


def _with_levels(frame: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Rows with the factor columns folded into `levels` {factor: level}."""
    columns = {factor_column(name): name for name in factors}
    rest = frame.drop(columns=list(columns))
    levels = frame[list(columns)].rename(columns=columns).to_dict("records")
    return [
        {
            "term": row.pop("term"),
            "levels": {str(k): str(v) for k, v in level.items() if isinstance(v, str)},
            **row,
        }
        for row, level in zip(records(rest), levels, strict=True)
    ]


def _nested(frame: pd.DataFrame, effects: Effects) -> list[dict[str, Any]]:
    return _with_levels(frame, effects.table.factors)


def _methods(row: Mapping[str, Any]) -> dict[str, Any]:
    """Columns `welch_x` and `blocked_x` as nested objects, and what both rest on."""
    found: dict[str, Any] = {
        method: {
            key.removeprefix(f"{method}_"): value
            for key, value in row.items()
            if key.startswith(f"{method}_")
        }
        for method in ("welch", "blocked")
    }
    return {**found, "rests_on": row["rests_on"]}


def _contrast(row: Mapping[str, Any]) -> dict[str, Any]:
    pooled = (*INTERVAL, "t", "p_tukey", "p_holm", "low_tukey", "high_tukey")
    return {
        "term": row["term"],
        "factor": row["term"],
        "contrast": f"{row['first']} - {row['second']}",
        "levels": [row["first"], row["second"]],
        **{key: row[key] for key in pooled},
        **_methods(row),
    }


def _simple(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "factor": row["factor"],
        "given": {row["given"]: row["given_level"]},
        "contrast": f"{row['first']} - {row['second']}",
        "levels": [row["first"], row["second"]],
        **{key: row[key] for key in INTERVAL},
        **_methods(row),
    }


def _effect(row: Mapping[str, Any], effects: Effects) -> dict[str, Any]:
    # `effect` is the name people look for; `estimate` the one every other section uses.
    return {
        "term": row["term"],
        "levels": row["levels"],
        "effect": row["estimate"],
        **{key: row[key] for key in INTERVAL},
        **_methods(row),
        "aliases": _aliases(effects, row["term"]),
    }


def _interaction(row: Mapping[str, Any]) -> dict[str, Any]:
    first, second = str(row["term"]).split(":")
    return {
        "term": row["term"],
        "contrast": {
            first: f"{row['first']} - {row['second']}",
            second: f"{row['given_first']} - {row['given_second']}",
        },
        "levels": {
            first: [row["first"], row["second"]],
            second: [row["given_first"], row["given_second"]],
        },
        **{key: row[key] for key in INTERVAL},
        "p_holm": row["p_holm"],
        "low_simultaneous": row["low_simultaneous"],
        "high_simultaneous": row["high_simultaneous"],
        **_methods(row),
    }


def _lenth(found: Lenth) -> dict[str, Any]:
    return {
        "m": found.m,
        "s0": plain(found.s0),
        "pse": plain(found.pse),
        "df": plain(found.df),
        "me": plain(found.me),
        "sme": plain(found.sme),
        "me_simulated": plain(found.me_simulated),
        "sme_simulated": plain(found.sme_simulated),
        "refused": found.refused,
        "effects": records(found.effects),
    }
