"""Ending with the process that started this one, also when it was killed.

Imports nothing of the project, so that a process can be watched from its first instructions.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys

PARENT = "ABLATIONS_PARENT"
"""Environment variable with the process id of whoever starts the fork server."""

PRELOADED = "ABLATIONS_PRELOADED"
"""Environment variable with the modules that the fork server of a trainer of one's own imports."""


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel for SIGKILL when the parent ends; elsewhere a channel's end serves.

    Args:
        parent: the expected parent's process id: when another process is the parent by now, the
            expected one has ended already. None: whichever is the parent now.
    """
    if sys.platform != "linux":
        return
    expected = os.getppid() if parent is None else parent
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != expected:  # it ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)


def end_group_with_parent(patience: float) -> None:
    """Have this process's group killed when it or its parent ends, whatever the group ignores.

    A process that the kernel ends takes nothing along that it has started, and one that is stopped
    tidies up nothing. Another process therefore stands by: in the group, no child of this one, deaf
    to every signal but SIGKILL.

    Args:
        patience: seconds that this process has, after its parent has ended, to end by itself.
    """
    if not hasattr(os, "pidfd_open"):  # Linux alone has it
        return
    this, parent = os.pidfd_open(os.getpid()), os.pidfd_open(os.getppid())
    if (between := os.fork()) != 0:
        os.close(this)
        os.close(parent)
        os.waitpid(between, 0)
        return
    try:
        if os.fork() == 0:
            _stand_by(this, parent, patience)
    finally:
        os._exit(0)


def _stand_by(this: int, parent: int, patience: float) -> None:
    """Wait for the end of either process, then kill the group, and this with it."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    low, high = sorted((this, parent))  # all else is let go of: whoever reads it waits for its end
    for begin, end in ((3, low), (low + 1, high), (high + 1, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(begin, end)
    if this not in _ended_of(this, parent, seconds=None):
        _ended_of(this, seconds=patience)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(os.getpgrp(), signal.SIGKILL)


def _ended_of(*processes: int, seconds: float | None) -> set[int]:
    """Which of these have ended, as soon as one has or so many seconds have passed."""
    poll = select.poll()
    for process in processes:
        poll.register(process, select.POLLIN)
    return {process for process, _ in poll.poll(None if seconds is None else seconds * 1000)}
