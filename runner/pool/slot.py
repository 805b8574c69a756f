"""A slot: a place where one cell trains at a time.

`work` is the whole life of a slot: claim a cell, train it in a cell process, hand the outcome to
the store, again until nothing is left. It is the same on this machine, on a cluster and on a host
that joined by hand. What all slots of one process share is the `Worker`.
"""

from __future__ import annotations

import contextlib

from runner.content.outcome import Advance, Reason
from runner.content.outcome_files import forget_outcome, log_path, weights_path
from runner.machine.device import Slot
from runner.machine.slots import is_there
from runner.pool.process.child import CellJob
from runner.pool.process.launch import CellProcess, Ended
from runner.pool.worker import DiskFull, Worker
from runner.store import Lease, StoreError

IDLE_SECONDS = 1.0
"""How often a slot looks again while only other workers still train cells."""


NOT_THE_DEVICE = {None, Reason.INTERRUPTED, Reason.LOST}
"""Ends of an attempt that say nothing of its device: for every other it is looked for."""


def work(slot: Slot, worker: Worker) -> int:
    """Train cells on `slot` until none is left or the worker says stop; returns how many ended."""
    device = worker.device_of(slot)
    device.open_slot()
    process: CellProcess | None = None
    lease: Lease | None = None
    trained = 0
    try:
        while not worker.stop.is_set():
            if not device.enter():
                _close(process)  # its memory may be what the cell that is alone lacks
                process = None
                device.wait()
                continue
            alone = False
            try:
                lease = worker.claim(slot)
                if lease is not None:
                    if lease.previous is Reason.OOM:
                        _close(process)
                        process = None
                        device.be_alone()
                        alone = True
                    if process is None or not process.reusable:
                        process = CellProcess(slot)
                    ended = _attempt(lease, slot, process, worker)
            finally:
                device.leave(alone=alone)
            if lease is None:
                _close(process)
                process = None
                if worker.is_over():
                    break
                worker.stop.wait(IDLE_SECONDS)
                continue
            trained += ended.outcome is not None
            if ended.device_gone:
                worker.lose_slot(slot)
                break
            if _reason(ended) is not None:
                worker.failed()
            if _reason(ended) is Reason.OOM:
                device.ran_out(lease.cell.id)
            elif alone and ended.outcome is not None and device.fitted_alone(lease.cell.id):
                break
    except StoreError as error:
        worker.give_up(error)
    except Exception as error:  # whatever it is: no other slot goes on as if it had not been
        worker.give_up(error)
        if lease is not None:
            with contextlib.suppress(StoreError):
                worker.store.release(lease)
    finally:
        if lease is not None:
            worker.drop(lease)
        _close(process)
    return trained


def _close(process: CellProcess | None) -> None:
    if process is not None:
        process.close()


def _attempt(lease: Lease, slot: Slot, process: CellProcess, worker: Worker) -> Ended:
    """One attempt at one cell, from claim to store."""
    cell = lease.cell
    attempts = worker.folder / "attempts"
    log = log_path(attempts, cell.id, lease.attempt)
    which = worker.which_weights
    job = CellJob(
        cell=cell.to_json(),
        token=lease.token,
        folder=str(attempts),
        log=str(log),
        device=slot.device,
        checkpoint=str(worker.folder / "checkpoints" / f"{cell.id}.pt"),
        weights="" if which is None else str(weights_path(worker.folder, cell.id)),
        which=which or "final",
        own_folder=str(worker.folder / "cells" / cell.id) if cell.trainer is not None else "",
    )

    def on_epoch(epoch: Advance) -> None:
        worker.progressed(lease, epoch)
        worker.listener.epoch(slot, epoch)

    worker.listener.started(slot, lease)
    ended = process.train(
        job, on_epoch=on_epoch, taken_away=lambda: worker.refused(lease), stop=worker.stop_of(lease)
    )
    if _reason(ended) not in NOT_THE_DEVICE and not is_there(slot):
        why = f"{slot.device_id}, the device of {slot.name}, vanished"
        ended = Ended(None, Reason.INTERRUPTED, why, device_gone=True)
    accepted = _record(lease, ended, worker, str(log))
    worker.drop(lease)
    if ended.outcome is not None and not accepted:
        # The lease was lost at the last moment. The file stays: `repair` adopts it if the cell
        # still lacks an outcome.
        ended = Ended(None, Reason.LOST, "the lease was lost to another worker")
    if ended.outcome is not None or ended.device_gone:  # then it is a failure of the device's
        forget_outcome(attempts, cell.id, lease.token)
    if ended.outcome is not None:
        worker.forget_checkpoints([cell.id])
    worker.listener.ended(slot, lease, ended)
    return ended


def _record(lease: Lease, ended: Ended, worker: Worker, log: str) -> bool:
    """Tell the store how the attempt ended; False when it says that the lease was lost."""
    if ended.outcome is not None:
        return worker.store.finish(lease, ended.outcome, log=log)
    if ended.reason is Reason.LOST:  # no longer this worker's to end
        return False
    if ended.disk_full:
        released = worker.store.release(lease, log=log)
        worker.give_up(DiskFull(f"{worker.folder} takes no more files; the cell is waiting again"))
        return released
    if ended.device_gone:  # a device takes none of the cell's attempts with it
        return worker.store.release(lease, log=log, reason=Reason.CUDA, detail=ended.detail)
    if ended.reason is Reason.INTERRUPTED:
        return worker.store.release(lease, log=log)
    return worker.store.fail(lease, ended.reason or Reason.BUG, ended.detail, log=log) is not None


def _reason(ended: Ended) -> Reason | None:
    return ended.reason if ended.outcome is None else ended.outcome.reason
