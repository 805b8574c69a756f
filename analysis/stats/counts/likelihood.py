"""The penalised likelihood of a logistic model on counts, and the climb to its top.

Log-likelihood + penalty x log det information. Rank deficiency is handled here: everything is done
in coordinates of the design's row space, where no direction is flat by aliasing. Counts per pattern
make a study of 10,000 runs as cheap as its cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dtrtri
from scipy.special import expit, log_expit

from analysis.stats.arrays import Floats

LARGEST_LOG_ODDS = 60.0
"""Where a climb gives up: odds of e^60 are infinite for any reader."""

MOST_PATTERNS_FOR_NEWTON = 500
"""Newton's curvature holds a patterns x patterns matrix; beyond this, scoring."""

MOST_ITERATIONS = 1000

NEAR = 0.1
"""Distance in log-odds within which a climb counts as on the slope of a known top."""


class NoConvergence(ArithmeticError):
    """The likelihood did not reach its maximum; without a penalty, usually separation."""


@dataclass(frozen=True, slots=True)
class Subspace:
    """Linear predictors that a restriction of a model leaves free."""

    inner: Floats  # rank x free, in coordinates of the model's row space
    basis: Floats  # patterns x free: the full design times `inner`
    triangle: Floats  # columns or patterns x free: the same Gram matrix as `basis`, and short

    def nearest(self, predictor: Floats) -> Floats:
        """Coordinates, shape (free,), of the predictor nearest to one of the full model.

        Args:
            predictor: the triangle of the full design times the coefficients.
        """
        return np.asarray(np.linalg.lstsq(self.triangle, predictor, rcond=None)[0], np.float64)


@dataclass(frozen=True, slots=True)
class Point:
    """The penalised log-likelihood at one linear predictor, and what it takes to climb on."""

    value: float
    gradient: Floats  # in the predictor, per pattern
    weight: Floats  # per pattern
    leverage: Floats  # per pattern: diagonal of the weighted hat matrix, 0 without a penalty
    q: Floats  # patterns x rank: the hat matrix is q q'; no columns without a penalty
    information: Floats  # rank x rank, of the full model


@dataclass(frozen=True)
class Likelihood:
    """Counts, the model of their log-odds, and the weight of the penalty."""

    design: Floats  # patterns x columns
    successes: Floats  # per pattern
    runs: Floats  # per pattern
    penalty: float

    @cached_property
    def triangle(self) -> Floats:
        """R of the design's QR."""
        return triangle(self.design)

    @cached_property
    def row_space(self) -> Floats:
        """Orthonormal basis (columns x rank) of the functions that the design fixes."""
        return row_space(self.triangle)

    @cached_property
    def full(self) -> Floats:
        """The design in coordinates of its row space: (patterns, rank), of full rank."""
        return np.asarray(self.design @ self.row_space)

    def subspace(self, inner: Floats) -> Subspace:
        """The predictors spanned by `inner`, shape (rank, free)."""
        return Subspace(inner, self.full @ inner, self.triangle @ self.row_space @ inner)

    def at(self, eta: Floats) -> Point:
        """Evaluate at a linear predictor, shape (patterns,)."""
        mu = expit(eta)
        weight = self.runs * mu * expit(-eta)
        failures = self.runs - self.successes
        value = float(self.successes @ log_expit(eta) + failures @ log_expit(-eta))
        gradient = self.successes - self.runs * mu
        x = np.sqrt(weight)[:, None] * self.full
        if not self.penalty:
            nothing = np.zeros((len(eta), 0))
            return Point(value, gradient, weight, np.zeros(len(eta)), nothing, x.T @ x)
        q, r = _orthonormal(x)
        leverage = np.square(q).sum(1)
        diagonal = np.abs(np.diag(r))
        if not diagonal.min(initial=np.inf) > 0:
            return Point(-np.inf, gradient, weight, leverage, q, r.T @ r)
        # Firth (1993): + penalty x log |X'WX|, whose root is the product of R's diagonal.
        value += 2 * self.penalty * float(np.log(diagonal).sum())
        gradient = gradient + 2 * self.penalty * leverage * (0.5 - mu)
        return Point(value, gradient, weight, leverage, q, r.T @ r)

    def climb(
        self,
        free: Subspace,
        offset: Floats | float = 0.0,
        start: Floats | None = None,
        known: Floats | None = None,
    ) -> tuple[Floats, float, int]:
        """Climb over eta = offset + basis @ g with step-halving; the penalty is the full model's.

        Args:
            free: where to climb.
            offset: predictor at g = 0, shape (patterns,) or one number.
            start: g to begin with, shape (free,); by default zero.
            known: predictor of a known top, shape (patterns,): a climb that comes close to it
                ends there, as it would only find it again.

        Returns:
            Coordinates of the top, shape (free,); its value; steps taken.

        Raises:
            NoConvergence: the surface rises without end.
        """
        g = np.zeros(free.basis.shape[1]) if start is None else start
        eta = offset + free.basis @ g
        here = self.at(eta)
        for iteration in range(1, MOST_ITERATIONS + 1):
            if not len(g):
                return g, here.value, iteration
            step = self._step(free, eta, here)
            rise = free.basis @ step
            if float(here.gradient @ rise) < 1e-13 * max(1.0, abs(here.value)):
                return g, here.value, iteration
            # Beyond 5 in the log-odds the quadratic that the step rests on says nothing any more.
            scale = min(1.0, 5.0 / float(np.abs(rise).max()))
            for _ in range(40):
                trial = self.at(offset + free.basis @ (g + scale * step))
                if trial.value >= here.value:
                    break
                scale /= 2
            else:
                return g, here.value, iteration  # no step climbs: rounding is all that is left
            g, here = g + scale * step, trial
            eta = offset + free.basis @ g
            if known is not None and float(np.abs(eta - known).max()) < NEAR:
                return g, here.value, iteration
            if not self.penalty and np.abs(eta).max() > LARGEST_LOG_ODDS:
                break
        raise NoConvergence("the likelihood has no maximum: some terms separate the outcome")

    def _step(self, free: Subspace, eta: Floats, at: Point) -> Floats:
        """Newton's uphill step, or the scoring step where there are many patterns or no penalty.

        With M = Z (Z'WZ)^-1 Z' and w the weights, the penalty's second derivative in eta is
        penalty x (delta_ij w''_i M_ii - w'_i w'_j M_ij^2). Scoring alone took up to 500 steps along
        the flat ridges that separation leaves, Newton 10 to 20.
        """
        score = free.basis.T @ at.gradient
        scoring = free.inner.T @ at.information @ free.inner
        if self.penalty and len(eta) <= MOST_PATTERNS_FOR_NEWTON:
            mu = expit(eta)
            skew = 1 - 2 * mu  # w' = w skew, w'' = w (1 - 6 mu (1 - mu)); q already carries sqrt(w)
            curvature = self.penalty * np.square(at.q @ at.q.T) * np.outer(skew, skew)
            bend = self.penalty * at.leverage * (1 - 6 * mu * (1 - mu))
            basis = free.basis
            exact = scoring + basis.T @ curvature @ basis - (basis * bend[:, None]).T @ basis
            try:
                return np.asarray(cho_solve(cho_factor(exact), score))
            except LinAlgError:
                # Along a ridge the surface bends the wrong way: climb it as steeply as it bends.
                values, vectors = np.linalg.eigh(exact)
                bends = np.maximum(np.abs(values), 1e-10 * np.abs(values).max())
                return np.asarray(vectors @ ((vectors.T @ score) / bends))
        try:
            return np.asarray(cho_solve(cho_factor(scoring), score))
        except LinAlgError:
            return np.asarray(np.linalg.lstsq(scoring, score, rcond=None)[0])


def triangle(design: Floats) -> Floats:
    """R of a thin QR where that is shorter: the same row space, singular values and Gram matrix."""
    if len(design) <= design.shape[1]:
        return design
    return np.asarray(np.linalg.qr(design, mode="r"), np.float64)


def row_space(triangle: Floats) -> Floats:
    """Orthonormal basis (columns x rank) of the space of estimable functions.

    Args:
        triangle: a design, or the triangle of one.
    """
    _, singular, v = np.linalg.svd(triangle, full_matrices=False)
    if not len(singular):
        return np.zeros((triangle.shape[1], 0))
    nonzero = singular > singular[0] * max(triangle.shape) * np.finfo(float).eps * 8
    return np.asarray(v[nonzero].T)


def _orthonormal(x: Floats) -> tuple[Floats, Floats]:
    """Q of a thin QR and R; by Cholesky, faster, where x is long."""
    if len(x) > MOST_PATTERNS_FOR_NEWTON:
        try:
            lower = np.linalg.cholesky(x.T @ x)
        except np.linalg.LinAlgError:
            pass
        else:
            inverse, _ = dtrtri(lower, lower=1)  # a product with it beats solving for every row
            return np.asarray(dtrmm(1.0, inverse, x.T, lower=1).T), np.asarray(lower.T)
    q, r = np.linalg.qr(x)
    return np.asarray(q, np.float64), np.asarray(r, np.float64)
