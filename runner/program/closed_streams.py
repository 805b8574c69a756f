"""Standard streams that somebody closed (`>&-`), opened again on nothing.

Otherwise `print` and `flush` fail, and the next file or socket takes the number of the closed one:
what a library writes to "standard error" would land in a database.
"""

from __future__ import annotations

import os
import sys


def reopen_closed() -> None:
    """Open the null device for each of the three streams that is closed; call it first of all."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The kernel gives the lowest free number, which is this stream's.
            number = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)  # cell processes would stumble over it too
            setattr(sys, name, os.fdopen(number, mode))
