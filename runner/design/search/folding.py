"""Fold-over: every run once more with the levels of some factors swapped (Box and Hunter 1961).

Folded over all factors, a regular fraction loses its words of odd length: main effects come free of
pairs. Folded over one factor, it loses the words that hold it: that factor and its pairs come free.
"""

from __future__ import annotations

from collections.abc import Sequence

from ablations.errors import did_you_mean
from runner.design.search.regular import Combination
from runner.spec.spec import Spec

ALL = "all"


def fold_over(
    spec: Spec,
    runs: Sequence[Combination],
    which: str,
    grid: Sequence[Combination],
    where: Sequence[str | int],
) -> list[Combination]:
    """The runs, and their mirror images that are not among them.

    Args:
        spec: The specification; its factors.
        runs: Combinations of before.
        which: The factor whose levels are swapped, or "all".
        grid: The combinations that `exclude` and `only` leave; others are passed over.
        where: What a refusal names in the file.

    Raises:
        InputError: an unknown factor, one of more than two levels, or nothing would be added.
    """
    names = [factor.name for factor in spec.factors]
    if which != ALL and which not in names:
        hint = did_you_mean(which, [*names, ALL])
        raise spec.refuse(where, f"{which!r} is no factor of this file; {hint}")
    folded = [at for at, name in enumerate(names) if which in (ALL, name)]
    for at in folded:
        if (count := len(spec.factors[at].levels)) != 2:
            raise spec.refuse(
                where,
                f"a fold-over swaps two levels, and {names[at]} has {count}; "
                "'runs: N' adds combinations to any design",
            )
    before, allowed = set(runs), set(grid)
    images = (
        tuple(1 - level if at in folded else level for at, level in enumerate(run)) for run in runs
    )
    more = [one for one in images if one in allowed and one not in before]
    if not more:
        problem = f"swapping the levels of {'all factors' if which == ALL else which} gives no "
        problem += "combination that is not run already"
        if which == ALL:
            problem += "; a fold-over of one factor may"
        raise spec.refuse(where, problem)
    return [*runs, *more]
