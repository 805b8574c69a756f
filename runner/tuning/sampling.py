"""The next values to try: Optuna's samplers over what was tried so far.

Nothing is kept between calls: the trials are the store's cells, and the sampler is given them anew
each time, so that a tuning which was killed goes on where it stopped.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from runner.spec.tune import Range, Sampler

MOST_ASKED = 64
"""Times as many suggestions as are wanted: of those some were tried already."""


def startup(trials: int) -> int:
    """How many of so many trials are quasi-random before the tree-structured estimator begins."""
    return max(4, (trials + 1) // 2)


def distribution(one: Range) -> FloatDistribution:
    """A range as Optuna knows it."""
    return FloatDistribution(one.low, one.high, log=one.log)


def suggest(
    ranges: Sequence[Range],
    tried: Mapping[tuple[float, ...], float | None],
    count: int,
    *,
    sampler: Sampler,
    trials: int,
    seed: int,
) -> list[tuple[float, ...]]:
    """So many values that were not tried yet, for each range one; fewer where there are no more.

    Args:
        ranges: of the parameters.
        tried: values to their score, higher is better; None: the trial failed. At least one.
        count: how many.
        sampler: which of Optuna's.
        trials: how many there are to be in all.
        seed: of the sampler.
    """
    names = [one.name for one in ranges]
    distributions = {one.name: distribution(one) for one in ranges}
    by_sobol = sampler == "quasi_random" or len(tried) < startup(trials)
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            chosen: optuna.samplers.BaseSampler
            if by_sobol:
                chosen = optuna.samplers.QMCSampler(
                    qmc_type="sobol", scramble=True, seed=seed, warn_independent_sampling=False
                )
            else:
                chosen = optuna.samplers.TPESampler(
                    n_startup_trials=0, multivariate=len(ranges) > 1, constant_liar=True,
                    seed=seed + len(tried),
                )  # fmt: skip
            study = optuna.create_study(direction="maximize", sampler=chosen)
            for values, score in tried.items():
                study.add_trial(
                    create_trial(
                        state=TrialState.FAIL if score is None else TrialState.COMPLETE,
                        value=score,
                        params=dict(zip(names, values, strict=True)),
                        distributions=dict(distributions),
                    )
                )
            if by_sobol and all(score is None for score in tried.values()):
                # Optuna knows what to draw from a complete trial; the value plays no part.
                first = next(iter(tried))
                study.add_trial(
                    create_trial(
                        value=0.0,
                        params=dict(zip(names, first, strict=True)),
                        distributions=dict(distributions),
                    )
                )
            new: dict[tuple[float, ...], None] = {}
            for _ in range(MOST_ASKED * (count + len(tried))):
                asked = study.ask(dict(distributions)).params
                values = tuple(one.within(asked[one.name]) for one in ranges)
                if values not in tried:
                    new[values] = None
                if len(new) == count:
                    break
            return list(new)
    finally:
        optuna.logging.set_verbosity(verbosity)
