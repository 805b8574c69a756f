"""What is known of a model's contrasts after some runs, and what one more run would add.

The terms of the model have a prior variance, so that something is known of every contrast from the
first run on and no matrix is singular: a D-optimal design of few runs may then be asked for before
it can be estimated (DuMouchel and Jones 1994, Technometrics 36; Bayesian D-optimality). Contrasts
that belong together, such as those of a factor, are one aim; what a run adds to an aim is the
logarithm by which the sum of their variances falls, in nats. Knows no outcome: what has been found
never moves a run, so that a study stopped anywhere is not one that was stopped because of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runner.design.search.quality import Matrix, Runs, Term, helmert, model_matrix, terms

NOISE = 1.0
"""Variance of a run about its combination: the unit of all others."""
MEAN, MAINS, PAIRS = 100.0, 1.0, 0.25
"""Prior variances of a contrast: nothing is known of the mean; pairs are smaller than mains."""
BEYOND = 0.25
"""Variance of a combination about the model: the first run of one says more than its second."""
BESIDE = {1: 0.3, 2: 0.1}
"""Weight of mains and of pairs beside what is asked in the first place."""


@dataclass(frozen=True, eq=False)
class Aim:
    """Contrasts that are wanted together.

    Attributes:
        contrasts: over the columns of the model [contrasts, parameters].
        weight: of what is learned of them.
    """

    contrasts: Matrix
    weight: float


def aims_of(
    levels: Sequence[int], order: int, claims: Sequence[tuple[Sequence[Sequence[int]], ...]] = ()
) -> list[Aim]:
    """What the runs are for: the claims where there are any; else the mains, then pairs.

    Args:
        levels: Number of levels of each factor.
        order: Of the model, at most 2.
        claims: Of each the levels of every factor that count, on its left and on its right side.
    """
    _, owners = model_matrix(np.zeros((1, len(levels)), dtype=np.int64), levels, order)
    identity = np.eye(len(owners))
    first = BESIDE if claims else {1: 1.0, 2: BESIDE[1]}
    aims = []
    for term in terms(len(levels), order):
        if term:
            aims.append(Aim(identity[[one == term for one in owners]], first[len(term)]))
    for left, right in claims:
        difference = average(levels, order, left) - average(levels, order, right)
        aims.append(Aim(difference[None, :], 1.0))
    return aims


def average(levels: Sequence[int], order: int, which: Sequence[Sequence[int]]) -> Matrix:
    """The model's columns [parameters], averaged over all combinations of these levels.

    Args:
        levels: Number of levels of each factor.
        order: Of the model.
        which: Positions of the levels that count, of each factor.
    """
    # A product of contrasts averages to the product of their averages.
    own = [
        helmert(count)[list(some)].mean(axis=0) for count, some in zip(levels, which, strict=True)
    ]
    blocks = []
    for term in terms(len(levels), order):
        block = np.ones(1)
        for factor in term:
            block = np.outer(block, own[factor]).ravel()
        blocks.append(block)
    return np.concatenate(blocks)


class Information:
    """What is known after so many runs of each combination; `add` tells it of another."""

    def __init__(
        self, runs: Runs, levels: Sequence[int], order: int, aims: Sequence[Aim], counts: Runs
    ) -> None:
        """Take in what has run.

        Args:
            runs: Combinations [n, factors] that may run.
            levels: Number of levels of each factor.
            order: Of the model, at most 2.
            aims: What the runs are for; see `aims_of`.
            counts: How often each has run [n].
        """
        self.counts = counts.copy()
        self._columns, owners = model_matrix(runs, levels, order)
        self._aims = np.vstack([aim.contrasts for aim in aims])
        self._begins = np.cumsum([0, *(len(aim.contrasts) for aim in aims[:-1])])
        self._weights = np.array([aim.weight for aim in aims])
        precision = np.diag([1.0 / _prior(term) for term in owners])
        precision += self._columns.T @ (_worth(counts)[:, None] * self._columns)
        self._covariance = np.linalg.inv(precision)
        weighted = self._columns @ self._covariance
        self._spread = np.sum(weighted * self._columns, axis=1)
        self._with_aims = self._aims @ weighted.T
        self._variances = np.sum((self._aims @ self._covariance) * self._aims, axis=1)

    def gains(self) -> Matrix:
        """What one more run of each combination would add, in weighted nats [n]."""
        more = _worth(self.counts + 1) - _worth(self.counts)
        falls = self._with_aims**2 * (more / (1.0 + more * self._spread))
        together = np.add.reduceat(falls, self._begins, axis=0)
        share = together / self.variances[:, None]
        gained: Matrix = -self._weights @ np.log1p(-np.minimum(share, 1.0 - 1e-12))
        return gained

    @property
    def variances(self) -> Matrix:
        """Of every aim, that of its contrasts together [aims]."""
        return np.asarray(np.add.reduceat(self._variances, self._begins))

    def add(self, run: int) -> None:
        """One more run of a combination."""
        more = float(_worth(self.counts[run] + 1) - _worth(self.counts[run]))
        self.counts[run] += 1
        # Sherman and Morrison's formula: no matrix is inverted anew.
        toward = self._covariance @ self._columns[run]
        step = more / (1.0 + more * self._spread[run])
        along, onto = self._columns @ toward, self._aims @ toward
        self._covariance -= step * np.outer(toward, toward)
        self._spread = np.maximum(self._spread - step * along**2, 0.0)
        self._with_aims -= step * np.outer(onto, along)
        self._variances = self._variances - step * onto**2


def _prior(term: Term) -> float:
    return (MEAN, MAINS, PAIRS)[min(len(term), 2)]


def _worth(counts: Runs | np.int64) -> Matrix:
    """Precision with which so many runs of a combination tell what the model says of it."""
    return np.asarray(counts / (BEYOND * counts + NOISE))
