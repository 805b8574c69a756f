"""The store: one SQL database that knows every cell, its state, its attempts and its outcome.

    store      its one public face          binding    how functions become its methods
    read       rows for analysis            cells/     what happens to studies and their cells
    named      numbers by their names
    curve_arrays  curves as arrays          database/  where it is, what it holds
    traces     curves and evidence of a few cells
    targets    who reached the target        columns/   what a column holds
    copying    a study in another store

The public surface is what this file names.
"""

from runner.store.cells.adoption import Kind
from runner.store.cells.leasing import Lease
from runner.store.cells.planning import Planned
from runner.store.cells.studies import StudyInfo
from runner.store.columns.states import AttemptState, State
from runner.store.database.outages import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreGone,
    StoreUnavailable,
)
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
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreGone",
    "StoreUnavailable",
    "StudyInfo",
    "open_store",
]
