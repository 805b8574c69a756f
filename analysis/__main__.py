"""`python -m analysis`."""

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # see `runner.__main__`

from analysis.commands import run
from runner.streams import reopen_closed

reopen_closed()
sys.exit(run())
