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
from runner.content.response import ACCURACY
from runner.program.exits import MachineError
from runner.program.wording import counted, duration, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.content.cell import Cell
    from runner.pool.budget import Budget
    from runner.spec import Spec
    from runner.store import Store, StudyInfo

HOURS_OVER = 6
"""Exit code of a grid whose hours are over before all of its cells have run."""


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
    """
    from runner.machine.cpu import emulates_bf16
    from runner.machine.slots import slots_on
    from runner.pool.calibrate import recall
    from runner.pool.coordinate import SIGNALS, run_slots
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
        )
        try:
            run = run_slots(slots, worker, publish=publish)
        except (MachineError, OSError) as error:
            return _stopped(error, store)
    for device in sorted(worker.vanished):
        print(f"{device} vanished; its cells went to the other devices", file=sys.stderr)
    if run.signal is not None:
        print(
            f"stopped by a signal after {counted(run.trained, 'cell')}; the same command continues",
            file=sys.stderr,
        )
        return SIGNALS[signal.Signals(run.signal)]
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
    from runner.pool.cluster import first_workers, other_hosts, run_on_dask
    from runner.pool.coordinate import SIGNALS, coordinate
    from runner.pool.worker import Worker

    scheduler = scheduler_address(spec, arguments)
    address = store.address
    if address.is_sqlite and (far := other_hosts(first_workers(scheduler))):
        raise InputError(
            f"the store {address} is a file of this machine, and the cluster has workers on "
            f"{', '.join(sorted(far))}: name a PostgreSQL store by --storage or $ABLATIONS_STORAGE"
        )
    options = []
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
        try:
            with coordinate(worker, publish) as signals:
                run_on_dask(
                    scheduler,
                    study,
                    None if address.has_secret else address.url.render_as_string(),
                    worker.stop,
                    is_open=lambda: bool(store.open_cells(study)),
                    options=options,
                )
        except (MachineError, OSError) as error:
            return _stopped(error, store)
    if worker.trouble is not None:
        return _stopped(worker.trouble, store)
    if signals:
        return SIGNALS[signal.Signals(signals[0])]
    return 3 if store.status(study).failed else 0


def _stopped(error: Exception, store: Store) -> int:
    """Say why the run cannot go on, and where the content of a store that is gone is now."""
    from runner.store import StoreGone

    kept = f"; {store.keep_aside()}" if isinstance(error, StoreGone) else ""
    print(printable(f"stopped: {error}{kept}"), file=sys.stderr)
    return 4


def _name_of_worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
