"""Peer (b): the same cells under `joblib.Parallel`, its default backend (loky processes).

loky gives each process its share of the cores as threads: one of two. Loader workers would compete
with the other process for the cores (measured 1.15 to 1.2 times the CPU), so there are none.
"""

import json
import sys
from itertools import product
from pathlib import Path

from joblib import Parallel, delayed
from tutorial import train_cell

if __name__ == "__main__":
    workload = json.loads(Path(sys.argv[1]).read_text())
    Parallel(n_jobs=workload["workers"])(
        delayed(train_cell)(workload, lr, seed)
        for lr, seed in product(workload["lrs"], workload["seeds"])
    )
