"""Slots on a cluster: one Dask task a slot, placed by joblib's Dask backend.

Slurm, PBS, LSF, SGE and Kubernetes come with Dask (dask-jobqueue, dask-kubernetes); nothing here
knows them. A task starts `python -m runner work STUDY` on its worker and waits for it, so a slot on
a cluster is the same program as a slot here. No password travels: a worker whose store needs one
has `ABLATIONS_STORAGE` in its own environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ablations.errors import InputError
from runner.store import StudyInfo

RESOURCE = "GPU"
"""Worker resource that makes a slot (`dask worker --resources GPU=1`)."""

TIED = "ABLATIONS_TIED"
"""Set for a worker that must end when the process that started it ends."""


@dataclass(frozen=True, slots=True)
class Place:
    """One slot of the cluster: which Dask worker, and what it may use."""

    worker: str
    resources: Mapping[str, float]


def places(scheduler: str, patience: float = 60.0) -> list[Place]:
    """The cluster's slots: one a unit of the GPU resource, else one a worker thread.

    Raises:
        InputError: Dask is not installed, the scheduler does not answer, or it has no workers.
    """
    client = _client(scheduler)
    deadline = time.monotonic() + patience
    try:
        while not (workers := client.scheduler_info(n_workers=-1)["workers"]):
            if time.monotonic() > deadline:
                raise InputError(
                    f"the Dask scheduler {scheduler} has had no worker for {patience:.0f} s"
                )
            time.sleep(0.2)
    finally:
        client.close()
    found: list[Place] = []
    for address, worker in sorted(workers.items()):
        units = int(worker.get("resources", {}).get(RESOURCE, 0))
        if units:
            found += [Place(address, {RESOURCE: 1})] * units
        else:
            found += [Place(address, {})] * int(worker["nthreads"])
    return found


def run_on_dask(
    scheduler: str, study: StudyInfo, storage: str | None, stop: threading.Event
) -> list[int]:
    """Keep one `work` running in each place until the study has no open cell.

    A Dask worker that dies takes its cell with it; Dask runs the task again elsewhere, and the
    store gives the cell out again after its lease.

    Returns:
        The exit code of each place's worker.
    """
    import distributed
    from distributed.comm.core import CommClosedError
    from joblib import Parallel, delayed, parallel_config

    placed = places(scheduler)
    with_gpu = bool(placed[0].resources)
    client = _client(scheduler)

    def leave() -> None:
        stop.wait()
        client.close()

    watcher = threading.Thread(target=leave, daemon=True)
    watcher.start()
    try:
        with (
            client,
            parallel_config(
                backend="dask",
                n_jobs=len(placed),
                wait_for_workers_timeout=60,
                **({"resources": {RESOURCE: 1}} if with_gpu else {}),
            ),
        ):
            codes: list[int] = Parallel(batch_size=1, pre_dispatch="all")(
                delayed(work_on_this_host)(study.name, storage, gpu=with_gpu) for _ in placed
            )
    except (distributed.CancelledError, CommClosedError):
        if stop.is_set():
            return []
        raise
    return codes


def work_on_this_host(study: str, storage: str | None, *, gpu: bool) -> int:
    """One slot's life as a process of its own; runs inside a Dask task."""
    arguments: Sequence[str] = [
        *(sys.executable, "-m", "runner", "work", study, "--stay", "--quiet"),
        *("--slots-per-device", "1"),
        *(() if gpu else ("--devices", "cpu")),
        *(() if storage is None else ("--storage", storage)),
    ]
    # A Dask worker's processes are daemonic and may have no multiprocessing children; a plain
    # program may. It asks the kernel to end with this thread (runner.commands.work).
    return subprocess.run(  # noqa: S603  our own program, no shell
        arguments, env={**os.environ, TIED: "1"}, check=False
    ).returncode


def _client(scheduler: str) -> Any:
    try:
        import distributed
    except ImportError:
        raise InputError(
            "--backend dask needs Dask: pip install 'ablation-grid-runner[dask]'"
        ) from None
    try:
        return distributed.Client(scheduler, timeout=20)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {scheduler}: {error}") from None
