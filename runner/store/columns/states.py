"""Where a cell or an attempt stands: the words in the columns of that name."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a cell stands."""

    WAITING = "waiting"  # to be claimed
    RUNNING = "running"  # a worker holds it and beats
    COMPLETE = "complete"  # trained to an outcome: learned, stalled or diverged
    FAILED = "failed"  # given up; `retry` sends it back


class AttemptState(StrEnum):
    """How an attempt stands or ended."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    LOST = "lost"  # its worker vanished
    RELEASED = "released"  # given back unfinished
