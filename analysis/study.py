"""A study in the hands of a person: pandas in, pandas out, one method a question.

Holds a tidy frame, its factors and the outcome looked at; everything is estimated when first asked
and kept. Reads a store, never writes one. Longer than 300 lines because it is the one list of what
can be asked, each method a few lines over the module that knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean
from analysis.effects.estimate import Effects, estimate_effects
from analysis.effects.frames import factor_column, pooled_contrast
from analysis.model.cell_means import CellMeans, Estimate, Method
from analysis.model.contrast_text import contrast_weights
from analysis.model.interval_rule import by_rule, choose_interval
from analysis.table.curves import StoredCurves
from analysis.table.tidy import Table, from_runs, tidy

if TYPE_CHECKING:
    from analysis.effects.best_set import BestSet
    from analysis.outcomes.convergence import Convergence
    from analysis.outcomes.given_converged import GivenConverged
    from analysis.outcomes.missing import Missing
    from analysis.outcomes.time_to_target import TimeToTarget
    from analysis.report.plots import Plots
    from analysis.verdicts.looks import Decided
    from runner.store import Store, StudyInfo

Kept = TypeVar("Kept")

OUTCOMES = {
    "accuracy": "test_accuracy",
    "converged": "converged",
    "epochs": "restricted_epochs",
    "given_converged": "accuracy_given_converged",
    "seconds": "seconds",
}
"""What can be looked at in a study of the store, and the column that holds it."""
TIMES = ("restricted_epochs", "epochs_to_target", "seconds")
"""Outcomes of which less is better."""
LOWER_IS_BETTER = ("loss", "error", "perplexity")
"""In the name of an outcome: so are these."""


@dataclass(frozen=True, eq=False)
class Study:
    """One outcome of one grid.

    Attributes:
        source: the tidy table, or a frame that becomes one when an estimate is asked for.
        name: of the study, for titles and files.
        planned_claims: claims as written in the specification.
        info: what the store says about the study (profile, spec, levels...); {} for a table.
        read_curves: reads the learning curves, see `curve_rows`; None where there are none.
        higher_is_better: whether a higher outcome is better; None: by its name.
        equivalent: half width of the differences that would not matter, in units of the outcome.
    """

    source: Table | _Pending
    name: str = "table"
    planned_claims: tuple[str, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)
    read_curves: StoredCurves | None = None
    attempt_rows: pd.DataFrame | None = None
    higher_is_better: bool | None = None
    equivalent: float | None = None

    # --- what it holds ------------------------------------------------------------------------

    @cached_property
    def table(self) -> Table:
        """The checked table; InputError where no effect on the outcome can be estimated (yet)."""
        if isinstance(self.source, Table):
            if self.source.problem:
                raise InputError(self.source.problem)
            return self.source
        return self.source.table()

    @property
    def frame(self) -> pd.DataFrame:
        """One row per planned run."""
        return self.source.frame

    @property
    def factors(self) -> dict[str, tuple[str, ...]]:
        """Factor name to its levels, both in declared order."""
        return dict(self.source.factors)

    @property
    def response(self) -> str:
        """Column of the outcome looked at."""
        return self.source.response

    @property
    def replicate(self) -> str | None:
        """Column of the replicate."""
        return self.source.replicate

    @property
    def curve_rows(self) -> pd.DataFrame | None:
        """Learning curves in long form: cell, epoch and the epoch's numbers.

        Read when first asked for, because a large study has millions of rows.
        """
        return None if self.read_curves is None else self.read_curves()

    @cached_property
    def cells(self) -> CellMeans:
        """The cell-means model."""
        return CellMeans.of(self.table)

    def outcome(self, name: str) -> Study:
        """The same study, looking at another outcome (a key of `OUTCOMES` or a column)."""
        column = OUTCOMES.get(name, name)
        if column not in self.frame.columns:
            known = [key for key, value in OUTCOMES.items() if value in self.frame.columns]
            raise InputError(f"{self.name} has no outcome {name!r}: {did_you_mean(name, known)}")
        pending = _Pending(self.frame, self.factors, column, self.replicate, f"study {self.name!r}")
        return replace(self, source=pending, higher_is_better=None, equivalent=None)

    # --- estimates ----------------------------------------------------------------------------

    def estimates(self, order: int | None = 2, confidence: float = 0.95) -> Effects:
        """Everything at once; kept per order and confidence."""
        kept = self.__dict__.setdefault("_estimates", {})
        key = (order, confidence)
        if key not in kept:
            kept[key] = estimate_effects(self.table, order, confidence)
        found = kept[key]
        assert isinstance(found, Effects)  # noqa: S101 - only this method fills it
        return found

    def effects(self, confidence: float = 0.95, method: Method | None = None) -> pd.DataFrame:
        """Main effects: each level's marginal mean and its deviation from the grand mean.

        Args:
            confidence: of the intervals.
            method: welch, blocked or pooled; by default what the rule of the study picks (for
                means and effects apart, see `IntervalRule`).

        Returns:
            Columns factor, level, mean, mean_low, mean_high, mean_method, effect, se, df, low,
            high, p, method, rests_on (the cell means, or the model that predicts empty ones).
        """
        found = self.estimates(confidence=confidence)
        chosen = method or found.rule.primary
        means = _means(found, method)
        rows = pick_method(found.main_effects, chosen)
        single = means["term"].isin(list(self.factors))
        means = means[single].reset_index(drop=True)
        return pd.DataFrame(
            {
                "factor": rows["term"],
                "level": [_level_at(rows, i, term) for i, term in enumerate(rows["term"])],
                "mean": means["mean"],
                "mean_low": means["low"],
                "mean_high": means["high"],
                "mean_method": means["method"],
                "effect": rows["estimate"],
                **{name: rows[name] for name in ("se", "df", "low", "high", "p")},
                "method": chosen,
                "rests_on": rows["rests_on"],
            }
        )

    def interactions(self, confidence: float = 0.95, method: Method | None = None) -> pd.DataFrame:
        """Double-centred effects of every pair of factors.

        Returns:
            Columns term, first_factor, first, second_factor, second, mean, effect, se, df, low,
            high, p, method.
        """
        found = self.estimates(confidence=confidence)
        chosen = method or found.rule.primary
        rows = pick_method(found.interaction_effects, chosen)
        means = _means(found, method)
        means = means[means["term"].str.contains(":", regex=False)].reset_index(drop=True)
        pairs = [str(term).split(":") for term in rows["term"]]
        at = range(len(rows))
        return pd.DataFrame(
            {
                "term": rows["term"],
                "first_factor": [first for first, _ in pairs],
                "first": [_level_at(rows, i, pair[0]) for i, pair in zip(at, pairs, strict=True)],
                "second_factor": [second for _, second in pairs],
                "second": [_level_at(rows, i, pair[1]) for i, pair in zip(at, pairs, strict=True)],
                "mean": means["mean"],
                "effect": rows["estimate"],
                **{name: rows[name] for name in ("se", "df", "low", "high", "p")},
                "method": chosen,
            }
        )

    def marginal_means(
        self, *factors: str, confidence: float = 0.95, method: Method | None = None
    ) -> pd.DataFrame:
        """Equal-weight means of one factor, of the combinations of two, or of all mains."""
        found = self.estimates(confidence=confidence)
        means = _means(found, method)
        for name in factors:
            self._check_factor(name)
        if factors:
            term = ":".join(name for name in self.factors if name in factors)
            means = means[means["term"] == term]
        else:
            means = means[means["term"].isin(list(self.factors))]
        keep = [factor_column(name) for name in factors or self.factors]
        columns = ["term", *keep, "mean", "se", "df", "low", "high", "method"]
        return means[columns].reset_index(drop=True)

    def contrasts(self, confidence: float = 0.95, method: Method | None = None) -> pd.DataFrame:
        """Pairwise differences within each factor, Holm-adjusted within it."""
        found = self.estimates(confidence=confidence)
        chosen = method or found.rule.primary
        rows = pick_method(found.contrasts, chosen)
        columns = ["term", "first", "second", "estimate", "se", "df", "low", "high", "p", "p_holm"]
        columns += ["rests_on"]
        return rows[columns].rename(columns={"term": "factor"}).assign(method=chosen)

    def contrast(
        self,
        text: str,
        given: Mapping[str, str | Sequence[str]] | None = None,
        method: Method | None = None,
        confidence: float = 0.95,
        order: int | None = 2,
    ) -> Estimate:
        """A difference as written: `contrast("bn: before - after", given={"optimizer": "adam"})`.

        The pooled one comes from the classical fit of the order, the others from the cell means of
        the cells it needs; where one of them never ran, from the largest model that predicts it, of
        the order at most. `rests_on` of the answer says which.

        Raises:
            InputError: the text is no contrast or names what the study lacks.
        """
        weights = contrast_weights(self.cells, text, given)
        chosen = method or choose_interval(self.cells).primary
        if chosen == "pooled":
            found = pooled_contrast(self.estimates(order, confidence).fit, weights, confidence)
            if np.isfinite(found.estimate):
                return found
        highest = len(self.factors) if order is None else order
        return by_rule(self.cells, weights, confidence, chosen, highest)

    def tests(self, kind: str | None = None, order: int | None = 2) -> pd.DataFrame:
        """Tests of all terms, by default those that hold under the rule (`Effects.decisive`).

        Args:
            kind: type1, type2, type3, type3_hc3, welch or blocked for one table of its own.
            order: highest order of the terms, None for all.
        """
        found = self.estimates(order)
        if kind is None:
            return found.decisive
        tables = found.anova
        if kind not in tables:
            raise InputError(f"unknown kind of test {kind!r}: {did_you_mean(kind, tables)}")
        return tables[kind].copy()

    def variance_shares(self) -> pd.DataFrame:
        """Percent of the variance of a run by term, with intervals."""
        return self.estimates().shares.table.copy()

    def best(self, confidence: float = 0.95, higher: bool | None = None) -> BestSet:
        """Cells and levels not shown to be worse than the best (`analysis.effects.best_set`).

        Args:
            confidence: with which the best one is in each set.
            higher: whether a higher outcome is better; by default what the study says, else it is,
                unless the outcome is a time, a loss or an error by its name.
        """
        from analysis.effects.best_set import best_set

        if higher is None:
            higher = self.higher_is_better
        if higher is None:
            named = self.response.lower()
            higher = named not in TIMES and not any(word in named for word in LOWER_IS_BETTER)
        return best_set(self.cells, self.contrasts(confidence), confidence, higher)

    def interaction_kinds(self) -> pd.DataFrame:
        """Which interactions change what is better, which vanish on another scale.

        See `analysis.effects.crossover`.
        """
        return self._once(("interaction_kinds", 0.95), self._interaction_kinds).copy()

    def _interaction_kinds(self) -> pd.DataFrame:
        from analysis.effects.crossover import interaction_kinds, logit_tests

        found = self.estimates()
        counted = self.response == "test_accuracy" and {"test_correct", "n_test"} <= set(self.frame)
        if not counted:
            return interaction_kinds(found)
        total = pd.to_numeric(self.frame["n_test"], errors="coerce")
        right = pd.to_numeric(self.frame["test_accuracy"], errors="coerce") * total
        return interaction_kinds(found, logit_tests(self.table, right, total, found.fit.terms))

    # --- other outcomes (lazy: each lives in its own module) ------------------------------------

    def convergence(self, confidence: float = 0.95) -> Convergence:
        """Rates, exact tests and Firth terms of convergence (`analysis.outcomes.convergence`).

        Raises:
            InputError: the table does not say which runs converged.
        """
        from analysis.document.sections import with_types
        from analysis.outcomes.convergence import convergence

        return self._once(
            ("convergence", confidence),
            lambda: convergence(with_types(self.frame), self.factors, confidence=confidence),
        )

    def time_to_target(self, confidence: float = 0.95) -> TimeToTarget:
        """Restricted mean epochs and curves by level (`analysis.outcomes.time_to_target`).

        Raises:
            InputError: the table has no epochs to a target.
        """
        from analysis.document.sections import with_types
        from analysis.outcomes.time_to_target import time_to_target

        return self._once(
            ("time_to_target", confidence),
            lambda: time_to_target(
                with_types(self.frame), self.factors, self.replicate, confidence
            ),
        )

    def given_converged(self, confidence: float = 0.95) -> GivenConverged:
        """Accuracy of converged runs on common support (`analysis.outcomes.given_converged`).

        Raises:
            InputError: the table does not say which runs converged, or none did.
        """
        from analysis.document.sections import with_types
        from analysis.outcomes.given_converged import given_converged

        return self._once(
            ("given_converged", confidence),
            lambda: given_converged(
                with_types(self.frame),
                self.factors,
                self.response,
                replicate=self.replicate,
                confidence=confidence,
            ),
        )

    def missing(self, confidence: float = 0.95) -> Missing:
        """Lost and waiting runs by level, and whether they fell at random (`outcomes.missing`)."""
        from analysis.outcomes.missing import missing

        return missing(self.frame, self.factors, self.response, confidence)

    def claims(self, confidence: float = 0.95) -> pd.DataFrame:
        """The planned claims with verdicts (`analysis.verdicts.claims`)."""
        from analysis.document.sections import claimed_outcomes
        from analysis.verdicts.claims import answer

        others = claimed_outcomes(self)
        return answer(self.cells, self.planned_claims, self.factors, confidence, others=others)

    def decided(self, precision: float | None = None) -> Decided:
        """Is it decided yet? The main effects at the present wave of the planned replicates."""
        from analysis.verdicts.looks import complete_waves, decided

        planned = int(self.info.get("replicates") or self.cells.counts.max())
        waves = complete_waves(self.frame, list(self.factors))
        return decided(self.cells, planned, precision=precision, complete=waves)

    def power(self, power: float = 0.8, precision: float | None = None) -> pd.DataFrame:
        """Smallest detectable effects and replicates for a precision (`verdicts.power`)."""
        from analysis.verdicts.power import detectable

        return detectable(self.cells, power, precision=precision)

    @cached_property
    def plot(self) -> Plots:
        """Figures: `study.plot.main_effects()`."""
        from analysis.report.plots import Plots

        return Plots(self)

    def document(self, order: int | None = 2, confidence: float = 0.95) -> dict[str, Any]:
        """The content of `effects.json`."""
        from analysis.document.effects import best_section, to_document, without_effects
        from analysis.document.sections import other_outcomes
        from analysis.table.records import records

        try:
            effects = self.estimates(order, confidence)
        except InputError as error:
            others = other_outcomes(self, confidence)
            if not isinstance(others.get("convergence"), dict):
                raise
            return without_effects(self, order, confidence, str(error), others)
        found = {
            "best": best_section(self.best(confidence), self.cells),
            "interaction_kinds": records(self.interaction_kinds()),
        }
        return to_document(
            effects, {"study": self.name, **found, **other_outcomes(self, confidence)}
        )

    def summary(self, order: int | None = 2, confidence: float = 0.95) -> list[str]:
        """A few plain lines: size, what is not estimable, the strongest terms."""
        try:
            found = self.estimates(order, confidence)
        except InputError as error:
            return [f"no effect can be estimated: {error}"]
        lines = [
            f"{found.cells.n} runs in {int((~found.cells.empty).sum())} of "
            f"{found.cells.counts.size} cells, {self.response}; primary interval: "
            f"{found.rule.primary} ({found.rule.reason})"
        ]
        lines += [f"not estimable: {one.reason}" for one in found.not_estimable[:5]]
        if len(found.not_estimable) > 5:
            lines.append(f"and {len(found.not_estimable) - 5} more terms are not estimable")
        table = found.decisive
        tested = table[np.isfinite(table["p_holm"].astype(float))].sort_values("p")
        for row in tested.head(5).itertuples():
            lines.append(f"{row.term}: F({row.df:.3g}, {row.df_error:.3g}) = {row.F:.4g}, "
                         f"p = {row.p:.3g} (Holm {row.p_holm:.3g}; {found.deciding})")  # fmt: skip
        return [*lines, *found.notes]

    def _once(self, key: tuple[str, float], make: Callable[[], Kept]) -> Kept:
        """What `make` returns, made when first asked for: a report asks many times."""
        kept = self.__dict__.setdefault("_made", {})
        if key not in kept:
            kept[key] = make()
        found: Kept = kept[key]
        return found

    def _check_factor(self, name: str) -> None:
        if name not in self.factors:
            raise InputError(f"unknown factor {name!r}: {did_you_mean(name, self.factors)}")


@dataclass(frozen=True, eq=False)
class _Pending:
    """A tidy frame whose outcome is checked only when an estimate is asked for."""

    frame: pd.DataFrame
    factors: Mapping[str, tuple[str, ...]]
    response: str
    replicate: str | None
    where: str

    def table(self) -> Table:
        return tidy(
            self.frame,
            list(self.factors),
            self.response,
            self.replicate,
            levels=self.factors,
            where=self.where,
        )


def from_frame(
    frame: pd.DataFrame,
    factors: Sequence[str],
    response: str = "acc",
    replicate: str | None = None,
    name: str = "table",
    *,
    levels: Mapping[str, Sequence[str]] | None = None,
    claims: Sequence[str] = (),
    higher_is_better: bool | None = None,
    equivalent: float | None = None,
) -> Study:
    """Analyse any long table, one row per run.

    Args:
        frame: factor columns, a numeric response, perhaps a replicate; other columns are kept.
        factors: names of the factor columns.
        response: name of the outcome.
        replicate: column that says which runs share a seed.
        name: for titles.
        levels: factor to its levels in order; one that no row has is named as not estimable.
            Otherwise those of a Categorical, numbers by size, text as the rows first have it.
        claims: planned contrasts ("A: a > b by 0.5"), answered by `Study.claims`.
        higher_is_better: of the response; by default it is, unless its name says loss or error.
        equivalent: half width of the differences that would not matter, in units of the response.

    Raises:
        InputError: one sentence on what cannot be used.
    """
    if isinstance(factors, str):
        factors = [factors]
    kept = {"status", "converged"} & set(frame.columns) - {*factors, response, replicate}
    table = tidy(frame, factors, response, replicate, levels=levels, strict=not kept)
    return Study(
        table,
        name=name,
        planned_claims=tuple(claims),
        higher_is_better=higher_is_better,
        equivalent=equivalent,
    )


def load(study: str, storage: str | None = None) -> Study:
    """Read a study from its store.

    Args:
        study: its name, or the start of it if that fits one study.
        storage: database URL; by default that of the project.

    Raises:
        InputError: no such store or study.
    """
    from runner.store import open_store

    with open_store(storage) as store:
        return from_store(store, store.find_study(study))


def from_store(store: Store, info: StudyInfo) -> Study:
    """A study of an open store; its curves are read, by a connection of their own, when needed."""
    runs = store.runs(info)
    attempts = pd.DataFrame(store.attempts(info))
    factors = {name: tuple(labels) for name, labels in info.factors.items()}
    frame = from_runs(runs, factors)
    if {"test_accuracy", "converged"} <= set(frame.columns):
        kept = frame["converged"] == 1
        frame["accuracy_given_converged"] = frame["test_accuracy"].where(kept)
    pending = _Pending(frame, factors, "test_accuracy", "replicate", f"study {info.name!r}")
    facts = {key: getattr(info, key) for key in ("name", "profile", "created", "spec", "levels")}
    facts |= {key: getattr(info, key) for key in ("data", "model", "train", "replicates")}
    curves = StoredCurves(store.address, info, frozenset(frame["cell"]))
    return Study(pending, info.name, tuple(info.claims), facts, curves, attempts)


def pick_method(frame: pd.DataFrame, method: str) -> pd.DataFrame:
    """One method's columns of a frame that holds pooled ones and prefixed others."""
    others = [f"{name}_" for name in ("welch", "blocked")]
    prefixed = [c for c in frame.columns if any(str(c).startswith(o) for o in others)]
    if method == "pooled":
        return frame.drop(columns=prefixed)
    own = [c for c in prefixed if str(c).startswith(f"{method}_")]
    renamed = {c: str(c).removeprefix(f"{method}_") for c in own}
    base = frame.drop(columns=[*prefixed, *(c for c in renamed.values() if c in frame.columns)])
    return pd.concat([base, frame[own].rename(columns=renamed)], axis=1)


def _means(found: Effects, method: Method | None) -> pd.DataFrame:
    """Marginal means by one method, by default those of the rule, with a column `method`."""
    return found.marginal_means[method].assign(method=method) if method else found.primary_means


def _level_at(rows: pd.DataFrame, row: int, factor: str) -> str:
    return str(rows[factor_column(factor)].iloc[row])
