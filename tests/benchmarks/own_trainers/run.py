"""One command of a contestant under the meter, and what its cells left.

A run happens in a fresh folder that holds a copy of all programs, as a user's folder would. Each
cell leaves an empty file named after itself when it ends; the file's time is the cell's end.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import meter
from tests.benchmarks.contestants import HERE, REPOSITORY
from tests.benchmarks.own_trainers.contestants import Contestant
from tests.benchmarks.own_trainers.workload import LEARNING_RATES, Job
from tests.benchmarks.summary import Raw, first_ends

PROGRAMS = HERE / "programs" / "own"


def run(contestant: Contestant, job: Job, cells: int, scratch: Path) -> Raw:
    """Run a grid of so many cells in the new folder `scratch`; plain values for the file.

    Raises:
        RuntimeError: the command failed, or left cells undone.
    """
    shutil.copytree(PROGRAMS, scratch)
    records = scratch / "records"
    records.mkdir()
    log, measured = scratch / "log.txt", scratch / "meter.json"
    with log.open("wb") as output:
        subprocess.run(
            [
                *(sys.executable, meter.__file__, str(measured)),
                *contestant.command(job, cells // LEARNING_RATES),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=scratch,
            env={**os.environ, **_environment(records)},
            check=True,
        )
    found: Raw = json.loads(measured.read_text())
    del found["command"]  # it holds paths of this machine
    facts: Raw = {
        "contestant": contestant.name,
        "job": job.name,
        "meter": found,
        "records": [_record(file, found["began"]) for file in records.iterdir()],
    }
    ends = first_ends(facts)
    if found["returncode"] != 0 or len(ends) != cells:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        raise RuntimeError(
            f"{contestant.label}: exit code {found['returncode']}, {len(ends)} of {cells} cells; "
            f"the end of its log:\n{tail}"
        )
    facts["cells"], facts["trained"] = cells, len(facts["records"])
    facts["seconds_between_ends"] = (ends[-1] - ends[0]) / (len(ends) - 1)
    return facts


def _environment(records: Path) -> dict[str, str]:
    return {
        "BENCH_RECORDS": str(records),
        "PYTHONPATH": str(REPOSITORY),
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def _record(file: Path, began: float) -> dict[str, Any]:
    lr, seed, _who = file.name.split("+")
    return {"lr": float(lr), "seed": int(seed), "ended": round(file.stat().st_mtime - began, 3)}


def bare(seconds: str, times: int, folder: Path) -> dict[str, float]:
    """CPU and wall seconds of the command when nothing but it is run, the median of so many."""
    records = folder / "bare"
    records.mkdir(exist_ok=True)
    words = ["sh", str(PROGRAMS / "fit.sh"), "--lr", "0.1", "--seed", "0", "--seconds", seconds]
    environment = {**os.environ, **_environment(records)}
    cpu, wall = [], []
    for _ in range(times):
        used, clock = meter.own_seconds(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(words, stdout=subprocess.PIPE, env=environment, check=True)
        wall.append(time.perf_counter() - clock)
        cpu.append(meter.own_seconds(resource.RUSAGE_CHILDREN) - used)
    return {"cpu_seconds": median(cpu), "wall_seconds": median(wall)}


def lines(file: Path) -> int:
    """Lines that somebody wrote: neither empty nor a comment, nor a docstring of one line."""
    written = (line.strip() for line in file.read_text().splitlines())
    return sum(not line.startswith(("#", '"""')) for line in written if line)
