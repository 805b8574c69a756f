"""The parts of effects.json about what was tuned, and what else could explain an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.confounds.flags import flags_of
from analysis.confounds.measures import by_level
from analysis.table.records import plain, records
from analysis.tuning.words import changes, cost_of

if TYPE_CHECKING:
    from analysis.study import Study
    from analysis.tuning.searched import Searched


def tuning_section(study: Study) -> dict[str, Any] | None:
    """Values and optima by group, differences tuned and as given, cost; None: nothing was tuned."""
    if not study.searched:
        return None
    beside = changes(study)
    return {
        "groups": [_group(one) for one in study.searched],
        "effects": None if beside is None else records(beside),
        "cost": plain(cost_of(study)),
    }


def confounds_section(study: Study) -> dict[str, Any]:
    """Measures by level, null where not known, and the effects that one of them could explain."""
    return {
        "levels": [
            {"factor": factor, "level": level, **plain(values)}
            for factor, level, values in by_level(study)
        ],
        "flags": [
            {
                "factor": one.factor,
                "better": one.better,
                "worse": one.worse,
                "estimate": one.estimate,
                "times": one.more,
                "equal_by": one.equal_by or None,
                **dict(
                    zip(
                        ("equal_estimate", "equal_low", "equal_high"), plain(one.equal), strict=True
                    )
                ),
            }
            for one in flags_of(study)
        ],
    }


def _group(one: Searched) -> dict[str, Any]:
    best = one.best
    return {
        "levels": dict(one.group),
        "at": dict(one.at),
        "study": one.study,
        "response": one.response,
        "best": None if best is None else plain(best.mean),
        "noise": plain(one.noise),
        "runs": one.runs,
        "seconds": one.seconds,
        "parameters": [
            {
                "parameter": range_.name,
                "value": one.values[range_.name],
                "given": one.given.get(range_.name),
                "low": range_.low,
                "high": range_.high,
                "log": range_.log,
                "flat": plain(one.flat(range_.name)),
                "at_end": one.end(range_.name),
            }
            for range_ in one.ranges
        ],
        "trials": [
            {
                "values": list(trial.values),
                "mean": plain(trial.mean),
                "runs": len(trial.scores),
                "diverged": trial.diverged,
                "failed": trial.failed,
            }
            for trial in one.trials
        ],
    }
