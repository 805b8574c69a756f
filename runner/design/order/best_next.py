"""Which cells to run next where time is short: most information per second of expected cost.

One cell after the other (greedily), each the one that adds most to the claims of the file, or to
the main effects and then the pairs where it makes none, per second that it is expected to take.
What it would find plays no part. A combination's replicates come in their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from runner.design.design import Design
from runner.design.order.measured_cost import expected_seconds
from runner.design.search.information import Information, aims_of
from runner.design.search.quality import Matrix, parameter_count

MOST_NUMBERS = 2**24
"""Numbers of a model matrix: beyond, the model is one of main effects; beyond again, none."""

JUDGED = 2
"""Runs of every combination before anything is judged (`analysis.verdicts.looks`)."""


class BestNext:
    """The order of a design's cells, chosen anew whenever more is known of their cost."""

    def __init__(self, design: Design) -> None:
        """Take the design in; nothing is chosen yet."""
        spec = design.spec
        self._levels = [len(factor.levels) for factor in spec.factors]
        labels = [factor.labels for factor in spec.factors]
        place: dict[tuple[int, ...], int] = {}
        self._place: dict[str, int] = {}  # cell to its combination
        self._cells: list[list[str]] = []  # of each combination, by replicate
        for cell in design.cells:
            named = cell.labels
            run = tuple(
                own.index(named[factor.name])
                for factor, own in zip(spec.factors, labels, strict=True)
            )
            # In the shuffled order of the design: of two that tell as much, the file's first would
            # always come first.
            at = self._place[cell.id] = place.setdefault(run, len(place))
            self._cells += [[]] if at == len(self._cells) else []
            self._cells[at].append(cell.id)
        self._runs = np.array(list(place), dtype=np.int64).reshape(len(place), -1)
        self._order = min(2, len(self._levels))
        while self._order and self._numbers() > MOST_NUMBERS:
            self._order -= 1
        self._claims = []
        for claim in spec.claims:
            given = claim.given(spec.labels)
            sides = []
            for side in (claim.left, claim.right):
                counting = given | {claim.factor: (side,)}
                sides.append(
                    [
                        [own.index(one) for one in counting.get(factor.name, own)]
                        for factor, own in zip(spec.factors, labels, strict=True)
                    ]
                )
            self._claims.append((sides[0], sides[1]))

    def _numbers(self) -> int:
        columns = parameter_count(self._levels, self._order)
        return columns * (len(self._runs) + 2 * columns)

    def seconds(self, took: Mapping[str, float]) -> dict[str, float]:
        """Expected seconds of every cell; {} where none was measured.

        Args:
            took: Cell to the seconds it took.
        """
        known = {cell: one for cell, one in took.items() if one > 0 and cell in self._place}
        if not known:
            return {}
        expected = self._expected(known)
        return {cell: float(expected[run]) for cell, run in self._place.items()}

    def _expected(self, took: Mapping[str, float]) -> Matrix:
        known = [(self._place[c], one) for c, one in took.items() if one > 0 and c in self._place]
        measured = np.array([run for run, _ in known], dtype=np.int64)
        seconds = np.array([one for _, one in known], dtype=np.float64)
        return expected_seconds(self._runs, self._levels, measured, seconds)

    def choose(
        self,
        run: Collection[str],
        waiting: Collection[str],
        took: Mapping[str, float],
        *,
        at_most: float = np.inf,
    ) -> Iterator[str]:
        """The waiting cells, the one that buys most first.

        Args:
            run: Cells that have an outcome or train now.
            waiting: Those to choose among.
            took: Cell to the seconds it took, of those that were measured.
            at_most: Expected seconds above which a cell is not chosen.
        """
        waits = set(waiting)
        left = [[one for one in cells if one in waits] for cells in self._cells]
        cost = self._expected(took)
        measured = any(one > 0 for one in took.values())
        open_ = np.array([bool(cells) for cells in left])
        if measured:
            open_ &= cost <= at_most
        if not self._order:
            yield from (left[at].pop(0) for at in np.flatnonzero(open_))
            return
        counts = np.bincount(
            [self._place[one] for one in run if one in self._place], minlength=len(self._runs)
        )
        known = Information(
            self._runs,
            self._levels,
            self._order,
            aims_of(self._levels, self._order, self._claims),
            counts,
        )
        while open_.any():
            # Verdicts wait for the second run of the last combination: no third one before it.
            few = open_ & (known.counts < JUDGED)
            among = few if few.any() else open_
            best = int(np.argmax(np.where(among, known.gains() / cost, -1.0)))
            yield left[best].pop(0)
            open_[best] = bool(left[best])
            known.add(best)
