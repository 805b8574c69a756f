"""`plan FILE` (and `grid --dry-run`): what would run, what it could tell, what it would cost."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ablations.errors import InputError, OptionError
from runner.commands import options
from runner.commands.terminal import SHORT_ID, plain_console
from runner.program.wording import duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.design import Design
    from runner.machine.device import Device, Slot
    from runner.spec import Spec
    from runner.store import Kind

EXAMPLES = """examples:
  python -m runner plan ablations/five_factor.yaml
  python -m runner plan ablations/five_factor.yaml --profile cuda --set replicates=5
  python -m runner plan ablations/screening.yaml --cells 0 --all
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.specification(parser)
    options.slots(parser)
    options.store(parser)
    options.planning(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    spec, design = read(arguments)
    return show(spec, design, arguments)


def read(arguments: argparse.Namespace) -> tuple[Spec, Design]:
    """The specification and the design the arguments name."""
    from runner.design import design_of
    from runner.machine.slots import inventory
    from runner.spec import load_spec

    cuda = any(device.kind == "cuda" for device in inventory(arguments.devices))
    spec = load_spec(arguments.file, arguments.profile, arguments.overrides, cuda_visible=cuda)
    return spec, design_of(spec)


def headline(spec: Spec) -> str:
    """One line: the profile, why it was chosen, the network and the images."""
    from runner.machine.slots import cuda_visible
    from runner.spec.catalog import DATASETS

    visible = "a CUDA device is visible" if cuda_visible() else "no CUDA device is visible"
    networks, images = values(spec, "model.name"), values(spec, "data.name")
    shown = [_vgg(spec) if name == "vgg" else str(name) for name in networks]
    sets = [str(name) for name in images]
    if len(sets) == 1 and (facts := DATASETS.get(sets[0])) is not None:
        sets = [f"{sets[0]} ({facts.note})"]
    return f"profile {spec.profile} ({visible}): {_listed(shown)} on {_listed(sets)}"


def values(spec: Spec, field: str) -> list[Any]:
    """Every value of a protocol field: the levels where it is a factor, else the one it has."""
    for factor in spec.factors:
        if factor.name == field:
            return [level.parameters["value"] for level in factor.levels]
    section, _, name = field.partition(".")
    return [getattr(getattr(spec, section), name)]


def _vgg(spec: Spec) -> str:
    widths = values(spec, "model.width")
    network = _listed([f"VGG-{depth}" for depth in values(spec, "model.depth")])
    if widths == [1]:
        return network
    return f"{network} of {_listed([f'{width:g}' for width in widths])} times the usual width"


def _listed(words: Sequence[str]) -> str:
    """Words as one phrase: 'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def devices(spec: Spec, arguments: argparse.Namespace) -> tuple[Device, ...]:
    """What cells train on here; what is wrong is said of the option or of the file's `run`.

    Raises:
        InputError: a device that is not there.
    """
    from runner.machine.slots import inventory

    try:
        return inventory(arguments.devices or spec.run.devices)
    except InputError as error:
        raise _whose(error, spec, "devices", arguments.devices) from None


def places(spec: Spec, arguments: argparse.Namespace) -> tuple[Slot, ...]:
    """Where cells train here.

    Raises:
        InputError: a device that is not there, or more slots than it has room for.
    """
    from runner.machine.slots import slots_on

    per_device = arguments.slots_per_device
    try:
        return slots_on(
            devices(spec, arguments),
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
    from runner.pool.cluster import first_workers
    from runner.pool.cluster import places as places_of

    if on_cluster(spec, arguments):
        cuda = any(place.gpus for place in places_of(first_workers(cluster(spec, arguments))))
    else:
        cuda = any(device.kind == "cuda" for device in devices(spec, arguments))
    return "cuda" if cuda else "cpu"


def on_cluster(spec: Spec, arguments: argparse.Namespace) -> bool:
    """Whether slots are placed on a Dask cluster."""
    return (getattr(arguments, "backend", None) or spec.backend.kind) == "dask"


def cluster(spec: Spec, arguments: argparse.Namespace) -> str:
    """The address of the Dask scheduler; InputError where none is named."""
    scheduler: str | None = getattr(arguments, "scheduler", None) or spec.backend.scheduler
    if scheduler is None:
        raise InputError(
            "--backend dask needs --scheduler ADDRESS (or backend.scheduler in the file)"
        )
    return scheduler


def adopted_words(adopted: Mapping[str, int]) -> str:
    """What was taken from which study: "4 from STUDY, 2 from OTHER"."""
    return ", ".join(f"{count} from {study}" for study, count in adopted.items())


def show(spec: Spec, design: Design, arguments: argparse.Namespace) -> int:
    """Print the plan; returns the exit code."""
    from runner.design import warnings

    console = plain_console()
    piped = not console.is_terminal
    console.print(escape(headline(spec)), soft_wrap=piped)
    console.print(
        f"study {escape(spec.study)}: {len(design.cells)} cells = {design.combinations} "
        f"combinations x {design.replicates} replicate{'s' * (design.replicates != 1)}"
        + excluded_words(design),
        soft_wrap=piped,
    )
    table = Table("factor", "levels (cells of each)", box=None)
    for factor, counts in design.level_counts.items():
        listed = "  ".join(f"{label} ({count})" for label, count in counts.items())
        table.add_row(escape(factor), escape(listed))
    for level in spec.fixed:
        table.add_row(escape(level.factor), escape(f"{level.label} (fixed)"))
    console.print(table)
    for warning in warnings(design):
        console.print(f"note: {escape(warning)}", soft_wrap=piped)
    _stored(design, arguments, console)
    _facts(design, arguments, console)
    _cells(design, arguments.cells, console)
    return 0


def excluded_words(design: Design) -> str:
    """How many combinations are left out, in brackets; nothing where none is."""
    if not design.excluded:
        return ""
    return f" ({design.excluded} combination{'s' * (design.excluded != 1)} excluded)"


def retired_words(count: int) -> str:
    """What becomes of cells that the specification no longer holds."""
    cells, leave = ("1 cell", "leaves") if count == 1 else (f"{count} cells", "leave")
    return (
        f"{cells} of the study {leave} the design: what they found stays in the store, and counts "
        "again when the specification holds them again"
    )


def _stored(design: Design, arguments: argparse.Namespace, console: Console) -> None:
    """What the store says of the plan: cells that leave the design, outcomes to be adopted."""
    from runner.store import StoreError, open_store

    spec = design.spec
    piped = not console.is_terminal
    try:
        with open_store(arguments.storage, read_patience=5) as store:
            gone = store.leaving(spec.study, design.cells)
            # Which devices a cluster has is asked when the grid starts.
            kind = None if on_cluster(spec, arguments) else device_kind(spec, arguments)
            found = {} if kind is None else store.adoptable(spec.study, design.cells, kind=kind)
    except StoreError as error:
        console.print(f"not known what the store holds: {escape(str(error))}", soft_wrap=piped)
        return
    except InputError:  # there is no store yet
        return
    if gone:
        console.print(retired_words(gone), soft_wrap=piped)
    if found:
        console.print(
            f"trained already in other studies of the store, to be adopted: "
            f"{sum(found.values())} cells ({escape(adopted_words(found))})",
            soft_wrap=piped,
        )


def _facts(design: Design, arguments: argparse.Namespace, console: Console) -> None:
    """What the design can tell, and what it would cost on this machine."""
    from runner.design import estimate_cost, facts

    piped = not console.is_terminal
    found = facts(design, everything=arguments.everything)
    for sentence in () if found is None else found.sentences:
        console.print(escape(sentence), soft_wrap=piped)
    slots = places(design.spec, arguments)
    cost = estimate_cost(design, slots)
    time = "unknown" if cost.seconds is None else f"about {duration(cost.seconds)}"
    each = "" if cost.cell_seconds is None else f" ({cost.cell_seconds:.1f} s a cell)"
    console.print(
        f"time {time}{each} on {len(slots)} slot{'s' * (len(slots) != 1)}, disk "
        f"{cost.disk_bytes / 1e6:.1f} MB; basis: {escape(cost.basis)}",
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
