"""Firth's penalised logistic regression on counts: finite effects where convergence is separated.

Maximises log-likelihood + penalty x log det information (penalty 1/2: Jeffreys' prior, Firth 1993;
penalty 0: maximum likelihood). Own code because terms need tests of several degrees of freedom,
columns may be aliased, and counts per cell make a study of 10,000 runs as cheap as its cells. Rank
deficiency is handled in the row space: a function outside it is `None`, never a number. Knows
matrices and counts only; `convergence` knows factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import null_space
from scipy.optimize import brentq, linprog
from scipy.special import chdtrc, expit, gammaincinv, ndtri

from analysis.stats.arrays import Floats
from analysis.stats.counts.likelihood import (
    LARGEST_LOG_ODDS,
    Likelihood,
    NoConvergence,
    Subspace,
    row_space,
    triangle,
)

INTERIOR_LOG_ODDS = 10.0
"""Where all fitted log-odds are smaller a climb has ended at a top, not on a slope to infinity."""

SEPARATED_LOG_ODDS = 6.0
"""A fitted log-odds beyond this (0.25 % or 99.75 %) is taken as a sign of separation."""


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """A (penalised) likelihood-ratio test. `None` where the term has no estimable column left."""

    chisq: float | None
    df: int
    p: float | None


@dataclass(frozen=True, slots=True)
class Limits:
    """An estimate with limits; all `None` where the function is not estimable."""

    estimate: float | None
    low: float | None
    high: float | None
    se: float | None = None


@dataclass(frozen=True)
class LogisticFit:
    """A maximised penalised likelihood. `coefficients` is the minimum-norm solution if aliased."""

    likelihood: Likelihood
    coefficients: Floats  # one per column of the design
    covariance: Floats  # inverse information at the maximum, pseudo-inverse if aliased
    log_likelihood: float  # penalised, without binomial coefficients, as logistf reports it
    rank: int
    iterations: int

    def estimable(self, contrast: Floats) -> bool:
        """Whether one linear function (or each row of several) is fixed by the data.

        Args:
            contrast: shape (columns,) or (functions, columns) of the design.
        """
        rows, space = np.atleast_2d(contrast), self.likelihood.row_space
        outside = np.linalg.norm(rows - (rows @ space) @ space.T, axis=1)
        return bool(np.all(outside <= 1e-8 * (1 + np.linalg.norm(rows, axis=1))))

    def term_test(self, columns: ArrayLike) -> LikelihoodRatio:
        """Likelihood-ratio test that these columns' coefficients are all zero.

        `columns` are positions in the design, shape (df or more,).

        The penalty of the restricted model stays that of the full one (Heinze and Schemper 2002),
        as in `logistf`. With sum-to-zero coding this is the type III test of a term.
        """
        data = self.likelihood
        left = np.delete(np.arange(data.design.shape[1]), np.asarray(columns, int))
        # In coordinates of the row space of the columns left: of full rank, so Newton's matrix is
        # never singular by aliasing alone.
        inner = data.row_space[left].T @ row_space(data.triangle[:, left])
        df = self.rank - inner.shape[1]
        if df == 0:
            return LikelihoodRatio(None, 0, None)
        chisq = self._restricted(data.subspace(inner))
        return LikelihoodRatio(chisq, df, float(chdtrc(df, chisq)))

    def contrast_test(self, contrast: ArrayLike) -> LikelihoodRatio:
        """Likelihood-ratio test that one linear function, shape (columns,), is zero."""
        c = np.asarray(contrast, float)
        if not self.estimable(c):
            return LikelihoodRatio(None, 0, None)
        inner = null_space((self.likelihood.row_space.T @ c)[None, :])
        chisq = self._restricted(self.likelihood.subspace(inner))
        return LikelihoodRatio(chisq, 1, float(chdtrc(1, chisq)))

    def profile(self, contrast: ArrayLike, level: float = 0.95) -> Limits:
        """Estimate and profile penalised-likelihood limits of a linear function (log odds).

        Venzon and Moolgavkar (1988); penalised by Heinze and Schemper (2002). `contrast` has shape
        (columns,).

        The profile is followed from the estimate outwards, so it must have one top: offer it in
        models of main effects.
        """
        c = np.asarray(contrast, float)
        if not self.estimable(c):
            return Limits(None, None, None)
        data = self.likelihood
        inner = data.row_space.T @ c
        free = data.subspace(null_space(inner[None, :]))
        direction = data.subspace(inner[:, None] / (inner @ inner))
        estimate, cut = float(c @ self.coefficients), float(np.sqrt(2 * gammaincinv(0.5, level)))
        se = float(np.sqrt(c @ self.covariance @ c))
        optimum = data.triangle @ self.coefficients
        centre = free.nearest(optimum - estimate * direction.triangle[:, 0])
        last = centre
        # Every value once: among several tops a second climb could end at another.
        seen = {estimate: -cut}

        def shortfall(value: float) -> float:
            # The signed root of the deviance is nearly a line, so few steps find its end; each
            # climb starts where its neighbour ended.
            nonlocal last
            if value not in seen:
                starts = (last, centre, 0.0 * centre)
                last, deviance = self._deviance(free, starts, value * direction.basis[:, 0])
                seen[value] = float(np.sqrt(deviance)) - cut
            return seen[value]

        def limit(sign: int) -> float:
            nonlocal last
            last = centre
            inside, step = 0.0, 2 * se
            while shortfall(estimate + sign * (inside + step)) < 0:
                inside, step = inside + step, 2 * step
                if inside > LARGEST_LOG_ODDS:
                    return sign * np.inf
            ends = sorted((estimate + sign * inside, estimate + sign * (inside + step)))
            root: float = brentq(shortfall, *ends, xtol=1e-8)
            return root

        return Limits(estimate, limit(-1), limit(1), se)

    def _restricted(self, free: Subspace) -> float:
        """Twice what a restriction costs in log-likelihood."""
        warm = free.nearest(self.likelihood.triangle @ self.coefficients)
        return self._deviance(free, (warm, 0.5 * warm, 0.0 * warm))[1]

    def _deviance(
        self, free: Subspace, starts: Sequence[Floats], offset: Floats | float = 0.0
    ) -> tuple[Floats, float]:
        """The highest restricted top that is found, and twice how far it lies below the full one.

        Away from separation the surface has one top, and the climb from the first start finds it.
        Near it a restricted penalised likelihood can have several (5 of 15 terms of a real
        72-cell grid did): from 60 random starts none higher was seen than the best of the full
        solution, half of it, and zero.

        Args:
            free: where to climb.
            starts: coordinates, each of shape (free,).
            offset: predictor at coordinates zero, shape (patterns,) or one number.
        """
        data = self.likelihood
        extreme = np.abs(data.design @ self.coefficients).max()
        best, highest, known = starts[0], -np.inf, None
        for start in starts:
            g, value, _ = data.climb(free, offset, start, known)
            if value > highest:
                best, highest, known = g, value, offset + free.basis @ g
                extreme = max(extreme, np.abs(known).max())
            if extreme < SEPARATED_LOG_ODDS:
                break
        return best, max(0.0, 2 * (self.log_likelihood - highest))

    def linear(self, contrast: ArrayLike, level: float = 0.95) -> Limits:
        """Estimate, Wald limits and standard error of a linear function, shape (columns,)."""
        c = np.asarray(contrast, float)
        if not self.estimable(c):
            return Limits(None, None, None)
        estimate, se = float(c @ self.coefficients), float(np.sqrt(c @ self.covariance @ c))
        half = float(ndtri((1 + level) / 2)) * se
        return Limits(estimate, estimate - half, estimate + half, se)

    def mean_probability(self, rows: ArrayLike, level: float = 0.95) -> Limits:
        """Mean predicted probability over these patterns with equal weight (g-computation).

        `rows` has shape (patterns, columns). The interval is the delta method's on the log-odds of
        the mean, so it stays in (0, 1). `None` where one of the patterns is not estimable.
        """
        x = np.atleast_2d(np.asarray(rows, float))
        if not self.estimable(x):
            return Limits(None, None, None)
        probability = expit(x @ self.coefficients)
        mean = float(probability.mean())
        gradient = (probability * (1 - probability)) @ x / len(x)
        se = float(np.sqrt(gradient @ self.covariance @ gradient))
        if not 0 < mean < 1:  # rounded to an end, where log-odds have no value
            return Limits(mean, None, None, se)
        centre, half = np.log(mean / (1 - mean)), float(ndtri((1 + level) / 2)) * se
        half /= mean * (1 - mean)
        return Limits(mean, float(expit(centre - half)), float(expit(centre + half)), se)


def fit(
    design: ArrayLike, successes: ArrayLike, runs: ArrayLike, penalty: float = 0.5
) -> LogisticFit:
    """Fit a logistic regression to counts.

    Args:
        design: Patterns x columns, intercept included where wanted; one row per cell or per run.
        successes: Per pattern, 0..runs.
        runs: Per pattern; rows with 0 runs are left out.
        penalty: 0.5 for Firth, 0 for maximum likelihood.

    Raises:
        ValueError: No runs, or impossible counts.
        NoConvergence: No finite maximum (with penalty 0: separation).
    """
    x, k, n = (np.asarray(a, float) for a in (design, successes, runs))
    x, k, n = x[n > 0], k[n > 0], n[n > 0]
    if not len(n):
        raise ValueError("a logistic regression needs at least one run")
    if np.any((k < 0) | (k > n)):
        raise ValueError("a count of successes lies outside 0..runs")
    data = Likelihood(x, k, n, penalty)
    space = data.row_space
    rank = space.shape[1]
    g, value, iterations = data.climb(data.subspace(np.eye(rank)))
    beta = space @ g
    # The curvature of the augmented data (runs + 2 penalty h), as logistf's `var`: the plain
    # information would ignore what the penalty adds and be 1 to 2 % wider.
    top = data.at(x @ beta)
    mu = expit(x @ beta)
    weight = top.weight + 2 * penalty * top.leverage * mu * (1 - mu)
    information = (data.full * weight[:, None]).T @ data.full
    covariance = space @ np.linalg.pinv(information, hermitian=True) @ space.T
    return LogisticFit(data, beta, covariance, value, rank, iterations)


def separated(design: ArrayLike, successes: ArrayLike, runs: ArrayLike) -> bool:
    """Whether maximum likelihood has no finite solution (Konis 2007, by a linear programme).

    Arguments as of `fit`: design of shape (patterns, columns), counts of shape (patterns,).
    """
    x, k, n = (np.asarray(a, float) for a in (design, successes, runs))
    if not (n > 0).any():
        return False
    try:
        # A maximum in the interior is one, and found sooner than a programme shows that no
        # direction separates; near the edge of what doubles tell apart the programme decides.
        maximum = fit(x, k, n, penalty=0.0)
        if np.abs(maximum.likelihood.design @ maximum.coefficients).max() < INTERIOR_LOG_ODDS:
            return False
    except NoConvergence:
        pass
    z = x[n > 0] @ row_space(triangle(x[n > 0]))
    k, n = k[n > 0], n[n > 0]
    # A direction b separates when z b >= 0 where all succeeded, <= 0 where none did, = 0 elsewhere.
    sign = np.where(k == n, 1.0, np.where(k == 0, -1.0, 0.0))
    if not sign.any():
        return False
    gain = sign[:, None] * z
    mixed = z[sign == 0]
    answer = linprog(
        -gain.sum(0),
        A_ub=-gain[sign != 0],
        b_ub=np.zeros(int((sign != 0).sum())),
        A_eq=mixed if len(mixed) else None,
        b_eq=np.zeros(len(mixed)) if len(mixed) else None,
        bounds=(-1, 1),
        method="highs",
    )
    return bool(answer.status == 0 and -answer.fun > 1e-7)
