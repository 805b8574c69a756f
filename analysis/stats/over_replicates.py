"""The t over replicates, also where some of them lost runs.

Replicates are independent, the cells of one may share anything. With complete replicates a linear
function of cell means has one value in each, and a t interval with one degree of freedom less than
replicates. With lost runs cells and replicates are fitted together (least squares, both additive),
so that a difference stays free of what a replicate adds to all its cells; the squared sums of
residuals by replicate then estimate the variance (cluster-robust), scaled by what they would expect
under half own and half shared noise, with Satterthwaite's degrees of freedom under the same (Bell
and McCaffrey 2002). Complete replicates give exactly the t interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.stats.arrays import Floats, Truths

CHUNK = 3_000_000
"""Numbers held at once."""
MOST_SCALED = 50.0
"""Times the squared scores may be too small: beyond, nearly nothing is known of the variance."""
FEWEST_DF = 0.5
MOST_EXACT = 50_000
"""Cells x replicates^2 above which replicates' residuals count as uncorrelated: one choice for all
functions of a grid, so that each has one interval."""


@dataclass(frozen=True, eq=False)
class OverReplicates:
    """Cells and replicates fitted together.

    Attributes:
        there: which replicate ran in which cell, shape (cells, replicates).
        values: means per cell and replicate minus a shift, 0 where absent.
        runs: replicates per cell.
        inverse: generalised inverse of what cells leave of the replicates' normal equations.
        normal: those equations.
        sigma: standard deviation of a run per cell.
        share: of the runs that each replicate has: the weights of replicates in a mean.
    """

    there: Truths
    values: Floats
    runs: Floats
    normal: Floats
    inverse: Floats
    sigma: Floats
    share: Floats

    @staticmethod
    def of(deviations: Floats, variances: Floats) -> OverReplicates:
        """Fit.

        Args:
            deviations: shape (replicates, cells), NaN where a replicate lacks a cell; every cell
                has one.
            variances: within cells, NaN where unknown.
        """
        there = np.isfinite(deviations.T)
        values = np.where(there, deviations.T, 0.0)
        runs = there.sum(axis=1).astype(float)
        ran = there.astype(float)
        # Normal equations of replicates after sweeping out cells (Searle 1971, ch. 7): runs of a
        # replicate on the diagonal, less what replicates share through common cells.
        normal = np.diag(ran.sum(axis=0)) - ran.T @ (ran / runs[:, None])
        return OverReplicates(
            there=there,
            values=values,
            runs=runs,
            normal=normal,
            inverse=np.linalg.pinv(normal, rcond=1e-10, hermitian=True),
            sigma=np.sqrt(np.nan_to_num(variances)),
            share=ran.sum(axis=0) / ran.sum(),
        )

    def estimate(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Estimates (as deviations), standard errors and degrees of freedom; NaN without any.

        Args:
            weights: shape (functions, cells).
        """
        k = self.there.shape[1]
        each = self.there.size * (1 if self.there.size * k > MOST_EXACT else k)
        size = max(1, CHUNK // each)
        parts = [
            self._chunk(weights[start : start + size]) for start in range(0, len(weights), size)
        ]
        if not parts:
            return np.empty(0), np.empty(0), np.empty(0)
        estimate, se, df = (np.concatenate(part) for part in zip(*parts, strict=True))
        return estimate, se, df

    def sums(self, weights: Floats) -> tuple[Floats, Floats]:
        """Estimates, and scores per replicate, shape (functions, replicates).

        Scores are scaled so that their squares, summed over replicates, estimate the variance.
        """
        estimate, se, _ = self.estimate(weights)
        cell, _, connected = self._solution(weights)
        scores = self._scores(weights, cell, connected)
        total = np.sqrt((scores**2).sum(axis=1))
        with np.errstate(invalid="ignore", divide="ignore"):
            return estimate, np.asarray(scores * (se / total)[:, None])

    def _solution(self, weights: Floats) -> tuple[Floats, Floats, Truths]:
        """Weights of a run as a part of its cell plus one of its replicate.

        Where replicates do not connect the cells (the last value), each run has its cell's share
        alone.

        Returns:
            Parts of the cells, shape (functions, cells), and of the replicates, shape (functions,
            replicates); whether replicates connect what a function compares.
        """
        ran = self.there.astype(float)
        total = weights.sum(axis=1)
        total[np.abs(total) < 1e-12] = 0.0
        # Replicates are to carry their share of a mean and nothing of a difference; the parts of
        # the cells alone would carry weights / runs @ ran of them.
        wanted = total[:, None] * self.share - (weights / self.runs) @ ran
        over = wanted @ self.inverse
        size = np.abs(weights).max(axis=1, initial=1e-300)
        connected = np.abs(over @ self.normal - wanted).max(axis=1) <= 1e-8 * size
        over[~connected] = 0.0
        return (weights - over @ ran.T) / self.runs, over, connected

    @property
    def _shift(self) -> Floats:
        """What makes each replicate's deviation out of its sum of residuals of cells."""
        return np.asarray(self.inverse - self.share @ self.inverse)

    def _scores(self, weights: Floats, cell: Floats, connected: Truths) -> Floats:
        """Sums of residuals by replicate, weighted as the estimate weights them.

        A mean takes in how its replicates differ, which a difference is free of.
        """
        ran = self.there.astype(float)
        alone = self.values - ran * (self.values.sum(axis=1) / self.runs)[:, None]
        sums = alone.sum(axis=0)
        # Residuals of cells and replicates fitted together, by one Frisch-Waugh step more.
        both = alone - ran * (sums @ self.inverse)
        both -= ran * (both.sum(axis=1) / self.runs)[:, None]
        deviation = self._shift @ sums
        joint = cell @ both + weights.sum(axis=1)[:, None] * self.share * deviation
        return np.asarray(np.where(connected[:, None], joint, cell @ alone))

    def _chunk(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        ran = self.there.astype(float)
        cell, over, connected = self._solution(weights)
        estimate = cell @ self.values.sum(axis=1) + over @ self.values.sum(axis=0)
        scores = self._scores(weights, cell, connected)
        run = (cell[:, :, None] + over[:, None, :]) * ran  # functions x cells x replicates
        ratio, df = self._moments(weights, run, connected)
        with np.errstate(invalid="ignore"):
            se = np.sqrt((scores**2).sum(axis=1) * ratio)
        lost = ~(np.isfinite(ratio) & (ratio < MOST_SCALED) & (df > FEWEST_DF))
        se[lost], df[lost] = np.nan, np.nan
        # Where runs are lost in step, a difference may leave its replicates no residual to judge
        # by; then one variance is taken for all cells, after cells and replicates.
        lost &= connected & (np.abs(weights.sum(axis=1)) < 1e-12)
        if lost.any():
            variance, freedom = self._residual
            se[lost] = np.sqrt(variance * (run[lost] ** 2).sum(axis=(1, 2)))
            df[lost] = freedom
        return estimate, se, df

    @property
    def _residual(self) -> tuple[float, float]:
        """Mean square of what cells and replicates leave, and its degrees of freedom."""
        ran = self.there.astype(float)
        alone = self.values - ran * (self.values.sum(axis=1) / self.runs)[:, None]
        sums = alone.sum(axis=0)
        left = float((alone**2).sum() - sums @ self.inverse @ sums)
        rank = int(np.linalg.matrix_rank(self.normal, hermitian=True))
        freedom = float(ran.sum()) - len(ran) - rank
        return (left / freedom if freedom > 0 else float("nan")), freedom

    def _moments(self, weights: Floats, run: Floats, connected: Truths) -> tuple[Floats, Floats]:
        """What the squared scores must be multiplied by, and their degrees of freedom.

        Under half own and half shared noise; for a mean, which shared noise moves most, also under
        own noise alone, and the more careful of the two.
        """
        sigma = self.sigma
        k = run.shape[2]
        if run.shape[1] * k * k > MOST_EXACT:
            return self._rough(run)
        flat = float((sigma**2).mean())
        alone = ((run * sigma[:, None]) ** 2).sum(axis=(1, 2))
        # Variance of the estimate if each run had its own noise and shared as much with its
        # replicate in proportion to sigma, and the replicate added the mean variance to every cell.
        truth = (
            alone
            + (np.einsum("fjr,j->fr", run, sigma) ** 2).sum(axis=1)
            + flat * (run.sum(axis=1) ** 2).sum(axis=1)
        )
        left = self._left(weights, run, connected)
        # The same three parts of noise in every score: covariances, shape (functions, k, k).
        own = (left * sigma[None, :, None, None]).transpose(0, 2, 1, 3).reshape(len(run), k, -1)
        shock = np.einsum("fjrq,j->frq", left, sigma)
        even = left.sum(axis=1)
        single = own @ own.transpose(0, 2, 1)
        joint = single + shock @ shock.transpose(0, 2, 1) + flat * even @ even.transpose(0, 2, 1)
        # Bell and McCaffrey: a sum of squared scores is a weighted sum of chi-squares under this
        # covariance; its mean gives the scale, its first two moments the degrees of freedom.
        ratio, df = _ratio(joint, truth)
        other, other_df = _ratio(single, alone)
        mean = np.abs(weights.sum(axis=1)) > 1e-12
        return (
            np.where(mean, np.fmax(ratio, other), ratio),
            np.where(mean, np.fmin(df, other_df), df),
        )

    def _left(self, weights: Floats, run: Floats, connected: Truths) -> Floats:
        """How each score depends on each run: shape (functions, cells, scores, replicates)."""
        ran = self.there.astype(float)
        k = run.shape[2]
        fitted = -np.einsum("fjr,jq->frq", run / self.runs[:, None], ran)
        fitted[:, np.arange(k), np.arange(k)] += run.sum(axis=1)
        fitted = fitted @ self.inverse
        fitted[~connected] = 0.0
        part = (run - np.einsum("frq,jq->fjr", fitted, ran)) / self.runs[:, None]
        left = -(part[:, :, :, None] + fitted[:, None, :, :])
        left[:, :, np.arange(k), np.arange(k)] += run
        shift = self._shift
        change = shift[None, :, :] - (ran @ shift.T / self.runs[:, None])[:, :, None]
        mean = weights.sum(axis=1) * connected
        left += mean[:, None, None, None] * self.share[None, None, :, None] * change
        return np.asarray(left * ran[None, :, None, :])

    def _rough(self, run: Floats) -> tuple[Floats, Floats]:
        """The same where replicates are many: their residuals count as uncorrelated."""
        k = run.shape[2]
        own = (run * self.sigma[:, None]) ** 2
        # A residual of n runs has (1 - 1/n) of the variance; with one run nothing: 1.5 bounds it.
        room = (1 - 1 / np.maximum(self.runs, 1.5))[:, None]
        each = own.sum(axis=1) + np.einsum("fjr,j->fr", run, self.sigma) ** 2
        expected = (own * room).sum(axis=(1, 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = own.sum(axis=(1, 2)) / expected
            df = each.sum(axis=1) ** 2 / (each**2).sum(axis=1) * (k - 1) / k
        return ratio, df


def _ratio(covariance: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """True over expected variance, and Satterthwaite's degrees of freedom of the scores."""
    expected = np.einsum("frr->f", covariance)
    with np.errstate(invalid="ignore", divide="ignore"):
        return truth / expected, expected**2 / (covariance**2).sum(axis=(1, 2))
