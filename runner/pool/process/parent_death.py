"""Ending with the process that started this one, also when it was killed.

Imports nothing of the project, so that a process can be watched from its first instructions.
"""

from __future__ import annotations

import ctypes
import os
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
