"""A study in the hands of a person: pandas in, pandas out, one method a question.

Holds a tidy frame, its factors and the outcome looked at, as `analysis.loading` made it; everything
is estimated when first asked and kept. Each method is a few lines over the module that knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean
from analysis.accessors import access, accessors
from analysis.effects.estimate import KINDS, Effects
from analysis.effects.frames import by_method
from analysis.effects.jumps import find_jumps
from analysis.effects.shown import shown_means, untestable
from analysis.model.cell_means import CellMeans, Method
from analysis.model.contrast_text import Given, contrast_weights
from analysis.model.grid import Grid
from analysis.number_words import p_equals, p_number
from analysis.stats.estimates import Estimate
from analysis.table.columns import facts, typed
from analysis.table.curves import StoredCurves
from analysis.table.forms.numbers import unit_of
from analysis.table.statuses import NOT_RUN, Goal, goal_of
from analysis.table.tidy import Table, tidy
from runner.content.response import (
    ACCURACY,
    CONVERGED,
    EPOCHS,
    REACHED,
    RESPONSES,
    Response,
    response_of,
)
from runner.program.wording import counted
from runner.spec.adaptive import Adaptive

if TYPE_CHECKING:
    from analysis.adaptive.spending import Look
    from analysis.causes.found import Causes
    from analysis.causes.stored import StoredEvidence
    from analysis.effects.aliases.aliasing import Aliasing
    from analysis.effects.best_set import BestSet
    from analysis.effects.levels.axis import Axis
    from analysis.effects.levels.optimum import Optimum
    from analysis.outcomes.convergence import Convergence
    from analysis.outcomes.given_converged import GivenConverged
    from analysis.outcomes.missing import Missing
    from analysis.outcomes.others import OtherOutcomes
    from analysis.outcomes.time_to_target import TimeToTarget
    from analysis.screening.follow_up import FollowUp
    from analysis.screening.screen import Screen, Screened
    from analysis.tuning.searched import Searched
    from analysis.verdicts.claim_verdicts import Tested
    from analysis.verdicts.judgement import Judgement
    from analysis.verdicts.looks import Decided

T = TypeVar("T")
ORDER, CONFIDENCE = 2, 0.95
"""What is asked where nobody says otherwise: kept, because a report asks for it many times."""
NUMBERS = ("se", "df", "low", "high", "p")


def known(ask: Callable[[], T]) -> T | None:
    """What a question has for an answer; None where the table has nothing for it."""
    try:
        return ask()
    except InputError:
        return None


@dataclass(frozen=True, eq=False)
class Study:
    """One outcome of one grid.

    Attributes:
        frame: one row per planned run.
        factors: factor name to its levels, both in declared order.
        response: column of the outcome looked at.
        replicate: column that numbers the runs of a combination, or None.
        shares_seeds: whether cells of one replicate share a seed; else a replicate is a number.
        name: of the study, for titles and files.
        planned_claims: claims as written in the specification.
        info: what the store says about the study (profile, spec, levels...); {} for a table.
        read_curves: reads the learning curves, see `curve_rows`; None where there are none.
        read_evidence: reads what the layers of some cells did; None for a table or a trainer of
            one's own.
        attempt_rows: one row an attempt; None for a table.
        higher_is_better: whether a higher outcome is better; None: as its record says.
        equivalent: half width of the differences that would not matter; None: as its record says.
        checked: the table, where it was checked already.
        order: highest order of the model that stands in for combinations that did not run; 1 where
            the design asks for the additive one, by its order or by changing one factor at a time.
        records: of the responses that a specification declares for a trainer of one's own.
        primary: the study as it was loaded, where another outcome is looked at: claims are about
            its outcome whichever is looked at.
        searched: what was tuned before the grid, a group each.
        as_given: the same grid with the values as the file gives them, where it was run as well.
    """

    frame: pd.DataFrame
    factors: dict[str, tuple[str, ...]]
    response: str
    replicate: str | None = None
    shares_seeds: bool = True
    name: str = "table"
    planned_claims: tuple[str, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)
    read_curves: StoredCurves | None = None
    read_evidence: StoredEvidence | None = None
    attempt_rows: pd.DataFrame | None = None
    higher_is_better: bool | None = None
    equivalent: float | None = None
    checked: Table | None = None
    order: int = ORDER
    records: Mapping[str, Response] = field(default_factory=dict)
    primary: Study | None = None
    searched: tuple[Searched, ...] = ()
    as_given: Study | None = None

    @staticmethod
    def of(table: Table, **about: Any) -> Study:
        """The study of a checked table.

        Args:
            table: whose `problem`, if any, is raised when an estimate is asked for.
            about: further attributes of the study.
        """
        return Study(
            table.frame, table.factors, table.response, table.replicate, checked=table, **about
        )

    # --- what it holds ------------------------------------------------------------------------

    @property
    def block(self) -> str | None:
        """The replicate's column where the cells of one may move together, else None."""
        return self.replicate if self.shares_seeds else None

    @cached_property
    def table(self) -> Table:
        """The checked table; InputError where no effect on the outcome can be estimated (yet)."""
        if self.checked is None:
            return tidy(
                self.frame,
                list(self.factors),
                self.response,
                self.block,
                levels=self.factors,
                where=f"study {self.name!r}",
            )
        if self.checked.problem:
            raise InputError(self.checked.problem)
        return self.checked

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row per planned run with every outcome as numbers, whatever text a file had."""
        return typed(self.frame, list(self.factors), self.response)

    @cached_property
    def facts(self) -> pd.DataFrame:
        """The runs without their factors: a factor may be called `status`, `seconds`, `cell`..."""
        return facts(self.runs, self.factors)

    @property
    def goal(self) -> Goal:
        """What a run that converged did: reached the study's target, or what a table calls so."""
        if "target" in self.info:
            return Goal.to(self.info["target"])
        return goal_of(facts(self.frame, self.factors))  # as given: `runs` add who converged

    @cached_property
    def measure(self) -> Response:
        """The record of the outcome looked at: its name, unit, direction and words."""
        if self.response == CONVERGED.column and CONVERGED.column not in self.records:
            return self.goal.record
        if (own := self.records.get(self.response)) is not None:
            return own
        values = self.runs[self.response].dropna()
        ends = (float(values.min()), float(values.max())) if len(values) else ()
        return response_of(
            self.response,
            ends,
            higher_is_better=self.higher_is_better,
            equivalent=self.equivalent,
            unit=unit_of(self.frame[self.response]) if self.checked is None else self.checked.unit,
        )

    @property
    def curve_rows(self) -> pd.DataFrame | None:
        """Learning curves in long form: cell, epoch and the epoch's numbers.

        Read when first asked for, because a large study has millions of rows.
        """
        return None if self.read_curves is None else self.read_curves()

    @cached_property
    def causes(self) -> Causes | None:
        """Why runs did not converge; None of a table or a trainer of one's own."""
        from analysis.causes.found import causes_of

        if self.primary is not None:
            return self.primary.causes
        if self.read_evidence is None:
            return None
        levels = self.frame[list(self.factors)]
        return causes_of(
            self.facts, levels, self.factors, self.goal.target, lambda: self.curve_rows,
            self.read_evidence,
        )  # fmt: skip

    @cached_property
    def grid(self) -> Grid:
        """The cell means, and how numbers of them get an interval."""
        return Grid.of(self.table, self.order)

    @property
    def cells(self) -> CellMeans:
        """The cell-means model."""
        return self.grid.cells

    @property
    def outcomes(self) -> tuple[Response, ...]:
        """Records of what may be looked at: those of a trainer of one's own, then of every study's.

        A response of one's own that is called like one of ours takes its place.
        """
        taken = {*self.records, *(one.key for one in self.records.values())}
        ours = (one for one in RESPONSES if not {one.column, one.key, one.claimed} & taken)
        return (*self.records.values(), *ours)

    @property
    def offered(self) -> list[Response]:
        """Outcomes that a reader may look at and the table has; somebody's own column first."""
        ours = [one for one in self.outcomes if one.offered and one.column in self.facts]
        if self.response in [one.column for one in ours]:
            return ours
        return [self.measure, *ours]

    def outcome(self, name: str) -> Study:
        """The same study, looking at another outcome (by its key or its column)."""
        column = next((one.column for one in self.outcomes if one.key == name), name)
        if column not in self.frame.columns:
            there = [one.key for one in self.outcomes if one.column in self.frame.columns]
            raise InputError(f"{self.name} has no outcome {name!r}: {did_you_mean(name, there)}")
        return replace(
            self,
            response=column,
            checked=None,
            higher_is_better=None,
            equivalent=None,
            primary=self.primary or self,
        )

    # --- estimates ----------------------------------------------------------------------------

    @cached_property
    def _effects(self) -> Effects:
        return Effects(self.table, self.grid, self.order, CONFIDENCE)

    def estimates(self, order: int | None = ORDER, confidence: float = CONFIDENCE) -> Effects:
        """All effects, each worked out when asked for; those of the defaults are kept."""
        if (order, confidence) == (ORDER, CONFIDENCE):
            return self._effects
        highest = len(self.factors) if order is None else order
        grid = self.grid if highest == self.grid.order else replace(self.grid, order=highest)
        return Effects(self.table, grid, order, confidence)

    def effects(self, confidence: float = CONFIDENCE, method: Method | None = None) -> pd.DataFrame:
        """Main effects: each level's marginal mean and its deviation from the grand mean.

        Args:
            confidence: of the intervals.
            method: welch, blocked, joined or pooled; by default what the rule of the study picks
                (`IntervalRule`).

        Returns:
            Columns factor, level, mean, mean_low, mean_high, mean_method, effect, se, df, low,
            high, p, method, rests_on (the cell means, or the model that predicts empty ones).
        """
        effects = self.estimates(confidence=confidence)
        rows = by_method(effects.main_effects, method or effects.rule.primary)
        means = shown_means(effects, self.measure, method)
        means = means[means["other"].isna()].reset_index(drop=True)
        return pd.DataFrame(
            {
                "factor": rows["factor"],
                "level": rows["level"],
                "mean": means["estimate"],
                "mean_low": means["low"],
                "mean_high": means["high"],
                "mean_method": means["method"],
                "effect": rows["estimate"],
                **{name: rows[name] for name in NUMBERS},
                "method": rows["method"],
                "rests_on": rows["rests_on"],
            }
        )

    def interactions(
        self, confidence: float = CONFIDENCE, method: Method | None = None
    ) -> pd.DataFrame:
        """Double-centred effects of every pair of factors.

        Returns:
            Columns term, first_factor, first, second_factor, second, mean, effect, se, df, low,
            high, p, method.
        """
        effects = self.estimates(confidence=confidence)
        rows = by_method(effects.interaction_effects, method or effects.rule.primary)
        means = shown_means(effects, self.measure, method)
        means = means[means["other"].notna()].reset_index(drop=True)
        return pd.DataFrame(
            {
                "term": rows["term"],
                "first_factor": rows["factor"],
                "first": rows["level"],
                "second_factor": rows["other"],
                "second": rows["other_level"],
                "mean": means["estimate"],
                "effect": rows["estimate"],
                **{name: rows[name] for name in NUMBERS},
                "method": rows["method"],
            }
        )

    def marginal_means(
        self, *factors: str, confidence: float = CONFIDENCE, method: Method | None = None
    ) -> pd.DataFrame:
        """Equal-weight means of one factor, of the combinations of two, or of all mains.

        Returns:
            Columns factor, level, other, other_level (of two factors), mean, se, df, low, high,
            method.
        """
        for name in factors:
            self._check_factor(name)
        means = shown_means(self.estimates(confidence=confidence), self.measure, method)
        if factors:
            means = means[means["term"] == ":".join(one for one in self.factors if one in factors)]
        else:
            means = means[means["other"].isna()]
        keys = ["factor", "level", *(["other", "other_level"] if len(factors) > 1 else [])]
        columns = [*keys, "estimate", "se", "df", "low", "high", "method"]
        return means[columns].rename(columns={"estimate": "mean"}).reset_index(drop=True)

    def contrasts(
        self, confidence: float = CONFIDENCE, method: Method | None = None
    ) -> pd.DataFrame:
        """Pairwise differences within each factor, first minus second, Holm-adjusted within it.

        Returns:
            Columns factor, first, second, estimate, se, df, low, high, p, p_holm, rests_on, method.
        """
        rows = self._differences(confidence, method)
        if method is not None or (screen := self._screen(confidence)) is None:
            return rows
        # One run of each combination, and no more than main effects to estimate.
        return rows if screen.is_replicated else rows.assign(**screen.columns())

    def _differences(self, confidence: float, method: Method | None = None) -> pd.DataFrame:
        """All differences between levels by the rule, or by a method."""
        effects = self.estimates(confidence=confidence)
        rows = by_method(effects.differences, method or effects.rule.primary)
        columns = [
            "factor",
            "level",
            "versus",
            "estimate",
            *NUMBERS,
            "p_holm",
            "rests_on",
            "method",
        ]
        return rows[columns].rename(columns={"level": "first", "versus": "second"})

    def contrast(
        self,
        text: str,
        given: Given = None,
        method: Method | None = None,
        confidence: float = CONFIDENCE,
        order: int | None = ORDER,
    ) -> Estimate:
        """A difference as written: `contrast("bn: before - after", given={"optimizer": "adam"})`.

        The pooled one comes from the classical fit of the order, the others from the cell means of
        the cells it needs; where one of them never ran, from the largest model that predicts it, of
        the order at most. `rests_on` of the answer says which.

        Raises:
            InputError: the text is no contrast or names what the study lacks.
        """
        weights = contrast_weights(self.cells, text, given)
        effects = self.estimates(order, confidence)
        chosen = method or effects.rule.primary
        if chosen == "pooled":
            pooled = effects.fit.contrast(weights, confidence)
            if np.isfinite(pooled.estimate):
                return pooled
        return effects.grid.estimate(weights, confidence, chosen)

    # --- levels as numbers, changes of a baseline -----------------------------------------------

    @cached_property
    def axes(self) -> Mapping[str, Axis]:
        """Factors of three or more levels that are numbers (`effects.levels.axis`)."""
        from analysis.effects.levels.axis import numeric_axes

        return numeric_axes(self.table.factors, self.info.get("levels") if self.info else None)

    def trends(self, confidence: float = CONFIDENCE, method: Method | None = None) -> pd.DataFrame:
        """Linear and quadratic parts of factors whose levels are numbers (`effects.levels.trends`).

        Returns:
            Columns factor, part, other, other_level, other_versus (of an interaction: what changes
            the part), estimate, se, df, low, high, p, p_holm (within the term), p_family, shown,
            rests_on, method. A part is shown where its factor or pair is shown among all questions
            of the study and the part has the same p beside the others of it (decision 089).
        """
        from analysis.effects.levels.trends import trends

        effects = self.estimates(confidence=confidence)
        rows = by_method(trends(effects, self.axes), method or effects.rule.primary)
        p = self.judgement.within(rows["term"].tolist(), rows["p_holm"].to_numpy(float))
        level = self.judgement.level
        rows = rows.assign(p_family=p, shown=(p <= level) & (level > 0))
        columns = ["factor", "part", "other", "other_level", "other_versus", "estimate", *NUMBERS]
        return rows[[*columns, "p_holm", "p_family", "shown", "rests_on", "method"]]

    def optima(self, confidence: float = CONFIDENCE) -> dict[str, Optimum]:
        """What the curve over each numeric factor picks, by factor (`effects.levels.optimum`)."""
        return dict(self._optima) if confidence == CONFIDENCE else self._picked(confidence)

    @cached_property
    def _optima(self) -> dict[str, Optimum]:
        return self._picked(CONFIDENCE)

    def _picked(self, confidence: float) -> dict[str, Optimum]:
        from analysis.effects.levels.optimum import optimum
        from analysis.effects.levels.trends import QUADRATIC

        rows = self.trends()
        bends = set(rows.loc[(rows["part"] == QUADRATIC) & rows["other"].isna() & rows["shown"],
                             "factor"])  # fmt: skip
        effects, higher = self.estimates(confidence=confidence), self.measure.higher_is_better
        return {
            name: optimum(effects, axis, higher=higher, bends=name in bends)
            for name, axis in self.axes.items()
        }

    def from_baseline(
        self,
        baseline: Mapping[str, object] | None = None,
        confidence: float = CONFIDENCE,
        *,
        pooled: bool = False,
    ) -> pd.DataFrame:
        """One row a change of one factor of a baseline (`effects.levels.from_baseline`).

        Args:
            baseline: factor to level; by default that of the design, else every first level.
            confidence: of the intervals.
            pooled: whether the noise within all combinations is taken as one variance.

        Raises:
            InputError: an unknown factor or level, or a baseline that did not run.
        """
        from analysis.effects.levels.from_baseline import from_baseline

        named = self.baseline if baseline is None else baseline
        levels = self._baseline(named)
        return from_baseline(
            self.grid, levels, self.contrasts(confidence), confidence, pooled=pooled
        )

    @property
    def baseline(self) -> dict[str, str]:
        """The level of each factor at the baseline of the design, else every first level."""
        spec = self.info.get("spec") or {}
        return self._baseline((spec.get("design") or {}).get("baseline") or {})

    def _baseline(self, named: Mapping[str, object]) -> dict[str, str]:
        from analysis.effects.levels.from_baseline import baseline_of

        return baseline_of(self.factors, named)

    # --- screening ------------------------------------------------------------------------------

    @property
    def is_screening(self) -> bool:
        """Whether its design is one that screens many factors of two levels."""
        design = (self.info.get("spec") or {}).get("design") or {}
        return design.get("kind") == "screen"

    @cached_property
    def screen(self) -> Screen | None:
        """The main effects of a screening study; None of another, or while too little ran."""
        return self._screen(CONFIDENCE)

    @property
    def by_lenth(self) -> bool:
        """Whether its differences are judged by the spread of its effects, for want of replicates.

        So is a screening study whose combinations ran once each.
        """
        return self.screen is not None and not self.screen.is_replicated

    def _screen(self, confidence: float) -> Screen | None:
        from analysis.screening.screen import screen_of

        if not self.is_screening or any(len(one) != 2 for one in self.table.factors.values()):
            return None
        return screen_of(self.cells, self._differences(confidence), confidence)

    @cached_property
    def screened(self) -> Screened | None:
        """Which of many factors matter, what each may be mistaken for, what should come next."""
        from analysis.screening.screen import screened

        if self.screen is None:
            return None
        rows = self.judgement.of("difference")
        shown = rows.loc[rows["shown"].astype(bool), "factor"].astype(str).tolist()
        return screened(self.screen, shown, self.measure)

    @cached_property
    def follow_up(self) -> FollowUp | None:
        """The study that should come after a screening; None where nothing is shown or open."""
        from analysis.screening.follow_up import follow_up

        found = self.screened
        if found is None or self.running:
            return None
        return follow_up(self.info["spec"], found.next, found.better)

    def tests(self, kind: str | None = None, order: int | None = ORDER) -> pd.DataFrame:
        """Tests of all terms, by default those that hold under the rule (`Effects.decisive`).

        Args:
            kind: type1, type2, type3, type3_hc3, welch, blocked or joined for one table.
            order: highest order of the terms, None for all.
        """
        effects = self.estimates(order)
        if kind is None:
            return effects.decisive.copy()
        if kind not in KINDS:
            raise InputError(f"unknown kind of test {kind!r}: {did_you_mean(kind, KINDS)}")
        return effects.tests(kind).copy()

    def variance_shares(self) -> pd.DataFrame:
        """Percent of the variance of a run by term, with intervals."""
        return self.estimates().shares.table.copy()

    def best(self, confidence: float = CONFIDENCE, higher: bool | None = None) -> BestSet:
        """Cells and levels not shown to be worse than the best (`effects.best_set`).

        Args:
            confidence: with which the best one is in each set.
            higher: whether a higher outcome is better; by default what its record says.
        """
        from analysis.effects.best_set import best_set

        if higher is None:
            higher = self.measure.higher_is_better
        return best_set(self.cells, self.contrasts(confidence), confidence, higher)

    def interaction_kinds(self) -> pd.DataFrame:
        """Which interactions change what is better, which vanish on another scale.

        See `effects.crossover`.
        """
        return self._interaction_kinds.copy()

    @cached_property
    def _interaction_kinds(self) -> pd.DataFrame:
        from analysis.effects.crossover import interaction_kinds, logit_tests

        effects = self.estimates()
        counts = self.response == ACCURACY.column and {"test_correct", "n_test"} <= set(self.facts)
        judged = self.judgement
        p, level = judged.p_of("pair"), judged.level
        if not counts:
            return interaction_kinds(effects, p, level=level)
        total = self.runs["n_test"]
        right = self.runs[ACCURACY.column] * total
        on_logit = logit_tests(self.table, right, total, effects.fit.terms)
        return interaction_kinds(effects, p, on_logit, level)

    @cached_property
    def aliasing(self) -> Aliasing:
        """How the terms are mixed in the cells that ran."""
        from analysis.effects.aliases.aliasing import aliasing

        return aliasing(self.cells)

    # --- other outcomes -------------------------------------------------------------------------

    @cached_property
    def _others(self) -> OtherOutcomes:
        from analysis.outcomes.others import OtherOutcomes

        return OtherOutcomes(
            self.runs,
            self.factors,
            self.response,
            self.block,
            CONFIDENCE,
            self.goal,
            self.order,
        )

    def others(self, confidence: float = CONFIDENCE) -> OtherOutcomes:
        """What the table says besides the outcome looked at; at the default confidence kept."""
        return (
            self._others
            if confidence == CONFIDENCE
            else replace(self._others, confidence=confidence)
        )

    def convergence(self, confidence: float = CONFIDENCE) -> Convergence:
        """Rates, exact tests and Firth terms of reaching the target (`outcomes.convergence`).

        Raises:
            InputError: the table does not say which runs did.
        """
        return self.others(confidence).convergence

    def learned(self, confidence: float = CONFIDENCE) -> Convergence:
        """The same of being better than guessing.

        Raises:
            InputError: the table does not say which runs were.
        """
        return self.others(confidence).learned

    def time_to_target(self, confidence: float = CONFIDENCE) -> TimeToTarget:
        """Restricted mean epochs and curves by level (`outcomes.time_to_target`).

        Raises:
            InputError: the table has no epochs to a target.
        """
        return self.others(confidence).time_to_target

    def given_converged(self, confidence: float = CONFIDENCE) -> GivenConverged:
        """The outcome of runs that converged on common support (`outcomes.given_converged`).

        Raises:
            InputError: the table does not say which runs converged, or none did.
        """
        return self.others(confidence).given_converged

    def missing(self, confidence: float = CONFIDENCE) -> Missing:
        """Lost and waiting runs by level, and whether they fell at random (`outcomes.missing`)."""
        return self.others(confidence).missing

    # --- verdicts -------------------------------------------------------------------------------

    @cached_property
    def judgement(self) -> Judgement:
        """All questions of the study, judged together (`verdicts.judgement`).

        Those about another outcome than the study's own are a family of their own.
        """
        from analysis.verdicts.judgement import judge_together

        home = self.primary is None
        speaking = self.speaking if home else None
        tests, contrasts = self.tests(), self.contrasts()
        if self.screen is not None:  # made for main effects alone: no pair is asked about
            contrasts = contrasts.assign(p=self.screen.p)
            tests = tests[~tests["term"].astype(str).str.contains(":")]
        return judge_together(
            contrasts,
            tests,
            self.factors,
            convergence=None if speaking is None else speaking.tests,
            combination=float("nan") if speaking is None else speaking.combined,
            claims=[(one.p, one.difference) for one in self.tested(CONFIDENCE)] if home else [],
            running=self.running,
            silent=self._silent,
            **self._level,
        )

    @cached_property
    def speaking(self) -> Convergence | None:
        """Of reaching the target and of being better than guessing the first that only some did."""
        for ask in (self.convergence, self.learned):
            found = known(ask)
            if found is not None and found.mixed:
                return found
        return None

    @property
    def running(self) -> bool:
        """Whether runs are still to come."""
        return "status" in self.facts and bool((self.facts["status"] == NOT_RUN).any())

    @property
    def _silent(self) -> str:
        from analysis.verdicts.judgement import too_few
        from analysis.verdicts.looks import complete_waves

        waves = complete_waves(self.frame, list(self.factors))
        if self.running and waves < 2:
            done = "is" if waves == 1 else "are"
            of = f"{waves} of {counted(self._planned, 'replicate')} {done} complete"
            return f"{of}, and nothing is decided before the second"
        if self.look is not None and not self.look.level:
            return "two runs of each combination say where the noise is, and decide nothing yet"
        return too_few(self.cells, jumps=find_jumps(self.table) is not None)

    @property
    def adaptive(self) -> Adaptive | None:
        """The rule by which its replicates come in waves; None where all were planned at once."""
        raw = (self.info.get("spec") or {}).get("adaptive")
        return None if raw is None else Adaptive.from_dict(raw)

    @cached_property
    def look(self) -> Look | None:
        """Which look this is, of a study whose replicates come in waves."""
        if self.adaptive is None:
            return None
        from analysis.adaptive.spending import look_at

        combinations = len(self.frame.groupby(list(self.factors), observed=True).size())
        ended = len(self.frame)
        if self.running:  # a wave that is not over is no look yet
            ended = int((self.facts["status"] != NOT_RUN).sum())
        return look_at(self.adaptive, combinations, ended)

    @property
    def _level(self) -> dict[str, Any]:
        """What a look may decide at, as `judge_together` takes it."""
        if (look := self.look) is None:
            return {}
        return {"level": look.level, "look": f"look, {look.number} of at most {look.of}"}

    @property
    def _planned(self) -> int:
        """Replicates planned; of a table the most rows that it has of a combination."""
        names = list(self.factors)
        given = None if self.adaptive is not None else self.info.get("replicates")
        return int(given or self.frame.groupby(names, observed=True).size().max())

    def tested(self, confidence: float) -> list[Tested]:
        """Every planned claim with its estimate and its own p, not judged yet."""
        from analysis.verdicts.claim_verdicts import Evidence, claims_tested

        about = [one for name, one in self.records.items() if name != self.response]
        others = Evidence(
            known(self.convergence),
            known(self.time_to_target),
            {one.column: partial(self._grid_of, one.column) for one in about},
        )
        planned, factors = self.planned_claims, self.factors
        return claims_tested(
            self.grid, planned, factors, confidence, about=self.measure, others=others,
            outcomes=self.outcomes,
        )  # fmt: skip

    def _grid_of(self, response: str) -> Grid | None:
        return known(lambda: self.outcome(response).grid)

    def claims(
        self, claims: str | Sequence[str] | None = None, confidence: float = CONFIDENCE
    ) -> pd.DataFrame:
        """The planned claims with verdicts, or others (`verdicts.claim_verdicts`).

        They are judged on the outcomes they are about, whichever is looked at, together with all
        other questions of the study (`judgement`).

        Args:
            claims: instead of the planned ones, as written.
            confidence: of the intervals.

        Raises:
            InputError: a claim cannot be read, or names what the study lacks.
        """
        home = self.primary or self
        if isinstance(claims, str):
            claims = [claims]
        if claims is not None:
            if isinstance(claims, float) or not all(isinstance(one, str) for one in claims):
                raise InputError(
                    f"claims are texts such as 'A: a > b by 0.5', not {claims!r}; a confidence is "
                    "given by its name"
                )
            return replace(home, planned_claims=tuple(claims))._judged(confidence)
        return home._claims.copy() if confidence == CONFIDENCE else home._judged(confidence)

    @cached_property
    def _claims(self) -> pd.DataFrame:
        return self._judged(CONFIDENCE)

    def _judged(self, confidence: float) -> pd.DataFrame:
        from analysis.verdicts.claim_verdicts import verdicts

        if not self.planned_claims:
            return verdicts([], [], [], 0.0, confidence)
        found = self.judgement
        shares = found.table["weight"].to_numpy(float)[list(found.claims)].tolist()
        level = found.level if confidence == CONFIDENCE else min(found.level, 1 - confidence)
        tested, p = self.tested(confidence), found.p_of_claims()
        return verdicts(tested, p, shares, level, confidence, found.silent)

    def decided(self, precision: float | None = None) -> Decided:
        """Is it decided yet? Every difference between levels, as `judgement` has it."""
        return self._decided if precision is None else self._look(precision)

    @cached_property
    def _decided(self) -> Decided:
        return self._look(None)

    def _look(self, precision: float | None) -> Decided:
        from analysis.verdicts.looks import complete_waves, decided

        waves = complete_waves(self.frame, list(self.factors))
        rows = self.contrasts()
        names = rows[["factor", "first", "second"]].itertuples(index=False, name=None)
        fixed = [self.grid.fixed(self.cells.difference({f: a}, {f: b})) for f, a, b in names]
        return decided(
            rows, self.judgement, self.cells, waves, self._planned, precision, fixed=fixed
        )

    def power(
        self, power: float = 0.8, precision: float | None = None, sigma: float | None = None
    ) -> pd.DataFrame:
        """Smallest detectable effects and replicates for a precision (`verdicts.power`).

        By the rule that judges the study: its error, and its level over all questions.

        Raises:
            InputError: a screening study without replicates: Lenth's method has no such formula.
        """
        from analysis.verdicts.judgement import ALPHA
        from analysis.verdicts.power import detectable

        if self.by_lenth:
            raise InputError(
                f"{self.name} screens without replicates, so its noise is told from its own "
                "effects and no power can be computed; with 'replicates: 2' it can"
            )
        return detectable(
            self.cells,
            power,
            ALPHA / self.judgement.count,
            precision,
            sigma,
            over_replicates=self.grid.rule.primary in ("joined", "wider", "blocked"),
        )

    def simulated_power(
        self,
        size: float | None = None,
        between: str | None = None,
        replicates: int | None = None,
        power: float = 0.8,
    ) -> pd.DataFrame:
        """Power for convergence or epochs to the target, this study as the pilot.

        Of `outcome("converged")` or `outcome("epochs")`; see `verdicts.simulated_power`.

        Args:
            size: of the difference: a share of runs, or epochs.
            between: one difference ("optimizer: adam - sgd"), for which the replicates that it
                takes are looked for too; by default the first and last level of each factor.
            replicates: of the studies; by default as many as this one has planned.
            power: wanted.

        Raises:
            InputError: another outcome, or nothing to simulate it from.
        """
        from analysis.verdicts.simulated_power import questions, simulated

        if replicates is not None and replicates < 1:
            raise InputError(f"replicates are {replicates}; expected 1 or more")
        if not self.has_simulated_power:
            raise InputError(f"power is simulated for converged and epochs, not {self.response}")
        on_rates = self.response == CONVERGED.column
        pilot = self.convergence() if on_rates else self.time_to_target()
        asked = questions(pilot, size, between)
        runs = self._planned if replicates is None else replicates
        return simulated(pilot, asked, runs, power if between else None)

    @property
    def has_simulated_power(self) -> bool:
        """Whether its outcome is one whose power is simulated."""
        return self.response in (CONVERGED.column, EPOCHS.column, REACHED.column)

    def summary(self, order: int | None = ORDER, confidence: float = CONFIDENCE) -> list[str]:
        """A few plain lines: size, what is not estimable, the strongest terms."""
        try:
            effects = self.estimates(order, confidence)
        except InputError as error:
            return [f"no effect can be estimated: {error}"]
        cells = effects.cells
        lines = [
            f"{cells.n} runs in {len(cells.ran)} of {cells.counts.size} cells, {self.response}; "
            f"primary interval: {effects.rule.primary} ({effects.rule.reason})"
        ]
        lines += [f"not estimable: {one.reason}" for one in effects.not_estimable[:5]]
        if len(effects.not_estimable) > 5:
            lines.append(f"and {len(effects.not_estimable) - 5} more terms are not estimable")
        table = effects.decisive
        tested = table[np.isfinite(table["p_holm"].astype(float))].sort_values("p")
        for row in tested.head(5).to_dict("records"):
            kind = row["test"]
            instead = ""
            if kind != effects.deciding and effects.deciding != "wider":
                instead = f", as {effects.deciding} has none"
            lines.append(
                f"{row['term']}: F({row['df']:.3g}, {row['df_error']:.3g}) = {row['F']:.4g}, "
                f"{p_equals(row['p'])} (Holm {p_number(row['p_holm'])}; {kind}{instead})"
            )
        lines += untestable(effects)
        return [*lines, *effects.notes]

    # --- what later rooms make of it --------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """`plot` and `document` (`analysis.accessors`)."""
        if name.startswith("_"):
            raise AttributeError(name)
        return access(name, self)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *accessors()})

    def _check_factor(self, name: str) -> None:
        if name not in self.factors:
            raise InputError(f"unknown factor {name!r}: {did_you_mean(name, self.factors)}")
