"""Standard streams as the programs need them: open, and taking whatever is printed.

Where somebody closed one (`>&-`), `print` and `flush` fail, and the next file or socket takes the
number of the closed one: what a library writes to "standard error" would land in a database. Where
one is not UTF-8 (a latin-1 terminal), a sign that it lacks would end the program in mid-run.
"""

from __future__ import annotations

import io
import os
import sys


def prepare_streams() -> None:
    """Open the null device for each stream that is closed; call it first of all.

    Signs that a stream cannot show become "?".
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The kernel gives the lowest free number, which is this stream's.
            number = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)  # cell processes would stumble over it too
            setattr(sys, name, os.fdopen(number, mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
