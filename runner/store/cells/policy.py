"""Which failures are tried again, and how often: one table, read by the store alone.

Only what the machine did is repeated. A cell whose code, level or data is at fault would fail in
the same way again. Attempts are counted per reason since the cell was planned or last sent back by
`retry`, so that three kills and one lost worker do not add up to giving up.
"""

from __future__ import annotations

from runner.content.outcome import Reason

ATTEMPTS: dict[Reason, int] = {
    Reason.KILLED: 3,  # a signal may be anybody's doing; three in a row are the cell's
    Reason.CUDA: 2,  # a fresh process gets a fresh context
    Reason.OOM: 2,  # once more, with fewer slots on its device (runner.pool.sharing)
    Reason.AGAIN: 3,  # a trainer of one's own that asked for it
    Reason.LOST: 5,  # leases that ran out: the cell may be what takes its machines down
}
"""How many attempts may end for a reason before the cell fails; every other reason: one."""


def is_retried(reason: Reason, ended: int) -> bool:
    """Whether a cell waits again after `ended` attempts that ended for `reason`."""
    return ended < ATTEMPTS.get(reason, 1)
