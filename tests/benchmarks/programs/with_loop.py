"""Peer (a): cells one after another in one process, torch's default threads, two loader workers.

The script a tutorial leaves its reader with, in a loop over the grid.
"""

import json
import sys
from itertools import product
from pathlib import Path

from tutorial import train_cell

if __name__ == "__main__":
    workload = json.loads(Path(sys.argv[1]).read_text())
    for lr, seed in product(workload["lrs"], workload["seeds"]):
        train_cell(workload, lr, seed, loader_workers=2)
