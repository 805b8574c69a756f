"""What the store raises besides `InputError`.

    StoreError                the store could not do what was asked
    ├── StoreUnavailable      the database did not answer within the patience given
    └── StoreFull             no space left where the database lies

Both are the machine's doing, never the user's: a run stops, loses nothing that was finished, and
continues when the same command is given again.
"""

from __future__ import annotations


class StoreError(Exception):
    """The store could not do what was asked."""


class StoreUnavailable(StoreError):
    """The database did not answer, or stayed locked, for longer than the patience given."""


class StoreFull(StoreError):
    """No space is left where the database lies; what was committed before is intact."""
