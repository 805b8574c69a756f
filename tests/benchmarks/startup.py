"""What a cell's process costs beyond training, and how much memory one takes.

Starts real cell processes one after another and reads from the kernel what the fork server's ended
children used: their CPU time less the training's own is start-up, hand-over and ending. Run as
`python -m tests.benchmarks.startup OUT.json ARCHIVE COUNT`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path
from typing import Any

from runner.machine.slots import inventory, slots_on
from runner.pool.process.child import CellJob
from runner.pool.process.launch import CellProcess, start_fork_server
from tests.benchmarks.meter import TICK, tree
from tests.benchmarks.workload import Workload


def seconds_of_ended_children(parent: int) -> float:
    """CPU time of the children a process has waited for (proc(5): cutime and cstime)."""
    words = Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()
    return (int(words[13]) + int(words[14])) / TICK


def fork_server() -> int:
    """The process id of this process's fork server."""
    for process in tree(os.getpid()):
        command = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace")
        if "forkserver" in command:
            return process
    raise RuntimeError("this process has no fork server")


def measure(source: Path, count: int) -> list[dict[str, Any]]:
    """One row a cell process."""
    # Here and not above: multiprocessing has a cell process import the module that was started. The
    # runner's is light; this one would spend half a second on the store that these bring.
    from tests.benchmarks.images import prepare
    from tests.benchmarks.roofline import cell_of

    workload = Workload(
        "startup", epochs=2, train_images=256, validation_images=64, test_images=128
    )
    cell = cell_of(workload, prepare(workload, source))
    start_fork_server()
    slot = slots_on(inventory("cpu"), 1)[0]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        # The first one warms the page cache and the fork server's own imports.
        for number in range(count + 1):
            one = replace(cell, replicate=number)
            job = CellJob(one.to_json(), f"{number}", folder, f"{folder}/{number}.log", slot.device)
            began = time.perf_counter()
            process = CellProcess(slot)
            server = fork_server()
            before = seconds_of_ended_children(server)
            ended = process.train(
                job,
                on_epoch=lambda epoch: None,
                taken_away=lambda: False,
                stop=threading.Event(),
            )
            process.close()
            wall = time.perf_counter() - began
            active_children()
            outcome = ended.outcome
            if outcome is None or outcome.cpu_seconds is None:
                raise RuntimeError(f"a cell process ended without an outcome: {ended.detail}")
            rows.append(
                {
                    "cpu_seconds": seconds_of_ended_children(server) - before,
                    "training_cpu_seconds": outcome.cpu_seconds,
                    "wall_seconds": wall,
                    "training_seconds": outcome.seconds,
                    "peak_memory_bytes": outcome.peak_memory_bytes,
                }
            )
    return rows[1:]


if __name__ == "__main__":
    out, images, count = sys.argv[1:]
    Path(out).write_text(json.dumps(measure(Path(images), int(count))))
