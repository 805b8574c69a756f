"""Firth's penalised logistic regression on counts: finite effects where convergence is separated.

Maximises log-likelihood + penalty x log det information (penalty 1/2: Jeffreys' prior, Firth 1993;
penalty 0: maximum likelihood). Own code because terms need tests of several degrees of freedom,
columns may be aliased, and counts per cell make a study of 10,000 runs as cheap as its cells. Rank
deficiency is handled in the row space: a function outside it is `None`, never a number. Knows
matrices and counts only; `convergence` knows factors. Over 300 lines because the
likelihood, its climb and its tests share one derivation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import LinAlgError, cho_factor, cho_solve, null_space
from scipy.linalg.lapack import dtrtri
from scipy.optimize import brentq, linprog
from scipy.special import expit, log_expit, ndtri
from scipy.stats import chi2

from analysis.stats.arrays import Floats

LARGEST_LOG_ODDS = 60.0
"""Where the search for a profile limit gives up: odds of e^60 are infinite for any reader."""

INTERIOR_LOG_ODDS = 10.0
"""Where all fitted log-odds are smaller a climb has ended at a top, not on a slope to infinity."""

MOST_PATTERNS_FOR_NEWTON = 500
"""Newton's curvature holds a patterns x patterns matrix; beyond this, scoring."""

MOST_ITERATIONS = 1000

SEPARATED_LOG_ODDS = 6.0
"""A fitted log-odds beyond this (0.25 % or 99.75 %) is taken as a sign of separation."""


NEAR = 0.1
"""Distance in log-odds within which a climb counts as on the slope of a known top."""


class NoConvergence(ArithmeticError):
    """The likelihood did not reach its maximum; without a penalty, usually separation."""


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

    design: Floats  # patterns x columns
    successes: Floats  # per pattern
    runs: Floats  # per pattern
    penalty: float
    coefficients: Floats  # one per column of the design
    covariance: Floats  # inverse information at the maximum, pseudo-inverse if aliased
    log_likelihood: float  # penalised, without binomial coefficients, as logistf reports it
    rank: int
    iterations: int

    @cached_property
    def _row_space(self) -> Floats:
        return _row_space(self.design)

    def estimable(self, contrast: Floats) -> bool:
        """Whether one linear function (or each row of several) is fixed by the data.

        Args:
            contrast: shape (columns,) or (functions, columns) of the design.
        """
        rows = np.atleast_2d(contrast)
        outside = np.linalg.norm(rows - (rows @ self._row_space) @ self._row_space.T, axis=1)
        return bool(np.all(outside <= 1e-8 * (1 + np.linalg.norm(rows, axis=1))))

    def term_test(self, columns: ArrayLike) -> LikelihoodRatio:
        """Likelihood-ratio test that these columns' coefficients are all zero.

        `columns` are positions in the design, shape (df or more,).

        The penalty of the restricted model stays that of the full one (Heinze and Schemper 2002),
        as in `logistf`. With sum-to-zero coding this is the type III test of a term.
        """
        columns_left = np.delete(self.design, np.asarray(columns, int), axis=1)
        space = _row_space(columns_left)
        df = self.rank - space.shape[1]
        if df == 0:
            return LikelihoodRatio(None, 0, None)
        # Columns of full rank: Newton's matrix is then never singular by aliasing alone.
        basis = columns_left @ space
        restricted = _highest(self, basis, np.zeros(len(columns_left)))
        chisq = max(0.0, 2 * (self.log_likelihood - restricted))
        return LikelihoodRatio(chisq, df, float(chi2.sf(chisq, df)))

    def contrast_test(self, contrast: ArrayLike) -> LikelihoodRatio:
        """Likelihood-ratio test that one linear function, shape (columns,), is zero."""
        c = np.asarray(contrast, float)
        if not self.estimable(c):
            return LikelihoodRatio(None, 0, None)
        basis = self.design @ self._row_space @ null_space((self._row_space.T @ c)[None, :])
        chisq = max(0.0, 2 * (self.log_likelihood - _highest(self, basis, np.zeros(len(basis)))))
        return LikelihoodRatio(chisq, 1, float(chi2.sf(chisq, 1)))

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
        inner = self._row_space.T @ c
        basis = self.design @ self._row_space
        free = basis @ null_space(inner[None, :])
        direction = basis @ (inner / (inner @ inner))
        estimate, cut = float(c @ self.coefficients), float(np.sqrt(chi2.ppf(level, 1)))
        se = float(np.sqrt(c @ self.covariance @ c))
        eta = self.design @ self.coefficients
        centred = np.linalg.lstsq(free, eta - estimate * direction, rcond=None)[0]
        centre: Floats = np.asarray(centred, np.float64)
        last = centre

        def shortfall(value: float) -> float:
            # The signed root of the deviance is nearly a line, so few steps find its end; each
            # climb starts where its neighbour ended.
            nonlocal last
            last, top, _ = _maximise(self, free, value * direction, last)
            return float(np.sqrt(max(2 * (self.log_likelihood - top), 0.0))) - cut

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


def _row_space(design: Floats) -> Floats:
    """Orthonormal basis (columns x rank) of the space of estimable functions."""
    # R of a QR has the same row space and singular values, and is small where patterns are many.
    triangle = np.linalg.qr(design, mode="r") if len(design) > design.shape[1] else design
    _, singular, v = np.linalg.svd(triangle, full_matrices=False)
    if not len(singular):
        return np.zeros((design.shape[1], 0))
    nonzero = singular > singular[0] * max(design.shape) * np.finfo(float).eps * 8
    return np.asarray(v[nonzero].T)


def _orthonormal(x: Floats) -> tuple[Floats, Floats]:
    """Q of a thin QR and the absolute diagonal of R; by Cholesky, faster, where x is long."""
    if len(x) > MOST_PATTERNS_FOR_NEWTON:
        try:
            lower = np.linalg.cholesky(x.T @ x)
        except np.linalg.LinAlgError:
            pass
        else:
            inverse, _ = dtrtri(lower, lower=1)  # a product with it beats solving for every row
            return np.asarray(x @ inverse.T), np.diag(lower)
    q, r = np.linalg.qr(x)
    return np.asarray(q, np.float64), np.abs(np.diag(r))


def _objective(
    data: LogisticFit, basis: Floats, eta: Floats
) -> tuple[float, Floats, Floats, Floats]:
    """Penalised log-likelihood, its gradient and weights in eta, and leverage factors Q."""
    mu = expit(eta)
    weight = data.runs * mu * expit(-eta)
    value = float(data.successes @ log_expit(eta) + (data.runs - data.successes) @ log_expit(-eta))
    gradient = data.successes - data.runs * mu
    q = np.empty((len(eta), 0))
    if data.penalty:
        q, diagonal = _orthonormal(np.sqrt(weight)[:, None] * basis)
        if not diagonal.min() > 0:
            return -np.inf, gradient, weight, q
        # Firth (1993): + penalty x log |X'WX|, whose root is the product of R's diagonal.
        value += 2 * data.penalty * float(np.log(diagonal).sum())
        gradient = gradient + 2 * data.penalty * (q * q).sum(1) * (0.5 - mu)
    return value, gradient, weight, q


def _step(
    data: LogisticFit, basis: Floats, eta: Floats, gradient: Floats, weight: Floats, q: Floats
) -> Floats:
    """Newton's uphill step, or the scoring step where there are many patterns or no penalty.

    With M = Z (Z'WZ)^-1 Z' and w the weights, the penalty's second derivative in eta is
    penalty x (delta_ij w''_i M_ii - w'_i w'_j M_ij^2). Scoring alone took up to 500 steps along the
    flat ridges that separation leaves, Newton 10 to 20.
    """
    score = basis.T @ gradient
    scoring = (basis * weight[:, None]).T @ basis
    if data.penalty and len(eta) <= MOST_PATTERNS_FOR_NEWTON:
        mu = expit(eta)
        skew = 1 - 2 * mu  # w' = w skew, w'' = w (1 - 6 mu (1 - mu)); Q already carries sqrt(w)
        overlap = q @ q.T
        curvature = data.penalty * np.square(overlap) * np.outer(skew, skew)
        bend = data.penalty * np.diag(overlap) * (1 - 6 * mu * (1 - mu))
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


def _maximise(
    data: LogisticFit,
    basis: Floats,
    offset: Floats,
    start: Floats | None = None,
    known: Floats | None = None,
) -> tuple[Floats, float, int]:
    """Climb over eta = offset + basis @ g with step-halving; the penalty is the full model's.

    A climb that comes close to a `known` top (its eta) ends there: it would only find it again.
    """
    full = data.design @ data._row_space
    g = np.zeros(basis.shape[1]) if start is None else start
    value, gradient, weight, q = _objective(data, full, offset + basis @ g)
    for iteration in range(1, MOST_ITERATIONS + 1):
        if not len(g):
            return g, value, iteration
        step = _step(data, basis, offset + basis @ g, gradient, weight, q)
        if float((basis.T @ gradient) @ step) < 1e-13 * max(1.0, abs(value)):
            return g, value, iteration
        # Beyond 5 in the log-odds the quadratic that the step rests on says nothing any more.
        scale = min(1.0, 5.0 / float(np.abs(basis @ step).max()))
        for _ in range(40):
            trial = _objective(data, full, offset + basis @ (g + scale * step))
            if trial[0] >= value:
                break
            scale /= 2
        else:
            return g, value, iteration  # no step climbs any more: rounding is all that is left
        g = g + scale * step
        value, gradient, weight, q = trial
        if known is not None and float(np.abs(offset + basis @ g - known).max()) < NEAR:
            return g, value, iteration
        if not data.penalty and np.abs(basis @ g + offset).max() > LARGEST_LOG_ODDS:
            break
    raise NoConvergence("the likelihood has no maximum: some terms separate the outcome perfectly")


def _highest(data: LogisticFit, basis: Floats, offset: Floats) -> float:
    """The highest of the restricted maxima reached from the full solution, half of it, and zero.

    Under separation a restricted penalised likelihood can have several maxima (5 of 15 terms of a
    real 72-cell grid did); from 60 random starts none higher than the best of these three was seen.
    """
    eta = data.design @ data.coefficients
    warm = np.asarray(np.linalg.lstsq(basis, eta, rcond=None)[0], np.float64)
    # Without separation the surface has one top, and one climb finds it.
    starts = (1.0, 0.5, 0.0) if np.abs(eta).max() > SEPARATED_LOG_ODDS else (1.0,)
    top: Floats | None = None
    highest = -np.inf
    for share in starts:
        g, value, _ = _maximise(data, basis, offset, share * warm, top)
        if value > highest:
            highest, top = value, offset + basis @ g
    return highest


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
    space = _row_space(x)
    nothing = np.zeros(x.shape[1])
    data = LogisticFit(x, k, n, penalty, nothing, np.empty((0, 0)), np.nan, space.shape[1], 0)
    g, value, iterations = _maximise(data, x @ space, np.zeros(len(n)))
    beta = space @ g
    # The curvature of the augmented data (runs + 2 penalty h), as logistf's `var`: the plain
    # information would ignore what the penalty adds and be 1 to 2 % wider.
    _, _, weight, q = _objective(data, x @ space, x @ beta)
    mu = expit(x @ beta)
    weight = weight + 2 * penalty * (q * q).sum(1) * mu * (1 - mu)
    information = ((x @ space) * weight[:, None]).T @ (x @ space)
    covariance = space @ np.linalg.pinv(information, hermitian=True) @ space.T
    return LogisticFit(x, k, n, penalty, beta, covariance, value, space.shape[1], iterations)


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
        if np.abs(maximum.design @ maximum.coefficients).max() < INTERIOR_LOG_ODDS:
            return False
    except NoConvergence:
        pass
    z = x[n > 0] @ _row_space(x[n > 0])
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
