"""What a fraction that grows gains: new combinations, terms told apart, what stays mixed."""

from __future__ import annotations

from dataclasses import dataclass

from runner.design.describe import DesignFacts, facts
from runner.design.design import Design
from runner.design.search.regular import Combination


@dataclass(frozen=True)
class Gain:
    """A design beside the one that it grew from.

    Attributes:
        new: combinations that are added.
        told_apart: groups of terms that could not be told apart before, and now can, in part at
            least; each by what is left of it.
        estimable: terms that become estimable beside the other main effects and pairs.
        lost: terms that still are not.
        mixed: groups that still cannot be told apart.
        known: whether the designs are small enough to examine.
    """

    new: tuple[Combination, ...]
    told_apart: tuple[tuple[tuple[str, ...], ...], ...]
    estimable: tuple[str, ...]
    lost: tuple[str, ...]
    mixed: tuple[tuple[str, ...], ...]
    known: bool = True


def gain_of(before: Design, after: Design) -> Gain:
    """What `after` tells that `before` does not.

    Raises:
        ValueError: it lacks a cell of before.
    """
    if not {cell.id for cell in before.cells} <= {cell.id for cell in after.cells}:
        raise ValueError("a design that grows keeps its cells")
    old = set(before.runs)
    new = tuple(run for run in after.runs if run not in old)
    then, now = facts(before), facts(after)
    if then is None or now is None:
        return Gain(new, (), (), (), (), known=False)
    apart = ((group, _split(group, now)) for group in then.aliases)
    could = set(then.estimable)
    return Gain(
        new=new,
        told_apart=tuple(parts for _, parts in apart if len(parts) > 1),
        estimable=tuple(term for term in now.estimable if term not in could),
        lost=now.not_estimable,
        mixed=now.aliases,
    )


def _split(group: tuple[str, ...], now: DesignFacts) -> tuple[tuple[str, ...], ...]:
    """What is left of a group that could not be told apart."""
    home = {term: other for other in now.aliases for term in other}
    parts: dict[tuple[str, ...], list[str]] = {}
    for term in group:
        parts.setdefault(home.get(term, (term,)), []).append(term)
    return tuple(tuple(part) for part in parts.values())
