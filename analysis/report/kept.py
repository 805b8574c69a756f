"""Analyses of a study that several parts of a report ask for: made once, kept with the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablations.errors import InputError

if TYPE_CHECKING:
    from analysis.effects.aliases.aliasing import Aliasing
    from analysis.outcomes.convergence import Convergence
    from analysis.outcomes.given_converged import GivenConverged
    from analysis.outcomes.missing import Missing
    from analysis.outcomes.time_to_target import TimeToTarget
    from analysis.study import Study
    from analysis.verdicts.looks import Decided


def _once(study: Study, name: str, make: Any) -> Any:
    """The result of `make()`; None where the table has nothing for it."""
    kept = study.__dict__.setdefault("_kept_for_reports", {})
    if name not in kept:
        try:
            kept[name] = make()
        except InputError:
            kept[name] = None
    return kept[name]


def convergence(study: Study) -> Convergence | None:
    """Rates and tests of convergence; None where the table does not tell who converged."""
    found: Convergence | None = _once(study, "convergence", study.convergence)
    return found


def keep_convergence(study: Study, make: Any) -> Convergence | None:
    """Take `make()` for the convergence of this study, wherever it is asked for from now on."""
    found: Convergence | None = _once(study, "convergence", make)
    return found


def time_to_target(study: Study) -> TimeToTarget | None:
    """Epochs to the target; None where the table has none."""
    found: TimeToTarget | None = _once(study, "time_to_target", study.time_to_target)
    return found


def given_converged(study: Study) -> GivenConverged | None:
    """Accuracy of converged runs; None where none converged."""
    found: GivenConverged | None = _once(study, "given_converged", study.given_converged)
    return found


def decided(study: Study) -> Decided | None:
    """Which main effects are decided by now; None where one replicate was planned."""
    found: Decided | None = _once(study, "decided", study.decided)
    return found


def missing(study: Study) -> Missing | None:
    """Lost and waiting runs."""
    found: Missing | None = _once(study, "missing", study.missing)
    return found


def aliasing(study: Study) -> Aliasing | None:
    """How the terms are mixed in the cells that ran."""
    from analysis.effects.aliases.aliasing import aliasing as describe

    found: Aliasing | None = _once(study, "aliasing", lambda: describe(study.cells))
    return found
