"""What is said of a design before it is run, of any trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.few_runs import too_few_runs
from runner.design import warnings
from runner.program.wording import counted

if TYPE_CHECKING:
    from runner.design import Design


def notes(design: Design) -> tuple[str, ...]:
    """What may not be meant, what gets no answer, and whether nothing will be decided at all."""
    return (*warnings(design), *_undecided(design))


def _undecided(design: Design) -> tuple[str, ...]:
    """Says that the runs are too few for any verdict, before they are spent."""
    if design.spec.adaptive is not None:
        return ()
    if not (why := too_few_runs(design.combinations, design.replicates)):
        return ()
    more = design.replicates + 1
    cost = counted(design.combinations, "further cell")
    return (f"{why} (--set replicates={more}: {cost})",)
