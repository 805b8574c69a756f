"""When runs are too few for any verdict, whatever they find: asked of a plan as of a study.

Apart from the judgement, whose imports take longer than a plan.
"""

from __future__ import annotations

from runner.program.wording import counted

FEW_REPLICATES, FEW_CELLS = 2, 9
"""So many replicates of fewer combinations cannot tell an effect from runs that fail by chance
(decision 075)."""


def too_few_runs(combinations: int, replicates: int, *, fewest: int = FEW_CELLS) -> str:
    """Why nothing can be said to matter; "" where something may be.

    Args:
        combinations: that are run.
        replicates: runs of each.
        fewest: combinations from which two replicates are enough.
    """
    if replicates != FEW_REPLICATES or combinations >= fewest:
        return ""
    return (
        f"two replicates of {counted(combinations, 'combination')} cannot tell a difference of "
        "means from runs that fail by chance, so none is called one; a third replicate could"
    )
