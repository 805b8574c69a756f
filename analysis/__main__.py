"""`python -m analysis`."""

import sys

from analysis.commands import run
from runner.streams import reopen_closed

reopen_closed()
sys.exit(run())
