"""What a screening study says: its main effects, the few that matter, and what each could be too.

A factor is named by the judgement of the study, as everywhere; here is added which of those named
could as well be two others acting together, because the runs do not tell the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from analysis.model.cell_means import CellMeans
from analysis.model.completion import rests_on
from analysis.screening.array import effect_weights, mixing
from analysis.screening.noise import MainEffects, replicated, unreplicated
from analysis.screening.sparse import Evidence, Sparse, beside_pairs, rivals, sparse_model
from analysis.stats.arrays import Floats
from analysis.stats.estimates import INTERVAL
from runner.content.response import Response

ALONE = 0.05
"""p of a factor by itself up to which it is open where it is not shown."""
FEWEST_NEXT = 2
"""Factors of the study that comes next: one alone tells nothing of how factors act together."""


@dataclass(frozen=True, eq=False)
class Screen:
    """The runs of a screening study as a two-level design.

    Attributes:
        factors: factor to its two levels.
        signs: +1 where a run has the first level, -1 where the second; shape (runs, factors).
        means: outcome of each combination, shape (runs,).
        effects: of the factors.
    """

    factors: Mapping[str, tuple[str, ...]]
    signs: Floats
    means: Floats
    effects: MainEffects

    @cached_property
    def evidence(self) -> Evidence | None:
        """What terms are told from; None where the noise is not known."""
        known = np.isfinite(self.effects.se).all()
        noise = float(np.median(self.effects.se))
        return Evidence(self.signs, self.means, noise, self.effects.p_of) if known else None

    @cached_property
    def model(self) -> Sparse:
        """The few terms that explain the runs."""
        return Sparse((), ()) if self.evidence is None else sparse_model(self.evidence)

    @cached_property
    def shadows(self) -> list[int]:
        """Positions of factors that no term is needed for, as a pair of the model leans on them."""
        if self.evidence is None or not self.model.pairs:
            return []
        left = [one for one in range(self.signs.shape[1]) if one not in self.model.mains]
        return [one for one in left if rivals(self.evidence, self.model, one)]

    @cached_property
    def p(self) -> Floats:
        """P of each factor as it is judged: of a shadow beside the pair, where that is larger."""
        p = self.effects.p.copy()
        for one in self.shadows:
            assert self.evidence is not None  # noqa: S101 - without it there are no shadows
            p[one] = max(p[one], beside_pairs(self.evidence, self.model, one))
        return p

    @cached_property
    def clear(self) -> bool:
        """Whether no pair of factors leans on a main effect of another."""
        count = self.signs.shape[1]
        return not any(
            abs(mixing(self.signs, one, pair)) > 1e-9
            for one in range(count)
            for pair in combinations([other for other in range(count) if other != one], 2)
        )

    @property
    def is_replicated(self) -> bool:
        """Whether the noise is that of runs of the same combination."""
        return not self.effects.contrasts

    def columns(self) -> dict[str, Any]:
        """What stands in the table of differences of a study without replicates."""
        numbers = {name: getattr(self.effects, name) for name in INTERVAL}
        rests = rests_on(2 if self.clear else 1)
        return {**numbers, "p_holm": self.effects.p, "rests_on": rests, "method": "lenth"}


@dataclass(frozen=True, eq=False)
class Screened:
    """The findings of a screening study.

    Attributes:
        screen: what they are of.
        matter: factors that are shown to matter, the strongest first.
        rivals: of those, the pairs of others that each could be as well.
        open: factors whose interval excludes zero by itself only.
        shadows: others of those, which a pair that seems to act together would look like.
        acting_together: pairs of factors that matter and seem to change each other's effect.
        better: factor to the level with the better mean.
        next: factors of the study that should come next; none where nothing is shown.
    """

    screen: Screen
    matter: tuple[str, ...]
    rivals: Mapping[str, tuple[tuple[str, str], ...]]
    open: tuple[str, ...]
    shadows: tuple[str, ...]
    acting_together: tuple[tuple[str, str], ...]
    better: Mapping[str, str]
    next: tuple[str, ...]


def screen_of(cells: CellMeans, contrasts: pd.DataFrame, confidence: float = 0.95) -> Screen | None:
    """The study as a screening design; None where its runs do not tell the factors apart (yet).

    Args:
        cells: of factors with two levels each.
        contrasts: of `Study.contrasts` by the rule of the study, one row a factor.
        confidence: of the intervals.
    """
    codes = np.array(np.unravel_index(cells.ran, cells.shape)).T
    signs = np.asarray(1.0 - 2.0 * codes, dtype=np.float64)
    means = cells.deviations.ravel()[cells.ran]
    try:
        if cells.pure_df:
            effect_weights(signs)
            effects = replicated(contrasts)
        else:
            effects = unreplicated(signs, means, confidence)
    except np.linalg.LinAlgError:
        return None
    return Screen(dict(cells.factors), signs, means, effects)


def screened(screen: Screen, shown: Sequence[str], measure: Response) -> Screened:
    """What is said of a screening study.

    Args:
        screen: its effects.
        shown: factors that the judgement of the study shows.
        measure: the outcome's record, for what is better.
    """
    names = list(screen.factors)
    estimate, p = screen.effects.estimate, screen.effects.p
    order = [int(one) for one in np.argsort(-np.abs(estimate), kind="stable")]
    matter = [one for one in order if names[one] in shown]
    others = [one for one in order if one not in matter and p[one] <= ALONE]
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    runs = screen.evidence
    for one in matter:
        if runs is not None and (pairs := rivals(runs, screen.model, one)):
            found[names[one]] = tuple((names[a], names[b]) for a, b in pairs)
    shadows = [one for one in others if one in screen.shadows]
    others = [one for one in others if one not in shadows]
    together = tuple((names[a], names[b]) for a, b in screen.model.pairs if {a, b} <= set(matter))
    following = [*matter, *others] if matter or others else []
    if following and len(following) < FEWEST_NEXT:
        following += [one for one in order if one not in following][: FEWEST_NEXT - len(following)]
    better = {
        name: levels[0 if measure.sign * estimate[place] >= 0 else 1]
        for place, (name, levels) in enumerate(screen.factors.items())
    }
    return Screened(
        screen,
        tuple(names[one] for one in matter),
        found,
        tuple(names[one] for one in others),
        tuple(names[one] for one in shadows),
        together,
        better,
        tuple(name for name in names if names.index(name) in following),
    )
