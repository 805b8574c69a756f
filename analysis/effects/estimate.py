"""All effects of a table in one pass: tests, marginal means, contrasts, shares, Lenth.

Ties the classical fit of the requested order to the cell-means model; every frame is tidy and
keeps what is not estimable as NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.effects.aliases.aliased_effects import aliased_effects
from analysis.effects.aliases.estimability import (
    Aliases,
    NotEstimable,
    find_aliases,
    find_not_estimable,
    largest_whole_fit,
)
from analysis.effects.aliases.lenth import Lenth, lenth
from analysis.effects.frames import (
    contrasts,
    deviations,
    in_model,
    interaction_contrasts,
    marginal_means,
    simple_effects,
)
from analysis.effects.model_shares import model_shares
from analysis.effects.term_tests.anova import anova_table, heteroscedastic_table
from analysis.effects.term_tests.replicate_tests import replicate_table
from analysis.effects.term_tests.welch_tests import welch_table
from analysis.effects.variance_shares import VarianceShares, variance_shares
from analysis.model.cell_means import CellMeans
from analysis.model.classical import ClassicalFit
from analysis.model.completion import completion
from analysis.model.interval_rule import IntervalRule, choose_interval
from analysis.model.margins import Margin
from analysis.model.terms import Term, terms_up_to
from analysis.stats.multiplicity import holm
from analysis.table.tidy import Table


@dataclass(frozen=True, eq=False)
class Effects:
    """What a table says about its factors.

    Attributes:
        table, cells, fit: data, cell-means model, classical fit.
        confidence: of every interval.
        order: as requested; None is the full model.
        anova: type1, type2, type3 (see `term_tests.anova`), type3_hc3, welch, blocked. The
            classical ones assume one variance in all cells; `decisive` is the one to conclude from.
        marginal_means: pooled, welch, blocked, hc3 (pooled means, HC3 errors): term, one column
            per factor (None where averaged), mean, se, df, low, high.
        contrasts: pairwise differences within a factor, pooled columns plus welch_ and blocked_.
        main_effects, interaction_effects: deviations from lower-order means, likewise.
        interaction_contrasts: differences of differences of two factors.
        simple_effects: pairwise differences of one factor within each level of another.
        rule: which interval is primary.
        shares: variance decomposition.
        lenth: where no cell ran twice, else None.
        not_estimable: terms of the model that are not wholly estimable.
        fallback: the fit of the largest lower order that is, where there are such terms.
        aliases: term to all terms it cannot be told from in the cells that ran; None where the
            design is too large to say.
        partial_aliases: mains and pairs to those they are mixed with in part, with the correlation.
        aliased_effects: in a fraction, each estimable sum of aliased effects (see
            `analysis.effects.aliases.aliased_effects`); None in a complete grid.
        notes: what a reader must know.
    """

    table: Table
    cells: CellMeans
    fit: ClassicalFit
    confidence: float
    order: int | None
    anova: dict[str, pd.DataFrame]
    marginal_means: dict[str, pd.DataFrame]
    contrasts: pd.DataFrame
    main_effects: pd.DataFrame
    interaction_effects: pd.DataFrame
    interaction_contrasts: pd.DataFrame
    simple_effects: pd.DataFrame
    rule: IntervalRule
    shares: VarianceShares
    lenth: Lenth | None
    not_estimable: list[NotEstimable]
    fallback: ClassicalFit | None
    aliases: dict[str, list[str]] | None
    partial_aliases: dict[str, dict[str, float]] | None
    aliased_effects: pd.DataFrame | None
    notes: tuple[str, ...]

    @property
    def deciding(self) -> str:
        """The key of `anova` whose tests hold under the rule: welch, blocked or type3."""
        return {"pooled": "type3"}.get(self.rule.primary, self.rule.primary)

    @property
    def decisive(self) -> pd.DataFrame:
        """The tests that every verdict rests on: term, df, F, df_error, p, p_holm.

        Never the classical F where cells could show their own variances: that one rejects a true
        null in up to 9 % of studies (`results/benchmarks/coverage.md`).
        """
        table = self.anova[self.deciding]
        if self.deciding == "type3":
            table = table[table["term"].isin([term.name for term in self.fit.terms])]
            table = table.assign(df_error=float(self.fit.residual_df))
        columns = ["term", "df", "F", "df_error", "p", "p_holm"]
        return table[columns].reset_index(drop=True)

    @property
    def primary_means(self) -> pd.DataFrame:
        """Marginal means with the interval the rule picks for means.

        Where all replicates agree to the last digit (cells that never varied) t over replicates has
        no interval; such a row keeps Welch's, which has the floor of p(1-p)/n of the test set.
        """
        means = self.marginal_means[self.rule.means].assign(method=self.rule.means)
        if self.rule.means == "blocked":
            lost = means["low"].isna().to_numpy()
            welch = self.marginal_means["welch"].assign(method="welch")
            means[lost] = welch[lost]
        return means

    @property
    def grand_mean(self) -> float:
        """The equal-weight mean over the grid, as the marginal means shown average to it."""
        first = next(iter(self.table.factors))
        means = self.primary_means
        return float(means.loc[means["term"] == first, "mean"].astype(float).mean(skipna=False))

    @property
    def estimable(self) -> list[str]:
        """Terms of the model that are wholly estimable."""
        lost = {one.term for one in self.not_estimable}
        return [term.name for term in self.fit.terms if term.name not in lost]


def estimate_effects(
    table: Table, order: int | None = 2, confidence: float = 0.95, draws: int = 1000
) -> Effects:
    """Estimate everything.

    Args:
        table: the tidy table; its replicate, if any, enters the classical fit as a block.
        order: highest order of the classical fit, None for the full model.
        confidence: of all intervals.
        draws: bootstrap draws of the variance shares.
    """
    cells = CellMeans.of(table)
    fit = ClassicalFit.of(table, order)
    names = list(table.factors)
    mains = terms_up_to(names, 1)
    pairs = [t for t in terms_up_to(names, min(2, len(names))) if len(t.factors) == 2]
    margins = {term.name: Margin.of(cells, term, fit.order) for term in [*mains, *pairs]}
    anova = {kind: anova_table(fit, kind, confidence) for kind in ("type1", "type2", "type3")}
    anova["type3_hc3"] = heteroscedastic_table(fit)
    small = [t for t in fit.terms if _size(table, t) <= 400]
    for kind, tested in (
        ("welch", welch_table(cells, small, fit.order)),
        ("blocked", replicate_table(cells, small, fit.order)),
    ):
        anova[kind] = tested.assign(p_holm=holm(tested["p"].to_numpy(dtype=float)))
    lost = find_not_estimable(fit, cells, table.unseen)
    fallback = largest_whole_fit(table, fit) if len(lost) > len(table.unseen) else None
    aliases = find_aliases(cells)
    return Effects(
        table=table,
        cells=cells,
        fit=fit,
        confidence=confidence,
        order=order,
        anova=anova,
        marginal_means=marginal_means(fit, margins, [*mains, *pairs], confidence),
        contrasts=contrasts(fit, margins, mains, confidence),
        main_effects=deviations(fit, margins, mains, confidence),
        interaction_effects=deviations(
            fit, margins, [t for t in pairs if in_model(fit, t)], confidence
        ),
        interaction_contrasts=interaction_contrasts(fit, margins, pairs, confidence),
        simple_effects=simple_effects(fit, margins, pairs, confidence),
        rule=choose_interval(cells),
        shares=_shares(cells, fit, fallback, confidence, draws),
        lenth=_lenth(cells, confidence, table.replicate, aliases),
        not_estimable=lost,
        fallback=fallback,
        aliases=None if aliases is None else aliases.whole,
        partial_aliases=None if aliases is None else aliases.partial,
        aliased_effects=aliased_effects(cells, confidence) if aliases and aliases.whole else None,
        notes=_notes(table, cells, fit),
    )


def _lenth(
    cells: CellMeans, confidence: float, block: str | None, aliases: Aliases | None
) -> Lenth | None:
    """Lenth's analysis; a contrast without an alias of its own carries those of its term."""
    found = lenth(cells, confidence, block)
    if found is None or aliases is None or not aliases.whole:
        return found
    rows = zip(found.effects["term"], found.effects["aliases"], strict=True)
    carried = [own or aliases.whole.get(str(term), []) for term, own in rows]
    return replace(found, effects=found.effects.assign(aliases=pd.Series(carried, dtype=object)))


def _whole(model: ClassicalFit) -> bool:
    """Whether every empty cell can be predicted."""
    return bool(model.null.shape[1] == 0)


def _size(table: Table, term: Term) -> int:
    return int(np.prod([len(table.factors[name]) for name in term.factors]))


def _shares(
    cells: CellMeans,
    fit: ClassicalFit,
    fallback: ClassicalFit | None,
    confidence: float,
    draws: int,
) -> VarianceShares:
    """Of the cell means where every cell ran, else of the largest model that can be estimated."""
    if cells.empty.any():
        for model in (fit, fallback):
            found = None if model is None else model_shares(model, confidence, draws)
            if found is not None:
                return found
    return variance_shares(cells, confidence, draws)


def _notes(table: Table, cells: CellMeans, fit: ClassicalFit) -> tuple[str, ...]:
    notes = list(table.notes)
    empty = int(cells.empty.sum())
    if empty:
        noun = "cell has" if empty == 1 else "cells have"
        notes.append(f"{empty} of {cells.counts.size} {noun} no run with {table.response}")
        whole = [order for order, model in completion(cells, fit.order).models if _whole(model)]
        if cells.pure_df and whole:
            assumed = "factors" if whole[0] == 1 else f"more than {whole[0]} factors"
            notes.append(
                "effects that need an empty cell rest on its least-squares prediction, assuming "
                f"that {assumed} do not interact; all others on the cells that ran"
            )
    if fit.residual_df == 0:
        notes.append("the model takes every degree of freedom: there is no error term to test by")
    elif fit.residual_ss == 0.0:
        notes.append("the model fits without any residual: there is no noise to test against")
    constant = int(((cells.variances == 0) & (cells.counts > 1)).sum())
    if constant and constant + int(cells.floored.sum()) < cells.counts.size:
        noun = "cell" if constant == 1 else "cells"
        notes.append(f"{constant} {noun} gave the same {table.response} in each run")
    if cells.floored.any():
        floored = int(cells.floored.sum())
        noun, its = ("cell", "its") if floored == 1 else ("cells", "their")
        notes.append(
            f"{floored} {noun} never varied; {its} variance was set to the "
            "binomial p(1-p)/n of the test set"
        )
    return tuple(notes)
