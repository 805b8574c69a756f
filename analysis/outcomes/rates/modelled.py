"""Differences of shares in a fraction of a grid, by least squares over the combinations that ran.

In a designed fraction hardly two combinations are alike in all factors but one, so that an exact
test, which looks within such pairs alone, has nothing to count. Here the share of runs of each
combination counts once in a model of main effects and pairs, as accuracy does where cells are
empty (`model.completion`), and with the same assumption. Its error is what the shares scatter
around the model, and never less than what that many runs would scatter by chance: where the model
hits all shares (a pair of levels that decides everything) there would be none. Linear models of
shares hold their level in factorial experiments, and speak in points (Gomila 2021, Journal of
Experimental Psychology: General 150:700); decision 112 has what was measured here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import fdtrc

from analysis.model.cell_means import CellMeans
from analysis.model.classical import ClassicalFit
from analysis.model.completion import Completion, is_screening, rests_on
from analysis.model.terms import Term
from analysis.stats.arrays import Floats
from analysis.stats.estimates import NAN, Estimate, no_estimate, t_interval
from analysis.table.cells import Factors

SHARES = "shares"
"""Method of an estimate from a model of shares."""
MET = 0.25
"""Share of the runs of two levels that lie where both ran, from which they are compared there."""
ROUNDING = 1e-12
"""Below it a difference of shares is none."""
LEAST_FREEDOM = 4
"""Residual degrees of freedom from which a model says how sure it is."""


def met(runs: Floats, axis: int) -> float:
    """Share of runs in combinations of the other factors that ran at both levels compared.

    Args:
        runs: with an outcome, shape of the grid.
        axis: of the factor; averaged over every two of its levels that ran.
    """
    n = np.moveaxis(runs, axis, -1).reshape(-1, runs.shape[axis])
    ran = n > 0
    beside = ran.sum(axis=1, keepdims=True) - 1  # further levels in the same combination
    levels = int(ran.any(axis=0).sum()) - 1
    return float((n * beside).sum() / (n.sum() * levels)) if levels > 0 else 1.0


@dataclass(frozen=True, eq=False)
class ModelledRates:
    """Shares of the combinations that ran, each once, and the models of them.

    Attributes:
        completion: the shares as cells that ran once, and the order of their models.
        chance: mean variance that the runs of a combination give its share.
    """

    completion: Completion
    chance: float

    @staticmethod
    def of(
        hits: Floats, runs: Floats, planned: Floats, factors: Factors, order: int
    ) -> ModelledRates:
        """Count.

        Args:
            hits: successes, shape of the grid.
            runs: with an outcome, shape of the grid.
            planned: runs, shape of the grid: a screening fraction may be told by main effects.
            factors: of the grid.
            order: highest order of a model.
        """
        ran = runs > 0
        share = np.divide(hits, runs, out=np.full(runs.shape, NAN), where=ran)
        cells = CellMeans(
            factors={name: tuple(levels) for name, levels in factors.items()},
            response="share",
            counts=ran.astype(np.int64),
            deviations=share,
            shift=0.0,
            variances=np.full(runs.shape, NAN),
            replicate_names=(),
            replicate_deviations=np.empty((0, *runs.shape)),
            floored=np.zeros(runs.shape, dtype=bool),
        )
        smooth = (hits[ran] + 0.5) / (runs[ran] + 1)
        chance = float(np.mean(smooth * (1 - smooth) / runs[ran])) if ran.any() else NAN
        screening = is_screening(np.flatnonzero(planned), runs.shape)
        return ModelledRates(Completion(cells, order, screening), chance)

    @cached_property
    def _fits(self) -> list[ClassicalFit]:
        """With an error to speak of, from the highest order down."""
        fits = (fit for _, fit in self.completion.models)
        return [fit for fit in fits if fit.residual_df >= LEAST_FREEDOM]

    def _variance(self, fit: ClassicalFit) -> float:
        return max(fit.error_variance, self.chance)

    def difference(self, weights: Floats, confidence: float) -> Estimate:
        """Sum of weights x shares with its interval, of the highest model that can tell it.

        Args:
            weights: shape of the grid; they sum to zero.
            confidence: of the interval.

        Returns:
            Within -1 and 1, method `SHARES`; NaN where no model can tell it.
        """
        for fit in self._fits:
            if fit.order < 2 and fit.takes_pairs(weights):
                break
            values, unit = fit.estimate(fit.contrast_rows(weights))
            if not np.isfinite(values[0]):
                continue
            se = float(unit[0] * np.sqrt(self._variance(fit)))
            size = float(np.clip(values[0], -1.0, 1.0)) if abs(values[0]) > ROUNDING else 0.0
            df, words = float(fit.residual_df), rests_on(fit.order)
            one = t_interval(size, se, df, SHARES, confidence, rests_on=words)
            return replace(one, low=max(one.low, -1.0), high=min(one.high, 1.0))
        return no_estimate(SHARES, confidence)

    def between(self, factor: str, level: str, reference: str, confidence: float) -> Estimate:
        """Level minus reference of a factor, all else equal; see `difference`."""
        weights = self.completion.cells.difference({factor: level}, {factor: reference})
        return self.difference(weights, confidence)

    def test(self, factor: str) -> tuple[float, int, float, str]:
        """F, its degrees of freedom, p and what it rests on: whether any two levels differ.

        Type III; NaN throughout, and "", where no model can tell all of its effects.
        """
        for fit in self._fits:
            functions = fit.effect_rows(Term((factor,)))
            values, _ = fit.estimate(functions)
            if not np.isfinite(values).all():
                continue
            loadings = functions @ fit.scaled
            size = float(values @ np.linalg.pinv(loadings @ loadings.T, hermitian=True) @ values)
            df = len(values) - 1
            f = size / df / self._variance(fit)
            return f, df, float(fdtrc(df, fit.residual_df, f)), rests_on(fit.order)
        return NAN, 0, NAN, ""
