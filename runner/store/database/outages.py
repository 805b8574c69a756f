"""What the store raises besides `InputError`, and what it says while it waits.

    StoreError                the store could not do what was asked
    ├── StoreUnavailable      the database did not answer within the patience given
    ├── StoreFull             no space left where the database lies
    ├── StoreDamaged          what it holds is not what was written
    └── StoreGone             the file was deleted or replaced while it was in use

All are the machine's doing, never the user's: a run stops and loses nothing that was finished.
But for damage it continues when the same command is given again.
"""

from __future__ import annotations

import logging
import threading
import time

from runner.program.exits import MachineError
from runner.program.wording import duration

SAID_AFTER = 3.0
"""Seconds that a database may take to answer before it is said that it is waited for."""

SAID_AGAIN = 60.0
"""Seconds after which it may be said anew."""

log = logging.getLogger(__name__)


class StoreError(MachineError):
    """The store could not do what was asked."""


class StoreUnavailable(StoreError):
    """The database did not answer, or stayed locked, for longer than the patience given."""


class StoreFull(StoreError):
    """No space is left where the database lies; what was committed before is intact."""


class StoreDamaged(StoreError):
    """The store holds what no program of this kind wrote; the message names table and row."""


class StoreGone(StoreError):
    """At the store's path there is no file any more, or another one than the one in use."""


class Waiting:
    """Says that the database is waited for, and for how long: once for all threads."""

    def __init__(self, address: object) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._said = -SAID_AGAIN  # when, by the monotonic clock
        self._waits = False

    def goes_on(self, waited: float, patience: float, problem: str) -> None:
        """A transaction was refused, and is to be tried again after `waited` seconds so far."""
        now = time.monotonic()
        with self._lock:
            if waited < SAID_AFTER or self._waits or now < self._said + SAID_AGAIN:
                return
            self._said, self._waits = now, True
        log.warning(
            "the store %s does not answer (%s): waiting for it, up to %s in all",
            self._address,
            problem,
            duration(patience),
        )

    def is_over(self) -> None:
        """A transaction went through."""
        if not self._waits:
            return
        with self._lock:
            was, self._waits = self._waits, False
        if was:
            log.warning("the store %s answers again", self._address)
