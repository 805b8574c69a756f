"""Imported once by the fork server, so that every cell process starts with torch in memory.

It must stay free of CUDA calls, database engines and threads: what is made here is inherited by
every cell process through fork.
"""

import os
import sys

from runner.pool.process.parent_death import PARENT, die_with_parent

die_with_parent(int(os.environ[PARENT]) if PARENT in os.environ else None)

# What follows takes seconds: the parent's death is watched first.
import scipy.special  # noqa: E402, F401  the verdict's
import torch  # noqa: E402

import ablations.pixels.operations  # noqa: E402, F401
import runner.data  # noqa: E402
import runner.pool.process.child  # noqa: E402
import runner.training  # noqa: E402
from ablations.pixels import warp  # noqa: E402
from ablations.pixels.compiled import to_be_compiled  # noqa: E402
from ablations.registry import FACTORS, names  # noqa: E402
from runner.network import fused_norm  # noqa: E402
from runner.program.streams import prepare_streams  # noqa: E402
from runner.training import normalise  # noqa: E402

runner.pool.process.child.note_fork_server()
prepare_streams()  # cell processes inherit them: what a plugin prints ends no cell
for _factor in FACTORS:
    names(_factor)
# Its first call imports the compiler, which takes over a second; each cell makes this call again.
torch.use_deterministic_algorithms(True)
torch.use_deterministic_algorithms(False)
if to_be_compiled():
    print("compiling for this machine, once: half a minute", file=sys.stderr, flush=True)
for _module in (warp, fused_norm, normalise):
    _module.warm()
