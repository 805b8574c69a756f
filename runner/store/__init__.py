"""The store: one SQL database that knows every cell, its state, its attempts and its outcome.

    address    where it is              tables     what it holds
    database   connections, patience    schema     its tables, made once
    study      registering, planning    claims     taking cells, keeping them
    adoption   outcomes of other studies
    endings    finish, fail, release    recovery   what crashes leave
    leases     who still lives          policy     what is tried again
    read       rows for analysis        mirror     the same as Optuna trials

The public surface is what this file names.
"""

from runner.store.adoption import Kind
from runner.store.claims import AttemptState, Claim, State
from runner.store.errors import StoreError, StoreFull, StoreUnavailable
from runner.store.read import Counts
from runner.store.store import Repaired, Store, open_store
from runner.store.study import Planned, StudyInfo

__all__ = [
    "AttemptState",
    "Claim",
    "Counts",
    "Kind",
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
