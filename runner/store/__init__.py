"""The store: one SQL database that knows every cell, its state, its attempts and its outcome.

    store      its one public face          studies       their rows and specifications
    read       rows for analysis            curve_arrays  learning curves as arrays
    cells/     what happens to cells        binding       how functions become its methods
    database/  where it is, what it holds

The public surface is what this file names.
"""

from runner.store.cells.adoption import Kind
from runner.store.cells.leasing import AttemptState, Lease, State
from runner.store.cells.planning import Planned
from runner.store.database.outages import StoreError, StoreFull, StoreUnavailable
from runner.store.read import Counts
from runner.store.store import Repaired, Store, open_store
from runner.store.studies import StudyInfo

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
