"""Slots on a cluster: one Dask task a place, given to Dask by joblib's backend for it.

Slurm, PBS, LSF, SGE and Kubernetes come with Dask (dask-jobqueue, dask-kubernetes); nothing here
knows them. A task starts `python -m runner work STUDY` on its worker and waits for it, so a slot on
a cluster is the same program as a slot here. No password travels: a worker whose store needs one
has `ABLATIONS_STORAGE` in its own environment.

Level-triggered like the rest: every few seconds the cluster's places are compared with the tasks
that run, and what is missing is started. So workers may come late, vanish and come back.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from _ablate import words
from ablations.errors import InputError
from runner.store import StudyInfo

RESOURCE = "GPU"
"""Worker resource that makes slots (`dask worker --resources GPU=1`)."""

TIED = "ABLATIONS_TIED"
"""Set for a worker that must end when the process that started it ends."""

LOOK_SECONDS = 2.0
"""How often the cluster's places are compared with the tasks that run."""

PATIENCE_SECONDS = 60.0
"""How long a cluster may have no worker at all."""

NO_WORKER = "the Dask scheduler {} has had no worker for {:.0f} s"

FAILURES = 3
"""How many `work` programs in a row may end with an error before the run is given up."""

FOUND_UNUSABLE = 2
"""Exit code of a program that cannot use what it was given: it would say the same again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """What one `work` on the cluster may use: so many GPUs of one worker, or one of its threads."""

    gpus: int = 0

    @property
    def resources(self) -> dict[str, float]:
        """What Dask must reserve for it."""
        return {RESOURCE: self.gpus} if self.gpus else {}


@dataclass(frozen=True, slots=True)
class WorkEnded:
    """How a `work` on the cluster ended, and its last line."""

    code: int
    line: str = ""


def cluster_places(workers: Mapping[str, Mapping[str, Any]]) -> Counter[Place]:
    """The places of a cluster: one a worker with GPUs, which takes all of them, else one a thread.

    Args:
        workers: Address to description, as the scheduler gives them.
    """
    places: Counter[Place] = Counter()
    for worker in workers.values():
        gpus = int(worker.get("resources", {}).get(RESOURCE, 0))
        places[Place(gpus)] += 1 if gpus else int(worker["nthreads"])
    return places


def first_workers(scheduler: str) -> dict[str, Mapping[str, Any]]:
    """Address to description of the workers that a cluster has, once it has one.

    Raises:
        InputError: Dask is not installed, no scheduler answers, or it has no workers.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    with _client(scheduler) as client:
        while not (workers := dict(client.scheduler_info(n_workers=-1)["workers"])):
            if time.monotonic() > deadline:
                raise InputError(NO_WORKER.format(scheduler, PATIENCE_SECONDS))
            time.sleep(0.2)
    return workers


def other_hosts(workers: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Hosts of workers that are not this machine."""
    here = {one.address for ones in psutil.net_if_addrs().values() for one in ones}
    return {str(worker["host"]) for worker in workers.values()} - here - {"localhost"}


def run_on_dask(
    scheduler: str,
    study: StudyInfo,
    storage: str | None,
    stop: threading.Event,
    *,
    is_open: Callable[[], bool],
    options: Sequence[str] = (),
) -> None:
    """Keep one `work` running in each place until the study has no open cell.

    A worker that dies takes its cell with it: the store gives the cell out again after its lease,
    and the place is filled again when the cluster has it again.

    Args:
        scheduler: Its address.
        study: What to train.
        storage: Address of the store without a password; None: the workers' own environment.
        stop: Set to end every `work`; their cells wait again.
        is_open: Whether a cell still waits or runs.
        options: Further options of `work`.

    Raises:
        InputError: Dask is not installed, no scheduler answers, there are no workers, or `work`
            cannot use what it was given there.
        OSError: the scheduler ended, or `work` failed several times in a row.
    """
    with _client(scheduler) as client:
        cluster = _Cluster(client, study, storage, options)
        seen = time.monotonic()
        while not stop.is_set():
            try:
                workers = client.scheduler_info(n_workers=-1)["workers"]
            except (OSError, RuntimeError, TimeoutError) as error:
                raise OSError(f"the Dask scheduler {scheduler} is gone: {error}") from error
            cluster.raise_failures()
            running = cluster.running()
            if not is_open():
                if not running.total():
                    return
            else:
                for place, missing in (cluster_places(workers) - running).items():
                    for _ in range(missing):
                        cluster.start(place)
            if workers or running.total():
                seen = time.monotonic()
            elif time.monotonic() - seen > PATIENCE_SECONDS:
                raise InputError(NO_WORKER.format(scheduler, PATIENCE_SECONDS))
            stop.wait(LOOK_SECONDS)


class _Cluster:
    """The tasks of a run, each with a thread here that waits for it."""

    def __init__(
        self, client: Any, study: StudyInfo, storage: str | None, options: Sequence[str]
    ) -> None:
        self._client, self._task = client, (study.name, storage, tuple(options))
        self._threads: dict[threading.Thread, Place] = {}
        self._failed: list[WorkEnded] = []  # in a row

    def running(self) -> Counter[Place]:
        """Places with a task that has not ended."""
        self._threads = {t: place for t, place in self._threads.items() if t.is_alive()}
        return Counter(self._threads.values())

    def start(self, place: Place) -> None:
        """Give Dask one more task for such a place."""
        thread = threading.Thread(target=self._wait_for, args=(place,), daemon=True)
        self._threads[thread] = place
        thread.start()

    def raise_failures(self) -> None:
        """Raise what ends the run: nothing that a worker did which merely vanished."""
        for ended in self._failed:
            if ended.code == FOUND_UNUSABLE:
                raise InputError(f"on a worker of the cluster: {ended.line}")
        if len(self._failed) >= FAILURES:
            last = self._failed[-1]
            raise OSError(f"`work` fails on the cluster with exit code {last.code}: {last.line}")

    def _wait_for(self, place: Place) -> None:
        from joblib import Parallel, delayed, parallel_config

        task = delayed(work_on_this_host)(*self._task, gpu=bool(place.gpus))
        try:
            with parallel_config(backend=_backend(self._client, place)):
                (ended,) = Parallel(batch_size=1)([task])
        except Exception as error:  # the worker died, Dask gave the task up, the client was closed
            log.info("a task of the cluster was lost: %r", error)
            return
        if ended.code in (0, 3):
            self._failed.clear()
        elif ended.code > 0:
            self._failed.append(ended)


def _backend(client: Any, place: Place) -> Any:
    class Backend(_joblibs_backend()):  # type: ignore[misc]  # untyped
        """joblib's, which runs a task here and not on the cluster where that has one thread."""

        def effective_n_jobs(self, n_jobs: int) -> int:
            return max(2, int(super().effective_n_jobs(n_jobs)))

    return (
        Backend(client=client, resources=place.resources) if place.gpus else Backend(client=client)
    )


def _joblibs_backend() -> Any:
    """Joblib's backend of Dask, a private part of it.

    Raises:
        InputError: this joblib keeps it elsewhere.
    """
    try:
        from joblib._dask import DaskDistributedBackend
    except ImportError as error:
        raise InputError(f"--backend dask needs a joblib from 1.4 to below 2: {error}") from None
    return DaskDistributedBackend


def work_on_this_host(
    study: str, storage: str | None, options: Sequence[str], *, gpu: bool
) -> WorkEnded:
    """The life of a place as a process of its own; runs inside a Dask task."""
    arguments = [
        *words("runner", "work", study, "--stay", "--quiet"),
        *("--slots-per-device", "1"),
        *(() if gpu else ("--devices", "cpu")),
        *options,
        *(() if storage is None else ("--storage", storage)),
    ]
    # A Dask worker's processes are daemonic and may have no multiprocessing children; a plain
    # program may. It asks the kernel to end with this thread (runner.commands.running.work).
    with subprocess.Popen(  # noqa: S603  our own program, no shell
        arguments,
        env={**os.environ, TIED: "1"},
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        is_wanted = _asks_whether_wanted()
        ender = threading.Thread(target=_end_unwanted, args=(process, is_wanted), daemon=True)
        ender.start()
        last = ""
        for line in process.stderr or ():
            sys.stderr.write(line)  # the Dask worker's log has all of it
            last = line.strip() or last
    return WorkEnded(process.returncode, last)


def _asks_whether_wanted() -> Callable[[], bool]:
    """Whether Dask still wants the task of this thread: it may be cancelled while it runs."""
    from distributed import get_worker

    try:
        worker = get_worker()
        key = worker.get_current_task()
    except ValueError:  # called outside a Dask worker
        return lambda: True

    def is_wanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is not None and state.state in ("executing", "long-running")

    return is_wanted


def _end_unwanted(process: subprocess.Popen[str], is_wanted: Callable[[], bool]) -> None:
    while process.poll() is None:
        if not is_wanted():
            process.terminate()  # its cells wait again
            return
        time.sleep(0.5)


def _client(scheduler: str) -> Any:
    try:
        import distributed
    except ImportError:
        raise InputError(
            "--backend dask needs Dask: pip install 'ablation-grid-runner[dask]'"
        ) from None
    _joblibs_backend()  # refused here rather than by every task
    try:
        return distributed.Client(scheduler, timeout=20, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {scheduler}: {error}") from None
