"""The store: one SQL database that knows every cell, its state, its attempts and its outcome.

    store      its one public face          read          rows for analysis
    database/  where it is, what it holds   cells/        what happens to cells
    curve_arrays  learning curves as arrays

The public surface is what this file names.
"""

from runner.store.cells.adoption import Kind
from runner.store.cells.leasing import AttemptState, Lease, State
from runner.store.cells.planning import Planned, StudyInfo
from runner.store.database.errors import StoreError, StoreFull, StoreUnavailable
from runner.store.read import Counts
from runner.store.store import Repaired, Store, open_store

__all__ = [
    "AttemptState",
    "Counts",
    "Kind",
    "Lease",
    "Planned",
    "Repaired",
    "State",
    "Store",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "StudyInfo",
    "open_store",
]
