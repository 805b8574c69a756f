"""What the other cells of a grid say of a cause: at which levels of a factor it never comes.

A level is named only where that is more than luck: were causes dealt to runs at random, none of
them at these levels would be rarer than once in twenty grids, all factors and causes looked at
together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

ALPHA = 0.05
"""Of all sentences about a grid together, by Bonferroni over groups of levels and causes."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A run of the grid that ended.

    Attributes:
        levels: factor to its level.
        kind: its cause; "healthy" where it converged.
        converged: whether it did.
    """

    levels: Mapping[str, str]
    kind: str
    converged: bool


@dataclass(frozen=True, slots=True)
class Removal:
    """Levels of one factor at which a cause never comes.

    Attributes:
        kind: the cause.
        factor: whose levels.
        at: levels of the runs that have the cause.
        without: levels at which none has it.
        p: how often so many runs at random would all miss them, times the groups and causes that
            are looked at.
        runs: at the levels without.
        partners: of these, those that differ from a run with the cause in this factor alone.
        partners_converged: how many of them converged.
    """

    kind: str
    factor: str
    at: tuple[str, ...]
    without: tuple[str, ...]
    p: float
    runs: int
    partners: int
    partners_converged: int


def removals(
    placed: Sequence[Placed], factors: Mapping[str, Sequence[str]], kind: str
) -> list[Removal]:
    """Which factors have levels without the cause, the surest first.

    Args:
        placed: every run that ended.
        factors: factor to its levels, as declared.
        kind: the cause.
    """
    ill = [one for one in placed if one.kind == kind]
    causes = len({one.kind for one in placed if not one.converged})
    groups = causes * sum(2 ** min(len(levels), 30) - 2 for levels in factors.values())
    found = []
    for factor, levels in factors.items():
        at = {one.levels[factor] for one in ill}
        rest = [one for one in placed if one.levels[factor] not in at]
        without = tuple(one for one in levels if any(x.levels[factor] == one for x in rest))
        if not rest or not ill:
            continue
        # Hypergeometric: none of len(ill) runs drawn from all lies among len(rest) of them.
        luck = comb(len(placed) - len(rest), len(ill)) / comb(len(placed), len(ill))
        if luck * groups > ALPHA:
            continue
        others = [name for name in factors if name != factor]
        places = {tuple(one.levels[name] for name in others) for one in ill}
        partners = [x for x in rest if tuple(x.levels[name] for name in others) in places]
        found.append(
            Removal(
                kind, factor, tuple(one for one in levels if one in at), without,
                luck * groups, len(rest), len(partners), sum(x.converged for x in partners),
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: one.p)
