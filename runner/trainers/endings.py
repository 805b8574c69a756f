"""The numbers that a trainer of one's own ends with become an outcome.

A number that is not finite is a result: the run diverged. What it then counts as (`worst`, else
`chance`, else nothing) is said in the file and looked up by whoever reads.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ablations.errors import did_you_mean
from runner.content.outcome import Outcome, Point, Reason, Status
from runner.program.wording import counted, listed

MOST_POINTS = 1000
"""Points of a curve that are kept: more are thinned, the first and the last among those kept."""

TRY_AGAIN = 75
"""Exit code (EX_TEMPFAIL of sysexits.h) by which a trainer asks to be tried again."""


@dataclass
class Clock:
    """Wall and CPU seconds since it was made, of this process or of those it waited for.

    Attributes:
        children: whether it is of those.
    """

    children: bool = False
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._cpu = self._used()

    def _used(self) -> float:
        usage = self._usage()
        return float(usage.ru_utime + usage.ru_stime)

    def _usage(self) -> Any:
        import resource  # Windows has none, where nothing is trained and much is answered

        return resource.getrusage(
            resource.RUSAGE_CHILDREN if self.children else resource.RUSAGE_SELF
        )

    @property
    def seconds(self) -> float:
        """Wall seconds."""
        return time.monotonic() - self._began

    def costs(self) -> dict[str, Any]:
        """What the training took, as fields of an outcome."""
        peak = self._usage().ru_maxrss
        return {
            "seconds": self.seconds,
            "cpu_seconds": self._used() - self._cpu,
            "peak_memory_bytes": peak if sys.platform == "darwin" else peak * 1024,
        }


def number(value: Any) -> float | None:
    """A number of any library (NumPy's, a tensor of one element); None where it is none."""
    if value is None or isinstance(value, str | bytes):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return None


def ended(
    given: Mapping[str, Any],
    declared: Sequence[str],
    points: Sequence[Point],
    costs: Mapping[str, Any],
) -> Outcome:
    """The outcome of a training that came to its end.

    Args:
        given: what it gave, by name.
        declared: the responses of the file, the primary one first.
        points: its curves.
        costs: fields of the outcome that say what it took.
    """
    numbers = {str(name): number(value) for name, value in given.items()}
    if (primary := declared[0]) not in numbers:
        gave = f"it gave {listed([str(name) for name in given])}" if given else "it gave no number"
        hint = f"; {did_you_mean(primary, list(given))}" if given else ""
        return failed(
            Reason.NO_RESPONSE, f"{gave}, and not the response {primary!r}{hint}", points, costs
        )
    for name in declared:
        if name in given and numbers[name] is None:
            shown = repr(given[name])[:80]
            return failed(
                Reason.NO_RESPONSE, f"the response {name!r} is {shown}, no number", points, costs
            )
    lacking = [name for name in declared if name not in given]
    notes = (f"it gave no {listed(lacking, 'or')}",) if lacking else ()
    bad = [name for name in declared if name in numbers and not math.isfinite(numbers[name] or 0)]
    finite = {
        name: value for name, value in numbers.items() if value is not None and math.isfinite(value)
    }
    return Outcome(
        Status.DIVERGED if bad else Status.FINISHED,
        detail=f"{listed(bad)} is not finite" if bad else None,
        epochs_run=len(points),
        notes=notes,
        responses=finite,
        points=thinned(points),
        **costs,
    )


def diverged(name: str, step: int, points: Sequence[Point], costs: Mapping[str, Any]) -> Outcome:
    """The outcome of a training whose curve stopped being finite."""
    return Outcome(
        Status.DIVERGED,
        detail=f"{name} was not finite at step {step}",
        epochs_run=len(points),
        diverged_epoch=step,
        points=thinned(points),
        **costs,
    )


def failed(
    reason: Reason, detail: str, points: Sequence[Point], costs: Mapping[str, Any]
) -> Outcome:
    """The outcome of one that failed or ran out of time."""
    status = Status.TIMEOUT if reason is Reason.TIMEOUT else Status.FAILED
    return Outcome(
        status, reason=reason, detail=detail, epochs_run=len(points), points=thinned(points),
        **costs,
    )  # fmt: skip


def out_of_time(seconds: float, points: Sequence[Point], costs: Mapping[str, Any]) -> Outcome:
    """The outcome of one that took longer than `train.time_limit`."""
    detail = f"took longer than {seconds:g} s (train.time_limit), {counted(len(points), 'report')}"
    return failed(Reason.TIMEOUT, detail, points, costs)


def thinned(points: Sequence[Point]) -> tuple[Point, ...]:
    """At most `MOST_POINTS` of them, evenly, in order."""
    if len(points) <= MOST_POINTS:
        return tuple(points)
    last = len(points) - 1
    return tuple(points[round(k * last / (MOST_POINTS - 1))] for k in range(MOST_POINTS))
