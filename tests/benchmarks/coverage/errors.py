"""Tests where nothing has an effect: how often p is below 0.05, by the package draw by draw."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.effects.term_tests.anova import anova_table
from analysis.effects.term_tests.joined_tests import joined_test
from analysis.effects.term_tests.replicate_tests import replicate_test
from analysis.effects.term_tests.welch_tests import welch_test
from analysis.model.classical import ClassicalFit
from analysis.model.grid import Grid
from analysis.model.margins import METHODS
from analysis.model.terms import terms_up_to
from analysis.stats.estimates import INTERVAL, joined_error, t_limits
from analysis.stats.multiplicity import games_howell_p, holm
from tests.benchmarks.coverage.worlds import Floats, Scenario, as_table, cells_of, draw_many, lose

OWN, SHARED = "own seeds", "shared seeds"
DECIDE = {
    "welch": "Welch F (Hotelling)",
    "blocked": "F over replicates",
}


def errors(scenario: Scenario, studies: int, seed: int) -> pd.DataFrame:
    """Share of tests below 0.05 where nothing has an effect: kind, test, error."""
    rng = np.random.default_rng(seed)
    rejected: dict[tuple[str, str], list[Floats]] = {}

    def note(kind: str, test: str, p: Floats) -> None:
        rejected.setdefault((kind, test), []).append(np.asarray(p < 0.05, dtype=float))

    for study in range(studies * scenario.more):
        cells = cells_of(lose(scenario, draw_many(scenario, 1, rng)[0], rng))
        terms = terms_up_to(cells.names, 2)
        grid = Grid(cells)
        margins = {term.name: grid.margin(term) for term in terms}
        p = {
            "welch": np.array([welch_test(margins[term.name])["p"] for term in terms]),
            "blocked": np.array([replicate_test(margins[term.name])["p"] for term in terms]),
        }
        p["joined"] = np.array([joined_test(margins[term.name])["p"] for term in terms])
        rule = grid.rule.primary
        for seeds, kind in ((OWN, "welch"), (SHARED, rule)):
            if seeds == OWN and not scenario.holds:
                continue
            note("decides", f"term, {seeds}", p[kind])
            note("decides", f"term, {seeds}, Holm (any)", holm(p[kind]).min(keepdims=True))
        for method, name in DECIDE.items():
            note("may be picked", f"{name}, each term", p[method])
        if study < studies:
            table = anova_table(ClassicalFit.of(as_table(cells), 2), "type3").iloc[:-1]
            note("reference", "type III F, each term", table["p"].to_numpy(float))
            note(
                "reference", "type III F, Holm over terms (any)", table[["p_holm"]].min().to_numpy()
            )
        for term in terms_up_to(cells.names, 1):
            margin = margins[term.name]
            _, weights = margin.pair_weights()
            numbers = {m: margin.combine(weights, m) for m in METHODS}
            rows = {
                m: dict(zip(INTERVAL, (*n, *t_limits(*n)), strict=True)) for m, n in numbers.items()
            }
            pairs = {name: one["p"] for name, one in rows.items()}
            (own, own_se, own_df), (over, over_se, over_df) = (numbers[m] for m in METHODS)
            se, df, larger = joined_error((own_se, own_df), (over_se, over_df))
            pairs["joined"] = t_limits(np.where(larger, over, own), se, df)[2]
            if scenario.holds:
                note("decides", f"pair of levels, {OWN}", pairs["welch"])
            note("decides", f"pair of levels, {SHARED}", pairs[rule])
            for method in rows:
                note("may be picked", f"{method} t, each pair", rows[method]["p"])
            size, by_welch = margin.shape[0], rows["welch"]
            if size > 2:
                t = zip(by_welch["estimate"] / by_welch["se"], by_welch["df"], strict=True)
                games_howell = np.array([games_howell_p(one, size, df) for one, df in t])
                note(
                    "may be picked",
                    "Games-Howell (few df: Šidák), any pair",
                    games_howell.min(keepdims=True),
                )
    rows_out = []
    for (kind, test), values in rejected.items():
        if test in (f"term, {OWN}", f"term, {SHARED}", "type III F, each term"):
            each = np.mean(values, axis=0)
            rows_out.append((scenario.name, kind, f"{test}, worst term", float(each.max())))
        share = float(np.mean(np.concatenate(values)))
        rows_out.append((scenario.name, kind, test, share))
    return pd.DataFrame(rows_out, columns=["scenario", "kind", "test", "error"])
