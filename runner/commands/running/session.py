"""One session of training, shared by `grid` and `work`: slots, display, tally."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import InputError
from runner.commands.placement import devices_here, on_cluster, scheduler_address, slots_here
from runner.commands.running.screen import progress_display
from runner.commands.terminal import SHORT_ID
from runner.content.response import ACCURACY
from runner.program.exits import MachineError
from runner.program.naming import spoken
from runner.program.wording import counted, duration, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.content.cell import Cell
    from runner.pool.alike import Alike
    from runner.pool.budget import Budget
    from runner.spec import Spec
    from runner.store import Store, StudyInfo

HOURS_OVER = 6
"""Exit code of a grid whose hours are over before all of its cells have run."""


class FailsAlike(Exception):
    """The first cells of a run all failed alike, and no further one was begun."""

    def __init__(self, found: Alike, store: Store, study: StudyInfo) -> None:
        waiting = store.status(study).waiting
        why = f"{found.reason}: {found.detail}" if found.detail else found.reason
        super().__init__(
            f"stopped: the first {counted(found.cells, 'cell')} all failed alike ({why}), so the "
            f"{waiting:,} others were left waiting; one in full: "
            f"`python -m runner show {found.cell[:SHORT_ID]}`; the same command goes on with those "
            f"that wait, with --keep-going whatever fails; `python -m runner retry {study.name}` "
            "puts the failed ones back"
        )

    def say(self) -> int:
        """Say it; returns the exit code."""
        print(printable(spoken(str(self))), file=sys.stderr)
        return 3


def train_study(
    store: Store,
    study: StudyInfo,
    folder: Path,
    arguments: argparse.Namespace,
    *,
    spec: Spec,
    stay: bool = True,
    publish: Callable[[], object] | None = None,
    budget: Budget | None = None,
) -> int:
    """Train open cells until none is left; returns the exit code.

    Args:
        store: Where.
        study: What.
        folder: This machine's folder of the study.
        arguments: Options of the verb: devices, slots, output.
        spec: The study's specification.
        stay: Wait for other workers' cells, in case one is lost.
        publish: Called every minute while the grid runs.
        budget: Of time; knows the cells already.

    Raises:
        FailsAlike: the first cells all failed alike, unless `--keep-going` was given.
    """
    from runner.machine.cpu import emulates_bf16
    from runner.machine.slots import slots_on
    from runner.pool.alike import FirstCells
    from runner.pool.calibrate import recall
    from runner.pool.coordinate import run_slots
    from runner.pool.process.launch import prepare_images, start_fork_server
    from runner.pool.worker import Worker

    if on_cluster(spec, arguments):
        return _train_on_dask(store, study, folder, arguments, spec=spec, publish=publish)
    samples = [] if spec.trainer is not None else _one_cell_a_data_set(spec)
    devices = devices_here(spec, arguments)
    if not samples or arguments.slots_per_device or spec.run.slots_per_device:
        slots = slots_here(spec, arguments)
    else:
        slots = slots_on(devices, recall(devices, samples[0]), threads=spec.train.threads)
    if (
        samples
        and devices[0].kind == "cpu"
        and "bf16" in spec.values("train.precision")
        and emulates_bf16()
    ):
        print(
            "train.precision: this CPU has no bf16 instructions and emulates them; "
            "fp32 is likely to be faster here",
            file=sys.stderr,
        )
    try:
        start_fork_server(study.spec.get("libraries", ()) if spec.trainer is not None else None)
        for cell in samples:
            prepare_images(cell)
    except (MachineError, OSError) as error:
        return _stopped(error, store)
    display = progress_display(
        study.name,
        lambda: store.status(study).replicates,
        quiet=arguments.quiet,
        target=study.train.get("target"),
        measure=next(iter(spec.records.values()), ACCURACY),
    )
    with display as listener:
        worker = Worker(
            store=store,
            study=study,
            folder=folder,
            name=_name_of_worker(),
            listener=listener,
            stay=stay,
            budget=budget,
            first=None if arguments.keep_going else FirstCells(store, study, len(slots)),
        )
        try:
            run = run_slots(slots, worker, publish=publish)
        except (MachineError, OSError) as error:
            return _stopped(error, store)
    for device in sorted(worker.vanished):
        print(f"{device} vanished; its cells went to the other devices", file=sys.stderr)
    if run.signal is not None:
        return _stopped_by(run.signal, f" after {counted(run.trained, 'cell')}")
    if worker.alike is not None:
        raise FailsAlike(worker.alike, store, study)
    if not arguments.quiet:
        print(f"{counted(run.trained, 'cell')} trained here in {duration(run.seconds)}")
    if budget is not None and budget.is_over() and store.open_cells(study):
        return HOURS_OVER
    return 3 if store.status(study).failed else 0


def report(store: Store, study: StudyInfo, folder: Path) -> None:
    """Write the report unless a newer one lies there, and print what was found."""
    from analysis.report import findings, is_current

    if not is_current(store, study, folder):
        from analysis.report.press import Press

        with Press() as press:  # first: the drawing libraries take seconds to import
            from analysis.report import write_report

            write_report(study.name, folder, storage=store.address, press=press)
    for line in findings(folder):
        print(line)
    print(f"report: {folder / 'report.html'}")


def _one_cell_a_data_set(spec: Spec) -> list[Cell]:
    """Cells that between them need every data set of the study."""
    from itertools import product

    from runner.content.cell import Cell
    from runner.content.level import apply_fields

    fields = [f.levels for f in spec.factors if f.name.startswith("data.")]
    cells = []
    for levels in product(*fields):
        data, model, train = apply_fields((spec.data, spec.model, spec.train), levels)
        cells.append(Cell((), (), 0, data, model, train, plugins=spec.plugins))
    return cells


def _train_on_dask(
    store: Store,
    study: StudyInfo,
    folder: Path,
    arguments: argparse.Namespace,
    *,
    spec: Spec,
    publish: Callable[[], object] | None,
) -> int:
    """Place the slots on a Dask cluster; from here, keep the store and its mirror in order."""
    from runner.pool.alike import FirstCells
    from runner.pool.cluster import cluster_places, first_workers, other_hosts, run_on_dask
    from runner.pool.coordinate import coordinate
    from runner.pool.worker import Worker

    scheduler = scheduler_address(spec, arguments)
    address = store.address
    workers = first_workers(scheduler)
    if address.is_sqlite and (far := other_hosts(workers)):
        raise InputError(
            f"the store {address} is a file of this machine, and the cluster has workers on "
            f"{', '.join(sorted(far))}: name a PostgreSQL store by --storage or $ABLATIONS_STORAGE"
        )
    options = ["--keep-going"]  # it is judged here, for all of them
    if devices := arguments.devices or spec.run.devices:
        options += ["--devices", devices]
    if wanted := arguments.slots_per_device or spec.run.slots_per_device:
        options += ["--slots-per-device", str(wanted)]
    display = progress_display(
        study.name,
        lambda: store.status(study).replicates,
        quiet=arguments.quiet,
        target=study.train.get("target"),
        measure=next(iter(spec.records.values()), ACCURACY),
    )
    with display as listener:
        worker = Worker(store, study, folder, _name_of_worker(), listener)
        if not arguments.keep_going:
            worker.first = FirstCells(store, study, cluster_places(workers).total())

        def is_open() -> bool:
            worker.failed()
            if worker.alike is not None:
                worker.stop.set()
            return bool(store.open_cells(study))

        try:
            with coordinate(worker, publish) as signals:
                run_on_dask(
                    scheduler,
                    study,
                    None if address.has_secret else address.url.render_as_string(),
                    worker.stop,
                    is_open=is_open,
                    options=options,
                )
        except (MachineError, OSError) as error:
            return _stopped(error, store)
    if worker.trouble is not None:
        return _stopped(worker.trouble, store)
    if signals:
        return _stopped_by(signals[0])
    if worker.alike is not None:
        raise FailsAlike(worker.alike, store, study)
    return 3 if store.status(study).failed else 0


def _stopped_by(number: int, when: str = "") -> int:
    """Say which signal ended the run, as what it was; returns the exit code."""
    from runner.pool.coordinate import SIGNALS

    one = signal.Signals(number)
    code = SIGNALS[one]
    named = f"Ctrl-C ({one.name}, {code})" if one is signal.SIGINT else f"{one.name} ({code})"
    print(f"stopped by {named}{when}; the same command continues", file=sys.stderr)
    return code


def _stopped(error: Exception, store: Store) -> int:
    """Say why the run cannot go on, and where the content of a store that is gone is now."""
    from runner.store import StoreGone

    kept = f"; {store.keep_aside()}" if isinstance(error, StoreGone) else ""
    print(printable(f"stopped: {error}{kept}"), file=sys.stderr)
    return 4


def _name_of_worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
