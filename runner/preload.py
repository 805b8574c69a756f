"""Imported once by the fork server, so that every cell process starts with torch in memory.

It must stay free of CUDA calls, database engines and threads: what is made here is inherited by
every cell process through fork.
"""

from runner.cradle import die_with_parent

die_with_parent()

import scipy.special  # noqa: E402, F401  the verdict's; the parent's death is watched first
import torch  # noqa: E402

import ablations.pixels  # noqa: E402, F401
import runner.data  # noqa: E402
import runner.training  # noqa: E402, F401
from ablations.registry import FACTORS, names  # noqa: E402
from runner.fused_norm import warm  # noqa: E402

for _factor in FACTORS:
    names(_factor)
# Its first call imports the compiler, which takes over a second; each cell makes this call again.
torch.use_deterministic_algorithms(True)
torch.use_deterministic_algorithms(False)
warm()
