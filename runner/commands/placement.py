"""Where the cells of a specification train: the options of the command line, else the file's `run`.

What is wrong with a device or a number of slots is said of the option, or of the file where nobody
gave one.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ablations.errors import InputError, OptionError
from runner.program.needs import need, need_processes

if TYPE_CHECKING:
    from runner.machine.device import Device, Slot
    from runner.spec import Spec
    from runner.store import Kind


def need_to_train(spec: Spec) -> None:
    """Refuse to train here what cannot be.

    Raises:
        InputError: the system starts no cell processes, or the shipped trainer has no torch.
    """
    need_processes()
    if spec.trainer is None:
        need("training the networks of this program (not a trainer of your own)")


def devices_here(spec: Spec, arguments: argparse.Namespace) -> tuple[Device, ...]:
    """What cells train on here.

    Raises:
        InputError: a device that is not there.
    """
    from runner.machine.slots import inventory

    try:
        return inventory(arguments.devices or spec.run.devices)
    except InputError as error:
        raise _whose(error, spec, "devices", arguments.devices) from None


def slots_here(spec: Spec, arguments: argparse.Namespace) -> tuple[Slot, ...]:
    """Where cells train here.

    Raises:
        InputError: a device that is not there, or more slots than it has room for.
    """
    from runner.machine.slots import slots_on

    per_device = arguments.slots_per_device
    try:
        return slots_on(
            devices_here(spec, arguments),
            per_device or spec.run.slots_per_device,
            threads=spec.train.threads,
        )
    except InputError as error:
        raise _whose(error, spec, "slots_per_device", per_device) from None


def _whose(error: InputError, spec: Spec, key: str, option: object) -> InputError:
    """The error, said of the file's `run.KEY` where nobody gave the option."""
    if option is not None or not isinstance(error, OptionError):
        return error
    if error.key != f"--{key.replace('_', '-')}":
        return error
    return spec.refuse(("run", key), f"{error.value}: {error.problem}")


def device_kind(spec: Spec, arguments: argparse.Namespace) -> Kind:
    """What the cells will train on: outcomes of other studies are taken from the same kind.

    Raises:
        InputError: no scheduler answers, where the slots are a cluster's.
    """
    from runner.pool.cluster import cluster_places, first_workers

    if on_cluster(spec, arguments):
        workers = first_workers(scheduler_address(spec, arguments))
        cuda = any(place.gpus for place in cluster_places(workers))
    else:
        cuda = any(device.kind == "cuda" for device in devices_here(spec, arguments))
    return "cuda" if cuda else "cpu"


def on_cluster(spec: Spec, arguments: argparse.Namespace) -> bool:
    """Whether slots are placed on a Dask cluster."""
    return (getattr(arguments, "backend", None) or spec.backend.kind) == "dask"


def scheduler_address(spec: Spec, arguments: argparse.Namespace) -> str:
    """The address of the Dask scheduler; InputError where none is named."""
    scheduler: str | None = getattr(arguments, "scheduler", None) or spec.backend.scheduler
    if scheduler is None:
        raise InputError(
            "--backend dask needs --scheduler ADDRESS (or backend.scheduler in the file)"
        )
    return scheduler
