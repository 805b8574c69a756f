"""`python -m runner VERB`: run a factorial grid and look after it.

Exit codes: 0 done; 1 a bug; 2 what was given cannot be used; 3 the grid ended but some cells
failed; 4 the store, the disk or every device is gone; 5 another command cut the grid's design
while it ran; 6 its --hours were over before all cells had run; 129, 130, 143 stopped by a signal.
"""

from __future__ import annotations

import sys

import _ablate

if __name__ == "__main__":
    _ablate.begin()
    from runner.commands import alone
    from runner.program.streams import prepare_streams

    prepare_streams()
    sys.exit(alone(sys.argv[1:]))
