"""All effects of a table: tests, marginal means, differences, shares, Lenth, aliases.

Ties the classical fit of the requested order to the cell-means model. Each part is worked out when
it is first asked for, and once; tables are long (`frames`) and keep what is not estimable as NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from analysis.effects import frames
from analysis.effects.aliases.aliased_effects import aliased_effects
from analysis.effects.aliases.aliasing import Aliases, find_aliases
from analysis.effects.aliases.estimability import (
    NotEstimable,
    find_not_estimable,
    largest_whole_fit,
)
from analysis.effects.aliases.lenth import Lenth, lenth
from analysis.effects.jumps import Jumps, bounded, find_jumps
from analysis.effects.shares.grid_shares import grid_shares
from analysis.effects.shares.model_shares import model_shares
from analysis.effects.shares.variance_shares import DRAWS, VarianceShares
from analysis.effects.term_tests.anova import anova_table, heteroscedastic_table
from analysis.effects.term_tests.deciding import deciding_tests, why_untested
from analysis.effects.term_tests.joined_tests import joined_test
from analysis.effects.term_tests.replicate_tests import replicate_test
from analysis.effects.term_tests.welch_tests import welch_test
from analysis.model.cell_means import CellMeans
from analysis.model.classical import ClassicalFit
from analysis.model.completion import Completion, assumption
from analysis.model.grid import Grid
from analysis.model.interval_rule import IntervalRule
from analysis.model.margins import Margin
from analysis.model.terms import Term, pairs_of, size_of, terms_up_to
from analysis.number_words import p_phrase
from analysis.stats.multiplicity import holm
from analysis.table.tidy import OUTCOME, Table, named
from runner.program.wording import counted

DOUBT = 0.05
"""Up to this p the cells that ran contradict a model."""
LARGEST_TERM = 400
"""Combinations of levels above which a term is not tested by its cells' own variances."""
KINDS = ("type1", "type2", "type3", "type3_hc3", "welch", "blocked", "joined")
"""Tables of tests, by the name that people ask for."""


@dataclass(frozen=True, eq=False)
class Effects:
    """What a table says about its factors.

    Attributes:
        table: the data.
        grid: its cells, and how numbers of them get an interval.
        order: as requested; None is the full model.
        confidence: of every interval.
        draws: bootstrap draws of the variance shares.
    """

    table: Table
    grid: Grid
    order: int | None = 2
    confidence: float = 0.95
    draws: int = DRAWS

    @staticmethod
    def of(
        table: Table, order: int | None = 2, confidence: float = 0.95, draws: int = DRAWS
    ) -> Effects:
        """Effects of a table by itself.

        Args:
            table: the tidy table; its replicate, if any, enters the classical fit as a block.
            order: highest order of the classical fit, None for the full model.
            confidence: of all intervals.
            draws: bootstrap draws of the variance shares.
        """
        highest = len(table.factors) if order is None else min(order, len(table.factors))
        return Effects(table, Grid.of(table, highest), order, confidence, draws)

    # --- what they rest on ----------------------------------------------------------------------

    @property
    def cells(self) -> CellMeans:
        """The cell-means model."""
        return self.grid.cells

    @property
    def rule(self) -> IntervalRule:
        """Which interval is primary."""
        return self.grid.rule

    @cached_property
    def fit(self) -> ClassicalFit:
        """The classical fit."""
        return ClassicalFit.of(self.table, self.order)

    @cached_property
    def mains(self) -> list[Margin]:
        """Margins of the factors."""
        return [self.grid.margin(term) for term in terms_up_to(self.table.factors, 1)]

    @cached_property
    def pairs(self) -> list[Margin]:
        """Margins of every two factors."""
        return [self.grid.margin(term) for term in pairs_of(self.table.factors)]

    @property
    def fitted_pairs(self) -> list[Margin]:
        """Those that the classical fit has a term of."""
        return self.pairs if self.fit.order >= 2 else []

    # --- estimates --------------------------------------------------------------------------------

    @cached_property
    def means(self) -> pd.DataFrame:
        """Marginal means of every level and pair of levels, by pooled, welch, blocked and hc3."""
        asked = [frames.means_of(self.fit, one) for one in (*self.mains, *self.pairs)]
        return frames.estimates(self.fit, asked, self.confidence, robust=True)

    @cached_property
    def means_by_rule(self) -> pd.DataFrame:
        """Marginal means with the interval the rule picks.

        Where all replicates agree to the last digit (cells that never varied) t over replicates has
        no interval; such a row keeps Welch's, which has the floor of p(1-p)/n of the test set.
        Where the outcome jumps (`effects.jumps`) bounds stand in place of limits.
        """
        means = frames.by_method(self.means, self.rule.primary)
        if self.rule.primary == "blocked":
            welch = frames.by_method(self.means, "welch")
            means = frames.row_by_row(means, welch, means["low"].isna().to_numpy())
        if self.jumps is None:
            return means
        return bounded(means, self.jumps, self.table.factors, self.confidence)

    @cached_property
    def jumps(self) -> Jumps | None:
        """The two modes of an outcome that some runs of a combination fall out of."""
        return find_jumps(self.table)

    @property
    def grand_mean(self) -> float:
        """The equal-weight mean over the grid, as the marginal means shown average to it."""
        own = frames.of_term(self.means_by_rule, self.mains[0].term)
        return float(own["estimate"].mean(skipna=False))

    @cached_property
    def main_effects(self) -> pd.DataFrame:
        """Deviations of marginal means from the grand mean."""
        asked = [frames.effects_of(self.fit, one) for one in self.mains]
        return frames.estimates(self.fit, asked, self.confidence)

    @cached_property
    def interaction_effects(self) -> pd.DataFrame:
        """What two levels do together beyond their main effects."""
        asked = [frames.effects_of(self.fit, one) for one in self.fitted_pairs]
        return frames.estimates(self.fit, asked, self.confidence)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Pairwise differences of levels; p_holm within each factor, and for all its pairs."""
        asked = [frames.differences_of(self.fit, one) for one in self.mains]
        table = frames.by_holm(frames.estimates(self.fit, asked, self.confidence))
        df = float(self.fit.residual_df)
        return frames.for_all_pairs(table, self.table.factors, df, self.confidence)

    @cached_property
    def simple_effects(self) -> pd.DataFrame:
        """Pairwise differences of one factor within each level of another."""
        asked = [some for one in self.pairs for some in frames.simple_effects_of(self.fit, one)]
        return frames.estimates(self.fit, asked, self.confidence)

    @cached_property
    def interaction_contrasts(self) -> pd.DataFrame:
        """Differences of differences of two factors; their simultaneous limits hold for all."""
        asked = [frames.contrasts_of(self.fit, one) for one in self.fitted_pairs]
        table = frames.by_holm(frames.estimates(self.fit, asked, self.confidence))
        return frames.for_all_rows(table, self.confidence)

    # --- tests ------------------------------------------------------------------------------------

    @cached_property
    def type1(self) -> pd.DataFrame:
        """Sequential tests of the classical fit (`term_tests.anova`)."""
        return anova_table(self.fit, "type1", self.confidence)

    @cached_property
    def type2(self) -> pd.DataFrame:
        """Tests that respect marginality."""
        return anova_table(self.fit, "type2", self.confidence)

    @cached_property
    def type3(self) -> pd.DataFrame:
        """Tests of the equal-weight hypotheses."""
        return anova_table(self.fit, "type3", self.confidence)

    @cached_property
    def type3_hc3(self) -> pd.DataFrame:
        """The same with HC3 covariance."""
        return heteroscedastic_table(self.fit)

    @cached_property
    def welch(self) -> pd.DataFrame:
        """Tests in which every cell has its own variance."""
        return _tests([(one.term, welch_test(one)) for one in self._tested])

    @cached_property
    def blocked(self) -> pd.DataFrame:
        """Tests over replicates."""
        return _tests([(one.term, replicate_test(one)) for one in self._tested])

    @cached_property
    def joined(self) -> pd.DataFrame:
        """Tests in which the runs' own noise and what replicates share both count."""
        return _tests([(one.term, joined_test(one)) for one in self._tested])

    @cached_property
    def _tested(self) -> list[Margin]:
        """Margins of the fit's terms that are not too large for a test by their cells."""
        known = {one.term: one for one in (*self.mains, *self.pairs)}
        terms = [
            term for term in self.fit.terms if size_of(term, self.table.factors) <= LARGEST_TERM
        ]
        return [known.get(term) or self.grid.margin(term) for term in terms]

    def tests(self, kind: str) -> pd.DataFrame:
        """One table of tests, by its name in `KINDS`.

        The classical ones assume one variance in all cells; `decisive` is the one to conclude from.
        """
        table: pd.DataFrame = getattr(self, kind)
        return table

    @property
    def deciding(self) -> str:
        """The kind of tests that hold under the rule: joined, wider, welch, blocked, type3."""
        return {"pooled": "type3"}.get(self.rule.primary, self.rule.primary)

    @cached_property
    def decisive(self) -> pd.DataFrame:
        """The tests that every verdict rests on: term, df, F, df_error, p, p_holm, test, problem.

        Never the classical F where cells could show their own variances: that one rejects a true
        null in up to 9 % of studies (`results/benchmarks/coverage.md`). All terms have a row, see
        `term_tests.deciding`.
        """
        terms = {term.name: term for term in self.fit.terms}
        known = {one.term.name: one for one in (*self.mains, *self.pairs)}
        sizes = {name: size_of(term, self.table.factors) for name, term in terms.items()}

        def tables(kind: str) -> pd.DataFrame:
            table = self.tests(kind)
            if kind != "type3":
                return table
            return table.assign(df_error=float(self.fit.residual_df))

        def why(name: str) -> str:
            margin = known.get(name) or self.grid.margin(terms[name])
            return why_untested(margin, self.deciding, self.fit, LARGEST_TERM, sizes)

        return deciding_tests(self.deciding, list(terms), tables, why)

    # --- shares, aliases --------------------------------------------------------------------------

    @cached_property
    def shares(self) -> VarianceShares:
        """Of the cell means where every cell ran, else of the largest model that is estimable."""
        if self.cells.empty.any():
            for model in (self.fit, self.fallback):
                shares = None if model is None else model_shares(model, self.confidence, self.draws)
                if shares is not None:
                    return shares
        return grid_shares(self.cells, self.confidence, self.draws)

    @cached_property
    def lenth(self) -> Lenth | None:
        """Where no cell ran twice; a contrast without an alias of its own carries its term's."""
        analysed = lenth(self.cells, self.confidence, self.table.replicate)
        mixed = self.mixed
        if analysed is None or mixed is None or not mixed.whole:
            return analysed
        rows = zip(analysed.effects["term"], analysed.effects["aliases"], strict=True)
        carried = [own or mixed.whole.get(str(term), []) for term, own in rows]
        aliases = pd.Series(carried, dtype=object)
        return replace(analysed, effects=analysed.effects.assign(aliases=aliases))

    @cached_property
    def not_estimable(self) -> list[NotEstimable]:
        """Terms of the model that are not wholly estimable."""
        return find_not_estimable(self.fit, self.cells, self.table.unseen)

    @property
    def estimable(self) -> list[str]:
        """Terms of the model that are wholly estimable."""
        lost = {one.term for one in self.not_estimable}
        return [term.name for term in self.fit.terms if term.name not in lost]

    @cached_property
    def fallback(self) -> ClassicalFit | None:
        """The fit of the largest lower order that is, where there are such terms."""
        if len(self.not_estimable) <= len(self.table.unseen):
            return None
        return largest_whole_fit(self.table, self.fit)

    @cached_property
    def mixed(self) -> Aliases | None:
        """Which terms the cells that ran mix up; None where the design is too large to say."""
        return find_aliases(self.cells)

    @cached_property
    def aliased_effects(self) -> pd.DataFrame | None:
        """In a fraction, each estimable sum of aliased effects; None in a complete grid."""
        if not (self.mixed and self.mixed.whole):
            return None
        return aliased_effects(self.grid, self.confidence)

    @cached_property
    def note_templates(self) -> tuple[str, ...]:
        """What a reader must know, with `OUTCOME` in place of the outcome's name."""
        return _notes(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """The same, the outcome by its column."""
        return named(self.note_templates, self.table.response)


def _tests(rows: list[tuple[Term, dict[str, float]]]) -> pd.DataFrame:
    table = pd.DataFrame(
        [{"term": term.name, **test} for term, test in rows],
        columns=["term", "df", "F", "df_error", "p"],
    )
    return table.assign(p_holm=holm(table["p"].to_numpy(dtype=float)))


def _of_empty_cells(effects: Effects) -> list[str]:
    """What effects that need a cell without a result rest on, or that they are not there."""
    table = effects.main_effects
    means = effects.means[effects.means["other"].isna()]
    shown = [frames.by_method(one, effects.rule.primary) for one in (table, means)]
    words = pd.concat([one.loc[one["estimate"].notna(), "rests_on"] for one in shown])
    assumed = [assumption(one, len(effects.cells.names)) for one in words.unique()]
    said = [text for text in assumed if text]
    if said:
        rests = (
            f"effects that need an empty cell rest on its least-squares prediction, {said[0]}; all "
            "others on the cells that ran"
        )
        return [rests, *_misfit(effects.grid.completion)]
    if table["estimate"].isna().any():
        return ["effects that need an empty cell are not estimable: only a model without "
                "interactions would replace it"]  # fmt: skip
    return []


def _misfit(completion: Completion) -> list[str]:
    """That the cells that ran contradict the model that predicts the empty ones."""
    for order, lack in completion.lacks.items():
        if lack.p <= DOUBT:
            return [
                f"cells lie further from the model of order {order} than their runs scatter "
                f"(F({lack.df}, {lack.df_error}) = {lack.f:.3g}, {p_phrase(lack.p)}): intervals "
                "and tests count that, and only further combinations make it less, not further runs"
            ]
    return []


def _notes(effects: Effects) -> tuple[str, ...]:
    table, cells, fit = effects.table, effects.cells, effects.fit
    notes = list(table.note_templates)
    empty = int(cells.empty.sum())
    if empty:
        has = "has" if empty == 1 else "have"
        notes.append(f"{empty} of {cells.counts.size} cells {has} no run with {OUTCOME}")
        notes += _of_empty_cells(effects)
    if fit.residual_df == 0:
        notes.append("the model takes every degree of freedom: there is no error term to test by")
    elif fit.residual_ss == 0.0:
        notes.append("the model fits without any residual: there is no noise to test against")
    constant = int(((cells.variances == 0) & (cells.counts > 1)).sum())
    if constant and constant + int(cells.floored.sum()) < cells.counts.size:
        notes.append(f"{counted(constant, 'cell')} gave the same {OUTCOME} in each run")
    if cells.floored.any():
        floored = int(cells.floored.sum())
        its = "its" if floored == 1 else "their"
        notes.append(
            f"{counted(floored, 'cell')} never varied; {its} variance was set to the "
            "binomial p(1-p)/n of the test set"
        )
    return tuple(notes)
