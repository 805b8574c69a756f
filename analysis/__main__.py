"""`python -m analysis`."""

import gc
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # see `runner.__main__`

from analysis.commands import run
from runner.program.streams import prepare_streams

prepare_streams()
gc.disable()  # a command ends soon; looking for cycles takes a tenth of a report and finds little
code = run()
gc.freeze()  # nor is anything looked for at the end
sys.exit(code)
