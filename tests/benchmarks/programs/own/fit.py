"""What a user has: a function. It knows of no tool; what it leaves is for the benchmark alone."""

import os
import time
from pathlib import Path


def fit(lr, seed, kind):
    if kind == "sleep":
        time.sleep(1)
    elif kind == "work":  # of this thread: with two threads in one process each waits for the other
        end = time.thread_time() + 1
        while time.thread_time() < end:
            sum(range(1000))
    Path(os.environ["BENCH_RECORDS"], f"{lr}+{seed}+{time.time_ns()}").touch()
    return 1 - lr
