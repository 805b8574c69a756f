"""`plan FILE` (and `grid --dry-run`): what would run, what it could tell, what it would cost."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ablations.errors import InputError
from runner.commands import options
from runner.commands.show import SHORT_ID
from runner.spans import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.design import Design
    from runner.spec import Spec
    from runner.store import Kind

EXAMPLES = """examples:
  python -m runner plan ablations/five_factor.yaml
  python -m runner plan ablations/five_factor.yaml --profile cuda --set replicates=5
  python -m runner plan ablations/screening.yaml --cells 0
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.specification(parser)
    options.slots(parser)
    options.store(parser)
    parser.add_argument(
        "--cells", type=int, default=10, metavar="N", help="cells to list (default: 10)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    spec, design = read(arguments)
    return show(spec, design, arguments)


def read(arguments: argparse.Namespace) -> tuple[Spec, Design]:
    """The specification and the design the arguments name."""
    from runner.design import plan
    from runner.devices import inventory
    from runner.spec import load_spec

    cuda = any(device.kind == "cuda" for device in inventory(arguments.devices))
    spec = load_spec(arguments.file, arguments.profile, arguments.overrides, cuda_visible=cuda)
    return spec, plan(spec)


def headline(spec: Spec) -> str:
    """One line: the profile, why it was chosen, the network and the images."""
    from runner.devices import cuda_visible
    from runner.spec.catalog import DATASETS

    visible = "a CUDA device is visible" if cuda_visible() else "no CUDA device is visible"
    network = spec.model.name
    if network == "vgg":
        slim = "" if spec.model.width == 1 else f" of {spec.model.width:g} times the usual width"
        network = f"VGG-{spec.model.depth}{slim}"
    facts = DATASETS.get(spec.data.name)
    images = spec.data.name if facts is None else f"{spec.data.name} ({facts.note})"
    return f"profile {spec.profile} ({visible}): {network} on {images}"


def device_kind(spec: Spec, arguments: argparse.Namespace) -> Kind:
    """What the cells will train on: outcomes of other studies are taken from the same kind.

    Raises:
        InputError: no scheduler answers, where the slots are a cluster's.
    """
    from runner.devices import inventory
    from runner.placement import first_workers, places

    if on_cluster(spec, arguments):
        cuda = any(place.gpus for place in places(first_workers(cluster(spec, arguments))))
    else:
        found = inventory(arguments.devices or spec.run.devices)
        cuda = any(device.kind == "cuda" for device in found)
    return "cuda" if cuda else "cpu"


def on_cluster(spec: Spec, arguments: argparse.Namespace) -> bool:
    """Whether slots are placed on a Dask cluster."""
    return (getattr(arguments, "backend", None) or spec.run.backend) == "dask"


def cluster(spec: Spec, arguments: argparse.Namespace) -> str:
    """The address of the Dask scheduler; InputError where none is named."""
    scheduler: str | None = getattr(arguments, "scheduler", None) or spec.run.scheduler
    if scheduler is None:
        raise InputError("--backend dask needs --scheduler ADDRESS (or run.scheduler in the file)")
    return scheduler


def adopted_words(adopted: Mapping[str, int]) -> str:
    """What was taken from which study: "4 from STUDY, 2 from OTHER"."""
    return ", ".join(f"{count} from {study}" for study, count in adopted.items())


def show(spec: Spec, design: Design, arguments: argparse.Namespace) -> int:
    """Print the plan; returns the exit code."""
    console = Console(highlight=False)
    piped = not console.is_terminal  # a line stays one line, for grep
    console.print(escape(headline(spec)), soft_wrap=piped)
    console.print(
        f"study {escape(spec.study)}: {len(design.cells)} cells = {design.combinations} "
        f"combinations x {design.replicates} replicate{'s' * (design.replicates != 1)}"
        + (f" ({design.excluded} combinations excluded)" if design.excluded else ""),
        soft_wrap=piped,
    )
    table = Table("factor", "levels (cells of each)", box=None)
    for factor, counts in design.level_counts.items():
        listed = "  ".join(f"{label} ({count})" for label, count in counts.items())
        table.add_row(escape(factor), escape(listed))
    for level in spec.fixed:
        table.add_row(escape(level.factor), escape(f"{level.label} (fixed)"))
    console.print(table)
    _adoptable(design, arguments, console)
    _facts(design, arguments, console)
    _cells(design, getattr(arguments, "cells", 10), console)
    return 0


def _adoptable(design: Design, arguments: argparse.Namespace, console: Console) -> None:
    """How many cells need no training, because other studies of the store hold their outcome."""
    from runner.store import StoreError, open_store

    spec = design.spec
    piped = not console.is_terminal
    if on_cluster(spec, arguments):
        return  # which devices it has is asked when the grid starts
    kind = device_kind(spec, arguments)
    try:
        with open_store(arguments.storage, read_patience=5) as store:
            found = store.adoptable(spec.study, design.cells, kind=kind)
    except StoreError as error:
        console.print(f"not known what could be adopted: {escape(str(error))}", soft_wrap=piped)
    except InputError:
        pass  # there is no store yet
    else:
        if found:
            console.print(
                f"trained already in other studies of the store, to be adopted: "
                f"{sum(found.values())} cells ({escape(adopted_words(found))})",
                soft_wrap=piped,
            )


def _facts(design: Design, arguments: argparse.Namespace, console: Console) -> None:
    """What the design can tell, and what it would cost on this machine."""
    from runner.design import estimate, facts
    from runner.devices import inventory, slots

    piped = not console.is_terminal
    found = facts(design)
    for sentence in () if found is None else found.sentences:
        console.print(escape(sentence), soft_wrap=piped)
    run = design.spec.run
    places = slots(
        inventory(arguments.devices or run.devices),
        arguments.slots_per_device or run.slots_per_device,
        threads=design.spec.train.threads,
    )
    cost = estimate(design, places)
    time = "unknown" if cost.seconds is None else f"about {duration(cost.seconds)}"
    each = "" if cost.cell_seconds is None else f" ({cost.cell_seconds:.1f} s a cell)"
    console.print(
        f"time {time}{each} on {len(places)} slots, disk {cost.disk_bytes / 1e6:.1f} MB; "
        f"basis: {escape(cost.basis)}",
        soft_wrap=piped,
    )


def _cells(design: Design, count: int, console: Console) -> None:
    if not count:
        return
    table = Table("cell", "rep", *design.spec.labels, box=None)
    for cell in design.cells[:count]:
        table.add_row(cell.id[:SHORT_ID], str(cell.replicate), *map(escape, cell.labels.values()))
    console.print(table)
    if len(design.cells) > count:
        console.print(f"… and {len(design.cells) - count} more (--cells N lists more)")
