"""What the store raises besides `InputError`.

    StoreError                the store could not do what was asked
    ├── StoreUnavailable      the database did not answer within the patience given
    ├── StoreFull             no space left where the database lies
    └── StoreDamaged          what it holds is not what was written

All are the machine's doing, never the user's: a run stops and loses nothing that was finished.
After the first two it continues when the same command is given again.
"""

from __future__ import annotations


class StoreError(Exception):
    """The store could not do what was asked."""


class StoreUnavailable(StoreError):
    """The database did not answer, or stayed locked, for longer than the patience given."""


class StoreFull(StoreError):
    """No space is left where the database lies; what was committed before is intact."""


class StoreDamaged(StoreError):
    """The store holds what no program of this kind wrote; the message names table and row."""
