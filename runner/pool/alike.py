"""Whether the first cells of a run all fail alike, so that no further one is worth beginning.

Alike is what fails for one reason with one last line, numbers and names of files left aside, while
no cell of the study has an outcome. Where a level that all of them share could be what fails,
`MOST` times as many must agree. A run that diverged has an outcome: it is a result.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from runner.store import State, Store, StudyInfo

FEWEST = 4
"""Cells that must have failed, and twice as many as there are slots, before a run is stopped."""

MOST = 4
"""Times as many, where one level is common to all of them, and the last look."""

_OWN = re.compile(r"0x[0-9a-fA-F]+|(?:[\w.~-]*/)+[\w.-]*|\b[0-9a-f]{8,}\b|[\d.]*\d(?:e[+-]?\d+)?")
"""What differs between messages of one mistake: addresses, paths, ids, numbers."""


class Alike(NamedTuple):
    """What all of the first cells did.

    Attributes:
        cells: how many failed.
        cell: the first of them.
        reason, detail: why it failed.
    """

    cells: int
    cell: str
    reason: str
    detail: str


@dataclass
class FirstCells:
    """Looks at the failures of a run until one cell of its study has an outcome.

    Attributes:
        store: whose.
        study: what is run; failures from before this was made do not count.
        slots: cells that train side by side.
    """

    store: Store
    study: StudyInfo
    slots: int

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._over = self.store.status(self.study).complete > 0
        self._before = set() if self._over else {row["cell"] for row in self._failed()}
        self.found: Alike | None = None

    def look(self) -> Alike | None:
        """What stops the run; None where nothing does. What was found once stays found."""
        with self._lock:
            if self._over or self.found is not None:
                return self.found
            counts = self.store.status(self.study)
            least = max(FEWEST, 2 * self.slots)
            self._over = counts.complete > 0
            if self._over or counts.failed - len(self._before) < least or not counts.waiting:
                return None
            rows = [row for row in self._failed() if row["cell"] not in self._before]
            self.found = alike(rows, self.study.factors, least)
            self._over = len(rows) >= MOST * least
            return self.found

    def _failed(self) -> list[dict[str, Any]]:
        return self.store.runs(self.study, state=State.FAILED)


def alike(
    rows: Sequence[Mapping[str, Any]], factors: Mapping[str, Sequence[str]], least: int
) -> Alike | None:
    """What failed cells have in common, if that is enough to stop for.

    Args:
        rows: failed cells, as `Store.runs` gives them.
        factors: factor name to its levels.
        least: cells that must have failed.
    """
    if len(rows) < least or len({_kind(row) for row in rows}) > 1:
        return None
    if len(rows) < MOST * least and any(
        len(levels) > 1 and len({row[f"factor:{name}"] for row in rows}) == 1
        for name, levels in factors.items()
    ):
        return None  # that level may be what fails, and cells without it may not
    first = rows[0]
    return Alike(len(rows), first["cell"], first["reason"], first["detail"] or "")


def _kind(row: Mapping[str, Any]) -> tuple[str, str]:
    """Why a cell failed, without what is this cell's own."""
    return row["reason"], _OWN.sub("#", row["detail"] or "")
