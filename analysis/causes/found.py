"""Every run of a study with its cause, and what its other runs say of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from runner.content.outcome import Epoch, Target
from runner.doctor.cells.grid import Placed, Removal, removals
from runner.doctor.cells.why import HEALTHY, Why, run_of, why

Evidence = Callable[[Collection[str]], Mapping[str, Mapping[str, Any]]]
NEEDED = ("cell", "status", "classes", "epochs_budget")
"""Columns that a run is judged by."""


@dataclass(frozen=True, eq=False)
class Causes:
    """Why the runs of a study did not converge.

    Attributes:
        of: one a run, in the order of the frame; None where training did not end by itself.
        cells: the runs' ids.
        placed: runs that ended, with their levels.
        factors: factor to its levels.
    """

    of: tuple[Why | None, ...]
    cells: tuple[str, ...]
    placed: tuple[Placed, ...]
    factors: Mapping[str, Sequence[str]]

    @property
    def any(self) -> bool:
        """Whether at least one run that ended did not converge."""
        return any(one is not None and not one.healthy for one in self.of)

    @property
    def counts(self) -> dict[str, int]:
        """Cause to how many runs have it as their likeliest, the most frequent first."""
        kinds = [one.kind for one in self.of if one is not None and not one.healthy]
        known = sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))
        return {kind: kinds.count(kind) for kind in known}

    def removals(self, kind: str) -> list[Removal]:
        """Levels of single factors at which the cause never comes, the surest first."""
        return removals(self.placed, self.factors, kind)

    def table(self) -> pd.DataFrame:
        """Columns cell, cause ("" where training did not end by itself), why (sentences)."""
        return pd.DataFrame(
            {
                "cell": list(self.cells),
                "cause": ["" if one is None else one.kind for one in self.of],
                "why": ["" if one is None else " ".join(one.sentences) for one in self.of],
            }
        )


def causes_of(
    runs: pd.DataFrame,
    levels: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    target: Target | None,
    curves: Callable[[], pd.DataFrame | None],
    evidence: Evidence,
) -> Causes | None:
    """Judge every run of a study.

    Args:
        runs: one row a run, without the factors.
        levels: the same rows, a column a factor.
        factors: factor to its levels.
        target: what counts as converged.
        curves: gives the learning curves in long form; asked only where a run did not converge.
        evidence: gives what the layers of some cells did; asked likewise.

    Returns:
        None of a table that does not hold what a run is judged by.
    """
    if not set(NEEDED) <= set(runs.columns):
        return None
    rows: list[dict[str, Any]] = [
        {
            "cell": cell,
            "status": status,
            "classes": _whole(classes),
            "epochs_budget": _whole(budget),
        }
        for cell, status, classes, budget in runs[list(NEEDED)].itertuples(index=False, name=None)
    ]
    # Those that converged need neither curve nor evidence to be called healthy.
    first = [why(run_of(row, target, (), None)) for row in rows]
    asked = [
        str(row["cell"])
        for row, one in zip(rows, first, strict=True)
        if one is not None and not one.healthy
    ]
    of: list[Why | None] = first
    if asked:
        kept, drawn = evidence(asked), _curves(curves(), asked)
        of = [
            one
            if one is None or one.healthy
            else why(run_of(row, target, drawn.get(cell, ()), kept.get(cell)))
            for row, one in zip(rows, first, strict=True)
            for cell in (str(row["cell"]),)
        ]
    placed = tuple(
        Placed({str(k): str(v) for k, v in place.items()}, one.kind, one.kind == HEALTHY)
        for place, one in zip(levels.to_dict("records"), of, strict=True)
        if one is not None
    )
    return Causes(tuple(of), tuple(str(row["cell"]) for row in rows), placed, factors)


def _whole(value: Any) -> int:
    return 0 if value is None or not np.isfinite(value) else int(value)


def _curves(rows: pd.DataFrame | None, cells: Sequence[str]) -> dict[str, tuple[Epoch, ...]]:
    """Curves in long form as epochs by cell."""
    if rows is None or rows.empty:
        return {}
    names = list(Epoch.__dataclass_fields__)
    wanted = rows.loc[rows["cell"].isin(set(cells)), ["cell", *names]]
    found: dict[str, list[Epoch]] = {}
    for cell, epoch, *numbers in wanted.itertuples(index=False, name=None):
        found.setdefault(str(cell), []).append(Epoch(int(epoch), *numbers))
    return {cell: tuple(curve) for cell, curve in found.items()}
