"""Evidence of a store, read by a connection of its own for the runs that are asked about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.store import StudyInfo
    from runner.store.database.address import Address


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """Calling it gives what the layers of these cells did, of those that kept it.

    Attributes:
        address: of the store.
        info: the study.
    """

    address: Address
    info: StudyInfo

    def __call__(self, cells: Collection[str]) -> dict[str, dict[str, Any]]:
        """By the cell's id, as the store keeps it."""
        from runner.store import Store

        with Store(self.address) as store:
            return store.evidence_of(self.info, cells)
